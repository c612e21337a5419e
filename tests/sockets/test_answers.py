"""What the speech port answers to requests that are no handshakes."""

import os
import random
from collections.abc import AsyncIterator

import httpx
import pytest

from coqui_server.sockets.bodiless import Bodiless
from tests.support.clips import clip, spoken
from tests.support.daemon import Start
from tests.support.live import Obstacle

VOICE = clip("appointment.wav")


def speech(url: str) -> str:
    """The address of the speech port for HTTP."""
    return url.replace("ws:", "http:")


@pytest.mark.database
async def test_rest_is_sent_to_the_console(start: Start) -> None:
    """A file that is posted to the speech port arrives, and GET stays what it is for monitors."""
    async with (
        start(Obstacle(text="hello"), console=True) as server,
        httpx.AsyncClient(base_url=speech(server.url), timeout=60) as client,
    ):
        path, files = "/v1/audio/transcriptions?x=1", {"file": VOICE.path.read_bytes()}
        sent = await client.post(path, files=files)
        assert sent.status_code == 308
        assert sent.headers["Location"] == f"{server.console}{path}"
        answer = await client.post(path, files=files, follow_redirects=True)
        assert spoken(answer.json()["text"]) == "hello"
        assert (await client.delete("/api/sessions/1")).status_code == 308
        assert (await client.get("/health")).json()["status"] == "ok"
        assert (await client.get("/v1/models")).status_code == 404
        through_a_proxy = await client.post(path, headers={"Host": "localhost"}, content=b"x")
        assert through_a_proxy.status_code == 404


async def test_a_body_without_a_console(start: Start) -> None:
    """It is read away, however it is announced, and the answer says what there is."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield os.urandom(100_000)

    async with (
        start(Obstacle()) as server,
        httpx.AsyncClient(base_url=speech(server.url), timeout=60) as client,
    ):
        for content in (b"x", b"x" * 2_000_000, chunks()):
            answer = await client.post("/v1/audio/transcriptions", content=content)
            assert answer.status_code == 404
            assert "there is /api/v1/stt" in answer.text
        assert (await client.post("/v1/listen", content=b"x")).status_code == 405


def test_heads_without_bodies() -> None:
    """In pieces of any size, the request line and all other headers stay."""
    request = b"POST /a HTTP/1.1\r\nHost: b\r\ncontent-LENGTH : 3\r\nX: content-length\r\n\r\nabc"
    head = b"POST /a HTTP/1.1\r\nHost: b\r\nX: content-length\r\n\r\n"
    chance = random.Random(1)
    for _ in range(100):
        bodiless, rest, passed = Bodiless(), request + bytes(100_000), b""
        while rest:
            size = chance.choice((chance.randint(1, 30), len(rest)))
            passed += bodiless.push(rest[:size])
            rest = rest[size:]
        assert passed == head


def test_what_is_passed_on_as_it_is() -> None:
    """Handshakes with what follows them, and a head that has no end."""
    bodiless = Bodiless()
    assert bodiless.push(b"GE") == b""
    assert bodiless.push(b"T / HTTP/1.1\r\nContent-Length: 1\r\n\r\n") == (
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\n"
    )
    assert bodiless.push(b"frames") == b"frames"
    endless = Bodiless()
    assert endless.push(b"POST " + b"x" * 60_000) == b""
    assert len(endless.push(b"x" * 10_000)) == 70_005
