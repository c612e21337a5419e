"""Adds the times of words to results of engines that give none."""

from dataclasses import replace

from coqui_server import word_times
from coqui_server.config.settings import Settings
from coqui_server.engines.base import AnyEngine, Hypothesis, base_language
from coqui_server.media.samples import Samples
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.wording import language
from coqui_server.word_times.aligner import Aligner


class Timing:
    """Aligns the finals of one session with their sound.

    Args:
        aligner: finds the times; None adds none.
    """

    def __init__(self, aligner: Aligner | None = None) -> None:
        self._aligner = aligner

    def wanted(self, result: Hypothesis) -> bool:
        """Whether `timed` would try to add something."""
        return self._aligner is not None and bool(result.text) and not result.words

    def timed(self, result: Hypothesis, pcm: Samples) -> Hypothesis:
        """The result with words, if it has a text without them and they can be found.

        Blocks for a hundredth of the sound's length: for decoder threads.
        """
        if self._aligner is None or not self.wanted(result):
            return result
        return replace(result, words=self._aligner.words(result.text, pcm))


def timing(
    request: SessionRequest, engine: AnyEngine, settings: Settings, aligner: Aligner | None
) -> Timing:
    """What times the words of a session: only English ones, where the settings want it."""
    spoken = language(engine, request.options.language, settings)
    english = spoken is not None and base_language(spoken) == word_times.LANGUAGE
    return Timing(aligner if english and settings.text.word_times else None)
