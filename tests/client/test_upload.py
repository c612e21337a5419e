"""`coqui_client.upload` against daemons on real sockets."""

import asyncio
import json
import os
import sys
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from coqui_client import retry, upload
from coqui_client.exceptions import (
    BusyError,
    LostError,
    RefusedError,
    ReplyError,
    UnreachableError,
)
from coqui_client.progress import Progress
from coqui_client.reply import Reply
from coqui_client.upload import FRAGMENT_BYTES, transcribe

Handler = Callable[[ServerConnection], Awaitable[None]]
Start = Callable[..., Awaitable[str]]


async def send(path: Path, url: str, retries: int = 0) -> Reply:
    return await transcribe(path, url, Progress(path.name, visible=False), retries)


async def refuse(socket: ServerConnection, code: str, close: int) -> None:
    await socket.send(json.dumps({"message": f"because\nof {code}", "code": code}))
    await socket.close(close)


async def test_file_arrives_whole_in_fragments(
    start: Start, wav: Path, reply: dict[str, Any]
) -> None:
    """The daemon gets the file's bytes, in order, in frames of at most 64 KiB."""
    frames: list[bytes] = []

    async def handler(socket: ServerConnection) -> None:
        async for frame in socket.recv_streaming():
            assert isinstance(frame, bytes)
            frames.append(frame)
        await socket.send(json.dumps(reply))

    await send(wav, await start(handler))
    assert b"".join(frames) == bytes(range(256)) * 1281
    assert max(map(len, frames)) == FRAGMENT_BYTES


async def test_reply_becomes_transcript(start: Start, wav: Path, replying: Handler) -> None:
    """Texts, words and times of the reply are in the transcript."""
    reply = await send(wav, await start(replying))
    first, second = reply.transcript.segments
    assert reply.transcript.duration == 4.0
    assert [(word.text, word.start, word.end) for word in first.words] == [
        ("Ask", 0.25, 0.5),
        ("not", 0.5, 1.25),
    ]
    assert (second.start, second.end, second.words) == (2.0, 3.5, ())
    assert reply.fields["engine"] == "test"


async def test_empty_file_is_sent(start: Start, tmp_path: Path) -> None:
    """An empty file is a message too, which the daemon can refuse."""
    path = tmp_path / "empty.wav"
    path.touch()

    async def handler(socket: ServerConnection) -> None:
        assert await socket.recv() == b""
        await refuse(socket, "not_audio", 1003)

    url = await start(handler)
    with pytest.raises(RefusedError, match="of not_audio"):
        await send(path, url)


async def test_memory_does_not_grow(start: Start, replying: Handler, tmp_path: Path) -> None:
    """A file of 32 MiB is sent and received with a few MiB of memory."""
    path = tmp_path / "large.wav"
    with path.open("wb") as file:
        file.truncate(2**25)
    url = await start(replying)
    tracemalloc.start()
    try:
        await send(path, url)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**23


@pytest.mark.parametrize(("code", "close"), [("not_audio", 1003), ("too_large", 1009)])
async def test_refusal_in_the_middle(start: Start, huge: Path, code: str, close: int) -> None:
    """A refusal is heard while the file is still being sent, and ends the sending."""

    async def handler(socket: ServerConnection) -> None:
        await anext(aiter(socket.recv_streaming()))
        await refuse(socket, code, close)

    url = await start(handler)
    with pytest.raises(RefusedError) as refused:
        await send(huge, url)
    assert str(refused.value) == f"because of {code}"
    assert refused.value.code == code


async def test_oversized_close_code_only(start: Start, wav: Path, replying: Handler) -> None:
    """A close code and reason without a reply are told in words."""
    url = await start(replying, max_size=1000)
    with pytest.raises(RefusedError, match="larger than the daemon allows") as refused:
        await send(wav, url)
    assert refused.value.code == "1009"


async def test_going_away(start: Start, wav: Path) -> None:
    """A daemon that shuts down in the middle is told from one that refuses."""

    async def handler(socket: ServerConnection) -> None:
        await socket.close(1001)

    url = await start(handler)
    with pytest.raises(LostError, match="is shutting down and sent no reply"):
        await send(wav, url)


