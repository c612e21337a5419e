"""Settings of the text that leaves the daemon."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from coqui_server.config.section import Section

TextFormat = Literal["verbatim", "readable"]
"""Text as the engine gives it, or as people write it."""

MOST_TERMS, LONGEST_TERM = 1000, 100
"""Terms of one list, and characters of one."""

LONGEST_LIST = MOST_TERMS * (LONGEST_TERM + 1)
"""Characters of a full list, with a comma after each term."""

_EITHER = "verbatim or readable"


def listed(terms: Iterable[str]) -> tuple[str, ...]:
    """A list of terms: each once, without empty ones, with single spaces.

    Raises:
        ValueError: there are too many, or one is too long.
    """
    each = tuple(dict.fromkeys(filter(None, (" ".join(term.split()) for term in terms))))
    if len(each) > MOST_TERMS or any(len(term) > LONGEST_TERM for term in each):
        raise ValueError(f"terms are at most {MOST_TERMS}, of at most {LONGEST_TERM} characters")
    return each


class TextSettings(Section):
    """What a request may choose for itself with `format`."""

    format: TextFormat = Field("readable", description=_EITHER)
    """verbatim: text as the engine gives it. readable: as people write it, with capitals, and with
    numbers, money, dates and addresses in figures."""
    calls: TextFormat = Field("readable", description=_EITHER)
    """The same for telephone calls over RTP, which have no request."""
    vosk: TextFormat = Field("verbatim", description=_EITHER)
    """The same for clients of the vosk-server protocol, which may count on words."""
    word_times: bool = Field(True, description="true or false")
    """Find out when each word of a final was said, where the engine does not tell (Moonshine). For
    English, and with the package pocketsphinx."""
    terms: Annotated[tuple[str, ...], AfterValidator(listed)] = Field(
        (),
        description='a list of at most 1000 terms of at most 100 characters, such as ["Ana Roe"]',
    )
    """Names and terms that are likely to be said, as they shall be written. Moonshine and Whisper
    favour them."""
    terms_file: Path | None = Field(None, description="a UTF-8 text file with one term a line")
    """More of them."""
