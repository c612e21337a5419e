"""Running a playout over packets, and adding up what it gives, for the tests of `playout`."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from coqui_server.media.codecs import ByteOrder
from coqui_server.media.formats import Format, meaning
from coqui_server.media.samples import Samples
from coqui_server.rtp.jitter import Arrival
from coqui_server.rtp.playout import Key, Pause, Piece, Playout, Sound
from tests.rtp.coded import linear

L16 = 118
"""16 kHz samples, which the playout neither decodes nor resamples: what comes out can be counted
and compared bit by bit."""

PACKET = 320
"""Samples, and ticks, of 20 ms in it."""


ASTERISKS = partial(meaning, mapped={}, named=None)
"""The meaning of payload types that nobody explained."""


def new(mapped: Mapping[int, Format] | None = None, order: ByteOrder = "network") -> Playout:
    """A playout with Asterisk's payload types and these."""
    return Playout(partial(meaning, mapped=mapped or {}, named=None), order)


def play(
    arrivals: Sequence[Arrival], playout: Playout | None = None, batch: int | None = None
) -> list[Piece]:
    """All pieces of a stream that ends, given in one batch or in batches of so many."""
    playout = playout or new()
    size = batch or max(1, len(arrivals))
    batches = (arrivals[start : start + size] for start in range(0, len(arrivals), size))
    return [piece for some in batches for piece in playout.play(some)] + playout.flush()


def sound(pieces: Sequence[Piece]) -> Samples:
    """The samples of all sounds."""
    pcm = [piece.pcm for piece in pieces if isinstance(piece, Sound)]
    return np.concatenate([np.empty(0, np.int16), *pcm])


def pauses(pieces: Sequence[Piece]) -> list[int]:
    """The length of each pause."""
    return [piece.samples for piece in pieces if isinstance(piece, Pause)]


def keys(pieces: Sequence[Piece]) -> list[tuple[str, int]]:
    """Each key, and how many samples came before it."""
    return [
        (piece.digit, length(pieces[:place]))
        for place, piece in enumerate(pieces)
        if isinstance(piece, Key)
    ]


def length(pieces: Sequence[Piece]) -> int:
    """Samples that the session's clock goes on by."""
    return len(sound(pieces)) + sum(pauses(pieces))


def counting(packets: int, first: int = 1) -> list[bytes]:
    """L16 packets of which each has its own number as all its samples."""
    return linear(np.repeat(np.arange(first, first + packets, dtype=np.int16), PACKET), PACKET)


def numbers(pieces: Sequence[Piece]) -> list[int]:
    """Which of those packets are heard in each 20 ms; 0 for silence."""
    pcm = sound(pieces)
    assert len(pcm) % PACKET == 0
    blocks = pcm.reshape(-1, PACKET)
    assert np.all(blocks == blocks[:, :1]), "packets and silences begin where they should"
    return [int(number) for number in blocks[:, 0]]
