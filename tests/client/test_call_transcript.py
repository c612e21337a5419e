"""`coqui_client.call_transcript`: events in, a transcript out."""

import json
from typing import Any

import pytest

from coqui_client.call_transcript import CallTranscript
from coqui_client.exceptions import RefusedError, ReplyError
from coqui_transcript.transcript import Word

OURS, OTHER = "127.0.0.1:40000/0000beef", "127.0.0.1:40002/1111beef"


def event(name: str, call: str | None = OURS, **body: Any) -> str:
    envelope = {"event": name, "session": "7e1a", "kind": "rtp", "call": call, "label": "caller"}
    return json.dumps({**envelope, **body})


def after(*events: str) -> CallTranscript:
    heard = CallTranscript(0xBEEF)
    for message in events:
        heard.take(message)
    return heard


def end(**body: Any) -> str:
    return event("session_end", **{"duration": 5.5, "error": None, "statistics": {}, **body})


def test_transcript() -> None:
    """Finals become segments with their words; texts are joined; the rest is in the reply."""
    words = [{"word": "Hello", "start": 0.5, "end": 1.0, "confidence": 0.9}]
    heard = after(
        event("session_start", engine="test"),
        event("partial", text="He", start=0.5),
        event("final", text="Hello.", start=0.5, end=1.0, confidence=0.9, words=words),
        event("utterance_end", end=1.0),
        event("dtmf", digit="5", start=2.0),
        event("final", text="Bye.", start=3.0, end=4.0),
        end(statistics={"packets": 275}),
    )
    reply = heard.reply()
    assert (heard.began, heard.ended, heard.latest) == (True, True, "Bye.")
    assert (reply.transcript.text, reply.transcript.duration) == ("Hello. Bye.", 5.5)
    assert [(one.start, one.end, one.text) for one in reply.transcript.segments] == [
        (0.5, 1.0, "Hello."),
        (3.0, 4.0, "Bye."),
    ]
    assert reply.transcript.segments[0].words == (Word("Hello", 0.5, 1.0, 0.9),)
    assert reply.fields == {
        "text": "Hello. Bye.",
        "duration": 5.5,
        "engine": "test",
        "session": "7e1a",
        "call": OURS,
        "label": "caller",
        "segments": [
            {"text": "Hello.", "start": 0.5, "end": 1.0, "confidence": 0.9, "words": words},
            {"text": "Bye.", "start": 3.0, "end": 4.0},
        ],
        "statistics": {"packets": 275},
    }


@pytest.mark.parametrize("call", [OTHER, None, "beef", "0000beef", "127.0.0.1:40000/0000BEEF"])
def test_other_calls(call: str | None) -> None:
    """An event is ours only if its call ends with our digits after a slash."""
    heard = CallTranscript(0xBEEF)
    assert not heard.take(event("final", call=call, text="Not ours", start=0, end=1))
    assert not heard.take(event("session_end", call=call, duration=1))
    assert (heard.began, heard.ended, heard.latest) == (False, False, "")
    assert heard.take(event("session_start"))


def test_call_without_words() -> None:
    """A call in which nothing was said is a transcript without text."""
    assert after(event("session_start"), end()).reply().transcript.text == ""


def test_missed_events() -> None:
    """What the daemon left out is counted, and told only if there was any."""
    heard = after(*('{"event": "missed", "count": 3}',) * 2, end())
    assert heard.reply().fields["missed"] == 6
    assert "missed" not in after(end()).reply().fields


def test_failed_call() -> None:
    """A call that the daemon could not hear to its end is its error, in one line."""
    with pytest.raises(RefusedError, match=r"^the engine failed$"):
        after(end(error="the engine\nfailed")).reply()


@pytest.mark.parametrize("message", ["hello", "[]"])
def test_no_event(message: str) -> None:
    """What is no JSON object is told at once."""
    with pytest.raises(ReplyError):
        CallTranscript(1).take(message)


@pytest.mark.parametrize(
    "events",
    [
        [event("session_end")],
        [event("final", text="a", start=0), end()],
        [event("final", start=0, end=1), end()],
        [event("final", text=None, start=0, end=1), end()],
    ],
)
def test_event_of_another_shape(events: list[str]) -> None:
    """A field that is missing is found when the transcript is made."""
    with pytest.raises(ReplyError, match="the reply has no"):
        after(*events).reply()
