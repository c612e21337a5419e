"""Random and broken input for everything that reads from strangers: `python -m tools.fuzz`."""
