"""The sounds of English words that are in no dictionary, guessed from their letters.

For aligning, only roughly as many sounds as there are, and of the right kind, are needed: the times
of the words on both sides correct the rest. The sounds are those of the CMU dictionary (ARPABET).
"""

from collections.abc import Iterator, Mapping

_SOUNDS = {
    "tion": "SH AH N",
    "sion": "ZH AH N",
    "ture": "CH ER",
    "ough": "AO",
    "augh": "AO",
    "eigh": "EY",
    "tch": "CH",
    "dge": "JH",
    "igh": "AY",
    "sch": "SH",
    "eau": "OW",
    "eer": "IH R",
    "ear": "IH R",
    "air": "EH R",
    "are": "EH R",
    "ore": "AO R",
    "ch": "CH",
    "ck": "K",
    "cc": "K",
    "ci": "S IH",
    "ce": "S EH",
    "cy": "S IY",
    "sh": "SH",
    "th": "TH",
    "ph": "F",
    "gh": "G",
    "wh": "W",
    "wr": "R",
    "kn": "N",
    "gn": "N",
    "ng": "NG",
    "qu": "K W",
    "ee": "IY",
    "ea": "IY",
    "ie": "IY",
    "ei": "EY",
    "ey": "IY",
    "ai": "EY",
    "ay": "EY",
    "au": "AO",
    "aw": "AO",
    "oa": "OW",
    "oo": "UW",
    "ou": "AW",
    "ow": "OW",
    "oi": "OY",
    "oy": "OY",
    "ue": "UW",
    "ui": "UW",
    "ew": "UW",
    "ar": "AA R",
    "or": "AO R",
    "er": "ER",
    "ir": "ER",
    "ur": "ER",
    "a": "AE",
    "b": "B",
    "c": "K",
    "d": "D",
    "e": "EH",
    "f": "F",
    "g": "G",
    "h": "HH",
    "i": "IH",
    "j": "JH",
    "k": "K",
    "l": "L",
    "m": "M",
    "n": "N",
    "o": "AA",
    "p": "P",
    "q": "K",
    "r": "R",
    "s": "S",
    "t": "T",
    "u": "AH",
    "v": "V",
    "w": "W",
    "x": "K S",
    "y": "IY",
    "z": "Z",
}
_LONG = {"a": "EY", "e": "IY", "i": "AY", "o": "OW", "u": "UW"}
"""Vowels that are said as they are named, as in "paper". Which are cannot be told from the letters,
so there are two guesses, and the sound decides."""

_LAST = {"a": "AH", "o": "OW", "ce": "S", "ces": "S IH Z", "es": "IH Z", "ed": "D", "e": ""}
"""At the end of a word of more than two letters."""

_NAMES = {
    "a": "EY",
    "b": "B IY",
    "c": "S IY",
    "d": "D IY",
    "e": "IY",
    "f": "EH F",
    "g": "JH IY",
    "h": "EY CH",
    "i": "AY",
    "j": "JH EY",
    "k": "K EY",
    "l": "EH L",
    "m": "EH M",
    "n": "EH N",
    "o": "OW",
    "p": "P IY",
    "q": "K Y UW",
    "r": "AA R",
    "s": "EH S",
    "t": "T IY",
    "u": "Y UW",
    "v": "V IY",
    "w": "D AH B AH L Y UW",
    "x": "EH K S",
    "y": "W AY",
    "z": "Z IY",
}
"""Of the letters."""

_LONGEST = max(map(len, _SOUNDS))
_VOWELS = frozenset("aeiouy")
_MOST_CAPITALS = 5


def sounds(word: str) -> list[str]:
    """The ways to say a word of ASCII letters and apostrophes: sounds with spaces between them.

    A few capitals, or letters without a vowel, are named one by one.
    """
    letters = word.lower().replace("'", "")
    if (word.isupper() and len(letters) <= _MOST_CAPITALS) or not _VOWELS & set(letters):
        return [" ".join(_NAMES[letter] for letter in letters)]
    ways = (" ".join(filter(None, _pieces(letters, vowels))) for vowels in ({}, _LONG))
    return list(dict.fromkeys(ways))


def _pieces(letters: str, vowels: Mapping[str, str]) -> Iterator[str]:
    """The sounds of one piece of a word after the other.

    Args:
        vowels: sounds of single letters that count more than the usual ones.
    """
    place = 0
    while place < len(letters):
        rest = letters[place:]
        if len(letters) > 2 and place > 0 and rest in _LAST:
            yield _LAST[rest]
            return
        piece = next(rest[:size] for size in range(_LONGEST, 0, -1) if rest[:size] in _SOUNDS)
        # A letter written twice is one sound.
        if not (place and len(piece) == 1 and letters[place - 1] == piece):
            yield vowels.get(piece) or _SOUNDS[piece]
        place += len(piece)
