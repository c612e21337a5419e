"""Live protocols and the transcript of a live session: messages in, a transcript out."""

import json
from typing import Any

import pytest

from coqui_client.exceptions import BusyError, RefusedError, ReplyError
from coqui_client.live_protocols import LIVE_PROTOCOLS, Corrected, Ended, Event, Final, Partial
from coqui_client.live_transcript import LiveTranscript
from coqui_transcript.transcript import Word


def read(protocol: str, message: dict[str, Any]) -> Event | None:
    return LIVE_PROTOCOLS[protocol].read(json.dumps(message))


def test_openings_and_closings() -> None:
    """Each protocol is told what sound comes and when it is over; JSON takes no other sound."""
    opened = {
        name: json.loads(one.opening(False) or "null") for name, one in LIVE_PROTOCOLS.items()
    }
    sound = {"sample_rate": 16000, "encoding": "linear16"}
    assert opened == {
        "native": {"event": "start", **sound, "interim": False, "words": True},
        "vosk": {"config": {"sample_rate": 16000, "words": True}},
        "json": None,
    }
    assert {name: json.loads(one.closing) for name, one in LIVE_PROTOCOLS.items()} == {
        "native": {"event": "stop"},
        "vosk": {"eof": 1},
        "json": {"type": "stop"},
    }


NATIVE = {"event": "transcript", "text": "Hi.", "start": 0.5}


@pytest.mark.parametrize(
    ("protocol", "message", "event"),
    [
        ("native", {"event": "started", "session_id": "7e"}, None),
        ("native", {**NATIVE, "is_final": False}, Partial("Hi.")),
        ("native", {**NATIVE, "is_final": True}, Final({"text": "Hi.", "start": 0.5})),
        ("native", {"event": "utterance_end", "text": ""}, None),
        ("native", {"event": "stopped", "session_id": "7e"}, Ended({"session": "7e"})),
        ("vosk", {"partial": "hi"}, Partial("hi")),
        ("vosk", {"partial": ""}, Partial("")),
        ("vosk", {"text": ""}, None),
        ("vosk", {"text": "hi"}, Final({"text": "hi"})),
        ("vosk", {"text": "hi", "result": [{"word": "hi"}, "hi"]}, Final({"text": "hi"})),
        ("json", {"type": "partial", "text": "hi"}, Partial("hi")),
        ("json", {"type": "final", "text": "hi"}, Final({"text": "hi"})),
        ("json", {"type": "stopped"}, Ended()),
        ("json", {"type": "status", "message": "Processing audio..."}, None),
    ],
)
def test_reading(protocol: str, message: dict[str, Any], event: Event | None) -> None:
    """Each message means one thing; those that are not about what is said mean nothing."""
    assert read(protocol, message) == event


def test_words_of_vosk() -> None:
    """vosk-server's words become ours, and the times of the result those of its words."""
    result = [
        {"word": "good", "start": 0.5, "end": 0.75, "conf": 1.0},
        {"word": "day", "start": 0.75, "end": 1.25, "conf": 0.5},
    ]
    said = LiveTranscript()
    event = read("vosk", {"text": "good day", "result": result})
    assert event is not None
    said.take(event, 2.0)
    (segment,) = said.reply(2.0).transcript.segments
    assert (segment.start, segment.end, segment.text) == (0.5, 1.25, "good day")
    assert segment.words == (Word("good", 0.5, 0.75, 1.0), Word("day", 0.75, 1.25, 0.5))


@pytest.mark.parametrize(("protocol", "key"), [("native", "event"), ("json", "type")])
def test_errors(protocol: str, key: str) -> None:
    """An error is raised in the daemon's words; `busy` is one that is worth another try."""
    with pytest.raises(RefusedError, match=r"^the engine failed$") as refused:
        read(protocol, {key: "error", "message": "the engine\nfailed", "code": "engine_failed"})
    assert refused.value.code == "engine_failed"
    with pytest.raises(BusyError):
        read(protocol, {key: "error", "message": "later", "code": "busy"})
    with pytest.raises(RefusedError, match="refused"):
        read(protocol, {key: "error"})


@pytest.mark.parametrize("protocol", LIVE_PROTOCOLS)
@pytest.mark.parametrize("message", ["hello", "[]", b"\xff"])
def test_no_message(protocol: str, message: str | bytes) -> None:
    """What is no JSON object is not this daemon."""
    with pytest.raises(ReplyError):
        LIVE_PROTOCOLS[protocol].read(message)


@pytest.mark.parametrize(("protocol", "key"), [("native", "event"), ("json", "type")])
def test_corrections(protocol: str, key: str) -> None:
    """Finals get the speakers that they turn out to have; what is no final of ours is let be."""
    said = LiveTranscript()
    for _ in range(2):
        said.take(Final({"text": "Yes.", "start": 0.0, "end": 1.0, "speaker": "Speaker 1"}), 1.0)
    corrected = [{"segment": 1, "start": 0.0, "speaker": "Speaker 2"}]
    corrected += [{"segment": 2, "speaker": "Speaker 3"}, {"segment": "x"}]
    event = read(protocol, {key: "speakers", "segments": corrected})
    assert event is not None
    said.take(event, 2.0)
    segments = said.reply(2.0).transcript.segments
    assert [segment.speaker for segment in segments] == ["Speaker 1", "Speaker 2"]
    assert read(protocol, {key: "speakers", "segments": 5}) == Corrected({})


def test_transcript() -> None:
    """Finals become segments; what the end tells is in the reply."""
    said = LiveTranscript()
    assert not said
    said.take(Final({"text": "Hello.", "start": 0.5, "end": 1.0, "confidence": 0.9}), 1.6)
    said.take(Final({"text": "Bye.", "start": 2.0, "end": 2.5}), 3.1)
    assert said
    assert not said.ended
    said.take(Ended({"session": "7e"}), 3.2)
    assert said.ended
    reply = said.reply(3.2)
    assert (reply.transcript.text, reply.transcript.duration) == ("Hello. Bye.", 3.2)
    assert [part.start for part in reply.transcript.segments] == [0.5, 2.0]
    assert reply.fields["session"] == "7e"
    assert reply.fields["segments"][0]["confidence"] == 0.9
    assert "incomplete" not in reply.fields
    assert said.reply(3.2, "lost").fields["incomplete"] == "lost"


def test_times_of_a_protocol_without() -> None:
    """A final is as old as its first partial with words, else as the final before it."""
    said = LiveTranscript()
    for event, sent in (
        (Partial(""), 0.1),
        (Partial("He"), 0.5),
        (Partial("Hello"), 1.0),
        (Final({"text": "Hello."}), 1.5),
        (Final({"text": "Bye."}), 2.5),
    ):
        said.take(event, sent)
    times = [(part.start, part.end) for part in said.reply(3.0).transcript.segments]
    assert times == [(0.5, 1.5), (1.5, 2.5)]


def test_final_of_another_shape() -> None:
    """A final without a text is found when the transcript is made."""
    said = LiveTranscript()
    said.take(Final({"text": None}), 1.0)
    with pytest.raises(ReplyError, match="no text"):
        said.reply(1.0)
