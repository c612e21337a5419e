"""What is run by hand or by `make`: the demo, the makers of data."""
