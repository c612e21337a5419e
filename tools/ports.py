"""TCP ports of programs that cannot choose a free one themselves."""

import socket
import subprocess
import time


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def wait_until_open(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a program takes connections.

    Raises:
        RuntimeError: it ended before.
    """
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if process.poll() is not None:
                raise RuntimeError(f"{process.args!r} ended by itself") from None
            time.sleep(0.02)
        else:
            return
