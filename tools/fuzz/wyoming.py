"""Events of Wyoming to a running daemon, good, broken and out of order."""

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field

from coqui_server.protocols.wyoming_events import Event, Reader
from tools.fuzz.mutation import mutated, text_of

_SOUND = {"rate": 16000, "width": 2, "channels": 1, "timestamp": None}

EVENTS = (
    Event("describe"),
    Event("ping", {"text": "a"}),
    Event("transcribe", {"name": "moonshine", "language": "en", "transcript_terms": ["b"]}),
    Event("audio-start", _SOUND),
    Event("audio-chunk", _SOUND, bytes(640)),
    Event("audio-chunk", _SOUND, bytes(64)),
    Event("audio-stop", {"timestamp": None}),
)

_ANSWERS = {
    "info",
    "pong",
    "transcript-start",
    "transcript-chunk",
    "transcript",
    "transcript-stop",
    "error",
}
_FAULTS = {"internal", "engine_failed", "store_failed"}

_CLIENTS = 8
_LONGEST = 40
"""Events in a conversation."""

_PATIENCE = 120.0
"""Seconds for the end of one conversation, on a machine that does other things too."""


@dataclass
class Talk:
    """What came of the conversations.

    Attributes:
        events: that were sent.
        answers: by their types; those of errors by their codes.
        failures: what no client should get.
    """

    events: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


async def talk(address: str, count: int, seed: int) -> Talk:
    """Send at least so many events to `host:port`, over a few connections at a time."""
    result, chance = Talk(), random.Random(seed)

    async def client() -> None:
        while result.events < count and not result.failures:
            sent = [_bytes(chance) for _ in range(chance.randint(1, _LONGEST))]
            result.events += len(sent)
            await _converse(address, b"".join(sent), chance.random() < 0.2, result)

    async with asyncio.TaskGroup() as clients:
        for _ in range(min(count, _CLIENTS)):
            clients.create_task(client())
    return result


def _bytes(chance: random.Random) -> bytes:
    """An event, seldom a broken one: after that, the daemon closes."""
    event = chance.choice(EVENTS)
    if chance.random() < 0.1:
        data = text_of(dict(event.data), chance)
        lengths = {"data_length": len(data), "payload_length": len(event.payload)}
        header = json.dumps({"type": event.type, **lengths}).encode()
        return header + b"\n" + data + event.payload
    return mutated(bytes(event), chance) if chance.random() < 0.02 else bytes(event)


async def _converse(address: str, sent: bytes, leave: bool, result: Talk) -> None:
    """One conversation, which ends as a client does, or by leaving without a word."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(_PATIENCE):
            writer.write(sent)
            if not leave:
                writer.write_eof()
                _look(await reader.read(), result)
    except ConnectionError:
        # Refused while more was sent than the daemon waits for.
        result.answers["reset"] += 1
    except (TimeoutError, ValueError) as wrong:
        result.failures.append(f"{wrong!r} after {sent!r}"[:2000])
    finally:
        writer.transport.abort()


def _look(data: bytes, result: Talk) -> None:
    """Count the answers. Raises ValueError for one that no client should get."""
    reader, whole = Reader(), b""
    reader.push(data)
    while event := reader.next():
        whole += bytes(event)
        code = event.data.get("code", "")
        if event.type not in _ANSWERS or code in _FAULTS:
            raise ValueError(event)
        result.answers[code or event.type] += 1
    if whole != data:
        raise ValueError(f"the last answer is cut off: {data[-200:]!r}")
