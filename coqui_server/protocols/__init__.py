"""How each kind of client talks over a WebSocket: one file, one wire."""
