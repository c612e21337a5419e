"""The body of a refused handshake as JSON, as the clients of other services expect it."""

import json
from collections.abc import Mapping
from typing import Any

from websockets.http11 import Response


def reason(response: Response) -> str:
    """Why a handshake was refused."""
    return response.body.decode(errors="replace").strip()


def put(response: Response, body: Mapping[str, Any]) -> None:
    """Replace the body of an answer."""
    response.body = json.dumps(body).encode()
    for name, value in (
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(response.body))),
    ):
        del response.headers[name]
        response.headers[name] = value
