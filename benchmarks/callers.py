"""Calls from one process at real pace: 20 ms of PCMU each, all of them in turn within 20 ms."""

import socket
import struct
import time
from collections.abc import Sequence

from benchmarks.speech import FRAME, QUIET, SAMPLES, clips

PACKETS = 50
"""Packets a second of one call."""

_HEADER = struct.Struct("!BBHII")
_TURNS = 20
_TURN = 1 / PACKETS / _TURNS
"""Seconds (1 ms) between two turns. The calls are dealt to 20 turns, so that packets come evenly
and not all calls' in one burst; a sleep for each packet would cost more than sending it."""


def speech() -> list[bytes]:
    """The telephone sound of `samples/`, a second of silence after each, in frames of 20 ms."""
    return [frame for clip in clips(SAMPLES) for frame in clip.mu_law() + [QUIET] * PACKETS]


class Caller:
    """One call from a port of its own; `sent` counts its packets."""

    def __init__(self, port: int, ssrc: int, frames: Sequence[bytes]) -> None:
        self.sent = 0
        self._ssrc = ssrc
        self._frames = frames
        # No two calls begin at the same place, or all would begin and end their words together.
        self._first = ssrc * 7919
        self._packet = bytearray(_HEADER.size) + QUIET
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", port))

    def send(self) -> None:
        """Send the next 20 ms."""
        number, self.sent = self.sent, self.sent + 1
        timestamp = number * FRAME & 0xFFFFFFFF
        _HEADER.pack_into(self._packet, 0, 0x80, 0, number & 0xFFFF, timestamp, self._ssrc)
        self._packet[_HEADER.size :] = self._frames[(self._first + number) % len(self._frames)]
        self._socket.send(self._packet)

    def close(self) -> None:
        """Close the port."""
        self._socket.close()


class Callers:
    """Many calls, sent by the caller of `run`. Use as a context manager."""

    def __init__(self, count: int, port: int, frames: Sequence[bytes]) -> None:
        self._callers = [Caller(port, 1 + number, frames) for number in range(count)]
        self._turn = 0

    def __enter__(self) -> "Callers":
        return self

    def __exit__(self, *_: object) -> None:
        for caller in self._callers:
            caller.close()

    @property
    def sent(self) -> int:
        """Packets sent by all calls."""
        return sum(caller.sent for caller in self._callers)

    def begin(self, seconds: float) -> None:
        """Send for so long while the calls begin one after another, as calls do."""
        turns = round(seconds / _TURN)
        step = len(self._callers) / turns
        self._pace([round(step * (turn + 1)) for turn in range(turns)])

    def run(self, seconds: float) -> float:
        """Send all calls for so long; how late (seconds) the latest twentieth of the turns was."""
        late = self._pace([len(self._callers)] * round(seconds / _TURN))
        return sorted(late)[len(late) * 19 // 20]

    def _pace(self, begun: Sequence[int]) -> list[float]:
        """A turn for each entry, which says how many calls have begun; how late each turn was."""
        start, late = time.perf_counter(), []
        for turn, count in enumerate(begun):
            wait = start + turn * _TURN - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            late.append(max(0.0, -wait))
            for caller in self._callers[self._turn % _TURNS : count : _TURNS]:
                caller.send()
            self._turn += 1
        return late
