"""The gate: cuts a stream of samples into utterances. No clock, no I/O.

webrtcvad says of each frame whether it is voiced. An utterance opens when enough of a short window
is voiced (the window is kept, since it has the first consonant), and closes after a silence.
Opening and closing have separate settings: a miss at the start loses a word, a short wait at the
end only splits a sentence. `docs/tuning.md` has the cost of each.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
import webrtcvad

from coqui_server.config.audio import AudioSettings, VadSettings
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.speech.endpointing import LATE
from coqui_server.speech.evidence import is_speech

_KEPT = 0.14
"""Seconds after the last voiced frame that still belong to the utterance. webrtcvad itself calls
some 0.15 s after a word voiced; on 30 recordings the WER was 5.8 % with 0.14 s, 5.9 with 0.1, 6.0
with 0.2 and 6.3 with 0.3."""

_SEARCH = 3.0
"""Seconds before the longest utterance's end among which the quietest place is looked for."""

_NOISE_CLOSING = 0.8
"""Seconds of silence, at most, that end what has not been found to be speech. With the longer
silence of files, a noise shortly before the first word would belong to its utterance."""

_JUDGE_EVERY = 0.3
_JUDGE_LAST = 3.0
"""Seconds between two looks for evidence of speech, and how far back each look goes."""


@dataclass(frozen=True)
class Opened:
    """An utterance begins, `start` seconds into the stream."""

    start: float


@dataclass(frozen=True)
class Speech:
    """The next samples of the open utterance (16 kHz mono int16)."""

    pcm: Samples


@dataclass(frozen=True)
class Closed:
    """The utterance is over, `end` seconds into the stream."""

    end: float


@dataclass(frozen=True)
class Paused:
    """The speaker is silent. If no speech follows, the utterance has no more samples."""


GateEvent = Opened | Speech | Paused | Closed


