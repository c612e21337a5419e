"""What `application.conf` may say of engines. A service's key is never shown by its settings."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, SecretStr

from coqui_server.config.section import ADDRESS, Duration, Key, Listed, Section, unquoted

EngineName = Literal[
    "moonshine", "vosk", "coqui", "whisper", "openai", "deepgram", "scribe", "eboo", "vira"
]
"""Every engine; each is the module of this name in `coqui_server.engines`."""

NAMES = ", ".join(get_args(EngineName))


class EnginesSettings(Section):
    """Engines that may be asked for by request, beside `engine`, which always may."""

    enabled: Annotated[tuple[EngineName, ...], Listed] = Field((), description=f"a list of {NAMES}")
    """Engines that a request may ask for, beside `engine`. All are loaded at the start."""


class MoonshineSettings(Section):
    model: Path | None = Field(
        None, description="a folder with encoder_model.ort, decoder_model_merged.ort, tokenizer.bin"
    )
    """The folder of another Moonshine model than the English one of the package."""


class VoskSettings(Section):
    model: str = Field(
        "vosk-model-small-en-us-0.15",
        min_length=1,
        description="a model's folder, or a name that Vosk's own downloader knows",
    )
    """The model: a folder, or a name to download into `models.path`."""
    alternatives: int = Field(0, ge=0, le=20, description="a whole number, 0 to 20")
    """How many alternatives Vosk gives for each final; 0 for none."""
    phrases: tuple[str, ...] = Field((), description='a list of phrases, such as ["yes", "no"]')
    """Only these phrases are recognised. A request may give its own. Empty: everything."""


class WhisperSettings(Section):
    """`device` and `compute` are CTranslate2's."""

    model: str = Field(
        "tiny.en", min_length=1, description="the name of a Whisper model, or a model's folder"
    )
    """The model: a folder, or a name in `models.path`."""
    language: str | None = Field(None, description="a language such as en, or null to detect it")
    """The language that is spoken; null lets Whisper detect it."""
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto, cpu or cuda")
    """Where CTranslate2 computes."""
    compute: Literal["auto", "int8", "int8_float16", "int16", "float16", "float32"] = Field(
        "auto", description="auto, int8, int8_float16, int16, float16 or float32"
    )
    """The number type that CTranslate2 computes with."""
    beam: int = Field(1, ge=1, le=10, description="a whole number, 1 to 10")
    """The width of the beam search. More takes longer."""


class CoquiSettings(Section):
    model: Path | None = Field(None, description="a .tflite file")
    """The model. Without one, the engine recognises spoken English digits. With one, and without
    `engine`, the engine is coqui."""
    scorer: Path | None = Field(None, description="a .scorer file")
    """The language model that belongs to it. The digits have their own."""
    beam_width: int | None = Field(None, ge=1, le=10_000, description="a whole number, 1 to 10000")
    """The width of the beam search; null is the model's own."""
    alpha: float | None = Field(None, description="a number, together with coqui.beta")
    """The weight of the scorer; null is the scorer's own."""
    beta: float | None = Field(None, description="a number, together with coqui.alpha")
    """The bonus for each word; null is the scorer's own."""
    hot_words: Annotated[dict[str, float], BeforeValidator(unquoted)] = Field(
        {}, description="words with what makes them likelier, such as { nine = 5, oh = -3 }"
    )
    """Words that are made more likely (above 0) or less likely (below 0)."""


def _key(variable: str) -> Any:
    """A service's key: that of the environment, unless the file gives one (by an include)."""

    def found() -> SecretStr | None:
        return SecretStr(value) if (value := os.environ.get(variable)) else None

    return Field(default_factory=found, description=f"a key; left out, it is ${variable}")


class RemoteSettings(Section):
    """What all remote engines have. `deadline` counts from when a transcription's turn comes."""

    key: Key = None
    """The key of the service. It is never logged."""
    base_url: str | None = Field(
        None, pattern=ADDRESS, description="an address such as https://host/path"
    )
    """The address of the service; null is its own."""
    requests: int = Field(4, ge=1, le=1000, description="a whole number, at least 1")
    """How many requests may run at once."""
    deadline: Duration = Field(
        120.0, gt=0, description='a duration such as "2 minutes", more than 0'
    )
    """The longest that one transcription may take, with all its requests."""
    retries: int = Field(3, ge=0, le=20, description="a whole number, 0 to 20")
    """How often a request is repeated after a failure that may pass."""


