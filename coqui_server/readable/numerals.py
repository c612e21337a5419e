"""Numbers in words, found by `text2num` (MIT) in the languages that it knows."""

from collections.abc import Sequence
from dataclasses import dataclass

from text_to_num import find_numbers

from coqui_server.readable.tokens import Token

LANGUAGES = ("da", "de", "en", "es", "fr", "it", "nl", "pt")
"""The languages of text2num 3, as ISO 639."""


@dataclass(frozen=True, slots=True)
class Numeral(Token):
    """A number that was said in words; its text is in digits, such as 07, 3.14 or 21st.

    Attributes:
        spoken: the words.
    """

    value: float = 0.0
    ordinal: bool = False
    spoken: tuple[Token, ...] = ()

    @property
    def whole(self) -> int | None:
        """The value of a whole number such as "twelve"; None for an ordinal or a decimal."""
        return int(self.text) if not self.ordinal and self.text.isdecimal() else None


class _Heard:
    """A token as text2num wants it."""

    def __init__(self, token: Token, *, number: bool) -> None:
        self._token = token
        self._number = number

    def text(self) -> str:
        return self._token.lower or "."

    def nt_separated(self, _: "_Heard") -> bool:
        return not self._token.joins

    def not_a_number_part(self) -> bool:
        return not self._number


def find(tokens: Sequence[Token], language: str, barred: frozenset[str]) -> list[Token]:
    """The tokens, with a `Numeral` in the place of each number in words.

    Args:
        language: one of `LANGUAGES`.
        barred: words that are no part of a number here.
    """
    heard = [_Heard(token, number=token.lower not in barred) for token in tokens]
    result: list[Token] = []
    place = 0
    for found in find_numbers(heard, language, 0):
        spoken = tuple(tokens[found.start : found.end])
        result.extend(tokens[place : found.start])
        result.append(
            Numeral(
                found.text,
                spoken[0].before,
                word=False,
                value=found.value,
                ordinal=found.is_ordinal,
                spoken=spoken,
            )
        )
        place = found.end
    return [*result, *tokens[place:]]
