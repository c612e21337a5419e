"""What `application.conf` may say: typed, validated, frozen.

Durations are seconds and sizes are bytes once loaded. In the file both take HOCON's units
("300 ms", "64 MiB"); a bare number is milliseconds or bytes, as HOCON has it. Each field's
description is what an error message calls "allowed".
"""

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, IPvAnyNetwork, model_validator

from coqui_server.auth_settings import AuthSettings
from coqui_server.engine_settings import (
    NAMES,
    CoquiSettings,
    DeepgramSettings,
    EbooSettings,
    EngineName,
    EnginesSettings,
    MoonshineSettings,
    OpenaiSettings,
    ScribeSettings,
    ViraSettings,
    VoskSettings,
    WhisperSettings,
)
from coqui_server.rtp import formats
from coqui_server.section import ADDRESS, Duration, Key, Section, Size, unquoted
from coqui_server.store_settings import JobsSettings, StoreSettings
from coqui_server.web_settings import WebSettings

Kind = Literal["file", "live", "rtp"]
"""Where a session's sound comes from."""

SAMPLE_RATE = 16_000
"""Hertz. Every recogniser here takes 16 kHz, so all sound is brought to it on the way in."""


def _frame_that_webrtcvad_takes(seconds: float) -> float:
    if round(seconds * 1000, 6) not in (10, 20, 30):
        raise ValueError(seconds)
    return seconds


def _encoding(value: Any) -> Any:
    return formats.Format.parse(value) if isinstance(value, str) else value


def _range(value: Any) -> Any:
    """ "40000-40999" as (40000, 40999)."""
    if isinstance(value, str):
        first, _, last = value.partition("-")
        return int(first), int(last or first)
    return value


def _ascending(value: tuple[int, int]) -> tuple[int, int]:
    if not 1024 <= value[0] < value[1] <= 65535:
        raise ValueError(value)
    return value


Encoding = Annotated[formats.Format, BeforeValidator(_encoding)]
PayloadType = Annotated[int, Field(ge=0, le=127)]
Ports = Annotated[tuple[int, int], BeforeValidator(_range), AfterValidator(_ascending)]


class AudioSettings(Section):
    sample_rate: Literal[16_000] = Field(
        16_000, description="16000: every engine runs at it, and any input is resampled to it"
    )
    frame_duration: Annotated[Duration, AfterValidator(_frame_that_webrtcvad_takes)] = Field(
        0.02, description="10 ms, 20 ms or 30 ms, the frames webrtcvad takes"
    )
    max_duration: Duration = Field(
        12 * 3600.0, gt=0, description='a duration such as "12 hours", more than 0'
    )


class LevelSettings(Section):
    """Speech quieter than `target` is raised to it, by at most `max_gain`; never lowered."""

    target: float = Field(-23.0, ge=-60, le=-6, description="dBFS, -60 to -6")
    max_gain: float = Field(30.0, ge=0, le=60, description="decibels, 0 (off) to 60")


class SilenceSettings(Section):
    """The silence that ends an utterance. For a live source it is waited for, so it is latency."""

    file: Duration = Field(0.8, ge=0.1, le=10, description='a duration, "100 ms" to "10 s"')
    live: Duration = Field(0.5, ge=0.1, le=10, description='a duration, "100 ms" to "10 s"')


class VadSettings(Section):
    mode: int = Field(0, ge=0, le=3, description="webrtcvad's mode, 0 (hears most) to 3")
    padding: Duration = Field(0.3, ge=0.03, le=5, description='a duration, "30 ms" to "5 s"')
    ratio: float = Field(0.5, ge=0, lt=1, description="a fraction, 0 to below 1")
    silence: SilenceSettings = Field(
        SilenceSettings(),
        description="a duration for every source, or { file = 800 ms, live = 500 ms }",
    )
    max_utterance: Duration = Field(20.0, ge=2, le=60, description='a duration, "2 s" to "60 s"')

    @model_validator(mode="before")
    @classmethod
    def _one_silence_for_all(cls, data: Any) -> Any:
        if isinstance(data, dict) and not isinstance(
            data.get("silence", {}), dict | SilenceSettings
        ):
            return {**data, "silence": {"file": data["silence"], "live": data["silence"]}}
        return data

    def closing(self, kind: Kind) -> tuple[float, float]:
        """The window (seconds) that ends an utterance and the share of it that must be silent.

        The older server had one window for both ends, `padding` with `ratio`. A file that sets
        `padding` and says nothing of `silence` gets that.
        """
        if "padding" in self.model_fields_set and "silence" not in self.model_fields_set:
            return self.padding, self.ratio
        return (self.silence.file if kind == "file" else self.silence.live), 0.9


class HttpSettings(Section):
    host: str = Field("127.0.0.1", min_length=1, description="an address of this machine")
    port: int = Field(5004, ge=0, le=65535, description="a port, 1 to 65535, or 0 for any free one")
    extra_ports: tuple[Annotated[int, Field(ge=0, le=65535)], ...] = Field(
        (), description="more ports to listen on, such as [2700]"
    )


class ThreadpoolSettings(Section):
    count: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=1024,
        description="the number of decoder threads, 1 to 1024",
    )


class WebsocketSettings(Section):
    max_size: Size = Field(2_000_000_000, gt=0, description='a size such as "2 GB", more than 0')
    max_frame: Size = Field(64 * 2**20, gt=0, description='a size such as "64 MiB", more than 0')

    @property
    def frame_limit(self) -> int | None:
        """Bytes one frame may have. A file sent in fragments may be larger than this.

        No limit for messages means none for frames: the older server's clients send a whole file
        as one frame, and its "no limit" let them.
        """
        unlimited = self.max_size is None and "max_frame" not in self.model_fields_set
        return None if unlimited else self.max_frame


