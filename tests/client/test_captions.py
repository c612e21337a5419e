"""`coqui_client.captions`: the line of a terminal that is written over."""

import pytest

from coqui_client.captions import CaptionLine, takes_ansi


def test_partials_and_a_final() -> None:
    """Each partial takes the place of the one before, in grey; the final stays."""
    line = CaptionLine(ansi=True)
    assert line.partial("He", 80) == "\x1b[90mHe\x1b[0m"
    assert line.partial("Hello", 80) == "\r\x1b[K\x1b[90mHello\x1b[0m"
    assert line.final("Hello.") == "\r\x1b[KHello.\n"
    assert line.final("Bye.") == "Bye.\n"


def test_terminal_without_escapes() -> None:
    """Spaces cover what was there."""
    line = CaptionLine(ansi=False)
    assert line.partial("Hello", 80) == "Hello"
    assert line.partial("Hi", 80) == "\r     \rHi"
    assert line.final("Hi.") == "\r  \rHi.\n"


def test_erased() -> None:
    """A partial is erased once, and there is nothing to erase after a final or an empty one."""
    line = CaptionLine(ansi=True)
    line.partial("Hello", 80)
    assert (line.erase(), line.erase()) == ("\r\x1b[K", "")
    assert line.partial("", 80) == ""
    line.final("Hello.")
    assert line.erase() == ""


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("one two", 8, "one two"),
        ("one two", 7, "…e two"),
        ("비가 옵니다", 12, "비가 옵니다"),
        ("비가 옵니다", 11, "…가 옵니다"),
        ("비가 옵니다", 10, "… 옵니다"),
        ("cafe\u0301", 5, "cafe\u0301"),
    ],
)
def test_a_partial_is_one_line(text: str, columns: int, shown: str) -> None:
    """The end of what does not fit, with the last column left free, as wide as it is drawn."""
    assert CaptionLine(ansi=False).partial(text, columns) == shown


def test_a_final_is_whole() -> None:
    """A final may wrap."""
    assert CaptionLine(ansi=True).final("word " * 40) == f"{'word ' * 39}word\n"


def test_nothing_for_the_terminal_to_obey() -> None:
    """CaptionLine breaks become spaces, and escape sequences text."""
    line = CaptionLine(ansi=False)
    assert line.partial("a\r\nb\x1b[2Jc\x07", 80) == "a b[2Jc"
    assert line.final("a\nb\x9b2J") == "\r       \ra b2J\n"


@pytest.mark.parametrize(
    ("environment", "platform", "taken"),
    [
        ({"TERM": "xterm-256color"}, "linux", True),
        ({"TERM": "dumb"}, "linux", False),
        ({}, "darwin", True),
        ({}, "win32", False),
        ({"WT_SESSION": "1"}, "win32", True),
    ],
)
def test_terminals(environment: dict[str, str], platform: str, taken: bool) -> None:
    """A dumb terminal and the old console of Windows take no escapes."""
    assert takes_ansi(environment, platform) is taken
