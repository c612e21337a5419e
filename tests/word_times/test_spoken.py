"""What is spoken for what is written, and the sounds of words that are in no dictionary."""

import pytest

from coqui_server.word_times.dictionary import Dictionary
from coqui_server.word_times.spelling import sounds
from coqui_server.word_times.spoken import spoken

SPOKEN = {
    "Hello,": "Hello",
    "don’t": "don't",
    "(well-known)": "well known",
    "café": "cafe",
    "—": "",
    "...": "",
    "25": "twenty five",
    "25%": "twenty five percent",
    "80,": "eighty",
    "100": "one hundred",
    "1,200": "one thousand two hundred",
    "3.5": "three point five",
    "1984": "nineteen eighty four",
    "1905.": "nineteen oh five",
    "1900": "nineteen hundred",
    "2005": "two thousand five",
    "2026": "twenty twenty six",
    "1990s": "nineteen nineties",
    "21st": "twenty first",
    "12th": "twelfth",
    "20th": "twentieth",
    "007": "zero zero seven",
    "0": "zero",
    "7:30": "seven thirty",
    "5:00": "five",
    "$5.50": "five dollars fifty",
    "£3": "three pounds",
    "$1,200,": "one thousand two hundred dollars",
    "555-1234": "five five five one two three four",
    "4x4": "four x four",
    "AT&T": "AT and T",
    "北京": "",
}


@pytest.mark.parametrize("written", SPOKEN)
def test_what_is_spoken(written: str) -> None:
    """Numbers, money and times as people say them; nothing for marks and other writings."""
    assert " ".join(spoken(written)) == SPOKEN[written]


def test_numbers_of_any_length() -> None:
    """Long ones are read out figure by figure."""
    assert len(spoken("9" * 5000)) == 5000
    assert len(spoken("9" * 5000 + "th")) == 5000
    assert spoken(",".join(["1", *["000"] * 2000]))[:2] == ["one", "zero"]


def test_sounds_of_letters() -> None:
    """By groups of letters, with short vowels and with long ones; capitals and words without a
    vowel letter by letter."""
    assert sounds("Moonshine") == ["M UW N SH IH N", "M UW N SH AY N"]
    assert sounds("stopped") == ["S T AA P D", "S T OW P D"]
    assert sounds("Vevay") == ["V EH V EY", "V IY V EY"]
    assert sounds("prices") == ["P R IH S IH Z", "P R AY S IH Z"]
    assert sounds("soon") == ["S UW N"]
    assert sounds("USA") == ["Y UW EH S EY"]
    assert sounds("hmph") == ["EY CH EH M P IY EY CH"]
    assert sounds("o'th'") == ["AA TH", "OW TH"]


def test_looks_up_every_way_to_say_a_word() -> None:
    """The usual one first; of the word alone, and not of those that begin or end like it."""
    lines = b"into IH N T UW\r\nto T UW\r\nto(2) T IH\r\nto(3) T AH\r\nto-do T UW D UW\r\n"
    found = Dictionary(lines)
    assert found.sounds("to") == ["T UW", "T IH", "T AH"]
    assert found.sounds("into") == ["IH N T UW"]
    assert found.sounds("in") == []
    assert found.sounds("to-do") == ["T UW D UW"]
