"""Payloads to samples. PCM is unpacked with numpy, the rest is decoded by FFmpeg (PyAV)."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Literal, cast

import av
import numpy as np
import numpy.typing as npt

from coqui_server.media.formats import Format
from coqui_server.media.samples import Samples

ByteOrder = Literal["detect", "network", "host"]

_NOTHING = np.empty(0, np.int16)
_OPUS_MOST = 5760
"""Samples in the longest packet of Opus, 120 ms at 48 kHz (RFC 6716 section 3.2.5)."""


class Decoder(ABC):
    """One stream of payloads in one format. `rate` is that of the samples, in hertz."""

    rate: int

    @abstractmethod
    def samples(self, payload: bytes) -> int:
        """The number of samples in the payload, by its length or header alone."""

    @abstractmethod
    def decode(self, payloads: Sequence[bytes]) -> Samples:
        """The samples of consecutive payloads, int16 mono."""


class G711(Decoder):
    """ITU-T G.711, mu-law or A-law: a table of 256 samples."""

    rate = 8000

    def __init__(self, table: Samples) -> None:
        self._table = table

    def samples(self, payload: bytes) -> int:
        return len(payload)

    def decode(self, payloads: Sequence[bytes]) -> Samples:
        return self._table[np.frombuffer(b"".join(payloads), np.uint8)]


class L16(Decoder):
    """Linear samples in network order (RFC 3551 section 4.5.11), or in the sender's own.

    The detection compares the roughness of the sound in both orders: in the wrong one, the small
    changes of samples are in the high byte. One packet of sound, or even faint noise, is enough.
    """

    def __init__(self, rate: int, channels: int, order: ByteOrder) -> None:
        self.rate = rate
        self._channels = channels
        self._order = order
        self._rough = np.zeros(2)

    def samples(self, payload: bytes) -> int:
        return len(payload) // (2 * self._channels)

    def decode(self, payloads: Sequence[bytes]) -> Samples:
        size = 2 * self._channels
        whole = b"".join(payload[: len(payload) // size * size] for payload in payloads)
        network, little = np.frombuffer(whole, ">i2"), np.frombuffer(whole, "<i2")
        host = little if sys.byteorder == "little" else network
        if self._order == "detect":
            self._rough += [_roughness(network), _roughness(little)]
            chosen = little if self._rough[1] < self._rough[0] else network
        else:
            chosen = host if self._order == "host" else network
        return _mono(chosen.reshape(-1, self._channels))


class Coded(Decoder):
    """A codec of FFmpeg. A frame that it cannot decode becomes silence."""

    def __init__(self, name: str, rate: int, layout: "Layout") -> None:
        self.rate = rate
        self._layout = layout
        self._context = cast(av.AudioCodecContext, av.CodecContext.create(name, "r"))
        self._context.sample_rate = rate
        self._context.layout = "mono"
        self._context.open()

    def samples(self, payload: bytes) -> int:
        return sum(samples for _, samples in self._layout(payload))

    def decode(self, payloads: Sequence[bytes]) -> Samples:
        frames = (frame for payload in payloads for frame in self._layout(payload))
        return np.concatenate([_NOTHING, *(self._frame(*frame) for frame in frames)])

    def _frame(self, coded: bytes, samples: int) -> Samples:
        try:
            decoded = [frame.to_ndarray()[0] for frame in self._context.decode(av.Packet(coded))]
        except av.error.InvalidDataError:
            decoded = []
        sound = np.concatenate([_NOTHING, *decoded, np.zeros(samples, np.int16)])
        return sound[:samples]


Layout = Callable[[bytes], list[tuple[bytes, int]]]
"""A payload as frames, each with its number of samples. No frame is empty: an empty packet would
end the stream."""


def decoder(format: Format, order: ByteOrder) -> Decoder | None:
    """A new decoder for a format; None for formats that are not sound (CN, telephone-event,
    red)."""
    match format.encoding:
        case "PCMU":
            return G711(_mu_law())
        case "PCMA":
            return G711(_a_law())
        case "L16":
            return L16(format.clock, format.channels, order)
        case "G722":
            return Coded("g722", 16_000, _whole_g722)
        case "GSM":
            return Coded("gsm", 8000, partial(_blocks, 33, 160))
        case "G729":
            # The rest after frames of 10 bytes is a silence descriptor of 2.
            return Coded("g729", 8000, partial(_blocks, 10, 80))
        case "opus":
            return Coded("libopus", 48_000, _whole_opus)
    return None


def _whole_g722(payload: bytes) -> list[tuple[bytes, int]]:
    return [(payload, 2 * len(payload))] if payload else []


def _blocks(size: int, samples: int, payload: bytes) -> list[tuple[bytes, int]]:
    starts = range(0, len(payload) - size + 1, size)
    return [(payload[start : start + size], samples) for start in starts]


def _whole_opus(payload: bytes) -> list[tuple[bytes, int]]:
    return [(payload, opus_samples(payload))] if payload else []


def opus_samples(payload: bytes) -> int:
    """The samples at 48 kHz in a packet of Opus; its first one or two bytes have their number
    (RFC 6716 section 3.1)."""
    if not payload:
        return 0
    mode, code = payload[0] >> 3, payload[0] & 3
    if mode < 12:
        frame = (480, 960, 1920, 2880)[mode & 3]
    elif mode < 16:
        frame = (480, 960)[mode & 1]
    else:
        frame = (120, 240, 480, 960)[mode & 3]
    count = (1, 2, 2, payload[1] & 63 if len(payload) > 1 else 0)[code]
    return min(frame * count, _OPUS_MOST)


def _mono(frames: npt.NDArray[np.int16]) -> Samples:
    """All channels of [samples, channels] as one."""
    if frames.shape[1] == 1:
        return frames[:, 0].astype(np.int16)
    mixed: Samples = frames.mean(axis=1).astype(np.int16)
    return mixed


def _roughness(pcm: npt.NDArray[np.int16]) -> float:
    return float(np.abs(np.diff(pcm.astype(np.float32))).sum())


@cache
def _mu_law() -> Samples:
    """ITU-T G.711 table 2: sign, three bits of segment, four of step, all inverted."""
    code = ~np.arange(256, dtype=np.uint8)
    segment, step = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    size = (((step << 3) + 132) << segment) - 132
    return np.where(code & 0x80, -size, size).astype(np.int16)


@cache
def _a_law() -> Samples:
    """ITU-T G.711 table 1: even bits inverted."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    segment, step = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    size = np.where(
        segment == 0, (step << 4) + 8, ((step << 4) + 264) << np.maximum(segment - 1, 0)
    )
    return np.where(code & 0x80, size, -size).astype(np.int16)
