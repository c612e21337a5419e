"""What each service is sent, and what is made of its own ways to answer."""

import io
import wave
from collections.abc import Callable

import numpy as np
import pytest

from coqui_server.engines.base import DEFAULT_OPTIONS, Hypothesis, Options, RemoteEngine
from coqui_server.exceptions import ServiceError
from coqui_server.media.samples import Samples
from coqui_transcript.transcript import Word
from tests.support.remote_engines import Make
from tests.support.remote_service import KEY, Pauses, Request, Service, answer, serving

PCM = np.arange(1600, dtype=np.int16)


async def heard(engine: RemoteEngine) -> Hypothesis:
    return await engine.transcribe(PCM, DEFAULT_OPTIONS)


async def reason(engine: RemoteEngine) -> str:
    """What a transcription fails with."""
    with pytest.raises(ServiceError) as caught:
        await heard(engine)
    return caught.value.reason


def sound(file: bytes) -> Samples:
    """The samples of a WAV file."""
    with wave.open(io.BytesIO(file)) as opened:
        assert opened.getparams()[:3] == (1, 2, 16000)
        return np.frombuffer(opened.readframes(opened.getnframes()), "<i2")


def is_the_sound(part: tuple[str | None, str, bytes]) -> bool:
    name, kind, file = part
    return (name, kind) == ("speech.wav", "audio/wav") and np.array_equal(sound(file), PCM)


async def test_openai_is_asked_for_words(make: Make, service: Service) -> None:
    """Whisper gives times of words; the key is a bearer token."""
    words = [{"word": "Good", "start": 0.1, "end": 0.5}, {"word": "day", "start": 0.5, "end": 0.9}]
    service.replies = [answer(200, {"text": "Good day.", "words": words})]
    assert await heard(make("openai", language="en")) == Hypothesis(
        "Good day.", (Word("Good", 0.1, 0.5), Word("day", 0.5, 0.9))
    )
    (request,) = service.requests
    assert service.asked == ["POST /audio/transcriptions"]
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.form == {
        "model": "whisper-1",
        "response_format": "verbose_json",
        "timestamp_granularities[]": "word",
        "language": "en",
    }
    assert list(request.files) == ["file"]
    assert is_the_sound(request.files["file"])


async def test_openai_without_words(make: Make, service: Service) -> None:
    """The other models refuse to be asked for them; languages are found out."""
    service.replies = [answer(200, {"text": "Good day."})]
    engine = make("openai", model="gpt-4o-transcribe")
    assert await heard(engine) == Hypothesis("Good day.")
    assert not engine.capabilities.words
    assert service.requests[0].form == {"model": "gpt-4o-transcribe", "response_format": "json"}


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("openai", lambda request: request.form["language"] == "fa"),
        ("deepgram", lambda request: "language=fa-IR&" in request.path),
    ],
)
async def test_a_language_that_is_asked_for(
    make: Make, service: Service, name: str, asked: Callable[[Request], bool]
) -> None:
    """It counts more than the configured one; OpenAI knows no regions."""
    service.replies = [answer(402, {})]
    with pytest.raises(ServiceError, match="402"):
        await make(name, language="en").transcribe(PCM, Options(language="fa-IR"))
    assert asked(service.requests[0])


