"""What ffmpeg writes about a file, with `-loglevel level+info`. Text in, facts out, no I/O."""

import re
from dataclasses import dataclass

_STREAM = re.compile(r"Stream #0:\d+(?:\[\w+\])?(?:\((\w+)\))?: (\w+): (\w+)(.*)")
_DURATION = re.compile(r"Duration: (\d+):(\d+):(\d+\.\d+)")
_GUESS = re.compile(r"low score of (\d+)")
_CUT_OFF = re.compile(r"partial file|ended prematurely")
_DAMAGED = re.compile(r"[Cc]orrupt|Error while decoding|Error submitting packet|Decoding error")

_LONGEST = 1000
"""Characters of a line that are read; titles inside a file may be of any length."""

_FEW = 2
"""Faults that do not count: a recorded stream begins and ends anywhere in a frame."""


@dataclass(frozen=True)
class Track:
    """A sound track.

    Attributes:
        number: from 1, in the file's order.
        language: as the file names it, often with three letters; None: it does not say.
        default: players choose it.
    """

    number: int
    language: str | None = None
    default: bool = False


class FfmpegLog:
    """Reads the messages of one ffmpeg process.

    Attributes:
        opened: all of the input's description was read, and the output begins.
        tracks: the sound tracks.
        pictures: the file has a film, which may be longer than its sound.
        duration: seconds by the file's head, if it says.
        score: how sure ffmpeg is of the format, if it is not.
        no_tracks: there is no sound track, or not the one that was asked for.
        ended_early: the file ends before its own end.
        faults: parts that could not be decoded.
    """

    def __init__(self) -> None:
        self.opened = False
        self.tracks: list[Track] = []
        self.pictures = False
        self.duration: float | None = None
        self.score: int | None = None
        self.no_tracks = self.ended_early = False
        self.faults = 0
        self._rest = ""

    @property
    def damaged(self) -> bool:
        """More could not be decoded than at the edges of a recorded stream."""
        return self.faults > _FEW

    def feed(self, text: str) -> None:
        """Take the next part of the messages, cut anywhere."""
        *lines, self._rest = (self._rest + text).split("\n")
        self._rest = self._rest[:_LONGEST]
        for line in lines:
            self._line(line[:_LONGEST])

    def _line(self, line: str) -> None:
        before, _, text = line.partition("[info] ")
        if not before and not self.opened:
            self._describe(text.lstrip(" "))
        elif found := _GUESS.search(line):
            self.score = int(found[1])
        elif "matches no streams" in line:
            self.no_tracks = True
        elif _CUT_OFF.search(line):
            self.ended_early = True
        elif _DAMAGED.search(line):
            self.faults += 1

    def _describe(self, text: str) -> None:
        if text.startswith("Output #0"):
            self.opened = True
        elif found := _DURATION.match(text):
            hours, minutes, seconds = map(float, found.groups())
            self.duration = 3600 * hours + 60 * minutes + seconds
        elif found := _STREAM.match(text):
            self._stream(*found.groups())

    def _stream(self, language: str | None, kind: str, codec: str, rest: str) -> None:
        if kind == "Audio":
            default = rest.endswith("(default)")
            known = None if language in (None, "und") else language
            self.tracks.append(Track(len(self.tracks) + 1, known, default))
        elif kind == "Video":
            self.pictures |= "attached pic" not in rest
