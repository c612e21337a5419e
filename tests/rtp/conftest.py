"""A real server for calls; `start` is that of the protocols' tests."""
