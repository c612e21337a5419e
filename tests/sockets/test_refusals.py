"""Every refused handshake has a line in the log with what would let it in."""

import logging

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from tests.support.daemon import Start
from tests.support.live import Obstacle

ACCOUNTS = "store.enabled = true, auth.required = true"


@pytest.mark.parametrize(
    ("configuration", "path", "origin", "line"),
    [
        ("", "/nowhere", None, "refused '/nowhere' (404); there is /api/v1/stt, "),
        ("", "/vosk", "https://a.example", 'server.origins = ["https://a.example"] lets it in'),
        (ACCOUNTS, "/vosk?token=coqui_x", None, "refused '/vosk' (401); the token is not valid; "),
    ],
)
async def test_the_log_says_what_lets_it_in(
    start: Start,
    caplog: pytest.LogCaptureFixture,
    configuration: str,
    path: str,
    origin: str | None,
    line: str,
) -> None:
    """With its address and path, and without its token."""
    caplog.set_level(logging.INFO)
    async with start(Obstacle(), configuration) as server:
        with pytest.raises(InvalidStatus):
            await connect(server.url + path, origin=Origin(origin) if origin else None)
    assert line in caplog.text
    assert "coqui_x" not in "".join(r.getMessage() for r in caplog.records)
