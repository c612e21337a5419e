"""REST: what programs ask for over HTTP."""
