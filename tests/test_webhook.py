"""The webhook, against a real HTTP server that records requests and misbehaves on demand."""

import asyncio
import base64
import itertools
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import standardwebhooks

from coqui_server import logs, webhook
from coqui_server.config.audio import Kind
from coqui_server.config.rtp import WebhookSettings
from coqui_server.exceptions import ConfigError
from coqui_server.transcription.events import (
    Dtmf,
    Event,
    Final,
    Partial,
    SessionEnded,
    SessionStarted,
    Source,
    UtteranceEnd,
)
from coqui_server.transcription.messages import message
from coqui_server.webhook import Webhook
from coqui_transcript.transcript import Segment

CALL = Source("0e1414d7", "rtp", "call 7", "Anna")
END = SessionEnded(CALL, 9.5, None, {"lost": 3})
KEY = base64.b64encode(bytes(range(32))).decode()

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


def final(text: str, kind: Kind = "rtp") -> Final:
    return Final(Source(CALL.session, kind, CALL.call, CALL.label), Segment(1.0, 2.0, text))


@dataclass
class Request:
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def text(self) -> str:
        return str(json.loads(self.body)["text"])


class Endpoint:
    """Takes requests, and gives `replies` one after another, then 204 for ever."""

    def __init__(self) -> None:
        self.port = 0
        self.replies: list[Reply] = []
        self.requests: list[Request] = []
        self.connections = 0
        self.arrived = asyncio.Event()
        self.hung_up = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()

    def settings(self, **others: Any) -> WebhookSettings:
        return WebhookSettings(**{"url": f"http://127.0.0.1:{self.port}/hook", **others})

    async def bind(self) -> asyncio.Server:
        """Take a port, where connections are refused until the server is told to serve."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, start_serving=False)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.tasks.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
                headers = {name.lower(): value for name, value in (h.split(": ", 1) for h in head)}
                body = await reader.readexactly(int(headers["content-length"]))
                self.requests.append(Request(headers, body))
                self.arrived.set()
                await (self.replies.pop(0) if self.replies else answer(204))(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.hung_up.set()
        finally:
            writer.close()


def answer(status: int, *headers: str, body: bytes = b"") -> Reply:
    length = [] if status == 204 else [f"Content-Length: {len(body)}"]
    head = "\r\n".join([f"HTTP/1.1 {status} So", *length, *headers, "\r\n"])

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(head.encode() + body)

    return reply


def cut(part: str) -> Reply:
    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(part.encode())
        writer.close()

    return reply


def endless(start: str, more: str) -> Reply:
    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(start.encode())
        while True:
            writer.write(more.encode())
            await writer.drain()

    return reply


async def hang(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


class Pauses(list[float]):
    """Takes the place of sleep, and keeps what was asked of it."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    """An endpoint that listens."""
    one = Endpoint()
    async with await one.bind() as server:
        await server.start_serving()
        yield one
        await one.close()


async def post(settings: WebhookSettings, *events: Event) -> Pauses:
    """Post events until they are settled; how long it would have waited in between."""
    pauses = Pauses()
    async with Webhook(settings, pause=pauses) as hook:
        for event in events:
            await hook(event)
        await hook.close(60)
    return pauses


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def running() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name() == "webhook"]


async def test_finals_and_the_end_arrive_in_order(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """As JSON in UTF-8, over one connection, whatever short bodies the endpoint answers with."""
    endpoint.replies = [answer(200, body=b'{"ok": true}'), answer(202)]
    events: list[Event] = [
        final("Guten Tag, Frau Müller."),
        final("안녕하세요"),
        final("سلام"),
        END,
    ]
    assert await post(endpoint.settings(), *events) == []
    expected = [json.dumps(message(e), ensure_ascii=False).encode() for e in events]
    assert [request.body for request in endpoint.requests] == expected
    assert {r.headers["content-type"] for r in endpoint.requests} == {"application/json"}
    assert len({request.id for request in endpoint.requests}) == 4
    assert endpoint.connections == 1
    assert not warnings(caplog)


async def test_only_what_calls_say_and_their_ends_are_posted(endpoint: Endpoint) -> None:
    """Neither other kinds of sessions nor other events."""
    others = (SessionStarted(CALL, "vosk"), Partial(CALL, "he", 1.0), UtteranceEnd(CALL, 2.0))
    files = (final("hello", "file"), final("hello", "live"))
    await post(endpoint.settings(), *others, Dtmf(CALL, "5", 1.0), *files, END)
    assert [json.loads(r.body)["event"] for r in endpoint.requests] == ["session_end"]


async def test_without_an_address_nothing_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    """So the daemon need not ask whether there is one."""
    await post(WebhookSettings(), final("hello"), END)
    assert not warnings(caplog)


@pytest.mark.parametrize(
    ("secret", "reference"),
    [
        (f"whsec_{KEY}", f"whsec_{KEY}"),
        (f"whsec_{KEY.rstrip('=')}", f"whsec_{KEY}"),
        ("correct horse: batterie für Pferde", "correct horse: batterie für Pferde".encode()),
    ],
)
async def test_the_reference_implementation_verifies(
    endpoint: Endpoint, secret: str, reference: str | bytes
) -> None:
    """A whsec_ secret is base64, with padding or without; any other is its UTF-8 bytes."""
    events: list[Event] = [final("Grüße"), END]
    await post(endpoint.settings(secret=secret), *events)
    for request, event in zip(endpoint.requests, events, strict=True):
        verified = standardwebhooks.Webhook(reference).verify(request.body, request.headers)
        assert verified == message(event)


async def test_nothing_is_signed_without_a_secret(endpoint: Endpoint) -> None:
    """The id and the time are sent all the same."""
    await post(endpoint.settings(), END)
    sent = {name for name in endpoint.requests[0].headers if name.startswith("webhook-")}
    assert sent == {"webhook-id", "webhook-timestamp"}


async def test_a_retry_has_the_same_id_and_its_own_time(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """500, then 503, then it is taken; every attempt is signed for its own moment."""
    ticks, start = itertools.count(int(time.time())), int(time.time())
    clock = SimpleNamespace(time=lambda: next(ticks), monotonic=time.monotonic)
    monkeypatch.setattr(webhook, "time", clock)
    endpoint.replies = [answer(500), answer(503), answer(200)]
    secret = f"whsec_{KEY}"
    pauses = await post(endpoint.settings(secret=secret), final("one"), final("two"))
    assert [request.text for request in endpoint.requests] == ["one", "one", "one", "two"]
    ids = [request.id for request in endpoint.requests]
    assert ids[0] == ids[1] == ids[2] != ids[3]
    times = [int(request.headers["webhook-timestamp"]) for request in endpoint.requests]
    assert [moment - times[0] for moment in times] == [0, 1, 2, 3]
    assert times[0] - start in (0, 1)
    for request in endpoint.requests:
        standardwebhooks.Webhook(secret).verify(request.body, request.headers)
    assert 1 <= pauses[0] <= 2 <= pauses[1] <= 4
    assert not warnings(caplog)


async def test_it_gives_up_after_the_retries(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """Waits grow to 30 s; then one warning, and the next event has its turn."""
    endpoint.replies = [answer(408)] * 8
    pauses = await post(endpoint.settings(retries=7), final("one"), final("two"))
    limits = [(1, 2), (2, 4), (4, 8), (8, 16), (15, 30), (15, 30), (15, 30)]
    assert all(low <= p <= high for p, (low, high) in zip(pauses, limits, strict=True))
    assert [request.text for request in endpoint.requests] == ["one"] * 8 + ["two"]
    (said,) = warnings(caplog)
    assert CALL.session in said
    assert "attempts: 8, the last: 408" in said


@pytest.mark.parametrize(
    ("status", "asked", "waits"),
    [(429, "7", 7), (429, "0", 0), (503, "7", 7), (429, "61", 60), (429, "9" * 5000, 60)],
)
async def test_a_retry_comes_when_the_endpoint_asks(
    endpoint: Endpoint, status: int, asked: str, waits: float
) -> None:
    """After the seconds of Retry-After, but a minute at most."""
    endpoint.replies = [answer(status, f"Retry-After: {asked}")]
    assert await post(endpoint.settings(), END) == [waits]
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize("asked", ["Wed, 21 Oct 2099 07:28:00 GMT", "-1", "²", "nan", ""])
async def test_a_retry_after_that_is_no_number_is_not_heeded(
    endpoint: Endpoint, asked: str
) -> None:
    """The usual wait is waited."""
    endpoint.replies = [answer(429, f"Retry-After: {asked}")]
    (pause,) = await post(endpoint.settings(), END)
    assert 1 <= pause <= 2


@pytest.mark.parametrize("status", [302, 307, 400, 401, 404, 410])
async def test_a_refusal_is_final(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """No retry, no redirect followed, one warning."""
    endpoint.replies = [answer(status, "Location: /elsewhere")]
    assert await post(endpoint.settings(), final("one"), END) == []
    assert len(endpoint.requests) == 2
    (said,) = warnings(caplog)
    assert f"attempts: 1, the last: {status}" in said


@pytest.mark.parametrize(
    "reply",
    [
        hang,
        cut(""),
        cut("HTTP/1.1 200 OK\r\nContent-Le"),
        cut("220 mail.example ESMTP\r\n"),
        endless("HTTP/1.1 200 OK\r\n", "X-Filler: and so on\r\n" * 999),
        endless("", "HTTP/1.1 100 Continue\r\n\r\n" * 999),
    ],
    ids=["hangs", "closes", "cut", "not HTTP", "endless headers", "never a last status"],
)
async def test_a_reply_that_fails_is_tried_again(endpoint: Endpoint, reply: Reply) -> None:
    """A timeout for the attempt as a whole, whatever trickles in, and the same id again."""
    endpoint.replies = [reply]
    # On a machine that is busy the attempts after it may be late too: they have many more.
    pauses = await post(endpoint.settings(timeout="300 ms", retries=20), END)
    assert len(pauses) >= 1
    assert len(endpoint.requests) == len(pauses) + 1
    assert len({request.id for request in endpoint.requests}) == 1


@pytest.mark.parametrize(
    "reply",
    [
        cut("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal"),
        endless("HTTP/1.1 200 OK\r\n\r\n", "x" * 65536),
        endless("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "x" * 65536),
        endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n" * 9999),
        endless(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
            "1\r\nx\r\n" * 9999,
        ),
    ],
    ids=["cut", "endless", "huge", "endless chunks", "endless chunks called short"],
)
async def test_a_status_counts_whatever_the_body_does(endpoint: Endpoint, reply: Reply) -> None:
    """It is taken, so it is not sent again; a body without end is hung up on."""
    endpoint.replies = [reply]
    assert await post(endpoint.settings(timeout="1 hour"), final("one"), final("two")) == []
    assert [request.text for request in endpoint.requests] == ["one", "two"]
    assert endpoint.connections == 2
    await endpoint.hung_up.wait()


async def test_a_refused_connection_is_tried_again() -> None:
    """The endpoint comes up after the second attempt."""
    endpoint = Endpoint()
    pauses = Pauses()
    async with await endpoint.bind() as server:

        async def pause(seconds: float) -> None:
            await pauses(seconds)
            if len(pauses) == 2:
                await server.start_serving()

        async with Webhook(endpoint.settings(), pause=pause) as hook:
            await hook(END)
            await hook.close(60)
        await endpoint.close()
    assert len(endpoint.requests) == 1
    assert len(pauses) == 2


async def test_an_error_that_is_not_of_httpx_ends_no_more_than_its_event(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """httpx reads the address of a redirect that it was told not to follow, and the name in this
    one has no meaning."""
    endpoint.replies = [answer(302, "Location: http://xn--0/")] * 2
    await post(endpoint.settings(retries=1), final("one"), final("two"))
    assert [request.text for request in endpoint.requests] == ["one", "one", "two"]
    (said,) = warnings(caplog)
    assert said.endswith("the last: IDNAError")


async def test_a_full_queue_drops_the_newest(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """At once, without waiting; the count is logged once a minute, and at the end."""
    clock = SimpleNamespace(now=100.0)
    settings = endpoint.settings(queue=2, timeout="1 hour")
    let_go = asyncio.Event()

    async def late(writer: asyncio.StreamWriter) -> None:
        await let_go.wait()
        await answer(204)(writer)

    endpoint.replies = [late]
    async with Webhook(settings, clock=lambda: clock.now) as hook:
        await hook(final("in flight"))
        await endpoint.arrived.wait()
        for text in ("second", "third", "dropped", "dropped", "dropped"):
            await hook(final(text))
        assert [said.rpartition(", ")[2] for said in warnings(caplog)] == [
            "1 events dropped so far"
        ]
        clock.now += 60
        await hook(END)
        let_go.set()
        await hook.close(60)
    assert [request.text for request in endpoint.requests] == ["in flight", "second", "third"]
    assert [said.rpartition(", ")[2] for said in warnings(caplog)[1:]] == [
        "4 events dropped so far",
        "4 dropped",
    ]


async def test_closing_ends_at_its_deadline(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """What is in flight and what is queued is counted; later events are dropped."""
    endpoint.replies = [hang]
    async with Webhook(endpoint.settings(timeout="1 hour")) as hook:
        for text in ("one", "two", "three"):
            await hook(final(text))
        await endpoint.arrived.wait()
        await hook.close(0.01)
        assert warnings(caplog) == ["webhook: closed with 3 events not delivered, 0 dropped"]
        assert not running()
        await hook(END)
    assert len(endpoint.requests) == 1
    assert warnings(caplog)[-1] == "webhook: closed with 0 events not delivered, 1 dropped"


async def test_closing_does_not_wait_for_a_retry(endpoint: Endpoint) -> None:
    """The pause between attempts is cancelled."""
    paused = asyncio.Event()

    async def pause(_: float) -> None:
        paused.set()
        await asyncio.Event().wait()

    endpoint.replies = [answer(500)]
    async with Webhook(endpoint.settings(), pause=pause) as hook:
        await hook(END)
        await paused.wait()
    assert not running()


async def test_cancelling_the_close_abandons_what_is_left(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing goes on behind the caller's back."""
    endpoint.replies = [hang]

    async def session() -> None:
        async with Webhook(endpoint.settings(timeout="1 hour")) as hook:
            await hook(END)
            await endpoint.arrived.wait()
            closing.set()
            await hook.close(3600)

    closing = asyncio.Event()
    task = asyncio.create_task(session())
    await closing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not running()
    assert warnings(caplog) == ["webhook: closed with 1 events not delivered, 0 dropped"]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The log as the daemon sets it up, at INFO."""
    libraries = [logging.getLogger(name) for name in ("httpx", "websockets")]
    before = [library.level for library in libraries]
    with caplog.at_level(logging.INFO):
        logs.to_stderr("INFO", "text")
        yield caplog
    for library, level in zip(libraries, before, strict=True):
        library.setLevel(level)


async def test_nothing_spoken_and_no_secret_is_logged(
    endpoint: Endpoint, logged: pytest.LogCaptureFixture
) -> None:
    """Whatever goes wrong, at INFO and above."""
    url = f"http://anna:pa55word@127.0.0.1:{endpoint.port}/hook?token=t0ken"
    settings = endpoint.settings(url=url, secret="s3cret", retries=1, queue=4)
    body = b"no such token: t0ken"
    endpoint.replies = [answer(500), answer(500), answer(403, body=body), cut("x"), cut("x")]
    await post(settings, *(final("sp0ken") for _ in range(5)))
    assert endpoint.requests[0].headers["authorization"].startswith("Basic ")
    assert [said.rpartition(": ")[2] for said in warnings(logged)[1:-1]] == [
        "500",
        "403",
        "RemoteProtocolError",
    ]
    for word in ("anna", "pa55word", "t0ken", "s3cret", "sp0ken", "/hook"):
        assert word not in logged.text


async def test_the_endpoint_gets_no_cookies_back(endpoint: Endpoint) -> None:
    """Nor are they kept."""
    endpoint.replies = [answer(200, "Set-Cookie: a=b; Max-Age=999999")]
    await post(endpoint.settings(), final("one"), END)
    assert [request.headers.get("cookie") for request in endpoint.requests] == [None, None]


async def test_no_proxy_of_the_environment_is_used(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said goes to the address in the configuration and nowhere else."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert await post(endpoint.settings(), END) == []
    assert len(endpoint.requests) == 1


async def test_a_label_with_half_a_character_is_sent_as_json(endpoint: Endpoint) -> None:
    """A client's JSON may name a call so; UTF-8 has no bytes for it."""
    event = SessionEnded(Source("0e1414d7", "rtp", label="\ud83d"), 1.0)
    await post(endpoint.settings(), event)
    assert json.loads(endpoint.requests[0].body) == message(event)


@pytest.mark.parametrize(
    ("key", "settings"),
    [
        ("rtp.webhook.secret", {"url": "http://h", "secret": "whsec_!hunter2!"}),
        ("rtp.webhook.secret", {"url": "http://h", "secret": "whsec_hunter2ü"}),
        ("rtp.webhook.secret", {"url": "http://h", "secret": "whsec_"}),
        ("rtp.webhook.secret", {"url": "http://h", "secret": ""}),
        ("rtp.webhook.url", {"url": "http://hunter2..ü/"}),
        ("rtp.webhook.url", {"url": "http://xn--0/hunter2"}),
        ("rtp.webhook.url", {"url": "http://h:99999/hunter2"}),
        ("rtp.webhook.url", {"url": "https://:443/hunter2"}),
    ],
)
def test_what_cannot_be_used_is_said_at_the_start(key: str, settings: dict[str, str]) -> None:
    """With its key, and without a secret or the address, which may hold one."""
    with pytest.raises(ConfigError) as caught:
        Webhook(WebhookSettings.model_validate(settings))
    assert caught.value.key == key
    assert "hunter2" not in str(caught.value)
