"""What a piece of speech sounds like, before it is known whose it is."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Print = npt.NDArray[np.float32]
"""A voice print: a vector of length 1. The product of two is their likeness, at most 1."""


@dataclass(frozen=True, eq=False)
class Voice:
    """Some seconds of one person's speech.

    Attributes:
        start, end: in seconds.
        print: of the speech, as far as they speak alone.
        seconds: that they speak alone.
        window: the number of the sound in which speakers were told apart.
        speaker: the number of its speaker in that window; the same people may have other numbers
            in the next one.
    """

    start: float
    end: float
    print: Print
    seconds: float
    window: int
    speaker: int

    def moved(self, seconds: float, windows: int) -> "Voice":
        """The same voice, so many seconds and windows later."""
        return replace(
            self,
            start=self.start + seconds,
            end=self.end + seconds,
            window=self.window + windows,
        )
