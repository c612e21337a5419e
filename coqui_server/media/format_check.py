"""Finds out that bytes are not sound in the format that their sender declared. No I/O.

A file is known by its first bytes. Raw sound in another format is known by its roughness: read in
the right format, neighbouring samples are alike; read in a wrong one, they are not. Compressed or
encrypted bytes are like white noise at full scale, which no sound is.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from coqui_server.exceptions import NotAudio
from coqui_server.media.codecs import decoder
from coqui_server.media.formats import Format

_HEAD = 12
"""Bytes that tell the kind of a file."""

_FILES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x1aE\xdf\xa3", "a WebM or Matroska"),
    (0, b"OggS", "an Ogg"),
    (0, b"fLaC", "a FLAC"),
    (4, b"ftyp", "an MP4"),
    (0, b"ID3", "an MP3"),
    (0, b"caff", "a CAF"),
    (0, b"FORM", "an AIFF"),
    (0, b"#!AMR", "an AMR"),
    (0, b".snd", "an AU"),
)
"""Where the mark of a kind of file stands, the mark, and the name. A WAV file is let pass: its head
is 44 bytes, and clients of vosk-server send it along."""

_LEAST = 2048
"""Bytes. In fewer there is too little to compare."""

_AGREEING, _MOST = 3, 100
"""Pieces that have to show the same fault, and those that are looked at before it is let be."""

_LOUD = 0.03
"""Of full scale, root mean square (-30 dBFS). Quieter sound is often as rough as noise."""

_SMOOTH, _SMOOTHER = 0.75, 0.1
"""The correlation of neighbouring samples that another format has to reach, and by how much it has
to be above that of the declared one. In 41 clips, 16-bit sound read in any wrong format never had
more than 0.57, and read rightly a median of 0.82 (8 kHz) to 0.99 (48 kHz)."""

_NOISE_LEVEL, _NOISE_KURTOSIS = 3**-0.5, 1.8
"""Of numbers that are spread evenly over the full scale."""

Sound = npt.NDArray[np.float64]
Reading = Callable[[bytes], Sound]


def _linear(kind: str) -> Reading:
    return lambda data: np.frombuffer(data[: len(data) & ~1], kind) / 32768


def _law(name: str) -> Reading:
    law = decoder(Format.parse(name), "network")
    assert law is not None
    return lambda data: law.decode([data]) / 32768


def _float(data: bytes) -> Sound:
    with np.errstate(invalid="ignore"):
        sound = np.frombuffer(data[: len(data) & ~3], "<f4").astype(np.float64)
    return sound if np.all(np.abs(sound) <= 4) else np.zeros(0)


_READINGS: Mapping[str, Reading] = {
    "linear16": _linear("<i2"),
    "mulaw": _law("PCMU"),
    "alaw": _law("PCMA"),
    "32-bit float": _float,
    "big-endian 16-bit": _linear(">i2"),
}


class FormatCheck:
    """Looks at the beginning of one stream.

    Args:
        encoding: the declared one; raw encodings are compared with others, of the rest only the
            first bytes are looked at.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._head: bytes | None = b""
        self._faults: list[str] = []
        self._pieces = 0 if encoding in _READINGS else _MOST

    def push(self, data: bytes) -> None:
        """Look at the next bytes, cut between samples.

        Raises:
            NotAudio: they are something else; the message says what, and what would be right.
        """
        if self._head is not None:
            self._look_at_head(data)
        if self._pieces < _MOST and len(data) >= _LEAST:
            self._look_at_sound(data)

    def _look_at_head(self, data: bytes) -> None:
        assert self._head is not None
        head = self._head + data[:_HEAD]
        for place, mark, name in _FILES:
            if head[place : place + len(mark)] == mark:
                raise NotAudio(
                    f"this is {name} file, not {self._encoding} sound; "
                    "files go to /api/v1/stt or POST /api/files, without encoding",
                    "wrong_format",
                )
        self._head = head if len(head) < _HEAD else None

    def _look_at_sound(self, data: bytes) -> None:
        sound = _READINGS[self._encoding](data)
        if len(sound) and np.sqrt(np.mean(sound**2)) < _LOUD:
            return
        self._pieces += 1
        self._faults.append(self._fault(sound, data))
        last = self._faults[-_AGREEING:]
        if last[0] and last == [last[0]] * _AGREEING:
            problem = f"the sound is {last[0]}, not {self._encoding} as declared"
            raise NotAudio(problem, "wrong_format")

    def _fault(self, sound: Sound, data: bytes) -> str:
        """The format that the bytes are in, or "" if it may be the declared one."""
        alike = _alikeness(sound)
        readings = {name: _alikeness(reading(data)) for name, reading in _READINGS.items()}
        smoothest = max(readings, key=readings.__getitem__)
        if readings[smoothest] > max(_SMOOTH, alike + _SMOOTHER):
            return smoothest
        nothing_like_it = not len(sound) or (alike < 0.1 and _even(sound))
        return "compressed or encrypted" if nothing_like_it else ""


def _alikeness(sound: Sound) -> float:
    """The correlation of neighbouring samples, 0 for silence."""
    if len(sound) < 2:
        return 0.0
    sound = sound - sound.mean()
    power = float(sound @ sound)
    return float(sound[1:] @ sound[:-1]) / power if power else 0.0


def _even(sound: Sound) -> bool:
    """Whether all values are as likely, from full scale to full scale."""
    power = float(np.mean(sound**2))
    kurtosis = float(np.mean(sound**4)) / power**2
    level = power**0.5 / _NOISE_LEVEL
    return abs(level - 1) < 0.05 and abs(kurtosis - _NOISE_KURTOSIS) < 0.1