async def test_openai_elsewhere(
    make: Make, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without openai.base_url the environment's OPENAI_BASE_URL counts, as for any program."""
    monkeypatch.setenv("OPENAI_BASE_URL", f"{service.url}/own/v1")
    service.replies = [answer(200, {"text": "Good day."})]
    await heard(make("openai", base_url=None))
    assert service.asked == ["POST /own/v1/audio/transcriptions"]


@pytest.mark.parametrize("words", [[5], [{"word": "a"}], [{"word": "a", "start": "x", "end": 1}]])
async def test_openai_with_words_that_are_none(
    make: Make, service: Service, words: list[object]
) -> None:
    """Times are not guessed."""
    service.replies = [answer(200, {"text": "a", "words": words})]
    assert await reason(make("openai")) == "its reply is not a transcription"


async def test_deepgram_prerecorded(make: Make, service: Service) -> None:
    """The file is the body; words come as they are written."""
    word = {"word": "day", "punctuated_word": "Day.", "start": 0.1, "end": 0.5, "confidence": 0.8}
    said = {"transcript": "Day.", "confidence": 0.9, "words": [word]}
    service.replies = [answer(200, {"results": {"channels": [{"alternatives": [said]}]}})]
    assert await heard(make("deepgram", language="en")) == Hypothesis(
        "Day.", (Word("Day.", 0.1, 0.5, 0.8),), 0.9
    )
    (request,) = service.requests
    assert service.asked == ["POST /v1/listen?language=en&model=nova-3&smart_format=true"]
    assert request.headers["authorization"] == f"Token {KEY}"
    assert np.array_equal(sound(request.body), PCM)


@pytest.mark.parametrize(
    "results",
    [
        {"channels": []},
        {"channels": [{"alternatives": []}]},
        {"channels": [{"alternatives": [{"words": []}]}]},
        {"channels": [{"alternatives": [{"transcript": "a", "words": [{"word": "a"}]}]}]},
        {"channels": [{"alternatives": [{"transcript": "a", "words": [5]}]}]},
    ],
)
async def test_deepgram_without_a_transcript(
    make: Make, service: Service, results: dict[str, object]
) -> None:
    """What is not there is not guessed."""
    service.replies = [answer(200, {"results": results})]
    assert await reason(make("deepgram")) == "its reply is not a transcription"


STORED = answer(200, {"files": [{"url": "https://storage.example/a.wav"}]})
STARTED = answer(200, {"id": 77})


async def test_scribe_uploads_starts_and_asks(make: Make, service: Service, pauses: Pauses) -> None:
    """In this order, each with the key as a bearer token; the language only if there is one."""
    service.replies = [
        STORED,
        STARTED,
        *(answer(200, {"status": status}) for status in ("QUEUE", "WAITING", "RUNNING")),
        answer(200, {"status": "COMPLETED", "generations": [{"text": "سلام"}]}),
    ]
    assert await heard(make("scribe", poll="2 s", language="fa")) == Hypothesis("سلام")
    upload, start, *_ = service.requests
    assert service.asked == [
        "POST /api/v1/storage",
        "POST /api/v2/generate",
        *["GET /api/v2/generate/77"] * 4,
    ]
    assert {request.headers["authorization"] for request in service.requests} == {f"Bearer {KEY}"}
    assert (upload.form, list(upload.files)) == ({}, ["files"])
    assert is_the_sound(upload.files["files"])
    assert start.json == {
        "model": {"name": "elevenlabs", "model": "scribe_v1"},
        "operation": "STT",
        "args": {"file": "https://storage.example/a.wav", "language": "fa"},
    }
    assert pauses.seconds == [2.0, 2.0, 2.0]


async def test_scribe_with_other_names(make: Make, service: Service) -> None:
    """What is not established about the service can be set; a request may have its language."""
    done = answer(200, {"status": "COMPLETED", "generations": [{"content": "a"}]})
    service.replies = [STORED, STARTED, done]
    engine = make("scribe", argument="url", provider="openai", model="whisper-1")
    await engine.transcribe(PCM, Options(language="fa"))
    assert service.requests[1].json == {
        "model": {"name": "openai", "model": "whisper-1"},
        "operation": "STT",
        "args": {"url": "https://storage.example/a.wav", "language": "fa"},
    }


@pytest.mark.parametrize("ours", [True, False])
async def test_scribe_has_the_text_at_an_address(make: Make, service: Service, ours: bool) -> None:
    """It is fetched; a stranger's server does not get the key."""
    async with serving() as other:
        holder = service if ours else other
        made = [{"content": "", "url": f"{holder.url}/made.txt"}]
        service.replies = [
            STORED,
            STARTED,
            answer(200, {"status": "COMPLETED", "generations": made}),
        ]
        holder.replies.append(answer(200, "سلام\n".encode()))
        assert await heard(make("scribe")) == Hypothesis("سلام")
        assert holder.asked[-1] == "GET /made.txt"
        assert ("authorization" in holder.requests[-1].headers) == ours


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ({"status": "ERROR", "error": "no credit"}, "no credit"),
        ({"status": "ERROR", "error": {"message": f"bad {KEY}"}}, "bad …"),
        ({"status": "CANCELLED"}, "no reason given"),
        ({"status": "COMPLETED", "generations": []}, "its reply is not a finished task"),
        ({"status": "COMPLETED", "generations": [{"content": 5}]}, "its reply is not a finished"),
        ({"status": "COMPLETED"}, "its reply is not a finished task"),
    ],
)
async def test_scribe_fails(
    make: Make, service: Service, reply: dict[str, object], said: str
) -> None:
    """A task that failed, or has nothing, is an error and is not begun again."""
    service.replies = [STORED, STARTED, answer(200, reply)]
    assert (await reason(make("scribe"))).startswith(said)
    assert len(service.requests) == 3


