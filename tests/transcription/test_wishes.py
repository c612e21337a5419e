"""`coqui_server.transcription.wishes`: what a request may ask for, and what is refused."""

import pytest

from coqui_server.config.speakers import Speakers
from coqui_server.exceptions import BadRequest
from coqui_server.media.raw import RawFormat
from coqui_server.transcription.wishes import NOTHING, FileWishes, Wishes, speakers_wish, terms


def test_as_texts_of_an_address() -> None:
    """Each wish as a text; what a surface has beside them is passed over."""
    said = {"track": "2", "channels": "split", "encoding": "PCMU", "sample_rate": "8000"}
    said |= {"format": "verbatim", "speakers": "3", "terms": "Ana Roe,Vevay", "engine": "vosk"}
    assert FileWishes.of(said) == FileWishes(
        "verbatim", 3, ("Ana Roe", "Vevay"), 2, "split", RawFormat("mulaw", 8000)
    )


def test_as_values_of_json() -> None:
    """Numbers and lists do, too."""
    said = {"track": 2, "encoding": "alaw", "sample_rate": 16000, "speakers": 3, "terms": ["Vevay"]}
    wishes = FileWishes.of(said)
    assert (wishes.track, wishes.raw) == (2, RawFormat("alaw", 16000))
    assert (wishes.speakers, wishes.terms) == (3, ("Vevay",))


def test_the_last_place_counts() -> None:
    """If it says something: null and silence leave it to the place before."""
    address = {"format": "verbatim", "terms": "Ana Roe", "speakers": "auto"}
    wishes = Wishes.of(address, {"format": "readable", "speakers": None})
    assert wishes == Wishes("readable", "auto", ("Ana Roe",))
    assert FileWishes.of() == FileWishes.of({}, {"terms": ""}) == NOTHING


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("channels", ["", "stereo", "SPLIT", "x" * 1000, 1, ["mix"]]),
        ("track", ["", "0", "100", "-1", "1.0", 0, 1.5, True, "²"]),
        ("format", ["", "nice", 1, ["verbatim"]]),
        ("encoding", ["", "mp3", 1, [], "opus"]),
        ("sample_rate", ["8000", 8000]),
    ],
)
def test_what_is_refused(name: str, values: list[object]) -> None:
    """The message names what is allowed, and not more of what was said than is readable."""
    for value in values:
        with pytest.raises(BadRequest, match=f"{name}|opus") as refusal:
            FileWishes.of({name: value})
        assert len(str(refusal.value)) < 150


@pytest.mark.parametrize(
    ("value", "wish"),
    [(None, None), ("off", "off"), ("auto", "auto"), ("3", 3), (3, 3), ("20", 20), (1, 1)],
)
def test_speakers(value: object, wish: Speakers | None) -> None:
    """In an address as text, in JSON as a number."""
    assert speakers_wish(value) == wish


@pytest.mark.parametrize("value", ["", "all", "0", "21", "-1", "²", 0, 21, True, 2.0, [2], "1e9"])
def test_speakers_that_are_refused(value: object) -> None:
    """The message says what there may be."""
    with pytest.raises(BadRequest, match="off, auto or a number from 1 to 20"):
        speakers_wish(value)


@pytest.mark.parametrize(
    "value", [[" Ana\tRoe ", "", "Vevay", "Ana Roe"], " Ana  Roe,,Vevay", "Ana Roe\r\nVevay\n"]
)
def test_a_list_of_terms_is_cleaned(value: object) -> None:
    """Each term is there once, with single spaces, and empty ones are not."""
    assert terms(value) == ("Ana Roe", "Vevay")


def test_as_many_and_as_long_terms_as_there_may_be() -> None:
    """A thousand terms, and a hundred characters, are taken; a comma in a list is no end."""
    assert len(terms([f"{number:0100}" for number in range(1000)])) == 1000
    assert terms(["Roe, Ana"]) == ("Roe, Ana",)


@pytest.mark.parametrize(
    "value", [None, 5, {}, [1], ["a" * 101], "a" * 101, [str(number) for number in range(1001)]]
)
def test_what_is_no_list_of_terms(value: object) -> None:
    """Other values, too many terms and too long ones are refused."""
    with pytest.raises(BadRequest, match="terms"):
        terms(value)