class ServerSettings(Section):
    http: HttpSettings = HttpSettings()
    threadpool: ThreadpoolSettings = Field(default_factory=ThreadpoolSettings)
    websocket: WebsocketSettings = WebsocketSettings()
    max_sessions: int = Field(64, ge=1, le=100_000, description="a whole number, at least 1")
    idle: Duration = Field(60.0, gt=0, description='a duration such as "60 s", more than 0')
    unread: Duration = Field(10.0, gt=0, description='a duration such as "10 s", more than 0')
    origins: tuple[str, ...] = Field(
        (), description='the web sites whose pages may connect, such as ["https://host"], or ["*"]'
    )
    drain: Duration = Field(10.0, ge=0, description='a duration such as "10 s"')


class PartialSettings(Section):
    pace: Duration = Field(0.5, gt=0, description='a duration such as "500 ms", more than 0')


class WebhookSettings(Section):
    """Where finals and the ends of calls are posted to."""

    url: str | None = Field(
        None, pattern=ADDRESS, description="an address such as https://host/path"
    )
    secret: Key = Field(None, description="what to sign with")
    timeout: Duration = Field(10.0, gt=0, description='a duration such as "10 s", more than 0')
    retries: int = Field(5, ge=0, le=20, description="a whole number, 0 to 20")
    queue: int = Field(1000, ge=1, le=1_000_000, description="a whole number, at least 1")

    @model_validator(mode="before")
    @classmethod
    def _only_an_address(cls, data: Any) -> Any:
        return {"url": data} if isinstance(data, str) else data


class NamedStreamSettings(Section):
    """A stream the operator knows before it comes: what it looks like, and its names."""

    source: str | None = None
    ssrc: int | None = Field(None, ge=0, lt=2**32)
    call: str | None = Field(None, min_length=1)
    label: str | None = Field(None, min_length=1)
    codec: Encoding | None = None

    @model_validator(mode="after")
    def _matches_something(self) -> "NamedStreamSettings":
        if self.source is None and self.ssrc is None:
            raise ValueError("source or ssrc")
        return self

    def matches(self, address: tuple[str, int], ssrc: int) -> bool:
        """Whether a stream of this source is meant."""
        sources = (None, address[0], f"{address[0]}:{address[1]}")
        return self.source in sources and self.ssrc in (None, ssrc)


class RtpSettings(Section):
    enabled: bool = Field(True, description="true or false")
    host: str = Field("127.0.0.1", min_length=1, description="an address of this machine")
    port: int = Field(5004, ge=0, le=65534, description="a port, 1 to 65534, or 0 for any free one")
    advertise: str | None = Field(
        None, min_length=1, description="the address that gateways are told to send calls to"
    )
    ports: Ports = Field(
        (40000, 40999), description='the ports calls are reserved on, such as "40000-40999"'
    )
    allow: tuple[IPvAnyNetwork, ...] = Field(
        (ip_network("127.0.0.0/8"),),
        description='the networks that may send, such as ["127.0.0.0/8", "10.1.0.0/16"]',
    )
    jitter: Duration = Field(0.06, ge=0, le=1, description='a duration, "0 ms" to "1 s"')
    idle: Duration = Field(10.0, ge=0.5, description='a duration such as "10 s", at least 500 ms')
    max_calls: int = Field(50, ge=1, le=100_000, description="a whole number, at least 1")
    codecs: Annotated[dict[PayloadType, Encoding], BeforeValidator(unquoted)] = Field(
        {}, description=f"payload types, 0 to 127, with {formats.ALLOWED}"
    )
    byte_order: Literal["detect", "network", "host"] = Field(
        "detect", description="detect, network or host, the byte order of L16"
    )
    streams: tuple[NamedStreamSettings, ...] = Field(
        (),
        description="a list of { source = address or address:port, ssrc = number (one of the two), "
        "call, label, codec }",
    )
    webhook: WebhookSettings = Field(
        WebhookSettings(), description="an address, or { url, secret, timeout, retries, queue }"
    )


class FfmpegSettings(Section):
    path: Path | None = Field(None, description="the ffmpeg program")
    timeout: Duration = Field(60.0, gt=0, description='a duration such as "60 s", more than 0')


class ModelsSettings(Section):
    path: Path = Field(Path("models"), description="the folder models are kept in")


class LogSettings(Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR"
    )


class Settings(Section):
    """The whole of `application.conf`, with defaults for what it leaves out."""

    engine: EngineName = Field("moonshine", description=NAMES)
    engines: EnginesSettings = EnginesSettings()
    audio: AudioSettings = AudioSettings()
    level: LevelSettings = LevelSettings()
    vad: VadSettings = VadSettings()
    moonshine: MoonshineSettings = MoonshineSettings()
    vosk: VoskSettings = VoskSettings()
    whisper: WhisperSettings = WhisperSettings()
    coqui: CoquiSettings = CoquiSettings()
    openai: OpenaiSettings = Field(default_factory=OpenaiSettings)
    deepgram: DeepgramSettings = Field(default_factory=DeepgramSettings)
    scribe: ScribeSettings = Field(default_factory=ScribeSettings)
    eboo: EbooSettings = Field(default_factory=EbooSettings)
    vira: ViraSettings = Field(default_factory=ViraSettings)
    server: ServerSettings = Field(default_factory=ServerSettings)
    web: WebSettings = WebSettings()
    auth: AuthSettings = AuthSettings()
    rtp: RtpSettings = RtpSettings()
    partials: PartialSettings = PartialSettings()
    ffmpeg: FfmpegSettings = FfmpegSettings()
    models: ModelsSettings = ModelsSettings()
    store: StoreSettings = StoreSettings()
    jobs: JobsSettings = JobsSettings()
    log: LogSettings = LogSettings()
