"""What `application.conf` may say of engines. A service's key is never shown by its settings."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, SecretStr

from coqui_server.config.section import ADDRESS, Duration, Key, Section, unquoted

EngineName = Literal[
    "moonshine", "vosk", "coqui", "whisper", "openai", "deepgram", "scribe", "eboo", "vira"
]
"""Every engine; each is the module of this name in `coqui_server.engines`."""

NAMES = ", ".join(get_args(EngineName))


class EnginesSettings(Section):
    """Engines that may be asked for by request, beside `engine`, which always may."""

    enabled: tuple[EngineName, ...] = Field((), description=f"a list of {NAMES}")


class MoonshineSettings(Section):
    model: Path | None = Field(
        None, description="a folder with encoder_model.ort, decoder_model_merged.ort, tokenizer.bin"
    )


class VoskSettings(Section):
    model: str = Field(
        "vosk-model-small-en-us-0.15",
        min_length=1,
        description="a model's folder, or a name that Vosk's own downloader knows",
    )
    alternatives: int = Field(0, ge=0, le=20, description="a whole number, 0 to 20")
    phrases: tuple[str, ...] = Field((), description='a list of phrases, such as ["yes", "no"]')


class WhisperSettings(Section):
    """`device` and `compute` are CTranslate2's."""

    model: str = Field(
        "tiny.en", min_length=1, description="the name of a Whisper model, or a model's folder"
    )
    language: str | None = Field(None, description="a language such as en, or null to detect it")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto, cpu or cuda")
    compute: Literal["auto", "int8", "int8_float16", "int16", "float16", "float32"] = Field(
        "auto", description="auto, int8, int8_float16, int16, float16 or float32"
    )
    beam: int = Field(1, ge=1, le=10, description="a whole number, 1 to 10")


class CoquiSettings(Section):
    model: Path | None = Field(None, description="a .tflite file")
    scorer: Path | None = Field(None, description="a .scorer file")
    beam_width: int | None = Field(None, ge=1, le=10_000, description="a whole number, 1 to 10000")
    alpha: float | None = Field(None, description="a number, together with coqui.beta")
    beta: float | None = Field(None, description="a number, together with coqui.alpha")
    hot_words: Annotated[dict[str, float], BeforeValidator(unquoted)] = Field(
        {}, description="words with what makes them likelier, such as { nine = 5, oh = -3 }"
    )


def _key(variable: str) -> Any:
    """A service's key: that of the environment, unless the file gives one (by an include)."""

    def found() -> SecretStr | None:
        return SecretStr(value) if (value := os.environ.get(variable)) else None

    return Field(default_factory=found, description=f"a key; left out, it is ${variable}")


class RemoteSettings(Section):
    """What all remote engines have. `deadline` counts from when a transcription's turn comes."""

    key: Key = None
    base_url: str | None = Field(
        None, pattern=ADDRESS, description="an address such as https://host/path"
    )
    requests: int = Field(4, ge=1, le=1000, description="a whole number, at least 1")
    deadline: Duration = Field(
        120.0, gt=0, description='a duration such as "2 minutes", more than 0'
    )
    retries: int = Field(3, ge=0, le=20, description="a whole number, 0 to 20")


class OpenaiSettings(RemoteSettings):
    """25 MB is the service's limit for a file, 13 minutes. It has announced to end whisper-1 on
    2027-02-26; of the models that stay none gives word times."""

    key: Key = _key("OPENAI_API_KEY")
    model: str = Field("whisper-1", min_length=1, description="a model's name")
    language: str | None = Field(None, min_length=2, description='a language such as "en"')
    chunk: Duration = Field(60.0, ge=5, le=780, description='a duration, "5 s" to "13 minutes"')


class DeepgramSettings(RemoteSettings):
    key: Key = _key("DEEPGRAM_API_KEY")
    model: str = Field("nova-3", min_length=1, description="a model's name")
    language: str | None = Field(None, min_length=2, description='a language such as "en"')
    chunk: Duration = Field(60.0, ge=5, le=3600, description='a duration, "5 s" to "1 hour"')
    endpointing: Duration = Field(0.3, ge=0.01, le=10, description='a duration, "10 ms" to "10 s"')
    utterance_end: Duration = Field(1.0, ge=1, le=5, description='a duration, "1 s" to "5 s"')
    unanswered: Duration = Field(60.0, ge=10, le=600, description='a duration, "10 s" to "10 m"')


class ScribeSettings(RemoteSettings):
    key: Key = _key("SCRIBE_TOKEN")
    base_url: str = Field(
        "https://api.metisai.ir", pattern=ADDRESS, description="an address such as https://host"
    )
    provider: str = Field("elevenlabs", min_length=1, description="who has the model")
    model: str = Field("scribe_v1", min_length=1, description="a model's name")
    argument: str = Field("file", min_length=1, description="what the file's address is called")
    language: str | None = Field(None, min_length=2, description='a language such as "fa"')
    poll: Duration = Field(5.0, ge=0.1, le=60, description='a duration, "100 ms" to "1 m"')
    deadline: Duration = Field(
        600.0, gt=0, description='a duration such as "10 minutes", more than 0'
    )
    chunk: Duration = Field(120.0, ge=5, le=600, description='a duration, "5 s" to "10 minutes"')


class EbooSettings(RemoteSettings):
    key: Key = _key("EBOO_TOKEN")
    base_url: str = Field(
        "https://www.eboo.ir", pattern=ADDRESS, description="an address such as https://host"
    )
    language: str = Field("fa", min_length=2, description='a language such as "fa"')
    poll: Duration = Field(3.0, ge=0.1, le=60, description='a duration, "100 ms" to "1 m"')
    deadline: Duration = Field(
        600.0, gt=0, description='a duration such as "10 minutes", more than 0'
    )
    chunk: Duration = Field(120.0, ge=5, le=480, description='a duration, "5 s" to "8 minutes"')


class ViraSettings(RemoteSettings):
    key: Key = _key("VIRA_TOKEN")
    base_url: str = Field(
        "https://partai.gw.isahab.ir/avanegar/v2/avanegar",
        pattern=ADDRESS,
        description="an address such as https://host/path",
    )
    model: str = Field("default", min_length=1, description="default or telephony")
    # One client cites the vendor for "under 60 s", one cuts to 50 s, one sends 300 s.
    chunk: Duration = Field(50.0, ge=5, le=300, description='a duration, "5 s" to "5 minutes"')


class ModelsSettings(Section):
    path: Path = Field(Path("models"), description="the folder models are kept in")
