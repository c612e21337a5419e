"""`/asr`, `/detect-language` and `/inference`, as the clients of Whisper's servers send them."""

from dataclasses import dataclass

import httpx
import pytest

from coqui_server.engines.base import AnyEngine, Capabilities, Engine
from coqui_server.media.samples import Samples
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start
from tests.support.live import Obstacle
from tests.web.people import browser

VOICE, OTHER = clip("appointment.wav"), clip("voicemail.wav")
SPEECH, LONGER = VOICE.path.read_bytes(), OTHER.path.read_bytes()

_MANY = Capabilities(translates=True, detects=True)


@dataclass
class Polyglot(Obstacle):
    """An engine that translates and tells languages: no model that can is small enough."""

    name: str = "polyglot"
    text: str = "good day"
    heard: int = 0

    def detect(self, pcm: Samples) -> tuple[str, float]:
        self.heard = len(pcm)
        return "de", 0.75


async def asked(web: httpx.AsyncClient, query: str, sound: bytes = LONGER) -> httpx.Response:
    """The answer of `/asr`."""
    return await web.post(f"/asr?{query}", files={"audio_file": ("call 1.wav", sound)})


async def test_asr_writes_each_output(web: httpx.AsyncClient) -> None:
    """Lines of text without an option; the name and the engine are in the headers."""
    text = await asked(web, "")
    assert text.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert text.headers["Asr-Engine"] == "moonshine"
    assert text.headers["Content-Disposition"].endswith("''call%201.wav.txt")
    assert spoken(text.text) == spoken(OTHER.text)
    assert len(text.text.splitlines()) == 2
    assert (await asked(web, "output=srt")).text.startswith("1\n00:00:00,")
    assert (await asked(web, "output=vtt")).text.startswith("WEBVTT\n\n00:00:00.")
    table = (await asked(web, "output=tsv&language=en")).text.splitlines()
    assert table[0] == "start\tend\ttext"
    assert len(table) == 3


async def test_asr_as_json(start: Start, whisper: Engine) -> None:
    """Whisper's own result, with words if they are asked for."""
    async with (
        start(whisper, console=True) as server,
        server.http(timeout=30) as web,
    ):
        said = (await asked(web, "output=json&word_timestamps=true", SPEECH)).json()
        plain = (await asked(web, "output=json", SPEECH)).json()
    assert said["language"] == "en"
    assert spoken(said["text"]) == spoken(plain["text"])
    words = [word for segment in said["segments"] for word in segment["words"]]
    assert spoken(" ".join(word["word"] for word in words)) == spoken(said["text"])
    assert all(0 <= word["start"] <= word["end"] and word["probability"] for word in words)
    assert "words" not in plain["segments"][0]
    assert plain["segments"][0]["seek"] == 0


async def test_as_bazarr_asks(start: Start, moonshine: AnyEngine) -> None:
    """Samples without a header: which language they are, and their subtitles, perhaps in English
    though they are not."""
    samples = {"audio_file": ("audio_file", VOICE.pcm.tobytes())}
    engine = Polyglot(capabilities=_MANY)
    async with (
        start(moonshine, others=[engine], console=True) as server,
        server.http() as web,
    ):
        told = await web.post("/detect-language?encode=false", files=samples)
        assert told.json() == {
            "detected_language": "german",
            "language_code": "de",
            "confidence": 0.75,
        }
        assert 0.4 * len(VOICE.pcm) < engine.heard <= len(VOICE.pcm)
        query = "task=transcribe&language=en&output=srt&encode=false&video_file=film.mkv"
        said = await web.post(f"/asr?{query}", files=samples)
        assert spoken(VOICE.text.split()[0]) in said.text.lower()
        assert " --> " in said.text
        english = await web.post(f"/asr?{query.replace('transcribe', 'translate')}", files=samples)
        assert "Good day" in english.text


