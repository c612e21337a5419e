"""PocketSphinx: finds words that are known to be spoken in their sound."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import pocketsphinx

from coqui_server.exceptions import NotAligned
from coqui_server.word_times.dictionary import Dictionary
from coqui_server.word_times.spelling import sounds
from coqui_server.word_times.wire import Span

_MODEL = Path(pocketsphinx.__file__).parent / "model" / "en-us"

_SAMPLE_RATE = 16_000
"""Hertz. The module that says so imports numpy, which this process has no other use for."""

_FRAME = 0.01
"""Seconds."""

_MOST_WORDS = 20_000
"""Different words that a decoder is given, which it never forgets: 4 MB."""

_SEARCH = {
    # With the library's own beams, one utterance in twenty lost the way to its last word.
    "beam": 1e-100,
    "pbeam": 1e-100,
    "wbeam": 1e-80,
    # Noises between words are likely: an engine leaves out the "uh" of a speaker.
    "fillprob": 0.3,
    # Sounds are looked up in every second frame: 0.6 of the time, and nearly the same errors.
    "ds": 2,
}


class Sphinx:
    """A decoder and its dictionary. For one thread."""

    def __init__(self) -> None:
        text = (_MODEL / "cmudict-en-us.dict").read_bytes()
        self._dictionary = Dictionary(text)
        self._start()

    def _start(self) -> None:
        self._known: set[str] = set()
        self._decoder = pocketsphinx.Decoder(
            hmm=str(_MODEL / "en-us"),
            dict=None,
            lm=None,
            samprate=_SAMPLE_RATE,
            bestpath=False,
            loglevel="FATAL",
            **_SEARCH,
        )

    def align(self, pcm: bytes, words: Sequence[str]) -> list[Span]:
        """When each word was said.

        Args:
            pcm: 16 kHz mono int16 samples.
            words: what is spoken, of ASCII letters and apostrophes.

        Raises:
            NotAligned: the words do not fit the sound.
        """
        if len(self._known) > _MOST_WORDS:
            self._start()
        for word in set(words):
            self._learn(word)
        try:
            self._decoder.set_align_text(" ".join(words))
            self._decoder.start_utt()
            # The whole utterance at once, so that its mean is taken off from the first frame on.
            self._decoder.process_raw(pcm, full_utt=True)
            self._decoder.end_utt()
        except RuntimeError as error:
            raise NotAligned(str(error)) from error
        spans = list(self._spans())
        if len(spans) != len(words):
            raise NotAligned(f"{len(spans)} of {len(words)} words fit the sound")
        return spans

    def _learn(self, word: str) -> None:
        if word in self._known:
            return
        said = self._ways(word) or sounds(word)
        for number, each in zip(itertools.count(1), said, strict=False):
            self._decoder.add_word(word if number == 1 else f"{word}({number})", each, False)
        self._known.add(word)

    def _ways(self, word: str) -> list[str]:
        """What the dictionary has of a word."""
        return self._dictionary.sounds(word.lower())

    def _spans(self) -> Iterator[Span]:
        """Of the words; silence and noises have names in brackets."""
        for found in self._decoder.seg() or ():
            if found.word[0] not in "<[":
                yield found.start_frame * _FRAME, (found.end_frame + 1) * _FRAME
