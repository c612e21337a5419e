"""What `application.conf` may say: typed, validated, frozen.

Durations are seconds and sizes are bytes once loaded. In the file both take HOCON's units
("300 ms", "64 MiB"); a bare number is milliseconds or bytes, as HOCON has it. Each field's
description is what an error message calls "allowed".
"""

from pydantic import Field

from coqui_server.config.audio import (
    AudioSettings,
    FfmpegSettings,
    LevelSettings,
    PartialSettings,
    VadSettings,
)
from coqui_server.config.auth import AuthSettings
from coqui_server.config.cluster import ClusterSettings
from coqui_server.config.engines import (
    NAMES,
    CoquiSettings,
    DeepgramSettings,
    EbooSettings,
    EngineName,
    EnginesSettings,
    ModelsSettings,
    MoonshineSettings,
    OpenaiSettings,
    ScribeSettings,
    ViraSettings,
    VoskSettings,
    WhisperSettings,
)
from coqui_server.config.rtp import RtpSettings
from coqui_server.config.section import Section
from coqui_server.config.server import LogSettings, ServerSettings
from coqui_server.config.speakers import MOST, Speakers
from coqui_server.config.store import JobsSettings, StoreSettings
from coqui_server.config.text import TextSettings
from coqui_server.config.web import WebSettings
from coqui_server.config.wyoming import WyomingSettings


class Settings(Section):
    """The whole of `application.conf`, with defaults for what it leaves out."""

    engine: EngineName = Field("moonshine", description=NAMES)
    """The engine for requests that do not ask for another one."""
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
    wyoming: WyomingSettings = WyomingSettings()
    auth: AuthSettings = AuthSettings()
    rtp: RtpSettings = RtpSettings()
    partials: PartialSettings = PartialSettings()
    text: TextSettings = TextSettings()
    speakers: Speakers = Field("off", description=f"off, auto, or a number from 1 to {MOST}")
    """Who says what where people share a channel. auto: as many people as are heard. A number: so
    many. Requests choose with `speakers`."""
    ffmpeg: FfmpegSettings = FfmpegSettings()
    models: ModelsSettings = ModelsSettings()
    store: StoreSettings = StoreSettings()
    jobs: JobsSettings = JobsSettings()
    cluster: ClusterSettings = ClusterSettings()
    log: LogSettings = LogSettings()