class Gate:
    """Cuts one stream into utterances. Each sample is given out at most once, and in order."""

    def __init__(self, settings: VadSettings, audio: AudioSettings, live: bool) -> None:
        self._vad = webrtcvad.Vad(settings.mode)
        self._frame = round(audio.frame_duration * SAMPLE_RATE)
        self._padding = self._frames(settings.padding)
        self._kept = self._frames(_KEPT)
        self._ratio = settings.ratio
        closing, self._share = settings.closing(live=live)
        self._adaptive = live and settings.adaptive
        self._longest = self._frames(settings.max_utterance)
        self._search = min(self._frames(_SEARCH), self._longest // 2)
        self._judge_every = self._frames(_JUDGE_EVERY)
        self._rest = np.empty(0, np.int16)
        self._position = 0
        self._skipped = 0
        self._closing = self._frames(closing)
        self._usual = self._closing
        self._window: deque[bool] = deque(maxlen=max(self._closing, self._frames(LATE)))
        self._closing_noise = self._frames(min(closing, _NOISE_CLOSING))
        self._opening: deque[bool] = deque(maxlen=self._padding)
        self._open = False
        self._confirmed = False
        self._held: list[Samples] = []
        self._keep = 0
        """Held frames, some still to come, that belong to the utterance if no speech follows."""
        self._length = 0

    @property
    def earliest(self) -> float:
        """Seconds into the stream before which no further utterance begins."""
        return self._seconds(self._position - len(self._held))

    def push(self, pcm: Samples) -> list[GateEvent]:
        """Take int16 samples of any count; give the events they cause."""
        joined = np.concatenate((self._rest, pcm))
        whole = len(joined) // self._frame * self._frame
        self._rest = joined[whole:]
        events: list[GateEvent] = []
        sound, size = joined.tobytes(), joined.itemsize * self._frame
        for start in range(0, whole, self._frame):
            self._position += 1
            place = start * joined.itemsize
            voiced = self._vad.is_speech(sound[place : place + size], SAMPLE_RATE)
            frame = joined[start : start + self._frame]
            events += (
                self._in_utterance(frame, voiced) if self._open else self._in_silence(frame, voiced)
            )
        # Once a push, not once a frame: joining the samples costs by the call.
        if self._open and self._length <= self._longest - self._search:
            events += self._release(self._keep - self._kept)
        return events

    def flush(self) -> list[GateEvent]:
        """The end of the stream: what is open is closed, even a word too short to have opened."""
        if self._open:
            return self._close()
        if sum(self._opening) > self._ratio * len(self._opening):
            return self._begin() + self._close()
        return []

    def expect(self, seconds: float) -> list[GateEvent]:
        """End the utterance, which is paused, after so much silence; the next word undoes it.

        Without effect where a fixed silence is configured.
        """
        if not (self._open and self._adaptive):
            return []
        self._closing = self._frames(seconds)
        return self._close() if self._silent() else []

    def skip(self, samples: int) -> list[GateEvent]:
        """Close what is open and move the clock, as if so many samples of silence had come."""
        events = self.flush()
        self._skipped += samples
        self._held.clear()
        self._opening.clear()
        return events

    def _in_silence(self, frame: Samples, voiced: bool) -> list[GateEvent]:
        self._held.append(frame)
        del self._held[: -self._padding]
        self._opening.append(voiced)
        full = len(self._opening) == self._padding
        return self._begin() if full and sum(self._opening) > self._ratio * self._padding else []

    def _begin(self) -> list[GateEvent]:
        self._open = True
        self._confirmed = False
        self._length = len(self._held)
        self._keep = self._length + self._kept
        self._window.clear()
        self._closing = self._usual
        return []

    def _in_utterance(self, frame: Samples, voiced: bool) -> list[GateEvent]:
        self._held.append(frame)
        self._length += 1
        self._window.append(voiced)
        if voiced:
            self._keep = len(self._held) + self._kept
            self._closing = self._usual
        if self._silent():
            return self._close()
        if self._length >= self._longest:
            return self._cut()
        if self._length > self._longest - self._search:
            return []
        return self._pause() if len(self._held) == self._keep else self._confirm()

    def _silent(self) -> bool:
        """Whether it has been silent for long enough."""
        length = self._closing if self._confirmed else self._closing_noise
        latest = list(self._window)[-length:]
        return len(latest) == length and latest.count(False) > self._share * length

    def _pause(self) -> list[GateEvent]:
        """Give out all of the utterance, if this is its end, before that is sure."""
        events = self._confirm(at_end=True) + self._release(self._keep)
        return [*events, Paused()] if self._confirmed else []

    def _confirm(self, *, at_end: bool = False) -> list[GateEvent]:
        """Look for evidence of speech; until there is some, nothing is given out."""
        if self._confirmed or not (at_end or self._length % self._judge_every == 0):
            return []
        self._confirmed = is_speech(np.concatenate(self._held[-self._frames(_JUDGE_LAST) :]))
        start = self._position - len(self._held)
        return [Opened(self._seconds(start))] if self._confirmed else []

    def _release(self, count: int) -> list[GateEvent]:
        """Give out the first `count` held frames. Silence is held until speech goes on after it."""
        if not self._confirmed or count <= 0:
            return []
        speech, self._held = self._held[:count], self._held[count:]
        self._keep = max(0, self._keep - count)
        return [Speech(np.concatenate(speech))]

    def _close(self) -> list[GateEvent]:
        """End the utterance shortly after its last voiced frame; the rest may precede the next."""
        events = self._confirm(at_end=True)
        events += self._end(min(self._keep, len(self._held)))
        self._held = self._held[-self._padding :]
        self._opening.clear()
        self._opening.extend([False] * len(self._held))
        self._open = False
        return events

    def _cut(self) -> list[GateEvent]:
        """End an utterance that has grown too long at its quietest place; the next begins there."""
        events = self._confirm(at_end=True)
        energy = [float(np.mean(np.square(f, dtype=np.float32))) for f in self._held]
        smooth = np.convolve(energy[-self._search :], np.ones(5) / 5, "same")
        quietest = len(self._held) - len(smooth) + int(np.argmin(smooth[2:-2])) + 2
        events += self._end(quietest)
        self._begin()
        return events

    def _end(self, count: int) -> list[GateEvent]:
        if not self._confirmed:
            self._held = self._held[count:]
            return []
        events = self._release(count)
        return [*events, Closed(self._seconds(self._position - len(self._held)))]

    def _frames(self, seconds: float) -> int:
        return max(1, round(seconds * SAMPLE_RATE / self._frame))

    def _seconds(self, frames: int) -> float:
        return (frames * self._frame + self._skipped) / SAMPLE_RATE
