"""What the addresses of Deepgram's clients ask for."""

import pytest

from coqui_server.engines import Engines
from coqui_server.engines.base import Capabilities
from coqui_server.exceptions import BadRequest
from coqui_server.media.raw import RawFormat
from coqui_server.protocols.deepgram_query import Query
from tests.support.live import Obstacle

ENGLISH = Obstacle("english", "nova-9", Capabilities(languages=("en",)))
ANY = Obstacle("any", "large", Capabilities(phrases=True))
ENGINES = Engines(ENGLISH, ANY)


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("?&interim_results=true", True),
        ("interim_results=True", True),
        ("interim_results=false&interim_results=true", True),
        ("interim_results=False", False),
        ("interim_results=", False),
        ("", False),
    ],
)
def test_booleans(query: str, asked: bool) -> None:
    """In any case, as versions of the SDK differ; the last of several counts."""
    assert Query(query.removeprefix("?")).flag("interim_results") == asked


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("", "english"),
        ("model=nova-3&language=en-US", "english"),
        ("model=any&language=en", "any"),
        ("model=large", "any"),
        ("model=nova-9", "english"),
        ("model=nova-3&language=ko", "any"),
        ("model=nova-3&language=multi", "english"),
        ("language=ko&detect_language=true", "english"),
    ],
)
def test_models_and_languages(query: str, name: str) -> None:
    """A model of ours by its name; any other is the first that knows the language."""
    assert Query(query).engine(ENGINES).name == name


def test_a_language_that_no_engine_knows() -> None:
    """The refusal says what there is."""
    with pytest.raises(BadRequest, match="language is en with english"):
        Query("model=nova-3&language=ko").engine(Engines(ENGLISH))


@pytest.mark.parametrize(
    ("query", "silence", "told"),
    [
        ("", None, True),
        ("endpointing=10", None, True),
        ("endpointing=true", None, True),
        ("endpointing=300", 0.3, True),
        ("endpointing=60000", 10.0, True),
        ("endpointing=false", None, False),
    ],
)
def test_endpointing(query: str, silence: float | None, told: bool) -> None:
    """Silences within words are no ends of utterances."""
    assert (Query(query).silence, Query(query).endpointing) == (silence, told)


@pytest.mark.parametrize(
    ("query", "form", "streams"),
    [
        ("", None, 1),
        ("encoding=flac&sample_rate=44100", None, 1),
        ("encoding=linear16&sample_rate=8000", RawFormat("linear16", 8000), 1),
        ("encoding=linear16&channels=2", RawFormat("linear16", 16_000, 2), 1),
        ("encoding=alaw&channels=2&multichannel=true", RawFormat("alaw", 8000, 2), 2),
        ("encoding=opus&channels=2&sample_rate=48000", RawFormat("opus", 48_000), 1),
        ("channels=2&multichannel=true", None, 2),
    ],
)
def test_formats(query: str, form: RawFormat | None, streams: int) -> None:
    """Containers say for themselves what they are."""
    assert (Query(query).raw, Query(query).streams) == (form, streams)


def test_key_terms() -> None:
    """Both names, without the boost, and not without limit."""
    query = Query("keyterm=Anna%20Smith&keywords=Leipzig:2.5&keywords=Monday")
    assert query.terms == ("Anna Smith", "Leipzig", "Monday")
    with pytest.raises(BadRequest, match="100 key terms"):
        Query("&".join(["keyterm=a"] * 101)).check(Engines(ANY))
