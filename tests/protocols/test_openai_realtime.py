"""OpenAI's Realtime protocol, spoken by the official `openai` package."""

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coqui_server.engines.base import Capabilities, Hypothesis, Options
from coqui_server.media.samples import Samples
from coqui_server.principal import EVERYBODY
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start, made
from tests.support.live import Client, Obstacle, client, until
from tests.support.openai_clients import TRANSCRIPTION, Event, sound_of, talking

VOICE, OTHER = clip("appointment.wav"), clip("voicemail.wav")
SILENCE = np.zeros(16_000, np.int16)
PATH = "/v1/realtime?intent=transcription"
KINDS = {
    "started": "input_audio_buffer.speech_started",
    "stopped": "input_audio_buffer.speech_stopped",
    "committed": "input_audio_buffer.committed",
    "added": "conversation.item.added",
    "done": "conversation.item.done",
    "created": "conversation.item.created",
    "delta": f"{TRANSCRIPTION}.delta",
    "completed": f"{TRANSCRIPTION}.completed",
    "failed": f"{TRANSCRIPTION}.failed",
}


@dataclass
class Growing:
    """An engine, and its recognizer, that hears a word in each fifth of a second."""

    name: str = "growing"
    model: str = "none"
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(streaming=True))
    _heard: int = 0

    def open(self, options: Options) -> "Growing":
        self._heard = 0
        return self

    def feed(self, pcm: Samples) -> None:
        self._heard += len(pcm)

    def finish(self) -> Hypothesis:
        return Hypothesis(" ".join(f"Word{number}" for number in range(self._heard // 3200)))

    partial = finish


class FailsOnce(Obstacle):
    """An engine that fails on the first utterance."""

    def open(self, options: Options) -> Obstacle:
        self.fails = not self.options
        super().open(options)
        return Obstacle(text="again", fails=self.fails)


def address(server: Running) -> str:
    """Of the speech port, as the client wants it."""
    return server.url.replace("ws:", "http:")


def order(events: list[Event], *without: str) -> list[str]:
    """The short names of the events in their order."""
    names = {kind: name for name, kind in KINDS.items()}
    found = [names.get(str(event["type"]), str(event["type"])) for event in events]
    return [name for name in found if name not in without]


async def test_the_server_finds_the_turns(server: Running) -> None:
    """Each turn is an item: who begins, who stops, and its text once, in the order of speech."""
    async with talking(address(server)) as talk:
        configured = await talk.configure(
            format={"type": "audio/pcm", "rate": 24_000},
            transcription={"model": "gpt-4o-transcribe", "language": "en", "prompt": "A call."},
            turn_detection={"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 400},
            noise_reduction={"type": "near_field"},
        )
        assert configured["turn_detection"]["silence_duration_ms"] == 400
        await talk.say(np.concatenate((VOICE.pcm, SILENCE, OTHER.pcm, SILENCE)))
        await talk.until(KINDS["completed"], 3)
    assert talk.events[0]["type"] == "session.created"
    assert talk.events[0]["session"]["object"] == "realtime.transcription_session"
    turns = ["started", "stopped", "committed", "added", "done", "completed"] * 3
    assert sorted(order(talk.events[1:], "delta")) == sorted(turns)
    texts = talk.texts()
    assert spoken(" ".join(text["transcript"] for text in texts)) == spoken(
        f"{VOICE.text} {OTHER.text}"
    )
    ids = [text["item_id"] for text in texts]
    for number, id in enumerate(ids):
        mine = [event for event in talk.events if id in (event.get("item_id"), _id(event))]
        assert order(mine, "delta") == turns[:6]
        before = ids[number - 1] if number else None
        placed = [event for event in mine if "previous_item_id" in event]
        assert {event["previous_item_id"] for event in placed} == {before}
    begun = [event["audio_start_ms"] for event in talk.all(KINDS["started"])]
    ended = [event["audio_end_ms"] for event in talk.all(KINDS["stopped"])]
    times = [time for turn in zip(begun, ended, strict=True) for time in turn]
    assert times == sorted(times)
    assert 0 <= times[0] < 1000
    assert 9000 < times[-1] < 13_000
    assert texts[0]["usage"]["seconds"] == pytest.approx((times[1] - times[0]) / 1000, abs=0.002)


def _id(event: Event) -> object:
    return event.get("item", {}).get("id")


async def test_the_client_ends_the_turns(server: Running) -> None:
    """A commit ends the utterance; all sound before it is one item, with its pauses."""
    async with talking(address(server)) as talk:
        configured = await talk.configure(
            transcription={"model": "gpt-realtime-whisper"}, turn_detection=None
        )
        assert configured["turn_detection"] is None
        await talk.say(OTHER.pcm)
        # What is settled is told before the client ends the turn.
        await talk.until(KINDS["delta"])
        first = await talk.commit()
        await talk.say(VOICE.pcm)
        second = await talk.commit()
        await talk.connection.input_audio_buffer.commit()
        refused = (await talk.until("error"))["error"]
        assert refused["code"] == "input_audio_buffer_commit_empty"
        await talk.say(VOICE.pcm)
        third = await talk.commit()
    assert [spoken(text["transcript"]) for text in (first, second, third)] == [
        spoken(said.text) for said in (OTHER, VOICE, VOICE)
    ]
    assert (
        order(talk.events[1:], "delta", "error") == ["committed", "added", "done", "completed"] * 3
    )
    committed = talk.all(KINDS["committed"])
    assert [event["previous_item_id"] for event in committed] == [
        None,
        first["item_id"],
        second["item_id"],
    ]
    assert first["usage"]["seconds"] == pytest.approx(len(OTHER.pcm) / 16_000, abs=0.01)


@pytest.mark.parametrize(
    ("format", "arguments"),
    [
        ({"type": "audio/pcm", "rate": 24_000}, "-ar 24000 -f s16le"),
        ({"type": "audio/pcm", "rate": 8000}, "-ar 8000 -f s16le"),
        ({"type": "audio/pcmu"}, "-ar 8000 -f mulaw"),
        ({"type": "audio/pcma"}, "-ar 8000 -f alaw"),
    ],
)
async def test_formats(
    server: Running, tmp_path: Path, format: dict[str, Any], arguments: str
) -> None:
    """The sound is what the configuration says; it may be cut in the middle of a sample."""
    sound = made(*arguments.split(), source=VOICE.path, suffix=".raw", folder=tmp_path)
    async with talking(address(server)) as talk:
        assert (await talk.configure(format=format, turn_detection=None))["format"] == format
        await talk.say(sound, 4001)
        assert spoken((await talk.commit())["transcript"]) == spoken(VOICE.text)


async def test_older_clients(server: Running, tmp_path: Path) -> None:
    """They ask for the beta, and send what version 1.109 of the package does."""
    sound = made("-ar", "8000", "-f", "alaw", source=VOICE.path, suffix=".raw", folder=tmp_path)
    beta = {"OpenAI-Beta": "realtime=v1", "Authorization": "Bearer any"}
    path = "/v1/realtime?model=gpt-4o-transcribe&intent=transcription"
    async with client(server, path, additional_headers=beta) as user:
        created = await user.next()
        assert created["type"] == "transcription_session.created"
        assert created["session"]["input_audio_format"] == "pcm16"
        session = {
            "input_audio_format": "g711_alaw",
            "input_audio_transcription": {"model": "gpt-4o-transcribe", "language": "en"},
            "input_audio_noise_reduction": {"type": "far_field"},
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 300},
        }
        await user.send({"type": "transcription_session.update", "session": session})
        updated = await user.until(type="transcription_session.updated")
        assert session.items() <= updated["session"].items()
        await append(user, sound)
        await append(user, b"\xd5" * 8000)
        text = await user.until(type=KINDS["completed"])
    assert spoken(text["transcript"]) == spoken(VOICE.text)
    assert order(user.received[2:], "delta") == [
        "started",
        "stopped",
        "committed",
        "created",
        "completed",
    ]


async def append(user: Client, sound: bytes) -> None:
    """Send sound in events of at most 4800 bytes."""
    for start in range(0, len(sound), 4800):
        coded = base64.b64encode(sound[start : start + 4800]).decode()
        await user.send({"type": "input_audio_buffer.append", "audio": coded})


async def test_text_while_somebody_speaks(start: Start) -> None:
    """What three partials have is told before the turn ends, and all deltas are its text."""
    async with start(Growing()) as server, talking(address(server)) as talk:
        await talk.configure(format={"type": "audio/pcm", "rate": 16_000}, turn_detection=None)
        sound = VOICE.pcm.tobytes()
        for end in range(16_000, len(sound), 16_000):
            await talk.say(sound[end - 16_000 : end])
            await until(lambda: [one for one in server.service.sessions if one.samples * 2 == end])  # noqa: B023
            (session,) = server.service.sessions
            await session.catch_up()
        await talk.until(KINDS["delta"], 2)
        text = await talk.commit()
    assert talk.deltas(text["item_id"]) == text["transcript"]


async def test_only_settled_text(server: Running) -> None:
    """With the longest delay there is one delta for each utterance: all of its text."""
    async with talking(address(server)) as talk:
        await talk.configure(transcription={"delay": "xhigh"}, turn_detection=None)
        await talk.say(OTHER.pcm)
        text = await talk.commit()
    assert len(talk.all(KINDS["delta"])) == 2
    assert talk.deltas(text["item_id"]) == text["transcript"]


async def test_a_cleared_buffer(start: Start, moonshine: Any) -> None:
    """The client is told nothing of what it cleared. The session keeps it."""
    async with start(moonshine, console=True) as server:
        async with talking(server.console) as talk:
            await talk.configure(turn_detection=None)
            await talk.connection.input_audio_buffer.clear()
            await talk.until("input_audio_buffer.cleared")
            await talk.say(VOICE.pcm)
            await talk.connection.input_audio_buffer.clear()
            await talk.until("input_audio_buffer.cleared", 2)
            already = len(talk.all(KINDS["delta"]))
            await talk.say(OTHER.pcm)
            text = await talk.commit()
        assert spoken(text["transcript"]) == spoken(OTHER.text)
        later = talk.all(KINDS["delta"])[already:]
        assert {delta["item_id"] for delta in later} == {text["item_id"]}
        assert await kept(server) == [spoken(f"{VOICE.text} {OTHER.text}")]


async def kept(server: Running) -> list[str]:
    """The words of all sessions in the store, the oldest first, when they have ended."""
    await server.service.drained()
    assert server.store
    listed = (await server.store.sessions.find(EVERYBODY)).sessions
    whole = [await server.store.sessions.get(EVERYBODY, one.id) for one in reversed(listed)]
    return [spoken(session.text) for session in whole]


async def test_sound_without_a_commit(start: Start, moonshine: Any) -> None:
    """It is finished and kept, also if the client is gone without a word."""
    async with start(moonshine, console=True) as server:
        for leave in (False, True):
            async with talking(server.console) as talk:
                await talk.configure(turn_detection=None)
                await talk.say(VOICE.pcm)
                if leave:
                    await until(lambda: server.service.sessions)
                    talk.connection._connection.transport.abort()
        assert await kept(server) == [spoken(VOICE.text)] * 2


async def test_another_configuration(start: Start, moonshine: Any) -> None:
    """It begins another session. A turn that the client ends goes on in it, and so do the times."""
    async with start(moonshine, console=True) as server:
        async with talking(server.console) as talk:
            await talk.configure(turn_detection=None)
            await talk.say(VOICE.pcm)
            await talk.configure(transcription={"language": "en"})
            await talk.say(OTHER.pcm)
            both = await talk.commit()
            await talk.configure(turn_detection={"type": "semantic_vad", "eagerness": "high"})
            await talk.say(np.concatenate((VOICE.pcm, SILENCE)))
            await talk.until(KINDS["completed"], 2)
            same = await talk.configure(transcription={"language": "en"})
            assert same["transcription"] == {"language": "en"}
            await talk.say(np.concatenate((VOICE.pcm, SILENCE)))
            await talk.until(KINDS["completed"], 3)
        said = [VOICE.text, OTHER.text, f"{VOICE.text} {VOICE.text}"]
        assert await kept(server) == [spoken(text) for text in said]
    assert spoken(both["transcript"]) == spoken(f"{VOICE.text} {OTHER.text}")
    before = (len(VOICE.pcm) + len(OTHER.pcm)) / 16
    begun = [event["audio_start_ms"] for event in talk.all(KINDS["started"])]
    assert before < begun[0] < before + 1000


WRONG: list[tuple[str | bytes, str]] = [
    ("no JSON", "a text message is a JSON object"),
    (b"sound", "sound comes as base64"),
    ('{"type": "response.create"}', "gives no responses"),
    ('{"type": "conversation.item.create", "item": {}}', "gives no responses"),
    ('{"type": "input_audio_buffer.append"}', '"audio" is a text'),
    ('{"type": "input_audio_buffer.append", "audio": "?"}', "not base64"),
    ('{"type": "session.update"}', "session is an object"),
    ('{"type": "session.update", "session": {"type": "realtime"}}', "no conversations"),
    (
        '{"type": "session.update", "session": {"audio": {"input": {"transcription": '
        '{"model": "nobody"}}}}}',
        "engine is moonshine",
    ),
    (
        '{"type": "session.update", "session": {"audio": {"input": {"transcription": '
        '{"language": "de"}}}}}',
        "language is en",
    ),
]


async def test_what_is_refused(server: Running) -> None:
    """An error says what is right, and the session goes on as it was."""
    async with client(server, PATH) as user:
        for message, problem in WRONG:
            await user.socket.send(message)
            error = (await user.until(type="error"))["error"]
            assert problem in error["message"]
            assert set(error) == {"type", "code", "message", "param", "event_id"}
        await user.send({"type": "rate_limits", "event_id": "mine"})
        assert (await user.until(type="error"))["error"]["event_id"] == "mine"
        await append(user, sound_of(VOICE.pcm))
        await user.send({"type": "input_audio_buffer.commit"})
        text = await user.until(type=KINDS["completed"])
    assert spoken(text["transcript"]) == spoken(VOICE.text)


async def test_an_engine_that_fails(start: Start) -> None:
    """The turn has failed. The next one is heard."""
    async with start(FailsOnce()) as server, talking(address(server)) as talk:
        await talk.configure(turn_detection=None)
        await talk.say(VOICE.pcm)
        await talk.connection.input_audio_buffer.commit()
        failed = await talk.until(KINDS["failed"])
        assert failed["error"]["type"] == "server_error"
        assert failed["item_id"] == talk.all(KINDS["committed"])[0]["item_id"]
        await talk.say(VOICE.pcm)
        assert (await talk.commit())["transcript"] == "Again"


async def test_what_the_engine_is_asked_for(start: Start) -> None:
    """The words that are expected, and the log probabilities of those that were said."""
    engine = Obstacle(text="word", capabilities=Capabilities(terms=True))
    async with start(engine) as server, talking(address(server), model="obstacle") as talk:
        said = {"language": "en", "prompt": "A call.", "keywords": ["Anna", "Vevay"]}
        await talk.configure(
            transcription=said,
            turn_detection=None,
            include=["item.input_audio_transcription.logprobs"],
        )
        await talk.say(VOICE.pcm)
        text = await talk.commit()
    assert {options.terms for options in engine.options} == {("Anna", "Vevay")}
    assert {options.prompt for options in engine.options} == {"A call."}
    assert {options.language for options in engine.options} == {"en"}
    assert text["logprobs"] == [
        {"token": "word", "logprob": -0.693147, "bytes": [119, 111, 114, 100]}
    ]


async def test_shutting_down(start: Start, moonshine: Any) -> None:
    """The client is told what was said of an open turn, and connects to another server."""
    async with start(moonshine) as server, client(server, PATH) as user:
        update = {"audio": {"input": {"turn_detection": None}}}
        await user.send({"type": "session.update", "session": update})
        await append(user, sound_of(np.concatenate((VOICE.pcm, SILENCE))))
        await user.until(type=KINDS["delta"])
        server.service.dismiss()
        assert await user.closed() == (1001, "the server is shutting down")
    text = next(event for event in user.received if event["type"] == KINDS["completed"])
    assert spoken(text["transcript"]) == spoken(VOICE.text)
    assert not [event for event in user.received if event["type"] == "error"]


async def test_bytes_that_are_no_sound(server: Running) -> None:
    """The client is told why the connection is closed."""
    async with client(server, PATH) as user:
        await append(user, np.random.default_rng(1).bytes(200_000))
        code, _ = await user.closed()
    assert code == 1003
    assert user.received[-1]["error"]["code"] == "wrong_format"
