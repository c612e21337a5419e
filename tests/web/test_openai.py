"""`/v1/audio` and `/v1/models`, by the official `openai` package."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import openai
import pytest
from openai import AsyncOpenAI

from coqui_server.engines.base import AnyEngine, Capabilities, Engine, Hypothesis, Options
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start, all_closed, children
from tests.support.live import Obstacle, until
from tests.support.media import several_channels
from tests.web.people import made_token, signed_up
from tests.web.test_files_api import uploads

VOICE, OTHER = clip("appointment.wav"), clip("voicemail.wav")
SECONDS = len(VOICE.pcm) / 16_000


_CUT_OFF = {"Content-Type": "multipart/form-data; boundary=x"}


class Wordless(Obstacle):
    """An engine that says no more than a text."""

    def finish(self) -> Hypothesis:
        return Hypothesis(self.text)


class FailsLater(Obstacle):
    """An engine that fails on all utterances after the first, once it is let go."""

    def open(self, options: Options) -> Obstacle:
        if self.options:
            return Obstacle(held=True, fails=True, _passing=self._passing)
        return super().open(options)


def client_of(server: Running, key: str = "any") -> AsyncOpenAI:
    """The package's client, which tries nothing twice."""
    return AsyncOpenAI(base_url=f"{server.console}/v1", api_key=key, max_retries=0)


@pytest.fixture
async def client(server: Running) -> AsyncIterator[AsyncOpenAI]:
    """A client of the daemon as it comes."""
    async with client_of(server) as client:
        yield client


@pytest.fixture
async def worded(start: Start, whisper: Engine) -> AsyncIterator[AsyncOpenAI]:
    """A client of an engine that gives words with times and confidences."""
    async with start(whisper, console=True) as server, client_of(server) as client:
        yield client


async def test_json(client: AsyncOpenAI) -> None:
    """The default format has the text and the seconds."""
    said = await client.audio.transcriptions.create(file=VOICE.path, model="whisper-1")
    assert spoken(said.text) == spoken(VOICE.text)
    assert said.usage is not None
    assert said.usage.model_dump() == {"type": "duration", "seconds": 5}
    assert said.logprobs is None


async def test_text_and_subtitles(client: AsyncOpenAI) -> None:
    """They are bodies of text, which the package gives as they are."""
    create = client.audio.transcriptions.create
    text = await create(file=OTHER.path, model="gpt-4o-transcribe", response_format="text")
    assert spoken(text) == spoken(OTHER.text)
    assert text.endswith("\n")
    srt = await create(file=OTHER.path, model="whisper-1", response_format="srt")
    assert srt.startswith("1\n00:00:00,")
    assert "\n\n2\n00:00:0" in srt
    vtt = await create(file=OTHER.path, model="whisper-1", response_format="vtt")
    assert vtt.startswith("WEBVTT\n\n00:00:00.")


async def test_verbose_json_without_words(start: Start) -> None:
    """Segments have every key; there are no words where the engine gives none."""
    engine = Wordless(text="hello there")
    async with start(engine, console=True) as server, client_of(server) as client:
        said = await client.audio.transcriptions.create(
            file=VOICE.path,
            model="whisper-1",
            response_format="verbose_json",
            timestamp_granularities=["word", "segment"],
        )
    assert said.duration == pytest.approx(SECONDS, abs=0.05)
    assert said.words is None
    assert said.segments
    first = said.segments[0]
    assert set(first.model_fields_set) == set(type(first).model_fields)
    assert (first.id, first.text, first.avg_logprob, first.tokens) == (0, "Hello there", 0, [])
    assert said.language == "unknown"


