"""The TCP ports of the daemon: WebSocket connections, their routes, and plain GET."""
