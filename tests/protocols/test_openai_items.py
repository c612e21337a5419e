"""The items of OpenAI's Realtime protocol, and the pieces of their texts."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coqui_server.exceptions import EngineError
from coqui_server.protocols.openai_configuration import Configuration
from coqui_server.protocols.openai_deltas import Deltas, unsaid
from coqui_server.protocols.openai_items import Items
from coqui_server.transcription.events import Final, Source, UtteranceEnd
from coqui_transcript.transcript import Segment

SOURCE = Source("a", "live")
BY_HAND = Configuration(turn_detection=None)
WORDS = st.lists(st.sampled_from("abc"), max_size=8)


def told(items: Items) -> list[tuple[str, ...]]:
    """The events so far, as the last parts of their names with what matters of them."""
    found = []
    for event in items.events:
        kind = event["type"].rpartition(".")[2]
        values = (event.get(name) for name in ("delta", "transcript", "speaker"))
        found.append((kind, *(value for value in values if value is not None)))
    items.events.clear()
    return found


def final(start: float, end: float, text: str, speaker: str | None = None) -> Final:
    return Final(SOURCE, Segment(start, end, text, speaker=speaker))


def test_a_turn_that_was_not_looked_at() -> None:
    """The sound of a whole turn in one event: it begins and ends when its text comes."""
    items = Items()
    items.take(final(0.5, 2, "Hello"))
    items.take(UtteranceEnd(SOURCE, 2))
    begun, *_ = items.events
    assert begun["audio_start_ms"] == 500
    assert told(items) == [
        ("speech_started",),
        ("delta", "Hello"),
        ("speech_stopped",),
        ("committed",),
        ("added",),
        ("done",),
        ("completed", "Hello"),
    ]


def test_turns_before_their_texts() -> None:
    """One begins before the text of the one before is known. Each is told once."""
    items = Items(older=True)
    for _ in range(2):
        items.look([(0.5, 2.0), (2.5, None)])
    items.take(final(0.5, 2, "One"))
    # It is still among those that are not reported.
    items.look([(0.5, 2.0), (2.5, None)])
    items.take(UtteranceEnd(SOURCE, 2))
    items.look([(0.5, 2.0), (2.5, None)])
    ids = [event.get("item_id") for event in items.events]
    assert told(items) == [
        ("speech_started",),
        ("speech_stopped",),
        ("committed",),
        ("created",),
        ("speech_started",),
        ("delta", "One"),
        ("completed", "One"),
    ]
    assert ids[-1] == ids[0] != ids[4]


def test_a_turn_without_words() -> None:
    """It is completed all the same, so that nobody waits for it."""
    items = Items()
    items.look([(0.5, None)])
    items.take(UtteranceEnd(SOURCE, 1))
    assert told(items)[-1] == ("completed", "")
    items.take(UtteranceEnd(SOURCE, 2))
    assert told(items) == []


def test_several_speakers_in_a_turn() -> None:
    """Each has a segment, and the turn all of their text. The first may begin after the turn."""
    items = Items()
    items.take(final(0.6, 2, "Hello", "Speaker 1"))
    items.look([(0.5, 3.0)])
    items.take(final(2, 3, "Goodbye", "Speaker 2"))
    items.take(UtteranceEnd(SOURCE, 3))
    events = [event for event in told(items) if event[0] in ("segment", "delta", "completed")]
    assert events == [
        ("delta", "Hello"),
        ("segment", "Speaker 1"),
        ("delta", " Goodbye"),
        ("segment", "Speaker 2"),
        ("completed", "Hello Goodbye"),
    ]


def test_a_commit_while_somebody_speaks() -> None:
    """It ends the turn that is open; of silence it makes a turn without words."""
    items = Items()
    items.look([(0.5, None)])
    assert items.uncommitted(1.5)
    items.commit(1.5)
    items.take(final(0.5, 1.5, "Hello"))
    items.take(UtteranceEnd(SOURCE, 1.5))
    items.settle(1.5)
    assert not items.uncommitted(1.5)
    items.commit(3)
    items.settle(3)
    seconds = [event["usage"]["seconds"] for event in items.events if "usage" in event]
    assert seconds == [1, 1.5]
    assert told(items) == [
        ("speech_started",),
        *[("committed",), ("added",), ("done",)],
        *[("delta", "Hello"), ("completed", "Hello")],
        *[("committed",), ("added",), ("done",)],
        ("completed", ""),
    ]


def test_what_is_cleared() -> None:
    """Turns before it get their texts; nothing is told of what the client cleared."""
    items = Items()
    items.look([(0.5, 2.0), (2.5, None)])
    told(items)
    items.clear(3)
    items.take(final(0.5, 2, "One"))
    items.take(UtteranceEnd(SOURCE, 2))
    items.take(final(2.5, 3, "Two", "Speaker 1"))
    items.take(UtteranceEnd(SOURCE, 3))
    items.settle(3)
    assert told(items) == [("delta", "One"), ("completed", "One")]
    assert not items.uncommitted(3)


@pytest.mark.parametrize("configuration", [Configuration(), BY_HAND])
def test_a_failure(configuration: Configuration) -> None:
    """Every turn without a text has failed, or one that nobody knew of yet."""
    items = Items()
    items.begin(configuration, 0)
    fault = EngineError("the recogniser failed")
    items.fail(fault, 1)
    assert [kind for (kind,) in told(items)] == ["committed", "added", "done", "failed"]
    items.look([(2, 3), (4, None)])
    told(items)
    items.clear(5)
    items.fail(fault, 5)
    failed = [kind for (kind,) in told(items) if kind == "failed"]
    assert len(failed) == (1 if configuration.turn_detection else 0)


def test_the_next_session() -> None:
    """Its times go on where the one before ended. A turn of the client goes on, too, or ends where
    the server finds the turns from then on."""
    items = Items()
    items.begin(BY_HAND, 0)
    items.take(final(0.5, 2, "One"))
    items.begin(BY_HAND, 2)
    items.take(final(0.5, 2, "Two"))
    told(items)
    items.begin(Configuration(), 10)
    assert told(items)[-1] == ("completed", "One Two")
    items.look([(0.5, None)])
    assert items.events[0]["audio_start_ms"] == 10_500


def pieces(partials: Sequence[str], final: str, agreeing: int = 2) -> str:
    """All deltas together."""
    deltas = Deltas(agreeing)
    return "".join([*map(deltas.partial, partials), deltas.final(final)])


@pytest.mark.parametrize(
    ("partials", "final", "together"),
    [
        ([], "Hello there.", "Hello there."),
        (["Hello", "Hello there", "Hello there,"], "Hello there, you.", "Hello there, you."),
        (["On Sunday", "On Sunday or"], "On Monday or so", "On Sunday or so"),
        (["a a", "a a strong"], "a very strong one", "a a strong one"),
        (["Yes yes", "Yes yes"], "Yes", "Yes yes"),
    ],
)
def test_deltas(partials: list[str], final: str, together: str) -> None:
    """They add up to the text, but for words that became others."""
    assert pieces(partials, final) == together


@settings(max_examples=100)
@given(st.lists(WORDS, max_size=6), WORDS, st.integers(1, 4))
def test_no_word_is_lost_or_doubled(
    partials: list[list[str]], final: list[str], agreeing: int
) -> None:
    """What is told at the end is the end of the final. Where all of it agrees, nothing differs."""
    deltas = Deltas(agreeing)
    early = "".join(deltas.partial(" ".join(words)) for words in partials).split()
    late = deltas.final(" ".join(final)).split()
    assert late == final[len(final) - len(late) :]
    if final[: len(early)] == early:
        assert early + late == final
    assert len(early) + len(late) <= len(final) + len(early)
    assert abs(len(early) + len(late) - len(final)) <= len(early)


@settings(max_examples=100)
@given(WORDS, WORDS)
def test_the_rest_of_a_final(before: list[str], after: list[str]) -> None:
    """What was told for sure is not told again, however it was written."""
    written = [word.upper() + "," for word in before]
    rest = list(unsaid(written, before + after))
    assert rest == (after if before + after[: len(after) - len(rest)] == before else rest)
    assert len(rest) <= len(after)


def test_two_finals_in_one_item() -> None:
    """A space stands between them."""
    deltas = Deltas(1)
    told: list[Any] = [deltas.partial("One"), deltas.final("One."), deltas.final("Two.")]
    assert told == ["One", "", " Two."]
