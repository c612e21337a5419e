"""Updates of the configuration of a session of OpenAI's Realtime protocol."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coqui_server.exceptions import BadRequest
from coqui_server.protocols.openai_configuration import Configuration
from coqui_server.protocols.openai_update import updated

Json = dict[str, Any]


def given_input(**values: Any) -> Configuration:
    """The configuration after an update of these values of `audio.input`."""
    return updated(Configuration(), {"type": "transcription", "audio": {"input": values}})


def test_the_two_forms() -> None:
    """Both say the same, and each is described as it came."""
    said = {"model": "gpt-4o-transcribe", "language": "en"}
    turns = {"type": "server_vad", "threshold": 0.6, "silence_duration_ms": 300}
    older = {
        "input_audio_format": "g711_ulaw",
        "input_audio_transcription": said,
        "input_audio_noise_reduction": {"type": "near_field"},
        "turn_detection": turns,
        "include": ["item.input_audio_transcription.logprobs"],
    }
    newer = {
        "type": "transcription",
        "include": older["include"],
        "audio": {
            "input": {
                "format": {"type": "audio/pcmu"},
                "transcription": said,
                "noise_reduction": {"type": "near_field"},
                "turn_detection": turns,
            }
        },
    }
    configuration = updated(Configuration(), newer)
    assert configuration == updated(Configuration(), older)
    assert older.items() <= configuration.described("a", older=True).items()
    assert newer.items() <= configuration.described("a", older=False).items()
    assert (configuration.encoding, configuration.sample_rate) == ("mulaw", None)
    assert configuration.logprobs


def test_what_is_left_out_stays() -> None:
    """Null takes a value away; the values of another kind of turns go with it."""
    before = given_input(
        format={"type": "audio/pcm", "rate": 16_000},
        transcription={"language": "en", "prompt": "A call.", "delay": "high"},
        turn_detection={"type": "server_vad", "silence_duration_ms": 300, "idle_timeout_ms": None},
    )
    assert (before.sample_rate, before.silence, before.agreeing) == (16_000, 0.3, 4)
    assert updated(before, {}) == before
    after = updated(before, {"audio": {"input": {"transcription": {"prompt": None}}}})
    assert after.transcription == {"language": "en", "delay": "high"}
    after = updated(before, {"input_audio_transcription": {"language": ""}})
    assert after.options.language is None
    patient = {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}}
    assert updated(before, patient).silence == 1.2
    assert updated(before, {"turn_detection": {"type": "semantic_vad"}}).silence is None
    assert updated(before, {"turn_detection": {"silence_duration_ms": 500}}).silence == 0.5
    assert updated(before, {"turn_detection": None}).silence is None


@pytest.mark.parametrize(
    ("asked", "seconds"), [(0, 0.1), (350, 0.35), (500.5, 0.5005), (60_000, 10.0)]
)
def test_silence(asked: float, seconds: float) -> None:
    """It has the limits of the configuration."""
    turns = {"type": "server_vad", "silence_duration_ms": asked}
    assert given_input(turn_detection=turns).silence == pytest.approx(seconds)


def test_who_speaks_is_told_by_one_model() -> None:
    """All others leave it to the configuration of the server."""
    assert Configuration().speakers is None
    model = {"model": "gpt-4o-transcribe-diarize"}
    assert given_input(transcription=model).speakers == "auto"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"format": {"type": "audio/mp3"}}, "format.type is audio/pcm, audio/pcmu, audio/pcma"),
        ({"format": {"type": "audio/pcm", "rate": 1}}, "sample_rate is a whole number"),
        ({"format": "pcm16"}, "format is an object"),
        ({"transcription": None}, "transcription is an object"),
        ({"transcription": {"language": 1}}, "transcription.language is a text"),
        ({"transcription": {"prompt": "x" * 4001}}, "at most 4000"),
        ({"transcription": {"keywords": "one"}}, "transcription.keywords is a list"),
        ({"transcription": {"delay": "long"}}, "transcription.delay is minimal, low"),
        ({"turn_detection": {"type": "other"}}, "turn_detection.type is server_vad or"),
        ({"turn_detection": {"threshold": 2}}, "turn_detection.threshold is a number, 0 to 1"),
        ({"turn_detection": {"threshold": float("nan")}}, "threshold is a number"),
        ({"turn_detection": {"type": "semantic_vad", "eagerness": 1}}, "eagerness is low, medium"),
        ({"noise_reduction": {"type": "no"}}, "noise_reduction.type is near_field, far_field"),
    ],
)
def test_wrong_values(values: Json, problem: str) -> None:
    """The refusal says what is right."""
    with pytest.raises(BadRequest, match=problem):
        given_input(**values)


@pytest.mark.parametrize(
    ("session", "problem"),
    [
        (None, "session is an object"),
        ({"type": "realtime"}, "there are no conversations"),
        ({"include": [1]}, "include is a list of texts"),
        ({"input_audio_format": "mp3"}, "format is pcm16, g711_ulaw, g711_alaw"),
        ({"audio": "no"}, "audio is an object"),
    ],
)
def test_wrong_sessions(session: object, problem: str) -> None:
    """The same for what is around the values."""
    with pytest.raises(BadRequest, match=problem):
        updated(Configuration(), session)


ODD = st.sampled_from(
    [
        None,
        True,
        -1,
        0.5,
        1e308,
        float("nan"),
        "",
        "en",
        "server_vad",
        "audio/pcm",
        "low",
        [],
        ["x"],
    ]
)
NAMES = st.sampled_from(
    ["type", "model", "language", "keywords", "delay", "rate", "threshold", "eagerness"]
)
OBJECTS = ODD | st.dictionaries(NAMES, ODD, max_size=3)


@settings(max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from(["format", "transcription", "turn_detection", "noise_reduction"]), OBJECTS
    ),
    st.dictionaries(st.sampled_from(["include", "input_audio_format", "turn_detection"]), ODD),
)
def test_any_values(wanted: Json, others: Json) -> None:
    """They are taken, and can be told again, or refused."""
    try:
        configuration = updated(Configuration(), {**others, "audio": {"input": wanted}})
    except BadRequest:
        return
    for older in (False, True):
        described = json.dumps(configuration.described("a", older=older), allow_nan=False)
        again = updated(Configuration(), json.loads(described))
        assert again == (replace(configuration, rate=again.rate) if older else configuration)
    assert configuration.agreeing is None or configuration.agreeing > 1
