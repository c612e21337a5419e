"""The parsers that read what strangers send, each by itself: no daemon, no sockets, no model."""

import random
import struct
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from coqui_server.config import loading
from coqui_server.exceptions import BadRequest, ConfigError, MalformedPacket, TooLarge
from coqui_server.media import container
from coqui_server.protocols.wyoming_events import Event, Reader
from coqui_server.rtp import packet, rtcp
from coqui_server.web import multipart
from tools.fuzz import wyoming
from tools.fuzz.datagrams import datagrams
from tools.fuzz.mutation import mutated


@dataclass(frozen=True)
class Parser:
    """A parser and what it may say to bad input.

    Attributes:
        inputs: input without end, the same for the same seed.
        read: parse one input.
        refusals: the errors that it may raise.
    """

    inputs: Callable[[int], Iterator[bytes]]
    read: Callable[[bytes], None]
    refusals: tuple[type[Exception], ...] = ()


@dataclass
class Result:
    """What became of the inputs.

    Attributes:
        read: how many were good.
        refused: by the text of the refusal.
        failures: errors that are not refusals, each with the first input that raised it.
    """

    read: int
    refused: Counter[str]
    failures: dict[str, bytes]


def run(parser: Parser, count: int, seed: int) -> Result:
    """Give a parser so many inputs."""
    result = Result(0, Counter(), {})
    for data in islice(parser.inputs(seed), count):
        try:
            parser.read(data)
            result.read += 1
        except parser.refusals as refusal:
            result.refused[type(refusal).__name__] += 1
        # Whatever else is raised is what this is looking for.
        except Exception as error:
            result.failures.setdefault(repr(error)[:200], data)
    return result


def _mutations(*good: bytes) -> Callable[[int], Iterator[bytes]]:
    """Good input, the same broken, and noise."""

    def inputs(seed: int) -> Iterator[bytes]:
        chance = random.Random(seed)
        while True:
            data = chance.choice(good)
            for _ in range(chance.randrange(4)):
                data = mutated(data, chance)
            yield data if chance.random() < 0.95 else chance.randbytes(chance.randrange(400))

    return inputs


def _read_rtp_or_rtcp(datagram: bytes) -> None:
    if packet.is_rtcp(datagram):
        rtcp.parse(datagram)
    else:
        packet.primary(packet.parse(datagram).payload)


def _read_container(data: bytes) -> None:
    """A file that arrives in two pieces; no byte may appear that was not sent, and none before the
    stated end may be missing."""
    container.needs_seeking(data)
    if tail := container.WavTail.of(data[: container.HEAD]):
        half = len(data) // 2
        end = tail.end
        kept = tail.cut(data[:half]) + tail.cut(data[half:])
        assert data.startswith(kept), "bytes that were not sent"
        assert len(kept) >= min(len(data), len(data) if end is None else end), "bytes are missing"


def _read_form(body: bytes) -> None:
    """The boundary is part of the input: the first line."""
    head, _, rest = body.partition(b"\n")

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(rest), 37):
            yield rest[start : start + 37]

    async def read() -> None:
        async for _ in multipart.read(head.decode("latin-1"), chunks()):
            pass

    # Its body waits for nothing, so that no event loop is needed.
    form = read()
    with suppress(StopIteration):
        form.send(None)
        raise AssertionError("the form waits for something")


def _read_configuration(text: bytes) -> None:
    """Through the file, as the daemon reads it."""
    with tempfile.NamedTemporaryFile(suffix=".conf") as file:
        file.write(text)
        file.flush()
        loading.load(Path(file.name))


def _read_events(data: bytes) -> None:
    """The bytes that come one by one are the same events."""
    assert _events([data]) == _events([data[at : at + 1] for at in range(len(data))])


def _events(pieces: list[bytes]) -> list[Event]:
    reader, found = Reader(), []
    for piece in pieces:
        reader.push(piece)
        while event := reader.next():
            found.append(event)
    return found


_WAV = b"RIFF" + struct.pack("<I4s4sIHHIIHH", 236, b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
_SOUND = b"data" + struct.pack("<I", 200) + bytes(200)
_FORM = (
    b"multipart/form-data; boundary=b\n"
    b'--b\r\nContent-Disposition: form-data; name="engine"\r\n\r\nvosk\r\n'
    b'--b\r\nContent-Disposition: form-data; name="files"; filename="a%22.wav"\r\n'
    b"Content-Type: audio/wav\r\n\r\n" + _WAV + b"\r\n--b--\r\n"
)
_CONFIGURATIONS = (
    b"server { http { host = 127.0.0.1, port = 5004 }, idle = 60 s, max_sessions = 64 }",
    b'rtp { allow = ["10.0.0.0/8"], jitter = 60 ms, codecs { 97 = L16/16000 } }',
    b'vad.silence { live = 300 ms }\nengine = "vosk"  # a comment\nvosk.model = ko',
    b'a = 1\nb = ${a}\nserver.websocket.max_size = "2 GB"\nstore.enabled = false',
)

PARSERS = {
    "datagrams": Parser(datagrams, _read_rtp_or_rtcp, (MalformedPacket,)),
    "containers": Parser(
        _mutations(_WAV + _SOUND, _WAV + _SOUND + b"LIST" + bytes(40), b"\0\0\0\x18ftypM4A "),
        _read_container,
    ),
    "forms": Parser(_mutations(_FORM), _read_form, (BadRequest,)),
    "wyoming-events": Parser(
        _mutations(b"".join(map(bytes, wyoming.EVENTS))), _read_events, (BadRequest, TooLarge)
    ),
    "configurations": Parser(_mutations(*_CONFIGURATIONS), _read_configuration, (ConfigError,)),
}
"""By their names on the command line."""
