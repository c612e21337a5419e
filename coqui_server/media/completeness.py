"""Whether all bytes of a file have come, by what the file says of itself. No I/O."""

from typing import Protocol

from coqui_server.media.container import id3_length

_PAGE = 65_307
"""Bytes of the longest Ogg page (RFC 3533 section 6)."""

_LAST_PAGE = 4
_XING = (b"Xing", b"Info")
_BYTES_KNOWN = 2
_ENOUGH = 0.98
"""Some editors of titles leave the size of an MP3 a little wrong."""


class Completeness(Protocol):
    """Follows the bytes of a file."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""

    @property
    def cut_off(self) -> bool:
        """The bytes so far are not the whole file."""


def completeness(head: bytes) -> Completeness | None:
    """For a file that begins with `head`; None if its bytes do not tell. WAV: see `WavTail`."""
    if head[:4] == b"OggS":
        return _Ogg()
    if size := _mp3_size(head):
        return _Sized(round(_ENOUGH * size))
    return None


def _mp3_size(head: bytes) -> int | None:
    """Bytes by the Xing header in an MP3's first frame, which encoders write (LAME's format)."""
    start = id3_length(head)
    frame = head[start : start + 256]
    if frame[:1] != b"\xff":
        return None
    for name in _XING:
        place = frame.find(name)
        if place > 0 and len(frame) >= place + 16 and frame[place + 7] & _BYTES_KNOWN:
            # The number of frames stands before it, if that is known too.
            offset = place + 8 + 4 * (frame[place + 7] & 1)
            return start + int.from_bytes(frame[offset : offset + 4], "big")
    return None


class _Sized:
    """A file that states its size."""

    def __init__(self, size: int) -> None:
        self._missing = size

    def feed(self, data: bytes) -> None:
        self._missing -= len(data)

    @property
    def cut_off(self) -> bool:
        return self._missing > 0


class _Ogg:
    """The last page of a stream is marked (RFC 3533 section 6, header_type_flag 4)."""

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, data: bytes) -> None:
        self._tail = (self._tail + data)[-_PAGE:]

    @property
    def cut_off(self) -> bool:
        flags = self._tail[self._tail.rfind(b"OggS") + 5 :][:1]
        return not (flags and flags[0] & _LAST_PAGE)
