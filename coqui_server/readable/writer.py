"""The texts of one session, as people write them."""

from coqui_server.readable import english, numbers
from coqui_server.readable.numerals import LANGUAGES
from coqui_server.readable.sentences import ends_sentence, with_capitals
from coqui_server.readable.tokens import Token, joined, split

_PAUSES = (",", ";", ":", "-", "–", "—", "…", "...", "،", "、")


class Writer:
    """Writes texts as people do, and remembers where the last sentence ended.

    A number of one text is not joined with one of the next. In a language without number words
    here, and in an unknown one, only capitals are written.

    Args:
        language: of the speech, as a BCP 47 tag; None if it is not known.
    """

    def __init__(self, language: str | None) -> None:
        self._language = language and language.partition("-")[0].lower()
        self._starts: dict[str | None, bool] = {}
        self._punctuated = False

    def partial(self, text: str) -> str:
        """The text of an utterance so far; the utterance may go on."""
        return self._written(text)[0]

    def final(self, text: str, speaker: str | None = None) -> str:
        """The text of an utterance. The next text of its speaker comes after it."""
        written, ended, punctuated = self._written(text, speaker)
        if written.strip():
            self._punctuated = self._punctuated or punctuated
            paused = written.rstrip().endswith(_PAUSES)
            # Without punctuation, an utterance is the nearest that there is to a sentence.
            self._starts[speaker] = ended or not (paused or self._punctuated)
        return written

    def _written(self, text: str, speaker: str | None = None) -> tuple[str, bool, bool]:
        """The text, whether its last sentence ended, and whether it has an end of a sentence."""
        tokens, tail = split(text)
        start = self._starts.get(speaker, True)
        tokens = with_capitals(self._numbers(tokens), self._language, start=start)
        ended = ends_sentence(tokens, tail)
        return joined(tokens, tail), ended, ended or any("." in t.before for t in tokens)

    def _numbers(self, tokens: list[Token]) -> list[Token]:
        if self._language == "en":
            return english.written(tokens)
        if self._language in LANGUAGES:
            return numbers.written(tokens, self._language)
        return tokens
