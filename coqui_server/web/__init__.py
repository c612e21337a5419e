"""The console: pages for people and REST for programs, on a port of its own."""