async def test_verbose_json_with_words(worded: AsyncOpenAI) -> None:
    """Words have times that follow one another, and are left out unless they are asked for."""
    said = await worded.audio.transcriptions.create(
        file=VOICE.path,
        model="whisper-1",
        response_format="verbose_json",
        timestamp_granularities=["word"],
        prompt="The clinic of Doctor Rezaei.",
        language="en",
        temperature=0,
    )
    assert said.language == "english"
    assert said.words
    assert spoken(" ".join(word.word for word in said.words)) == spoken(said.text)
    times = [time for word in said.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[-1] <= SECONDS
    assert said.segments
    assert all(-1 < segment.avg_logprob < 0 for segment in said.segments)
    plain = await worded.audio.transcriptions.create(
        file=VOICE.path, model="whisper-1", response_format="verbose_json"
    )
    assert plain.words is None


async def test_logprobs(worded: AsyncOpenAI) -> None:
    """One of each word, where the engine is able to; the bytes are those of the word."""
    said = await worded.audio.transcriptions.create(
        file=VOICE.path, model="gpt-4o-transcribe", include=["logprobs"]
    )
    assert said.logprobs
    assert spoken(" ".join(str(part.token) for part in said.logprobs)) == spoken(said.text)
    assert all(part.logprob is not None and part.logprob <= 0 for part in said.logprobs)
    assert bytes(map(int, said.logprobs[0].bytes or [])).decode() == said.logprobs[0].token


async def test_keywords(start: Start) -> None:
    """Engines that can favour them get them as names and terms."""
    able = Obstacle("able", capabilities=Capabilities(terms=True))
    async with start(able, console=True) as server, client_of(server) as client:
        await client.audio.transcriptions.create(
            file=VOICE.path, model="whisper-1", extra_body={"keywords": ["Anna", "Vevay"]}
        )
    assert {options.terms for options in able.options} == {("Anna", "Vevay")}


async def test_diarized_json(client: AsyncOpenAI) -> None:
    """People on channels of their own have the names that are given, in the order of channels."""
    call = ("call.wav", several_channels(VOICE.pcm, OTHER.pcm // 3))
    create = client.audio.transcriptions.create
    said = await create(
        file=call,
        model="gpt-4o-transcribe-diarize",
        response_format="diarized_json",
        chunking_strategy="auto",
        known_speaker_names=["agent"],
    )
    speakers = {segment.speaker for segment in said.segments}
    assert speakers == {"agent", "right"}
    agent = [segment.text for segment in said.segments if segment.speaker == "agent"]
    assert spoken(" ".join(agent)) == spoken(VOICE.text)
    assert len({segment.id for segment in said.segments}) == len(said.segments)
    other = await create(
        file=call,
        model="gpt-4o-transcribe-diarize",
        response_format="diarized_json",
        known_speaker_names=["agent"],
        known_speaker_references=["data:audio/wav;base64," + "A" * 100_000],
    )
    assert {segment.speaker for segment in other.segments} == {"left", "right"}
    alone = await create(
        file=VOICE.path, model="gpt-4o-transcribe-diarize", response_format="diarized_json"
    )
    assert {segment.speaker for segment in alone.segments} == {"Speaker 1"}


async def test_a_stream(client: AsyncOpenAI) -> None:
    """The deltas add up to the text of the last event."""
    events = await client.audio.transcriptions.create(
        file=OTHER.path, model="gpt-4o-mini-transcribe", stream=True
    )
    told = [event async for event in events]
    assert [event.type for event in told[-2:]] == ["transcript.text.delta", "transcript.text.done"]
    text = "".join(event.delta for event in told if event.type == "transcript.text.delta")
    done = told[-1]
    assert done.type == "transcript.text.done"
    assert text == done.text
    assert spoken(text) == spoken(OTHER.text)
    assert len(told) > 2


async def test_a_stream_with_speakers(client: AsyncOpenAI) -> None:
    """A segment follows each delta and names it."""
    events = await client.audio.transcriptions.create(
        file=("call.wav", several_channels(VOICE.pcm, OTHER.pcm // 3)),
        model="gpt-4o-transcribe-diarize",
        response_format="diarized_json",
        stream=True,
    )
    told = [event async for event in events]
    deltas = [event.segment_id for event in told if event.type == "transcript.text.delta"]
    segments = [event for event in told if event.type == "transcript.text.segment"]
    assert deltas == [segment.id for segment in segments]
    assert {segment.speaker for segment in segments} == {"left", "right"}


async def test_a_stream_that_fails(start: Start) -> None:
    """Before anything is told, by the status; later, by an event that the package raises."""
    engine = FailsLater()
    async with (
        start(engine, "server.threadpool.count = 1", console=True) as server,
        client_of(server) as client,
    ):
        create = client.audio.transcriptions.create
        with pytest.raises(openai.BadRequestError):
            await create(file=("a.wav", b"no sound" * 1000), model="whisper-1", stream=True)
        events = await create(file=OTHER.path, model="whisper-1", stream=True)
        told = aiter(events)
        assert (await anext(told)).type == "transcript.text.delta"
        engine.let_go()
        with pytest.raises(openai.APIError, match="the recogniser obstacle failed"):
            await anext(told)
        with pytest.raises(openai.InternalServerError, match="the recogniser obstacle failed"):
            await create(file=VOICE.path, model="whisper-1", stream=True)
        await all_closed(server)


async def test_the_client_of_an_answer_goes_away(start: Start) -> None:
    """Its session is ended, ffmpeg too, and nothing of the file stays on the disk."""
    engine = Obstacle(held=True)
    async with start(engine, console=True) as server, client_of(server) as client:
        for stream in (False, True):
            asking = asyncio.create_task(
                client.audio.transcriptions.create(
                    file=VOICE.path, model="whisper-1", stream=stream
                )
            )
            await until(lambda: server.service.sessions)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await all_closed(server)
            assert children() == []
            await until(lambda: not uploads(server))
        engine.let_go()


async def test_models(start: Start, moonshine: AnyEngine) -> None:
    """The engines by their names, and OpenAI's names; another is refused as unknown."""
    other = Obstacle("other", text="something else")
    async with (
        start(moonshine, others=[other], console=True) as server,
        client_of(server) as client,
    ):
        names = [model.id async for model in client.models.list()]
        assert names[:3] == ["moonshine", "other", "whisper-1"]
        assert (await client.models.retrieve("other")).owned_by == "coqui_server"
        assert (await client.models.retrieve("gpt-4o-transcribe")).owned_by == "openai"
        said = await client.audio.transcriptions.create(file=VOICE.path, model="other")
        assert said.text == "Something else"
        with pytest.raises(openai.NotFoundError) as refusal:
            await client.models.retrieve("nobody/none")
        assert (refusal.value.code, refusal.value.param) == ("model_not_found", "model")
        with pytest.raises(openai.NotFoundError, match="moonshine"):
            await client.audio.transcriptions.create(file=VOICE.path, model="nobody")


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
async def test_translations(start: Start, moonshine: AnyEngine) -> None:
    """An engine that translates is asked to; without one, the refusal says so."""
    able = Obstacle("able", text="good day", capabilities=Capabilities(translates=True))
    async with (
        start(moonshine, others=[able], console=True) as server,
        client_of(server) as client,
    ):
        create = client.audio.translations.create
        said = await create(
            file=VOICE.path, model="whisper-1", prompt="A call.", response_format="verbose_json"
        )
        assert (said.text, said.language) == ("Good day", "english")
        assert {(each.translate, each.prompt) for each in able.options} == {(True, "A call.")}
        with pytest.raises(openai.BadRequestError, match="does not translate"):
            await create(file=VOICE.path, model="moonshine")
        with pytest.raises(openai.BadRequestError, match="response_format"):
            await create(file=VOICE.path, model="able", response_format="diarized_json")  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"file": ("a.wav", b"This is no sound." * 100)}, "not an audio or video file"),
        ({"file": ("a.wav", b"")}, "empty"),
        ({"language": "de"}, "language is en"),
        ({"response_format": "xml"}, "response_format is json"),
        ({"temperature": 2}, "temperature"),
        ({"timestamp_granularities": ["letter"]}, "timestamp_granularities"),
        ({"extra_body": {"channels": "left"}}, "channels"),
        ({"prompt": "x" * 5000}, "prompt"),
    ],
)
async def test_what_is_refused(client: AsyncOpenAI, options: dict[str, object], said: str) -> None:
    """The package raises the exception of the status, with the reason."""
    with pytest.raises(openai.APIStatusError, match=said) as refusal:
        await client.audio.transcriptions.create(
            **{"file": VOICE.path, "model": "whisper-1", **options}  # type: ignore[call-overload]
        )
    assert refusal.value.status_code == (413 if "prompt" in options else 400)
    assert refusal.value.type == "invalid_request_error"


async def test_no_form(server: Running, web: httpx.AsyncClient) -> None:
    """The error has the same form."""
    for answer in (
        await web.post("/v1/audio/transcriptions", json={"model": "whisper-1"}),
        await web.post("/v1/audio/transcriptions", files={"sound": b"x"}),
        await web.post("/v1/audio/transcriptions", files=[("file", b"x"), ("file", b"y")]),
        await web.post("/v1/audio/transcriptions", content=b"", headers=_CUT_OFF),
    ):
        assert answer.status_code == 400
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


async def test_fields_have_limits(web: httpx.AsyncClient) -> None:
    """Those that are used are limited in number; others may be of any number and size."""
    fields = {"include[]": ["logprobs"] * 65}
    files = {"file": ("a.wav", VOICE.path.read_bytes())}
    answer = await web.post("/v1/audio/transcriptions", data=fields, files=files)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    others = {f"new_{number}": "x" * 10_000 for number in range(100)}
    answer = await web.post("/v1/audio/transcriptions", data=others, files=files)
    assert spoken(answer.json()["text"]) == spoken(VOICE.text)


async def test_a_large_file(start: Start, moonshine: AnyEngine) -> None:
    """413, also without a store, and nothing of it is left."""
    settings = "jobs.max_size = 200 kB\nstore.enabled = false"
    async with (
        start(moonshine, settings, console=True) as server,
        client_of(server) as client,
    ):
        create = client.audio.transcriptions.create
        said = await create(file=VOICE.path, model="whisper-1")
        assert spoken(said.text) == spoken(VOICE.text)
        with pytest.raises(openai.APIStatusError, match="200000 bytes") as refusal:
            await create(file=("a.wav", bytes(20_000_000)), model="whisper-1")
        assert refusal.value.status_code == 413


async def test_no_room(start: Start) -> None:
    """503, and when to come back, which the package does by itself."""
    engine = Obstacle(held=True)
    async with (
        start(engine, "server.max_sessions = 1", console=True) as server,
        client_of(server) as client,
    ):
        create = client.audio.transcriptions.create
        first = asyncio.create_task(create(file=VOICE.path, model="whisper-1"))
        await until(lambda: server.service.sessions)
        with pytest.raises(openai.InternalServerError, match="sessions are taken") as refusal:
            await create(file=VOICE.path, model="whisper-1")
        assert refusal.value.response.headers["Retry-After"] == "5"
        engine.let_go()
        await first


async def test_keys(start: Start, moonshine: AnyEngine) -> None:
    """A token is a key where one has to sign in; the session is its user's."""
    async with start(moonshine, "auth.required = true", console=True) as server:
        async with signed_up(server, "anna") as anna:
            token = await made_token(anna)
        async with client_of(server, token) as client:
            await client.audio.transcriptions.create(file=VOICE.path, model="whisper-1")
            assert [model.id async for model in client.models.list()]
        assert server.store
        (session,) = (await server.store.sessions.find("anna")).sessions
        assert (session.owner, session.label) == ("anna", "appointment.wav")
        async with client_of(server, "sk-wrong") as stranger:
            large = ("a.wav", bytes(20_000_000))
            for file in (VOICE.path, large):
                with pytest.raises(openai.AuthenticationError) as refusal:
                    await stranger.audio.transcriptions.create(file=file, model="whisper-1")
                assert refusal.value.code == "invalid_api_key"
            with pytest.raises(openai.AuthenticationError):
                await stranger.models.list()


async def test_curl(web: httpx.AsyncClient) -> None:
    """The file may stand before the other fields, without a type and with an odd name."""
    sound = VOICE.path.read_bytes()
    form = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="/tmp/x.wav"\r\n\r\n'
        + sound
        + b'\r\n--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
        b'--x\r\nContent-Disposition: form-data; name="response_format"\r\n\r\ntext\r\n--x--\r\n'
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Authorization": "Bearer any"}
    answer = await web.post("/v1/audio/transcriptions", content=form, headers=headers)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert spoken(answer.text) == spoken(VOICE.text)
    named = (await web.get("/api/sessions/")).json()["sessions"]
    assert [session["label"] for session in named] == ["x.wav"]
