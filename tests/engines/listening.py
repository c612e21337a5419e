"""Deepgram's stand-in: a real WebSocket server that hears numbers in the samples and says them.

A run of samples with the value n is the word "wn". Finals come for each second of sound.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import pairwise
from typing import Any

import numpy as np
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from coqui_server.media.samples import Samples

RATE = 16_000


def word(value: int, seconds: float = 0.5) -> Samples:
    """The sound of a word."""
    return np.full(round(seconds * RATE), value, np.int16)


@dataclass
class Heard:
    """One connection: what was asked for, and what came."""

    request: Request
    texts: list[str] = field(default_factory=list)
    sound: bytearray = field(default_factory=bytearray)


@dataclass
class Listening:
    """What it does on each connection, in order; then it behaves.

    Attributes:
        refusals: statuses of handshakes.
        breaks: after how many seconds of sound a connection is cut.
        replies: messages that are sent instead of results, a number to close with that code.
        deaf: never answer.
    """

    url: str = ""
    refusals: list[int] = field(default_factory=list)
    breaks: list[float] = field(default_factory=list)
    replies: list[str | int] = field(default_factory=list)
    deaf: bool = False
    connections: list[Heard] = field(default_factory=list)

    def refuse(self, connection: ServerConnection, request: Request) -> Response | None:
        self.connections.append(Heard(request))
        if self.refusals:
            return connection.respond(HTTPStatus(self.refusals.pop(0)), "no")
        return None

    async def listen(self, connection: ServerConnection) -> None:
        heard = self.connections[-1]
        breaking = self.breaks.pop(0) if self.breaks else None
        answered = 0
        async for message in connection:
            if isinstance(message, str):
                heard.texts.append(json.loads(message)["type"])
            else:
                heard.sound += message
            if self.replies:
                await _say(connection, self.replies.pop(0))
                continue
            if self.deaf:
                continue
            pcm = np.frombuffer(bytes(heard.sound), "<i2")
            if breaking is not None and len(pcm) >= breaking * RATE:
                connection.transport.abort()
                return
            while len(pcm) - answered >= RATE:
                await connection.send(result(pcm, answered, answered + RATE, final=True))
                answered += RATE
            if heard.texts[-1:] == ["CloseStream"]:
                await connection.send(result(pcm, answered, len(pcm), final=True))
                await connection.send(json.dumps({"type": "Metadata", "request_id": "r"}))
                return
            await connection.send(result(pcm, answered, len(pcm), final=False))


async def _say(connection: ServerConnection, reply: str | int) -> None:
    if isinstance(reply, int):
        await connection.close(reply, "DATA-0000")
    else:
        await connection.send(reply)


def result(pcm: Samples, start: int, end: int, *, final: bool) -> str:
    """The service's message about a piece of the connection's sound."""
    words: list[dict[str, Any]] = []
    piece = pcm[start:end]
    edges = [0, *(np.flatnonzero(np.diff(piece)) + 1).tolist(), len(piece)]
    for first, last in pairwise(edges):
        if first < last and piece[first]:
            times = {"start": (start + first) / RATE, "end": (start + last) / RATE}
            words.append({"word": f"w{piece[first]}", "confidence": 0.9, **times})
    alternative = {
        "transcript": " ".join(word["word"] for word in words),
        "confidence": 0.9,
        "words": words,
    }
    return json.dumps(
        {
            "type": "Results",
            "channel_index": [0, 1],
            "start": start / RATE,
            "duration": (end - start) / RATE,
            "is_final": final,
            "speech_final": final and not words,
            "channel": {"alternatives": [alternative]},
            "metadata": {},
        }
    )


@asynccontextmanager
async def listening() -> AsyncIterator[Listening]:
    """A service on a free port."""
    service = Listening()
    server: Server
    async with serve(service.listen, "127.0.0.1", 0, process_request=service.refuse) as server:
        service.url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        yield service
