"""Headerless sound: bytes in a declared encoding and rate to 16 kHz samples."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from coqui_server.exceptions import BadRequest, NotAudio
from coqui_server.media.codecs import Decoder, decoder
from coqui_server.media.format_check import FormatCheck
from coqui_server.media.formats import Format
from coqui_server.media.resample import Resampler
from coqui_server.media.samples import SAMPLE_RATE, Frames, Samples

_LOWEST, _HIGHEST = 8000, 192_000

_PIECE = 16_000
"""Bytes decoded at once, about half a second: the loop is free again in a millisecond."""


@dataclass(frozen=True)
class _Encoding:
    """What the bytes of an encoding are.

    Attributes:
        rtp: the encoding of RTP payloads with the same bytes; None for those that RTP does not have
            (`_READINGS`).
        frame: the bytes that belong together; None if each message is one packet.
        any_rate: each sample is by itself: a stream may have another sample rate than the usual
            one, and several channels.
    """

    rtp: str | None
    frame: int | None
    any_rate: bool = False


_ENCODINGS: Mapping[str, _Encoding] = {
    "linear16": _Encoding(None, 2, any_rate=True),
    "L16": _Encoding(f"L16/{SAMPLE_RATE}", 2, any_rate=True),
    "linear32": _Encoding(None, 4, any_rate=True),
    "u8": _Encoding(None, 1, any_rate=True),
    "s24le": _Encoding(None, 3, any_rate=True),
    "s32le": _Encoding(None, 4, any_rate=True),
    "mulaw": _Encoding("PCMU", 1, any_rate=True),
    "alaw": _Encoding("PCMA", 1, any_rate=True),
    "g722": _Encoding("G722", 1),
    "gsm": _Encoding("GSM", 33),
    "g729": _Encoding("G729", 10),
    "opus": _Encoding("opus", None),
}
"""By the names that cloud APIs use, or else those of RTP or ffmpeg."""

_CHECKED = {"L16": "big-endian 16-bit", "linear32": "32-bit float"}
"""The names that `FormatCheck` has for encodings that it would not know."""

_RTP_NAMES = {"PCMU": "mulaw", "PCMA": "alaw", "G722": "g722", "GSM": "gsm", "G729": "g729"}


@dataclass(frozen=True)
class RawFormat:
    """An encoding, by its name in this module, and the rate of its samples in hertz.

    Attributes:
        channels: that follow one another sample by sample.
    """

    encoding: str
    rate: int
    channels: int = 1

    @classmethod
    def of(cls, encoding: Any, rate: Any = None, channels: int = 1) -> "RawFormat":
        """The format that a message declares.

        Args:
            encoding: its name; the names of RTP are allowed too.
            rate: hertz; None is that of the codec, or 16000 for linear samples. G.722, GSM, G.729
                and Opus always have their own.

        Raises:
            BadRequest: an encoding, a rate or several channels that are not taken; the message says
                which are.
        """
        name = _RTP_NAMES.get(encoding, encoding) if isinstance(encoding, str) else ""
        if name not in _ENCODINGS:
            raise BadRequest(f"encoding is one of {', '.join(_ENCODINGS)}")
        codec = _codec(name)
        usual = codec.rate if codec else SAMPLE_RATE
        rate = usual if rate is None else rate
        number = isinstance(rate, int | float) and not isinstance(rate, bool)
        # `int` is safe after the range: NaN and the infinities are in no range.
        if not number or not _LOWEST <= rate <= _HIGHEST or rate != int(rate):
            raise BadRequest(f"sample_rate is a whole number of hertz, {_LOWEST} to {_HIGHEST}")
        single = _ENCODINGS[name].any_rate
        if channels > 1 and not single:
            raise BadRequest(f"{name} has one channel; PCM and G.711 may have more")
        return cls(name, int(rate) if single else usual, channels)

    @classmethod
    def of_file(cls, encoding: str | None, rate: str | None) -> "RawFormat | None":
        """The format of a file without a header, as a request names it; None if it names none.

        Raises:
            BadRequest: as `of`, or the encoding cannot be in a file without a header.
        """
        if encoding is None:
            if rate is not None:
                raise BadRequest("sample_rate is for files without a header: name encoding too")
            return None
        number = int(rate) if rate and re.fullmatch(r"[0-9]{1,6}", rate) else rate
        form = cls.of(encoding, number)
        if _ENCODINGS[form.encoding].frame is None:
            raise BadRequest(f"{form.encoding} without a container cannot be in a file")
        return form


class RawSound:
    """One channel of sound; its bytes may be cut anywhere, in the middle of a sample as well.

    Packets of Opus are the exception: each call of `push` takes one.
    """

    def __init__(self, form: RawFormat) -> None:
        self._codec = _codec(form.encoding)
        self._frame = _ENCODINGS[form.encoding].frame
        self._resampler = Resampler(form.rate)
        self._check = FormatCheck(_CHECKED.get(form.encoding, form.encoding))
        self._reading = _READINGS.get(form.encoding)
        self._rest = b""

    def push(self, data: bytes) -> Iterator[Samples]:
        """The samples of the next bytes, in pieces short enough for the event loop.

        Raises:
            NotAudio: they are a file, or sound of another encoding.
        """
        if self._frame is None:
            yield self._samples(data)
            return
        for start in range(0, len(data), _PIECE):
            joined = self._rest + data[start : start + _PIECE]
            whole = len(joined) // self._frame * self._frame
            self._rest = joined[whole:]
            yield self._samples(joined[:whole])

    def flush(self) -> Samples:
        """The samples that the resampler held back."""
        return self._resampler.flush()

    def _samples(self, data: bytes) -> Samples:
        self._check.push(data)
        if self._codec:
            return self._resampler.push(self._codec.decode([data]))
        assert self._reading
        return self._resampler.push(self._reading(data))


class Interleaved:
    """Takes the bytes of several channels apart; they may be cut anywhere."""

    def __init__(self, form: RawFormat) -> None:
        self._channels = form.channels
        self._sample = _ENCODINGS[form.encoding].frame
        self._rest = b""

    def push(self, data: bytes) -> list[bytes]:
        """The next bytes of each channel."""
        if self._channels == 1 or self._sample is None:
            return [data]
        size = self._channels * self._sample
        joined = self._rest + data
        whole = len(joined) // size * size
        self._rest = joined[whole:]
        samples = np.frombuffer(joined[:whole], np.uint8).reshape(-1, self._channels, self._sample)
        return [samples[:, channel].tobytes() for channel in range(self._channels)]


class RawFrames:
    """Sound of several channels, each of which is a `RawSound`."""

    def __init__(self, form: RawFormat) -> None:
        self._interleaved = Interleaved(form)
        self._sounds = [RawSound(form) for _ in range(form.channels)]

    def push(self, data: bytes) -> Iterator[Frames]:
        """The frames of the next bytes; pieces and errors are those of `RawSound.push`."""
        parts = zip(self._sounds, self._interleaved.push(data), strict=True)
        for pieces in zip(*(sound.push(part) for sound, part in parts), strict=True):
            yield np.stack(pieces, axis=1)

    def flush(self) -> Frames:
        """The frames that the resamplers held back."""
        return np.stack([sound.flush() for sound in self._sounds], axis=1)


async def read_raw(chunks: AsyncIterator[bytes], form: RawFormat) -> AsyncGenerator[Frames, None]:
    """The sound of a file without a header, as 16 kHz int16 frames.

    Raises:
        NotAudio: it is empty, another kind of file, or sound of another encoding.
    """
    sound, size, samples = RawFrames(form), 0, 0
    async for chunk in chunks:
        size += len(chunk)
        for frames in sound.push(chunk):
            samples += len(frames)
            yield frames
            await asyncio.sleep(0)
    rest = sound.flush()
    if not size:
        raise NotAudio("the message is empty; send the bytes of an audio file", "empty")
    if not samples + len(rest):
        raise NotAudio("the file is shorter than one frame of its encoding", "no_audio")
    yield rest


def _of_floats(data: bytes) -> Samples:
    """Samples of -1 to 1; what is no number is silence."""
    sound = np.nan_to_num(np.frombuffer(data, "<f4"), posinf=0, neginf=0)
    samples: Samples = np.rint(np.clip(sound, -1, 1) * 32_767).astype(np.int16)
    return samples


def _of_integers(width: int) -> Callable[[bytes], Samples]:
    """Signed little-endian samples of so many bytes, of which the upper two are kept."""

    def read(data: bytes) -> Samples:
        upper = np.frombuffer(data, np.uint8).reshape(-1, width)[:, -2:]
        return np.ascontiguousarray(upper).view("<i2")[:, 0].astype(np.int16)

    return read


def _of_unsigned_bytes(data: bytes) -> Samples:
    """Samples of 8 bits, whose silence is 128."""
    samples: Samples = (np.frombuffer(data, np.uint8).astype(np.int16) - 128) << 8
    return samples


_READINGS: Mapping[str, Callable[[bytes], Samples]] = {
    "linear16": _of_integers(2),
    "linear32": _of_floats,
    "u8": _of_unsigned_bytes,
    "s24le": _of_integers(3),
    "s32le": _of_integers(4),
}
"""What is no encoding of RTP; the bytes are whole samples."""


def _codec(encoding: str) -> Decoder | None:
    rtp = _ENCODINGS[encoding].rtp
    return decoder(Format.parse(rtp), "network") if rtp else None
