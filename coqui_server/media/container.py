"""How to read an upload, by its first bytes. Bytes in, bytes out, no I/O."""

import re
from dataclasses import dataclass

HEAD = 4096
"""Bytes that are needed to find the kind of a file, unless it is shorter."""

_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"}
"""Boxes that an MP4 or QuickTime file may begin with (ISO/IEC 14496-12, QuickTime File Format)."""

_CHUNK_ID = re.compile(rb"[A-Za-z0-9_ ]{1,4}")
_STREAMED = (0, 0x7FFFFFFF)
"""WAV data lengths at or beyond these are written by programs that do not know the length."""


def needs_seeking(head: bytes) -> bool:
    """Whether the index of this file may be at its end (MP4, M4A, MOV, 3GP)."""
    return head[4:8] in _BOXES


def is_rso(head: bytes) -> bool:
    """Whether this may be a Lego Mindstorms RSO file, which has no mark of its own."""
    return head[:2] in (b"\x01\x00", b"\x01\x01") and head[6:7] == b"\0"


def id3_length(head: bytes) -> int:
    """Bytes of the ID3v2 tag at the file's start (ID3v2.4 section 3.1); 0 without one."""
    if head[:3] != b"ID3":
        return 0
    return 10 + sum((byte & 0x7F) << 7 * (3 - n) for n, byte in enumerate(head[6:10]))


def is_mpeg(head: bytes) -> bool:
    """Whether this is an MPEG transport or program stream (ISO/IEC 13818-1)."""
    transport = head[:1] == b"\x47" and head[188:189] in (b"\x47", b"")
    return transport or head[:4] == b"\0\0\x01\xba"


@dataclass
class WavTail:
    """Cuts off the chunks after the sound of a WAV file, even if its header has a wrong length.

    ffmpeg is told to ignore the length (gateways and phones write 0 or 4 GB, and some stop counting
    early). Then a list of titles after the sound would become a click, so chunks after a right
    length are dropped here. If the bytes after the stated length do not look like a chunk, the
    length was wrong and the sound goes on.
    """

    end: int | None
    """Where the sound ends by the header, in bytes from the file's start; None: unknown."""

    _position: int = 0
    _peek: bytes = b""

    @classmethod
    def of(cls, head: bytes) -> "WavTail | None":
        """For the head of a RIFF/WAVE file with its data chunk in it; None for anything else."""
        if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
            return None
        place = 12
        while place + 8 <= len(head):
            size = int.from_bytes(head[place + 4 : place + 8], "little")
            if head[place : place + 4] == b"data":
                known = _STREAMED[0] < size < _STREAMED[1]
                return cls(place + 8 + size + size % 2 if known else None)
            place += 8 + size + size % 2
        return None

    @property
    def cut_off(self) -> bool:
        """There is less sound than the header says."""
        return self.end is not None and self._position + 1 < self.end

    def cut(self, data: bytes) -> bytes:
        """The header or sound in the next bytes."""
        if self.end is None:
            return data
        data = self._peek + data
        kept = data[: max(0, self.end - self._position)]
        after = data[len(kept) : len(kept) + 4]
        if after and not _CHUNK_ID.fullmatch(after):
            self.end = None
            self._peek = b""
            return data
        self._position += len(kept)
        self._peek = after
        return kept