async def test_a_file_is_translated(start: Start) -> None:
    """By a default engine that is able to, with the prompt."""
    engine = Polyglot(capabilities=_MANY)
    async with (
        start(engine, console=True) as server,
        server.http() as web,
    ):
        said = await asked(web, "task=translate&language=de&output=json&initial_prompt=Ein+Anruf")
        assert (said.json()["language"], said.json()["text"][:8]) == ("en", "Good day")
        (options,) = set(engine.options)
        assert (options.translate, options.language, options.prompt) == (True, "de", "Ein Anruf")
        cpp = {"translate": "true", "language": "auto"}
        await web.post("/inference", files={"file": SPEECH}, data=cpp)
        assert (engine.options[-1].translate, engine.options[-1].language) == (True, None)


async def test_the_language_of_no_speech(start: Start) -> None:
    """A file without speech has none; without an engine that can tell, the refusal says so."""
    silence = {"audio_file": ("a.raw", bytes(64_000))}
    async with (
        start(Polyglot(capabilities=_MANY), console=True) as server,
        server.http() as web,
    ):
        refused = await web.post("/detect-language?encode=false", files=silence)
        assert refused.status_code == 415
        assert "nobody speaks" in refused.json()["detail"]
    async with (
        start(Polyglot(), console=True) as server,
        server.http() as web,
    ):
        refused = await web.post("/detect-language", files={"audio_file": SPEECH})
        assert (refused.status_code, "multilingual" in refused.text) == (400, True)


@pytest.mark.parametrize("format", ["json", "text", "srt", "vtt", "verbose_json", ""])
async def test_inference(web: httpx.AsyncClient, format: str) -> None:
    """whisper.cpp's formats, with the fields that its example sends."""
    fields = {"temperature": "0.0", "temperature_inc": "0.2", "response_format": format}
    answer = await web.post("/inference", files={"file": ("a.wav", SPEECH)}, data=fields)
    assert answer.status_code == 200
    if format in ("text", "srt", "vtt"):
        begins = {"srt": "1\n", "vtt": "WEBVTT", "text": VOICE.text.split()[0]}
        assert answer.text.startswith(begins[format])
        return
    said = answer.json()
    assert spoken(said["text"]) == spoken(VOICE.text)
    if format == "verbose_json":
        assert (said["task"], said["language"]) == ("transcribe", "english")
        assert {"id", "start", "end", "tokens"} <= set(said["segments"][0])


async def test_refusals(web: httpx.AsyncClient) -> None:
    """Each server's clients find the reason where they look for it."""
    cpp = await web.post("/inference", data={"file": "x"})
    assert (cpp.status_code, list(cpp.json())) == (400, ["error"])
    cpp = await web.post(
        "/inference", files={"file": ("a.wav", SPEECH)}, data={"response_format": "xml"}
    )
    assert "response_format" in cpp.json()["error"]
    asr = await asked(web, "", b"This is no sound." * 100)
    assert (asr.status_code, list(asr.json())) == (415, ["detail"])
    asr = await asked(web, "task=translate")
    assert (asr.status_code, "does not translate" in asr.text) == (400, True)
    assert (await asked(web, "output=docx")).status_code == 400
    assert (await asked(web, "language=fr")).status_code == 400


async def test_signing_in(start: Start, moonshine: AnyEngine) -> None:
    """They are closed to strangers, who are told so though they still send."""
    async with start(moonshine, "auth.required = true", console=True) as server:
        async with browser(server) as web:
            for path, name in (
                ("/asr", "audio_file"),
                ("/detect-language", "audio_file"),
                ("/inference", "file"),
                ("/v1/audio/transcriptions", "file"),
                ("/v1/audio/translations", "file"),
            ):
                answer = await web.post(path, files={name: ("a.wav", bytes(5_000_000))})
                assert answer.status_code == 401, path
                assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert not server.service.sessions


async def test_the_reference_has_the_forms(server: Running, web: httpx.AsyncClient) -> None:
    """The API reference shows which field has the file."""
    paths = (await web.get("/openapi.json")).json()["paths"]
    for path, name in (("/asr", "audio_file"), ("/inference", "file")):
        content = paths[path]["post"]["requestBody"]["content"]["multipart/form-data"]
        assert content["schema"]["required"] == [name]
    assert "/v1/models" in paths
