"""Which channels of a file are heard together, and which by themselves. No I/O.

`auto` looks a minute ahead, so that a call whose second party is silent for as long is split from
its first word. When different people are found later than that, it is split from there on.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coqui_server.config.audio import ChannelMode
from coqui_server.exceptions import BadRequest
from coqui_server.media.mixdown import Mixdown
from coqui_server.media.samples import Frames, Samples
from coqui_server.media.transcode import Warn
from coqui_server.speech.parties import WINDOW, Parties
from coqui_transcript.transcript import TranscriptWarning


@dataclass(frozen=True)
class Leg:
    """A channel of a file that is heard by itself, and with it those with the same sound.

    Attributes:
        channel: its number, from 1.
        name: for people.
    """

    channel: int
    name: str


Sounds = Mapping[Leg | None, Samples]
"""The same moments of each leg of a file. None is all channels together."""

MOST = 8
"""Channels that are looked at, or heard by themselves."""

_SIDES = ("left", "right")
"""What people call the channels of a file that has two."""

_AHEAD = 120
"""Windows (60 s) that `auto` looks ahead; 2 MB for each channel."""

_SEARCH = 20
"""Windows (10 s) in which the quietest is looked for, where a file that was mixed is split."""


class Channels:
    """Turns the frames of one file into the sounds of its legs.

    Args:
        warn: is told if people were mixed that should be heard by themselves.
    """

    def __init__(self, mode: ChannelMode, warn: Warn) -> None:
        self._mode = mode
        self._warn = warn
        self._rest: Frames | None = None
        self._legs = _Legs([])
        self._parties: Parties | None = None
        self._ahead: deque[Frames] = deque()
        self._begun = False

    def push(self, frames: Frames) -> Iterator[Sounds]:
        """The sounds that the next frames, always of as many channels, complete.

        Raises:
            BadRequest: there are too many channels to be split.
        """
        if self._rest is None:
            self._begin(frames.shape[1])
            self._rest = frames[:0]
        joined = np.concatenate((self._rest, frames))
        whole = len(joined) // WINDOW * WINDOW
        self._rest = joined[whole:]
        for start in range(0, whole, WINDOW):
            yield from self._take(joined[start : start + WINDOW])

    def flush(self) -> Iterator[Sounds]:
        """The sounds that are left at the end."""
        while self._ahead:
            yield from self._decide()
        if self._rest is not None and len(self._rest):
            yield self._legs.sounds(self._rest)

    def _begin(self, channels: int) -> None:
        together = [list(range(channels))]
        if self._mode == "split":
            if channels > MOST:
                raise BadRequest(f"the file has {channels} channels; at most {MOST} can be split")
            together = [[channel] for channel in range(channels)]
        elif 1 < channels <= MOST:
            self._parties = Parties(channels)
        elif channels > MOST and self._mode == "auto":
            self._warn_of(f"the {channels} channels, more than {MOST}, were mixed")
        self._legs = _Legs(together)

    def _take(self, window: Frames) -> Iterator[Sounds]:
        if self._parties is None:
            yield self._legs.sounds(window)
            return
        self._parties.push(window)
        if self._mode == "mix":
            if len(self._parties.groups) > 1:
                self._warn_of("the channels have different people and were mixed")
                self._parties = None
            yield self._legs.sounds(window)
            return
        self._ahead.append(window)
        if len(self._ahead) > _AHEAD:
            yield from self._decide()

    def _decide(self) -> Iterator[Sounds]:
        """The oldest window as before; or all of them, split, if there are several parties."""
        assert self._parties is not None
        groups = self._parties.groups
        if len(groups) == 1:
            self._begun = True
            yield self._legs.sounds(self._ahead.popleft())
            return
        # Where nobody speaks, so that no word is cut in two.
        for _ in range(self._quietest() if self._begun else 0):
            yield self._legs.sounds(self._ahead.popleft())
        self._legs, self._parties = _Legs(groups), None
        while self._ahead:
            yield self._legs.sounds(self._ahead.popleft())

    def _quietest(self) -> int:
        loudness = [
            float(np.square(self._ahead[index], dtype=np.float32).sum())
            for index in range(min(_SEARCH, len(self._ahead)))
        ]
        return int(np.argmin(loudness))

    def _warn_of(self, what: str) -> None:
        self._warn(TranscriptWarning("mixed_channels", f"{what}; words may be missing"))


class _Legs:
    """Groups of channels, each heard as one."""

    def __init__(self, groups: Sequence[Sequence[int]]) -> None:
        self._groups = groups
        self._mixdowns = [Mixdown() for _ in groups]

    def sounds(self, frames: Frames) -> Sounds:
        """The sound of each group, by its first channel."""
        if len(self._groups) == 1:
            return {None: self._mixdowns[0].push(frames)}
        return {
            _leg(group[0] + 1, frames.shape[1]): mixdown.push(frames[:, group])
            for group, mixdown in zip(self._groups, self._mixdowns, strict=True)
        }


def _leg(channel: int, channels: int) -> Leg:
    return Leg(channel, _SIDES[channel - 1] if channels == len(_SIDES) else f"channel {channel}")