SENT = answer(200, {"FileToken": "file-1"})


async def test_eboo_has_one_address_for_all(make: Make, service: Service, pauses: Pauses) -> None:
    """The upload is a form, the rest is JSON; the token is in each body and in no header."""
    service.replies = [
        SENT,
        answer(200, {"Status": "ConvertStarted"}),
        answer(200, {"Status": "Data Not Found Yet"}),
        answer(200, {"Output": "سلام"}),
    ]
    assert await heard(make("eboo", poll="4 s")) == Hypothesis("سلام")
    upload, start, first, second = service.requests
    assert set(service.asked) == {"POST /api/ocr/getway"}
    assert upload.form == {"token": KEY, "command": "addfile"}
    assert list(upload.files) == ["filehandle"]
    assert is_the_sound(upload.files["filehandle"])
    command = {"token": KEY, "filetoken": "file-1"}
    assert start.json == {**command, "command": "convert", "language": "fa"}
    assert first.json == second.json == {**command, "command": "checkconvert"}
    assert not any(KEY in value for r in service.requests for value in r.headers.values())
    assert pauses.seconds == [4.0]


@pytest.mark.parametrize("status", ["NoEnoughCredit", "TokenNotFound", "ConvertError", "404"])
@pytest.mark.parametrize("step", [0, 1, 2])
async def test_eboo_fails_under_status_200(
    make: Make, service: Service, status: str, step: int
) -> None:
    """Its errors are words in the body, at any step; what they say is the reason."""
    failed = answer(200, {"Status": status, "Error": "sorry", "Output": "an error is no text"})
    service.replies = [*[SENT, answer(200, {})][:step], failed]
    assert await reason(make("eboo")) == f"{status}: sorry"
    assert len(service.requests) == step + 1


async def test_eboo_has_a_passing_error(make: Make, service: Service, pauses: Pauses) -> None:
    """Of its words only "500" may go better the next time."""
    small = answer(200, {"filetoken": "file-1"})
    done = answer(200, {"Status": "ConvertFinished", "Output": "سلام"})
    service.replies = [answer(200, {"Status": "500"}), small, answer(200, {}), done]
    assert await heard(make("eboo")) == Hypothesis("سلام")
    assert len(pauses.seconds) == 1


async def test_eboo_without_what_it_promised(make: Make, service: Service) -> None:
    """No token, or no text at the end, is an error."""
    service.replies = [answer(200, {"FileToken": ""})]
    assert await reason(make("eboo")) == "its reply is not a FileToken"
    service.replies = [SENT, answer(200, {}), answer(200, {"Status": "ConvertFinished"})]
    assert await reason(make("eboo")) == "its reply is not an Output"


async def test_vira_takes_a_form(make: Make, service: Service) -> None:
    """One request, with the token in a header of its own."""
    result = {"data": {"data": {"aiResponse": {"result": {"text": "سلام"}}}}}
    service.replies = [answer(201, result)]
    assert await heard(make("vira", model="telephony")) == Hypothesis("سلام")
    (request,) = service.requests
    assert service.asked == ["POST /request"]
    assert request.headers["gateway-token"] == KEY
    assert request.headers["accept"] == "application/json"
    assert request.form == {
        "model": "telephony",
        "numSpeakers": "0",
        "punctuation": "true",
        **dict.fromkeys(("srt", "timestamp", "diarize", "spokenPunctuation"), "false"),
        "inverseNormalizer": "false",
    }
    assert list(request.files) == ["audio"]
    assert is_the_sound(request.files["audio"])


@pytest.mark.parametrize(
    ("status", "data", "said"),
    [
        (200, {"data": {"aiResponse": {"message": "no speech model"}}}, "no speech model"),
        (200, {"message": "sorry"}, "sorry"),
        (200, {"status": "pending"}, "the answer is pending; a shorter vira.chunk may help"),
        (200, {"data": {"aiResponse": {"result": {}}}}, "its reply is not an answer with a text"),
        (402, {"message": "no credit"}, "no credit"),
        (
            400,
            {
                "additionalInfo": {
                    "additionalInfo": {
                        "validationResults": [{"field": "duration", "passed": False}]
                    }
                }
            },
            "the sound is too long; lower vira.chunk",
        ),
    ],
)
async def test_vira_fails(
    make: Make, service: Service, status: int, data: dict[str, object], said: str
) -> None:
    """The reason is found at each of the places where it may stand."""
    service.replies = [answer(status, {"data": data})]
    assert await reason(make("vira")) == said
    assert len(service.requests) == 1
