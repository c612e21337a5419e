"""Wyoming, spoken by its own client and in the way of Home Assistant."""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import soxr
from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event, Eventable
from wyoming.info import Describe, Info, SelectProgram
from wyoming.ping import Ping

from coqui_server.engines.base import Capabilities, Engine
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start, all_closed
from tests.support.live import Obstacle
from tests.support.live import client as websocket
from tests.support.wyoming import ON, client, place

VOICE = clip("appointment.wav")
SILENCE = bytes(48_000)


class Sent(Eventable):
    """An event that the client's classes would not make."""

    def __init__(self, kind: str, data: dict[str, Any], payload: bytes | None = None) -> None:
        self._event = Event(kind, data, payload)

    def event(self) -> Event:
        return self._event

    @staticmethod
    def is_type(event_type: str) -> bool:
        return False

    @staticmethod
    def from_event(event: Event) -> "Sent":
        return Sent(event.type, event.data)


async def info(server: Running) -> Info:
    """Home Assistant, when the service is added and at each of its starts: a connection for it."""
    async with client(server) as assistant:
        await assistant.send(Describe())
        return Info.from_event(await assistant.until("info"))


async def stt(server: Running, language: str, stream: Sequence[bytes]) -> str | None:
    """Home Assistant's speech-to-text: all is written, then the transcript is waited for. All other
    events are passed over, and None is a connection that was lost."""
    async with client(server) as assistant:
        await assistant.send(Transcribe(language=language), AudioStart(16_000, 2, 1))
        for audio in stream:
            await assistant.send(AudioChunk(16_000, 2, 1, audio))
        await assistant.send(AudioStop())
        while event := await assistant.next():
            if event.type == "transcript":
                return str(event.data["text"])
    return None


async def test_home_assistant(start: Start, moonshine: Engine) -> None:
    """It looks for a language that its pipeline speaks, and sends each command by a connection of
    its own. A command in which nothing was said has no chunk, and no text."""
    async with start(moonshine, ON) as server:
        (program,) = (await info(server)).asr
        languages = {
            name for model in program.models if model.installed for name in model.languages
        }
        assert (program.name, languages) == ("coqui_server", {"en"})
        sound = VOICE.pcm.tobytes()
        command = [sound[at : at + 2048] for at in range(0, len(sound), 2048)]
        assert spoken(await stt(server, "en", command) or "") == spoken(VOICE.text)
        assert await stt(server, "en", []) == ""
        # The pipeline is in another language.
        assert await stt(server, "de", command) is None
        await all_closed(server)


async def test_any_format(start: Start, moonshine: Engine) -> None:
    """24-bit stereo at 44.1 kHz, in chunks that end in the middle of a sample."""
    sound = soxr.resample(VOICE.pcm, 16_000, 44_100).astype("<i4") << 16
    both = np.stack([sound, sound], axis=1)
    packed = np.ascontiguousarray(both).view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()
    async with start(moonshine, ON) as server, client(server) as user:
        await user.speak(packed, 44_100, width=3, channels=2, size=4001)
        await user.send(AudioStop())
        transcript = await user.until("transcript")
    assert spoken(transcript.data["text"]) == spoken(VOICE.text)


async def test_a_transcript_grows_while_somebody_speaks(start: Start) -> None:
    """Each final is a chunk, before the client stops; together they are the transcript."""
    async with start(Obstacle(text="said"), ON) as server, client(server) as user:
        await user.send(Transcribe(language="en"), AudioStart(16_000, 2, 1))
        await user.speak(VOICE.pcm.tobytes() + SILENCE)
        await user.until("transcript-chunk")
        (session,) = server.service.sessions
        assert session.request.speakers == "off", "names of speakers are no part of a command"
        await user.speak(VOICE.pcm.tobytes())
        await user.send(AudioStop())
        await user.until("transcript-stop")
    kinds = [event.type for event in user.received]
    assert kinds[:2] == ["transcript-start", "transcript-chunk"]
    assert kinds[-2:] == ["transcript", "transcript-stop"]
    texts = [event.data["text"] for event in user.received if event.type == "transcript-chunk"]
    (whole,) = [event for event in user.received if event.type == "transcript"]
    assert len(texts) > 1
    assert "".join(texts) == whole.data["text"]
    assert whole.data["language"] == user.received[0].data["language"] == "en"


