"""Who may connect from a browser: the daemon's own host, and the sites it was told of."""

from http import HTTPStatus

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from coqui_server.engines.base import Engine
from tests.support.daemon import Start

ELSEWHERE = ["https://evil.example", "null", "http://127.0.0.2:5004", "http://[broken", "http:///"]


@pytest.mark.parametrize("path", ["/api/v1/stt", "/ws/events"])
@pytest.mark.parametrize("origin", ELSEWHERE)
async def test_pages_of_other_sites_are_refused(
    start: Start, moonshine: Engine, path: str, origin: str
) -> None:
    """A web page anywhere could otherwise listen in on a daemon of this machine."""
    async with start(moonshine) as server:
        with pytest.raises(InvalidStatus) as refused:
            await connect(server.url + path, origin=Origin(origin))
    assert refused.value.response.status_code == HTTPStatus.FORBIDDEN
    assert b"server.origins" in refused.value.response.body


@pytest.mark.parametrize(
    ("configuration", "origin"),
    [
        ("", "http://127.0.0.1"),
        ("", "http://127.0.0.1:8000"),
        ("", None),
        ('server.origins = ["https://desk.example"]', "https://desk.example"),
        ('server.origins = ["*"]', "https://evil.example"),
    ],
)
async def test_own_pages_named_sites_and_programs_may(
    start: Start, moonshine: Engine, configuration: str, origin: str | None
) -> None:
    """Same host on any port, what is configured, and clients that are no browsers."""
    wanted = Origin(origin) if origin else None
    async with (
        start(moonshine, configuration) as server,
        connect(f"{server.url}/ws/events", origin=wanted) as socket,
    ):
        await socket.send('{"command": "list_calls"}')
        assert await socket.recv() == '{"event": "calls", "calls": []}'
