"""Settings of sound on its way to a recogniser: reading files, level, voice activity, partials."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from coqui_server.config.section import Duration, Section

Kind = Literal["file", "live", "rtp"]
"""Where a session's sound comes from."""

ChannelMode = Literal["auto", "mix", "split"]
"""What becomes of the channels of a file."""


def _frame_that_webrtcvad_takes(seconds: float) -> float:
    if round(seconds * 1000, 6) not in (10, 20, 30):
        raise ValueError(seconds)
    return seconds


class AudioSettings(Section):
    sample_rate: Literal[16_000] = Field(
        16_000, description="16000: every engine runs at it, and any input is resampled to it"
    )
    """The rate at which everything is decoded. It cannot be changed."""
    frame_duration: Annotated[Duration, AfterValidator(_frame_that_webrtcvad_takes)] = Field(
        0.02, description="10 ms, 20 ms or 30 ms, the frames webrtcvad takes"
    )
    """The length of the frames in which voice activity is looked for."""
    highpass: float = Field(150.0, ge=0, le=300, description="hertz, 0 (off) to 300")
    """Frequencies below this are taken away, where hum or rumble hides the speech."""
    channels: ChannelMode = Field("auto", description="auto, mix or split")
    """The channels of a file, up to 8. auto: each by itself where they have different people, mixed
    where they have the same sound. mix: always together. split: each by itself."""
    max_duration: Duration = Field(
        12 * 3600.0, gt=0, description='a duration such as "12 hours", more than 0'
    )
    """The longest file that is accepted. A longer one is refused with `too_large`."""


class LevelSettings(Section):
    """Speech quieter than `target` is raised to it, by at most `max_gain`; never lowered."""

    target: float = Field(-23.0, ge=-60, le=-6, description="dBFS, -60 to -6")
    """Quiet speech is raised to this level. Loud speech is not lowered."""
    max_gain: float = Field(30.0, ge=0, le=60, description="decibels, 0 (off) to 60")
    """The most that is added to quiet speech; 0 switches levelling off."""


class SilenceSettings(Section):
    """The silence that ends an utterance. For a live source it is waited for, so it is latency."""

    file: Duration = Field(1.2, ge=0.1, le=10, description='a duration, "100 ms" to "10 s"')
    """The silence that ends an utterance of a file."""
    live: Duration = Field(0.5, ge=0.1, le=10, description='a duration, "100 ms" to "10 s"')
    """The silence that ends an utterance of a live session or a call. The final waits for it.

    Where it is not set, and the engine writes punctuation, it is 200 ms after a sentence that is
    surely finished, and 800 ms after one that is not."""


class VadSettings(Section):
    mode: int = Field(0, ge=0, le=3, description="webrtcvad's mode, 0 to 3")
    """How strict the voice activity detector is: 0 finds most speech, 3 drops most noise."""
    padding: Duration = Field(0.3, ge=0.03, le=5, description='a duration, "30 ms" to "5 s"')
    """The window that is looked at to begin an utterance. It is kept as the lead-in."""
    ratio: float = Field(0.5, ge=0, lt=1, description="a fraction, 0 to below 1")
    """An utterance begins when more than this share of the window is voiced."""
    silence: SilenceSettings = Field(
        SilenceSettings(),
        description="a duration for every source, or { file = 800 ms, live = 500 ms }",
    )
    """The silence that ends an utterance: one value for all, or one for each kind."""
    stall: Duration | None = Field(
        None, ge=0.1, le=86_400, description='a duration, "100 ms" to "24 hours"'
    )
    """A live source that sends nothing for so long is taken for silent, and its utterance ends;
    null: for as long as `silence.live`."""
    max_utterance: Duration = Field(20.0, ge=2, le=60, description='a duration, "2 s" to "60 s"')
    """A longer utterance is cut at the quietest place of its last seconds."""
    speech_per_word: Duration = Field(0.1, ge=0, le=1, description='a duration, 0 (off) to "1 s"')
    """How much speech there must be in an utterance for each word of its text. A text with less was
    made up, out of music or ringing perhaps, and is dropped. Half of it is enough where the engine
    is sure of the text, and the double is needed where that repeats itself. 0 keeps all texts."""

    @model_validator(mode="before")
    @classmethod
    def _one_silence_for_all(cls, data: Any) -> Any:
        if isinstance(data, dict) and not isinstance(
            data.get("silence", {}), dict | SilenceSettings
        ):
            return {**data, "silence": {"file": data["silence"], "live": data["silence"]}}
        return data

    def closing(self, *, live: bool) -> tuple[float, float]:
        """The window (seconds) that ends an utterance and the share of it that must be silent.

        The older server had one window for both ends, `padding` with `ratio`. A file that sets
        `padding` and says nothing of `silence` gets that.
        """
        if "padding" in self.model_fields_set and "silence" not in self.model_fields_set:
            return self.padding, self.ratio
        return (self.silence.live if live else self.silence.file), 0.9

    @property
    def adaptive(self) -> bool:
        """Whether what is said decides how long a live speaker may pause: no silence is set."""
        older = "padding" in self.model_fields_set and "silence" not in self.model_fields_set
        return not older and "live" not in self.silence.model_fields_set

    @property
    def stalled(self) -> float:
        """Seconds by the clock after which a live source that sends nothing is taken for silent."""
        return self.closing(live=True)[0] if self.stall is None else self.stall


class PartialSettings(Section):
    pace: Duration = Field(0.5, gt=0, description='a duration such as "500 ms", more than 0')
    """How much new speech there is between two partials of an utterance."""


class FfmpegSettings(Section):
    path: Path | None = Field(None, description="the ffmpeg program")
    """The program that reads audio and video files. Without it, the system's ffmpeg, or
    else the one that comes with the installation."""
    timeout: Duration = Field(60.0, gt=0, description='a duration such as "60 s", more than 0')
    """How long ffmpeg may neither read nor write before the file fails."""