class OpenaiSettings(RemoteSettings):
    """25 MB is the service's limit for a file, 13 minutes. It has announced to end whisper-1 on
    2027-02-26; of the models that stay none gives word times."""

    key: Key = _key("OPENAI_API_KEY")
    """The key of the service. It is never logged."""
    model: str = Field("whisper-1", min_length=1, description="a model's name")
    """The model that the service is asked for."""
    language: str | None = Field(None, min_length=2, description='a language such as "en"')
    """The language that is spoken; null lets the service detect it."""
    chunk: Duration = Field(60.0, ge=5, le=780, description='a duration, "5 s" to "13 minutes"')
    """The most sound in one request."""


class DeepgramSettings(RemoteSettings):
    key: Key = _key("DEEPGRAM_API_KEY")
    """The key of the service. It is never logged."""
    model: str = Field("nova-3", min_length=1, description="a model's name")
    """The model that the service is asked for."""
    language: str | None = Field(None, min_length=2, description='a language such as "en"')
    """The language that is spoken; null is the service's default."""
    chunk: Duration = Field(60.0, ge=5, le=3600, description='a duration, "5 s" to "1 hour"')
    """The most sound in one request."""
    endpointing: Duration = Field(0.3, ge=0.01, le=10, description='a duration, "10 ms" to "10 s"')
    """Live: the silence after which the service ends an utterance."""
    utterance_end: Duration = Field(1.0, ge=1, le=5, description='a duration, "1 s" to "5 s"')
    """Live: the gap between words after which the service ends an utterance."""
    unanswered: Duration = Field(60.0, ge=10, le=600, description='a duration, "10 s" to "10 m"')
    """Live: the most sound that is kept to be sent again over a new connection."""


class ScribeSettings(RemoteSettings):
    key: Key = _key("SCRIBE_TOKEN")
    """The key of the service. It is never logged."""
    base_url: str = Field(
        "https://api.metisai.ir", pattern=ADDRESS, description="an address such as https://host"
    )
    """The address of the service."""
    provider: str = Field("elevenlabs", min_length=1, description="who has the model")
    """The provider whose model the service is asked for."""
    model: str = Field("scribe_v1", min_length=1, description="a model's name")
    """The model that the service is asked for."""
    argument: str = Field("file", min_length=1, description="what the file's address is called")
    """The name of the argument with the file's address. The service does not document it."""
    language: str | None = Field(None, min_length=2, description='a language such as "fa"')
    """The language that is spoken; null lets the service detect it."""
    poll: Duration = Field(5.0, ge=0.1, le=60, description='a duration, "100 ms" to "1 m"')
    """How often the service is asked if the result is there."""
    deadline: Duration = Field(
        600.0, gt=0, description='a duration such as "10 minutes", more than 0'
    )
    """The longest that one transcription may take, with all its requests."""
    chunk: Duration = Field(120.0, ge=5, le=600, description='a duration, "5 s" to "10 minutes"')
    """The most sound in one request."""


class EbooSettings(RemoteSettings):
    key: Key = _key("EBOO_TOKEN")
    """The key of the service. It is never logged."""
    base_url: str = Field(
        "https://www.eboo.ir", pattern=ADDRESS, description="an address such as https://host"
    )
    """The address of the service."""
    language: str = Field("fa", min_length=2, description='a language such as "fa"')
    """The language that is spoken."""
    poll: Duration = Field(3.0, ge=0.1, le=60, description='a duration, "100 ms" to "1 m"')
    """How often the service is asked if the result is there."""
    deadline: Duration = Field(
        600.0, gt=0, description='a duration such as "10 minutes", more than 0'
    )
    """The longest that one transcription may take, with all its requests."""
    chunk: Duration = Field(120.0, ge=5, le=480, description='a duration, "5 s" to "8 minutes"')
    """The most sound in one request."""


class ViraSettings(RemoteSettings):
    key: Key = _key("VIRA_TOKEN")
    """The key of the service. It is never logged."""
    base_url: str = Field(
        "https://partai.gw.isahab.ir/avanegar/v2/avanegar",
        pattern=ADDRESS,
        description="an address such as https://host/path",
    )
    """The address of the service."""
    model: str = Field("default", min_length=1, description="default or telephony")
    """The model that the service is asked for; `telephony` is for calls."""
    # One client cites the vendor for "under 60 s", one cuts to 50 s, one sends 300 s.
    chunk: Duration = Field(50.0, ge=5, le=300, description='a duration, "5 s" to "5 minutes"')
    """The most sound in one request."""


class ModelsSettings(Section):
    path: Path = Field(Path("models"), description="the folder models are kept in")
    """The folder that models are downloaded to and looked for in."""