async def test_each_utterance_has_its_own_wishes(start: Start) -> None:
    """An engine by its name or its model's, or the first that knows the language; names come before
    terms. What was wished for one utterance does not count for the next."""
    english = Obstacle(capabilities=Capabilities(languages=("en",)), text="word")
    german = Obstacle("german", "great", Capabilities(languages=("de", "de-AT")), text="Wort")
    wishes = (
        (Transcribe(language="en", transcript_names=["Ana"], transcript_terms=["rota"]), "word"),
        (Transcribe(language="de-CH"), "wort"),
        (None, "word"),
        (Transcribe(name="great"), "wort"),
    )
    async with start(english, ON, others=[german]) as server, client(server) as user:
        for wish, expected in wishes:
            assert set(spoken(await user.say(VOICE.pcm, wish)).split()) == {expected}
        (program,) = (await info(server)).asr
    assert [english.options[at].terms for at in (0, -1)] == [("Ana", "rota"), ()]
    assert [german.options[at].language for at in (0, -1)] == ["de-CH", None]
    assert {model.name: model.languages for model in program.models} == {
        "obstacle": ["en"],
        "german": ["de", "de-AT"],
    }
    assert program.supports_transcript_streaming


async def test_what_is_answered_at_any_time(start: Start) -> None:
    """A ping, a description, our own program, and events that we do not have, between two
    utterances and within one."""
    others = (Describe(), SelectProgram("coqui_server"), Sent("detect", {"names": ["a"]}))
    async with start(Obstacle(text="said"), ON) as server, client(server) as user:
        await user.send(Ping("one"), *others)
        await user.speak(VOICE.pcm)
        await user.send(Ping(), *others, AudioStop())
        await user.until("transcript-stop")
    answers = [event for event in user.received if not event.type.startswith("transcript")]
    assert [event.type for event in answers] == ["pong", "info"] * 2
    assert [answers[0].data, answers[2].data] == [{"text": "one"}, {}]


SOUND = {"rate": 16_000, "width": 2, "channels": 1}
CHUNK = AudioChunk(16_000, 2, 1, bytes(640))
REFUSED: list[tuple[list[Eventable], str, str]] = [
    ([Transcribe(name="whisper")], "bad_request", "engine is obstacle"),
    ([Transcribe(language="fr")], "bad_request", "language is en with obstacle"),
    ([Sent("transcribe", {"language": 5})], "bad_request", "BCP 47"),
    ([Sent("transcribe", {"transcript_names": 5})], "bad_request", "a list of texts"),
    ([Sent("transcribe", {"transcript_terms": [1]})], "bad_request", "a list of texts"),
    ([SelectProgram("piper")], "bad_request", "program here is coqui_server"),
    ([Sent("audio-chunk", {}, bytes(640))], "bad_request", "width"),
    ([Sent("audio-chunk", {**SOUND, "width": 5}, bytes(640))], "bad_request", "width"),
    ([Sent("audio-chunk", {**SOUND, "channels": 9}, bytes(640))], "bad_request", "channels"),
    ([Sent("audio-chunk", {**SOUND, "channels": [1]}, bytes(640))], "bad_request", "channels"),
    ([Sent("audio-chunk", {**SOUND, "rate": 4000}, bytes(640))], "bad_request", "8000 to 192000"),
    ([Sent("audio-chunk", {**SOUND, "rate": None}, bytes(640))], "bad_request", "8000 to 192000"),
    ([CHUNK, AudioChunk(8000, 2, 1, bytes(640))], "bad_request", "the same format"),
    ([CHUNK, Transcribe()], "bad_request", "transcribe came before audio-stop"),
    ([CHUNK, AudioStart(16_000, 2, 1)], "bad_request", "audio-start came before audio-stop"),
    ([AudioChunk(16_000, 2, 1, b"fLaC" + bytes(640))], "wrong_format", "a FLAC file"),
]


