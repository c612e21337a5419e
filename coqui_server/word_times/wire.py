"""What the daemon and a process that aligns say to each other.

A request is the lengths of its two parts as `<II`, a JSON list of words, and 16 kHz int16 samples.
The answer is a line of JSON: `{"spans": [[start, end], ...]}` in seconds, or `{"error": "..."}`.
"""

import json
import struct
from collections.abc import Iterator, Sequence
from typing import IO

from coqui_server.exceptions import NotAligned

Span = tuple[float, float]
"""The start and the end of a word in seconds."""

_HEAD = struct.Struct("<II")


def request(words: Sequence[str], pcm: bytes) -> bytes:
    """A request as bytes."""
    text = json.dumps(words).encode()
    return _HEAD.pack(len(text), len(pcm)) + text + pcm


def requests(source: IO[bytes]) -> Iterator[tuple[list[str], bytes]]:
    """The words and the samples of each request, until the source ends."""
    while len(head := source.read(_HEAD.size)) == _HEAD.size:
        text, pcm = (source.read(size) for size in _HEAD.unpack(head))
        yield json.loads(text), pcm


def answer(result: list[Span] | NotAligned) -> bytes:
    """The answer as bytes."""
    said = {"error": str(result)} if isinstance(result, NotAligned) else {"spans": result}
    return json.dumps(said).encode() + b"\n"


def spans(line: bytes) -> list[Span]:
    """What an answer says.

    Raises:
        NotAligned: it says why there are no times, or it is no answer.
    """
    try:
        said = json.loads(line)
    except ValueError as error:
        raise NotAligned("the process ended without an answer") from error
    if "error" in said:
        raise NotAligned(said["error"])
    return [(start, end) for start, end in said["spans"]]
