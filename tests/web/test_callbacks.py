"""Answers of Deepgram's API that are posted to an address that the request names."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Receiver

from coqui_server.config.rtp import WebhookSettings
from coqui_server.engines.base import Engine
from coqui_server.exceptions import BadRequest, Busy
from coqui_server.web import callbacks as callbacks_module
from coqui_server.web import fetching
from coqui_server.web.callbacks import Callbacks
from tests.support.clips import clip, spoken
from tests.support.daemon import Start
from tests.support.live import until

VOICE = clip("appointment.wav")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SETTINGS = f'web.callbacks = true, web.fetch = true, rtp.webhook.secret = "{SECRET}"'


@dataclass
class Site:
    """A web server that takes callbacks, and answers with these statuses, then with 200."""

    statuses: list[int] = field(default_factory=list)
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head)}
        body = await reader.readexactly(int(headers["content-length"]))
        status = self.statuses.pop(0) if self.statuses else 200
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        writer.close()
        await writer.wait_closed()
        self.taken.append((headers, body))


@asynccontextmanager
async def site(*statuses: int) -> AsyncIterator[Site]:
    """A site on this machine."""
    found = Site(list(statuses))
    async with await asyncio.start_server(found.serve, "127.0.0.1", 0) as server:
        found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/done"
        yield found


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine be part of the internet."""
    monkeypatch.setattr(fetching, "public", lambda address: True)


async def at_once(_: float) -> None:
    """Wait for nothing."""


async def answer() -> dict[str, Any]:
    """An answer that is ready."""
    return {"metadata": {"request_id": "other"}, "text": "hello"}


@pytest.mark.usefixtures("everywhere")
async def test_the_answer_is_posted_and_signed(start: Start, moonshine: Engine) -> None:
    """The response has only the id; a receiver of Standard Webhooks takes what comes later."""
    async with (
        site() as receiver,
        start(moonshine, SETTINGS, console=True) as server,
        server.http(timeout=60) as web,
    ):
        reply = await web.post(
            "/v1/listen",
            params={"callback": receiver.url, "smart_format": "true"},
            content=VOICE.path.read_bytes(),
        )
        assert reply.status_code == 200
        assert reply.json() == {"request_id": reply.headers["dg-request-id"]}
        await until(lambda: receiver.taken)
    ((headers, body),) = receiver.taken
    posted = Receiver(SECRET).verify(body.decode(), headers)
    assert posted["metadata"]["request_id"] == reply.json()["request_id"]
    best = posted["results"]["channels"][0]["alternatives"][0]
    assert spoken(best["transcript"]) == spoken(VOICE.text)


@pytest.mark.usefixtures("everywhere")
async def test_what_fails_at_once_and_later(start: Start, moonshine: Engine) -> None:
    """A wrong request is refused at once, a file that is none in the callback at the latest."""
    async with (
        site() as receiver,
        start(moonshine, SETTINGS, console=True) as server,
        server.http(timeout=60) as web,
    ):
        wrong = await web.post("/v1/listen", params={"callback": "ftp://a"}, content=b"x")
        assert wrong.status_code == 400
        named = {"url": "http://127.0.0.1:1/none.wav"}
        later = await web.post("/v1/listen", params={"callback": receiver.url}, json=named)
        assert later.status_code == 200
        await until(lambda: receiver.taken)
    posted = json.loads(receiver.taken[0][1])
    assert posted["request_id"] == later.json()["request_id"]
    assert posted["err_code"] == "BAD_REQUEST"


@pytest.mark.usefixtures("everywhere")
async def test_delivery_is_tried_again() -> None:
    """As long as the receiver may take it another time; the id stays."""
    async with site(503, 429) as receiver:
        callbacks = Callbacks(WebhookSettings(), at_once)
        await callbacks.accept("1", receiver.url, answer(), asyncio.Event())
        await until(lambda: len(receiver.taken) == 3)
        await callbacks.close()
    assert {headers["webhook-id"] for headers, _ in receiver.taken} == {"msg_1"}
    assert json.loads(receiver.taken[2][1])["metadata"]["request_id"] == "1"


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize(("statuses", "attempts"), [((410,), 1), ((500,) * 9, 3)])
async def test_a_receiver_that_does_not_want_it(
    statuses: tuple[int, ...], attempts: int, caplog: pytest.LogCaptureFixture
) -> None:
    """It is given up, and the log says so without the address."""
    async with site(*statuses) as receiver:
        callbacks = Callbacks(WebhookSettings(retries=2), at_once)
        await callbacks.accept("1", f"{receiver.url}?key=secret", answer(), asyncio.Event())
        await until(lambda: "was not taken" in caplog.text)
        await callbacks.close()
    assert len(receiver.taken) == attempts
    assert "secret" not in caplog.text


async def test_nothing_is_posted_to_this_machine(caplog: pytest.LogCaptureFixture) -> None:
    """Nor to any other that is not of the internet."""
    async with site() as receiver:
        callbacks = Callbacks(WebhookSettings(), at_once)
        await callbacks.accept("1", receiver.url, answer(), asyncio.Event())
        await until(lambda: "not taken: forbidden" in caplog.text)
        await callbacks.close()
    assert not receiver.taken


async def test_closing_drops_what_is_not_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work is cancelled; while it lasts there is room for so many more."""
    monkeypatch.setattr(callbacks_module, "_MOST", 1)
    cancelled = asyncio.Event()
    received = asyncio.Event()
    received.set()

    async def endless() -> dict[str, Any]:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    callbacks = Callbacks(WebhookSettings(), at_once)
    await callbacks.accept("1", "http://a.example", endless(), received)
    with pytest.raises(Busy):
        await callbacks.accept("2", "http://a.example", answer(), received)
    with pytest.raises(BadRequest):
        await callbacks.accept("3", "a", answer(), received)
    await callbacks.close()
    assert cancelled.is_set()
