"""Packets in order to 16 kHz sound.

A gap (loss, or DTX because nobody spoke) becomes silence of its length: see `SenderClock`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from coqui_server.exceptions import MalformedPacket
from coqui_server.media.codecs import ByteOrder, Decoder, decoder
from coqui_server.media.formats import Format
from coqui_server.media.resample import Resampler
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.rtp.clock import STOPPED, SenderClock
from coqui_server.rtp.dtmf import Keypad
from coqui_server.rtp.jitter import Arrival
from coqui_server.rtp.packet import TIMESTAMPS, Packet, ahead, primary
from coqui_server.rtp.payload_check import PayloadCheck

_WRITTEN_SILENCE = 2.0
"""Seconds of a silence that are written as samples: enough to end an utterance. The rest, which may
be an hour on hold, is a `Pause`."""

_BURST = 5
"""Packets that came together after a pause, more than a sender sends at once."""


@dataclass(frozen=True)
class Sound:
    """The next samples, 16 kHz mono int16."""

    pcm: Samples


@dataclass(frozen=True)
class Pause:
    """Silence of so many 16 kHz samples that need not be decoded."""

    samples: int


@dataclass(frozen=True)
class Key:
    """A telephone key was pressed at this place."""

    digit: str


Piece = Sound | Pause | Key

Formats = Callable[[int, bytes], Format | None]
"""The format of a payload type and payload; None if it is not known."""


class _Place(NamedTuple):
    """A packet with the length of its sound, in ticks of `clock` hertz."""

    arrival: Arrival
    ticks: float
    clock: int

    @property
    def seconds(self) -> float:
        return self.ticks / self.clock


class Playout:
    """Decodes the packets of one stream, in order, and fills the gaps.

    Attributes:
        format: of the last sound.
        unknown: packets of a payload type without a known format.
        malformed: packets whose payload does not fit their format.
        check: finds packets that are not what they are taken for. They are not played.
    """

    def __init__(self, formats: Formats, order: ByteOrder) -> None:
        self.format: Format | None = None
        self.unknown = self.malformed = 0
        self.check = PayloadCheck()
        self._formats = formats
        self._order = order
        self._decoder: Decoder | None = None
        self._resampler: Resampler | None = None
        self._keypad = Keypad()
        self._last: _Place | None = None
        self._clock = SenderClock()
        self._burst = False
        self._soundless = 0
        self._plain: int | None = None
        self._payloads: list[bytes] = []
        self._masked = False

    def play(self, arrivals: Sequence[Arrival]) -> list[Piece]:
        """The sound, silence and keys of these packets."""
        pieces: list[Piece] = []
        rest = arrivals[self._take_plain(arrivals) :]
        while rest:
            self._burst = len(rest) > _BURST
            try:
                pieces += self._packet(rest)
            except MalformedPacket:
                self.malformed += 1
            rest = rest[1 + self._take_plain(rest[1:]) :]
        return _joined([*pieces, *self._decode()])

    def restart(self, time: float, formats: Formats) -> list[Piece]:
        """Another source, or the same one after a restart, begins with a packet that came at
        `time`."""
        self._formats, self.check = formats, PayloadCheck()
        last, self._last = self._last, None
        gap = time - last.arrival.time - last.seconds if last else 0.0
        return _joined([*self._decode(), *self._silence(max(0.0, gap))])

    def flush(self) -> list[Piece]:
        """No packets for now: give what the resampler still holds."""
        return _joined([*self._decode(), *self._resampled(None)])

    def _take_plain(self, arrivals: Sequence[Arrival]) -> int:
        """The fast path: take packets while each simply follows the last. Returns how many."""
        last, decoder, taken = self._last, self._decoder, 0
        if last is None or decoder is None or self._clock.scale != 1 or not self.check.done:
            return 0
        (number, before, came), ticks, clock = last
        timestamp = before.timestamp
        for arrival in arrivals:
            packet = arrival.packet
            number, timestamp = number + 1, int(timestamp + ticks) % TIMESTAMPS
            if (
                arrival.number != number
                or packet.timestamp != timestamp
                or packet.payload_type != self._plain
                or arrival.time - came > STOPPED
                or self._keypad.masks(timestamp) != self._masked
            ):
                break
            ticks = decoder.samples(packet.payload) * clock / decoder.rate
            self._payloads.append(packet.payload)
            came = arrival.time
            taken += 1
        if taken:
            self._last = _Place(arrivals[taken - 1], ticks, clock)
        return taken

    def _packet(self, arrivals: Sequence[Arrival]) -> Iterator[Piece]:
        """The first of these."""
        arrival = arrivals[0]
        packet, format = self._unwrapped(arrival.packet)
        if format is None or self.check.refuses(format, arrivals):
            self.unknown += 1
            self._soundless += 1
        elif format.encoding == "telephone-event":
            self._soundless += 1
            if digit := self._keypad.press(packet, format.clock):
                yield from self._decode()
                yield Key(digit)
        elif format.encoding == "CN":
            yield from self._place(_Place(arrival, 0, format.clock))
        else:
            yield from self._sound(arrival, packet, format)

    def _unwrapped(self, packet: Packet) -> tuple[Packet, Format | None]:
        """The packet and its format, without its redundant encoding, if any (RFC 2198)."""
        format = self._formats(packet.payload_type, packet.payload)
        if format is None or format.encoding != "red":
            return packet, format
        inner, payload = primary(packet.payload)
        format = self._formats(inner, payload)
        nested = format is not None and format.encoding == "red"
        return packet._replace(payload_type=inner, payload=payload), None if nested else format

    def _sound(self, arrival: Arrival, packet: Packet, format: Format) -> Iterator[Piece]:
        if format != self.format or self._decoder is None:
            yield from self._change(format)
        assert self._decoder is not None
        if packet is arrival.packet:
            self.check.look(arrival, format)
        # A packet with redundant encoding is not for the fast path.
        self._plain = packet.payload_type if packet is arrival.packet else None
        ticks = self._decoder.samples(packet.payload) * format.clock / self._decoder.rate
        yield from self._place(_Place(arrival, ticks, format.clock))
        masked = self._keypad.masks(packet.timestamp)
        if masked != self._masked:
            yield from self._decode()
            self._masked = masked
        self._payloads.append(packet.payload)

    def _change(self, format: Format) -> Iterator[Piece]:
        yield from self._decode()
        self.format = format
        self._decoder = decoder(format, self._order)
        assert self._decoder is not None
        if self._resampler is None or self._resampler.rate != self._decoder.rate:
            yield from self._resampled(None)
            self._resampler = Resampler(self._decoder.rate)

    def _place(self, place: _Place) -> Iterator[Piece]:
        """Place a packet, and give the silence before it."""
        last, self._last = self._last, place
        if last is not None and (gap := self._gap(last, place)) > 0:
            yield from self._decode()
            yield from self._silence(gap)
        self._soundless = 0

    def _gap(self, last: _Place, new: _Place) -> float:
        """Seconds between the end of one packet's sound and the start of the next's.

        Timestamps that go back are a clock that was reset: there is no gap then.
        """
        elapsed = new.arrival.time - last.arrival.time
        if new.clock != last.clock:
            return elapsed - last.seconds
        step = ahead(new.arrival.packet.timestamp, last.arrival.packet.timestamp, TIMESTAMPS)
        if not last.ticks:
            return self._clock.after_noise(step, last.clock, elapsed)
        missing = max(0, new.arrival.number - last.arrival.number - 1 - self._soundless)
        return self._clock.gap(
            step,
            last.ticks,
            last.clock,
            missing,
            elapsed,
            burst=self._burst,
            marked=new.arrival.packet.marker,
        )

    def _silence(self, seconds: float) -> Iterator[Piece]:
        rate = self._decoder.rate if self._decoder else SAMPLE_RATE
        heard = min(seconds, _WRITTEN_SILENCE)
        yield from self._resampled(np.zeros(round(heard * rate), np.int16))
        if seconds > heard:
            yield from self._resampled(None)
            yield Pause(round((seconds - heard) * SAMPLE_RATE))

    def _decode(self) -> Iterator[Piece]:
        """Decode all waiting payloads at once: numpy's cost is per call."""
        if self._payloads and self._decoder is not None:
            payloads, self._payloads = self._payloads, []
            pcm = self._decoder.decode(payloads)
            yield from self._resampled(np.zeros_like(pcm) if self._masked else pcm)

    def _resampled(self, pcm: Samples | None) -> Iterator[Piece]:
        """These samples at 16 kHz; None for the end of what came before."""
        if self._resampler is None:
            if pcm is not None:
                yield Sound(pcm)
            return
        given = self._resampler.flush() if pcm is None else self._resampler.push(pcm)
        if len(given):
            yield Sound(given)


def _joined(pieces: list[Piece]) -> list[Piece]:
    """The same pieces with neighbouring sounds joined."""
    joined: list[Piece] = []
    for piece in pieces:
        match piece, joined[-1:]:
            case Sound(pcm), [Sound(before)]:
                joined[-1] = Sound(np.concatenate((before, pcm)))
            case _:
                joined.append(piece)
    return joined