async def test_what_is_refused(start: Start) -> None:
    """By an error, after which the connection is closed: Home Assistant passes an error over, and
    would wait for ever."""
    engine = Obstacle(capabilities=Capabilities(languages=("en",)))
    async with start(engine, ON) as server:
        for sent, code, hint in REFUSED:
            async with client(server) as user:
                await user.send(*sent)
                (error,) = await user.closed()
            assert (error.type, error.data["code"]) == ("error", code), sent
            assert hint in error.data["text"], sent
        await all_closed(server)


async def test_no_room(start: Start) -> None:
    """The error says so, at the first sound."""
    async with (
        start(Obstacle(), f"{ON}, server.max_sessions = 1") as server,
        websocket(server, "/ws/v1/speech-to-text") as other,
        client(server) as user,
    ):
        await other.send({"event": "start"})
        await other.next()
        await user.send(Transcribe(), CHUNK)
        (error,) = await user.closed()
    assert (error.type, error.data["code"]) == ("error", "busy")


async def test_an_engine_failure(start: Start) -> None:
    """It is an error, not an empty transcript."""
    async with start(Obstacle(fails=True), ON) as server, client(server) as user:
        await user.speak(VOICE.pcm)
        await user.send(AudioStop())
        error = (await user.closed())[-1]
    assert error.data == {"text": "the recogniser obstacle failed", "code": "engine_failed"}


async def test_a_client_that_leaves(start: Start) -> None:
    """What it said is transcribed and kept."""
    async with (
        start(Obstacle(text="said"), ON) as server,
        websocket(server, "/ws/events?kind=live") as viewer,
    ):
        async with client(server) as user:
            await user.speak(VOICE.pcm)
        final = await viewer.until(event="final")
        ended = await viewer.until(event="session_end")
    assert (spoken(final["text"]), ended["error"]) == ("said", None)


async def test_a_shutdown_cuts_a_command_off(start: Start) -> None:
    """It has an error and no transcript: half a command may be another command. Its final is kept.
    A client that says nothing is closed, too."""
    async with (
        start(Obstacle(text="said"), f"{ON}, server.drain = 0 s") as server,
        websocket(server, "/ws/events?kind=live") as viewer,
    ):
        async with client(server) as silent, client(server) as user:
            await silent.heard()
            await user.speak(VOICE.pcm)
            await user.heard()
            ending = asyncio.create_task(server.daemon.shut_down())
            kinds = [event.type for event in await user.closed()]
            error = (await silent.closed())[-1]
        await ending
        ended = await viewer.until(event="session_end")
    assert ended["error"] is None
    assert kinds == ["pong", "transcript-start", "transcript-chunk", "error"]
    assert error.data["code"] == "going_away"


async def test_a_client_that_stops_sending(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sound is transcribed, then it is closed with `idle`; so is one that stops in the middle
    of an event."""
    async with start(Obstacle(text="said"), ON) as server, client(server) as user:
        await user.speak(VOICE.pcm)
        await user.heard()
        settings = server.service.settings
        hurried = settings.server.model_copy(update={"idle": 0.05})
        monkeypatch.setattr(
            server.service, "settings", settings.model_copy(update={"server": hurried})
        )
        await user.send(Ping())
        *_, chunk, error = await user.closed()
        reader, writer = await asyncio.open_connection(*place(server))
        writer.write(b'{"type": "pi')
        assert b'"code": "idle"' in await reader.read()
        writer.close()
    assert (chunk.type, error.type) == ("transcript-chunk", "error")
    assert error.data["code"] == "idle"


async def test_a_client_that_does_not_read(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """It is cut off after `server.unread`."""
    async with start(Obstacle(), f"{ON}, server.unread = 100 ms") as server, client(server) as user:
        with pytest.raises(ConnectionError):
            while True:
                await user.send(Ping("x" * 50_000))
    assert "it does not read" in caplog.text
