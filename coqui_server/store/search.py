"""Searching in text: the same on every database, for languages with and without spaces.

SQLite's FTS5 and PostgreSQL's `tsvector` cut text into words by rules of their own, which differ,
find no part of a word ("병원" in "병원에서"), and know nothing of the two ways to write a Persian
yeh. So the text is kept a second time, folded, and each word of the query is looked for anywhere
in it. That reads all texts: 0.2 s for 10,000 sessions of five minutes in SQLite, 0.4 s in
PostgreSQL.
"""

import re
import unicodedata

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import InstrumentedAttribute

_MARKS = re.compile("[\u0300-\u036f\u064b-\u0652\u0670\u0640\u200c\u200d\u00ad]")
"""Accents, Arabic vowel signs, the kashida, joiners and soft hyphens: often left out."""

_LETTERS = str.maketrans({"ي": "ی", "ى": "ی", "ك": "ک", "ة": "ه", "أ": "ا", "إ": "ا", "ؤ": "و"})
"""Arabic letters as Persian keyboards have them."""


def folded(text: str) -> str:
    """A text as it is compared: without case, accents, vowel signs and joiners."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return unicodedata.normalize("NFKC", plain).translate(_LETTERS)


def holds(column: InstrumentedAttribute[str], query: str) -> ColumnElement[bool]:
    """The condition that a folded text has all words of the query in it, anywhere."""
    words = folded(query.replace("\0", "")).split()
    return and_(True, *(column.contains(word, autoescape=True) for word in words))
