"""Where ffmpeg reads a file from: its stdin, or a file on the disk."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Protocol

from coqui_server.media.completeness import completeness
from coqui_server.media.container import WavTail, id3_length, is_mpeg, is_rso
from coqui_server.media.upload_copy import UploadCopy

_PROBE = 5_000_000
"""Bytes, and microseconds, that ffmpeg may read to find the format."""

_FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,eac3,flac,flv,gsm,gxf,ircam,latm,matroska,mov,mp3,mpc,"
    "mpc8,mpeg,mpegts,mxf,nut,ogg,rm,rso,sox,tak,tta,voc,w64,wav,webm,wtv,wv,xwma"
)
"""The formats that may be read from the disk. All of them read only the file itself: a playlist
could make ffmpeg open another file of ours."""


class Source(Protocol):
    """A file for ffmpeg.

    Attributes:
        options: ffmpeg's, to its `-i`.
        mpeg: it is an MPEG transport or program stream.
    """

    options: tuple[str, ...]
    mpeg: bool

    def chunks(self) -> AsyncGenerator[bytes, None] | None:
        """The bytes for ffmpeg's stdin; None if it reads the disk."""

    @property
    def cut_off(self) -> bool:
        """The file says of itself that more bytes belong to it than have come."""


class StreamedSource:
    """An upload that goes into ffmpeg's stdin as it comes."""

    def __init__(self, head: bytes, copy: UploadCopy) -> None:
        self._copy = copy
        self._wav = WavTail.of(head)
        self._completeness = completeness(head)
        form = ("-f", "wav", "-ignore_length", "1") if self._wav else ()
        self.options = (*_guards("pipe"), *form, "-i", "pipe:0")
        self.mpeg = is_mpeg(head)
        tag = id3_length(head)
        # Behind a tag as long as that, ffmpeg takes every format for MP3.
        self._skipped = tag if tag > _PROBE // 2 else 0

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._copy.pass_on()) as chunks:
            async for chunk in chunks:
                if self._completeness:
                    self._completeness.feed(chunk)
                rest = chunk[self._skipped :]
                self._skipped -= len(chunk) - len(rest)
                yield self._wav.cut(rest) if self._wav else rest

    @property
    def cut_off(self) -> bool:
        return any(part.cut_off for part in (self._wav, self._completeness) if part)


class FileSource:
    """A file on the disk, which ffmpeg may read in any order."""

    cut_off = False

    def __init__(self, head: bytes, path: Path) -> None:
        form = ("-f", "rso") if is_rso(head) else ("-format_whitelist", _FORMATS)
        self.options = (*_guards("file"), *form, "-i", f"file:{path}")
        self.mpeg = is_mpeg(head)

    def chunks(self) -> None:
        return None


def _guards(protocol: str) -> tuple[str, ...]:
    """Only our bytes may be read: a playlist must not open a URL or another file."""
    limits = ("-probesize", str(_PROBE), "-analyzeduration", str(_PROBE))
    return ("-protocol_whitelist", protocol, *limits)
