"""One stream of a call: packets in, sound out. No sockets, no clock of its own."""

from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

from coqui_server.config.rtp import RtpSettings
from coqui_server.rtp.jitter import MAX_DROPOUT, JitterBuffer
from coqui_server.rtp.names import Address, Names
from coqui_server.rtp.packet import SEQUENCES, TIMESTAMPS, Packet, ahead
from coqui_server.rtp.payload_types import PayloadTypes
from coqui_server.rtp.playout import Pause, Piece, Playout
from coqui_server.rtp.reception import Reception
from coqui_server.rtp.rtcp import ReportBlock, SenderReport
from coqui_server.transcription.statistics import PACKET_COUNTERS
from coqui_transcript.transcript import TranscriptWarning

Arrived = Sequence[tuple[Packet, float]]
"""Packets with their arrival times, in seconds of the caller's clock."""

_RUNS = 16
"""Ended runs of sequence numbers that are kept until their sound is taken."""

_ENCRYPTED = TranscriptWarning(
    "encrypted", "the packets are encrypted (SRTP) and cannot be heard; send plain RTP"
)

_FASTEST_CLOCK = 96_000

_SILENT = ("CN", "telephone-event", "red")
"""Encodings whose timestamps do not show jitter."""


class _Run:
    """Packets with continuous sequence numbers: until the source changes or restarts."""

    def __init__(self, packets: Arrived, window: float, types: PayloadTypes) -> None:
        newest = packets[-1][0].sequence
        behind = min(ahead(packet.sequence, newest, SEQUENCES) for packet, _ in packets)
        self.first, self.started = packets[0]
        self.buffer = JitterBuffer(window, (newest + behind) % SEQUENCES)
        self.reception = Reception()
        self.types = types

    def counts(self) -> Counter[str]:
        return Counter({name: getattr(self.buffer, name) for name in PACKET_COUNTERS})


class Stream:
    """Takes the packets of an admitted source and gives its sound in order.

    Args:
        stall: seconds without a packet after which the speaker counts as paused.

    Attributes:
        ssrc: the source now; another may have begun the stream.
        heard: when the last packet came.
        cname: the canonical name of the source, once it has sent it.
        over: the source has sent BYE.
    """

    def __init__(
        self,
        address: Address,
        packets: Arrived,
        settings: RtpSettings,
        stall: float,
        names: Names,
    ) -> None:
        self.address = address
        self.names = names
        self.cname: str | None = None
        self.over = False
        self._settings = settings
        self._stall = stall
        self._stray: Arrived = ()
        self._past: Counter[str] = Counter()
        self._ended: deque[_Run] = deque(maxlen=_RUNS)
        self._started: float | None = None
        self._first = self._begin(packets)
        self._playout = Playout(self._first.types.format, settings.byte_order)

    def receive(self, packet: Packet, now: float) -> None:
        """Take a packet that came at `now`."""
        self.heard = now
        self._quiet = False
        run = self._run
        if run.buffer.push(packet, now):
            self._last = packet
            if clock := self._clock(packet):
                run.reception.arrived(packet.timestamp, now, clock)
        elif self._stray and packet.sequence == (self._stray[0][0].sequence + 1) % SEQUENCES:
            self.resume([*self._stray, (packet, now)])
        else:
            self._stray = [(packet, now)]

    def resume(self, packets: Arrived) -> None:
        """Continue with another source, or with the same one after a restart (RFC 3550 A.1)."""
        self._past += self._run.counts()
        self._ended.append(self._run)
        self._begin(packets)

    def goes_on_with(self, packet: Packet, now: float) -> bool:
        """Whether a packet with this SSRC, from another address, is the next one or near it."""
        numbers = ahead(packet.sequence, self._last.sequence, SEQUENCES)
        units = ahead(packet.timestamp, self._last.timestamp, TIMESTAMPS)
        return (
            packet.payload_type == self._last.payload_type
            and 0 < numbers <= MAX_DROPOUT
            and 0 <= units <= _FASTEST_CLOCK * (1 + now - self.heard)
        )

    @property
    def pending(self) -> bool:
        """Whether there is sound to take, or will be without another packet."""
        return not self._quiet

    @property
    def fault(self) -> TranscriptWarning | None:
        """Why its packets cannot be heard, if so."""
        if self._playout.check.encrypted:
            return _ENCRYPTED
        if format := self._playout.check.disproved:
            text = f"the packets are not {format}; rtp.codecs can say what a payload type is"
            return TranscriptWarning("wrong_codec", text)
        return None

    def take(self, now: float, *, flush: bool = False) -> list[Piece]:
        """The sound that is in order so far; with `flush`, all of it."""
        pieces: list[Piece] = []
        while self._ended:
            pieces += self._playout.play(self._ended.popleft().buffer.pop(now, flush=True))
            following = self._ended[0] if self._ended else self._run
            pieces += self._playout.restart(following.started, following.types.format)
        stalled = now - self.heard > self._stall
        pieces += self._playout.play(self._run.buffer.pop(now, flush=flush or stalled))
        if flush or (stalled and not self._quiet):
            self._quiet = True
            pieces += [*self._playout.flush(), Pause(0)]
        return pieces

    def reported(self, report: SenderReport, now: float) -> None:
        """Take the source's sender report."""
        self._run.reception.reported(report, now)
        clock = self._clock(self._first.first)
        if self._first is self._run and clock:
            played = ahead(report.timestamp, self._first.first.timestamp, TIMESTAMPS) / clock
            self._started = report.time - played

    def report(self, now: float) -> ReportBlock:
        """The report block about this source."""
        return self._run.reception.block(self.ssrc, self._run.buffer, now)

    def statistics(self) -> dict[str, Any]:
        """The counters. `started` is in seconds since 1970 by the source's clock, if it sent
        one."""
        return {
            "source": f"{self.address[0]}:{self.address[1]}",
            "ssrc": f"{self.ssrc:08x}",
            "cname": self.cname,
            "codec": str(self._playout.format) if self._playout.format else None,
            **{name: self._past[name] + count for name, count in self._run.counts().items()},
            "unknown": self._playout.unknown,
            "malformed": self._playout.malformed,
            "jitter_ms": round(self._run.reception.jitter * 1000, 1),
            "started": round(self._started, 3) if self._started else None,
        }

    def _begin(self, packets: Arrived) -> _Run:
        self.ssrc = packets[0][0].ssrc
        self._stray = ()
        mapped = {**self._settings.codecs, **self.names.codecs}
        types = PayloadTypes(self.ssrc, mapped, self.names.codec)
        self._run = _Run(packets, self._settings.jitter, types)
        self._last = packets[0][0]
        for packet, time in packets:
            self.receive(packet, time)
        return self._run

    def _clock(self, packet: Packet) -> int:
        """The timestamp rate of a packet's payload type; 0 if it is not sound."""
        format = self._run.types.format(packet.payload_type, packet.payload)
        return format.clock if format and format.encoding not in _SILENT else 0
