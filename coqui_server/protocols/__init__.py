"""The protocols that clients speak over a WebSocket: one file for each."""