async def test_connection_cut(start: Start, huge: Path) -> None:
    """A connection cut without a closing handshake is a lost one."""

    async def handler(socket: ServerConnection) -> None:
        socket.transport.abort()

    url = await start(handler)
    with pytest.raises(LostError, match="lost before the daemon replied"):
        await send(huge, url)


async def test_silent_daemon(start: Start, wav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that has the file and answers no more pings is given up."""
    monkeypatch.setattr(upload, "PING_SECONDS", 0.02)
    monkeypatch.setattr(upload, "PONG_SECONDS", 0.1)

    async def handler(socket: ServerConnection) -> None:
        await socket.recv()
        # By the second pong the client's own first ping has been answered.
        for _ in range(2):
            await (await socket.ping())
        socket.transport.pause_reading()
        await socket.wait_closed()

    url = await start(handler, ping_interval=None)
    with pytest.raises(LostError, match="has not answered for"):
        await send(wav, url)


async def test_slow_daemon(
    start: Start, huge: Path, replying: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon that takes its time with the file answers pings late and is not given up."""
    monkeypatch.setattr(upload, "PING_SECONDS", 0.02)
    monkeypatch.setattr(upload, "PONG_SECONDS", 0.02)
    os.truncate(huge, 2**24)

    async def handler(socket: ServerConnection) -> None:
        socket.transport.pause_reading()
        asyncio.get_running_loop().call_later(0.3, socket.transport.resume_reading)
        await replying(socket)

    reply = await send(huge, await start(handler))
    assert reply.transcript.text.startswith("Ask not.")


async def test_busy_then_free(
    start: Start, wav: Path, replying: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy daemon is tried again, whichever way it says so, until it takes the file."""
    monkeypatch.setattr(retry, "FIRST_DELAY_SECONDS", 0.001)
    answers = iter(["reply", "close", "take"])

    async def handler(socket: ServerConnection) -> None:
        answer = next(answers)
        if answer == "reply":
            await refuse(socket, "busy", 1013)
        elif answer == "close":
            await socket.close(1013, "later")
        else:
            await replying(socket)

    reply = await send(wav, await start(handler), retries=2)
    assert reply.transcript.text.startswith("Ask not.")
    assert next(answers, None) is None


async def test_busy_to_the_end(start: Start, wav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that stays busy is tried once and `retries` times."""
    monkeypatch.setattr(retry, "FIRST_DELAY_SECONDS", 0.001)
    tries = 0

    async def handler(socket: ServerConnection) -> None:
        nonlocal tries
        tries += 1
        await refuse(socket, "busy", 1013)

    url = await start(handler)
    with pytest.raises(BusyError):
        await send(wav, url, retries=3)
    assert tries == 4


@pytest.mark.parametrize(
    "message",
    ["hello", "[]", "{}", '{"text": "a", "duration": "1"}', '{"text": "a", "duration": NaN}'],
)
async def test_reply_of_another_shape(start: Start, wav: Path, message: str) -> None:
    """A reply that is not the protocol's is an error of its own."""

    async def handler(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(message)

    url = await start(handler)
    with pytest.raises(ReplyError):
        await send(wav, url)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that opens and cannot be read")
async def test_unreadable_in_the_first_fragment(start: Start, replying: Handler) -> None:
    """A file that opens but cannot be read fails at once, not when the daemon loses retry."""
    url = await start(replying)
    with pytest.raises(OSError, match="Input/output error"):
        await send(Path("/proc/self/mem"), url)


async def test_not_a_websocket(start: Start, wav: Path, replying: Handler) -> None:
    """A server that answers HTTP is named as such."""
    url = await start(replying, process_request=lambda socket, _: socket.respond(404, "none"))
    with pytest.raises(RefusedError, match="answers HTTP 404"):
        await send(wav, url)


async def test_nobody_there(start: Start, wav: Path, unused_tcp_port: int) -> None:
    """A port nobody listens on is unreachable."""
    with pytest.raises(UnreachableError):
        await send(wav, f"ws://127.0.0.1:{unused_tcp_port}")
