"""REST: the interface for programs."""
