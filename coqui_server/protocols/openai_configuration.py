"""The configuration of a session of OpenAI's Realtime protocol, and what it means here. No I/O.

Names are those of `openai.types.realtime` and, in the older form, `openai.types.beta.realtime`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coqui_server.config.speakers import Speakers
from coqui_server.engines import Engines
from coqui_server.engines.base import AnyEngine, Options
from coqui_server.exports.openai import Json
from coqui_server.protocols import openai_models

ENCODINGS = {"audio/pcm": "linear16", "audio/pcmu": "mulaw", "audio/pcma": "alaw"}
OLDER_FORMATS = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}
AGREEING = {"minimal": 2, "low": 2, "medium": 3, "high": 4, "xhigh": None}
"""By `delay`: how many partials in a row must have a word before it is told; None: only finals."""

_PATIENT = 1.2
"""Seconds of silence that end a turn with low eagerness: as long as in a file."""

_SHORTEST, _LONGEST = 0.1, 10.0
"""Seconds of silence that can end a turn."""

_LOGPROBS = "item.input_audio_transcription.logprobs"


@dataclass(frozen=True)
class Configuration:
    """The configuration of a session.

    Attributes:
        format: of the sound: `audio/pcm`, `audio/pcmu` or `audio/pcma`.
        rate: of `audio/pcm`, in hertz.
        transcription: what was said of `model`, `language`, `prompt`, `keywords`, `delay`.
        turn_detection: its `type` and values; None if the client ends each turn.
        noise_reduction: is only told back.
        include: names what is wanted besides.
    """

    format: str = "audio/pcm"
    rate: int = 24_000
    transcription: Mapping[str, Any] = field(default_factory=dict)
    turn_detection: Mapping[str, Any] | None = field(default_factory=lambda: {"type": "server_vad"})
    noise_reduction: Mapping[str, Any] | None = None
    include: tuple[str, ...] = ()

    def described(self, id: str, *, older: bool) -> Json:
        """The session object of an event.

        Args:
            older: in the form of the beta.
        """
        about: Json = {"id": id, "object": "realtime.transcription_session"}
        include = list(self.include) or None
        if older:
            names = {name: older for older, name in OLDER_FORMATS.items()}
            return {
                **about,
                "input_audio_format": names[self.format],
                "input_audio_transcription": self.transcription,
                "input_audio_noise_reduction": self.noise_reduction,
                "turn_detection": self.turn_detection,
                "include": include,
            }
        rate = {} if self.sample_rate is None else {"rate": self.sample_rate}
        heard = {
            "format": {"type": self.format, **rate},
            "transcription": self.transcription,
            "noise_reduction": self.noise_reduction,
            "turn_detection": self.turn_detection,
        }
        return {**about, "type": "transcription", "audio": {"input": heard}, "include": include}

    def engine(self, engines: Engines) -> AnyEngine:
        """The engine that the model names.

        Raises:
            BadRequest: there is none, or it does not know the language.
        """
        name = openai_models.engine(engines, self.transcription.get("model"))
        return engines.get(name, self.transcription.get("language"))

    @property
    def options(self) -> Options:
        """For an engine."""
        said = self.transcription
        return Options(
            terms=said.get("keywords", ()),
            language=said.get("language"),
            prompt=said.get("prompt"),
        )

    @property
    def encoding(self) -> str:
        """Of the sound, as `RawFormat` names it."""
        return ENCODINGS[self.format]

    @property
    def sample_rate(self) -> int | None:
        """Of the sound; None for the usual one of its encoding."""
        return self.rate if self.format == "audio/pcm" else None

    @property
    def speakers(self) -> Speakers | None:
        """Whether they are told apart; None if the configuration does not say."""
        return "auto" if openai_models.diarizes(self.transcription.get("model")) else None

    @property
    def agreeing(self) -> int | None:
        """How many partials in a row must have a word before it is told; None: only finals are."""
        return AGREEING[self.transcription.get("delay", "medium")]

    @property
    def silence(self) -> float | None:
        """Seconds of silence that end a turn; None for those of the server, which depend on what is
        said."""
        turns = self.turn_detection or {}
        if turns.get("eagerness") == "low":
            return _PATIENT
        asked = turns.get("silence_duration_ms")
        return None if asked is None else min(max(asked / 1000, _SHORTEST), _LONGEST)

    @property
    def logprobs(self) -> bool:
        """Whether they are wanted."""
        return _LOGPROBS in self.include
