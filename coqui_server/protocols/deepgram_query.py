"""What the address of a request to Deepgram's `/v1/listen` asks for. No I/O.

Its live and its prerecorded surface share it. Names are Deepgram's:
https://developers.deepgram.com/reference/speech-to-text/listen-streaming
Unknown ones are ignored, as clients send more than any server knows, and so are features that
no engine here has (`redact`, `summarize`, `search`).
"""

from urllib.parse import parse_qs

from coqui_server.config.speakers import Speakers
from coqui_server.config.text import TextFormat
from coqui_server.engines import Engines
from coqui_server.engines.base import AnyEngine, Options
from coqui_server.exceptions import BadRequest
from coqui_server.media.raw import RawFormat
from coqui_server.transcription.channels import MOST
from coqui_server.transcription.wishes import FileWishes

_WRITTEN = ("smart_format", "punctuate", "numerals")
"""Any of these asks for text as people write it."""

_CONTAINERS = ("flac", "ogg-opus", "speex", "amr-nb", "amr-wb")
"""Encodings that come with a header, from which ffmpeg finds out all that it needs."""

_SHORTEST, _LONGEST = 100, 10_000
"""Milliseconds of silence that can end an utterance."""

_MOST_TERMS = 100


class Query:
    """The query of an address.

    Raises, for a value that is not taken:
        BadRequest: the message says what is.
    """

    def __init__(self, query: str) -> None:
        self._values = parse_qs(query)

    def text(self, name: str) -> str | None:
        """A value; the last one if there are several."""
        return self._values.get(name, [None])[-1]

    def flag(self, name: str) -> bool:
        """Whether something is asked for. Some versions of the SDK send `True`."""
        return (self.text(name) or "").lower() == "true"

    @property
    def format(self) -> TextFormat:
        """Of the text: the engine's own, unless the request wants punctuation or figures."""
        return "readable" if any(map(self.flag, _WRITTEN)) else "verbatim"

    @property
    def language(self) -> str | None:
        """A BCP 47 tag; None if the engine is to find out, or to take its own."""
        asked = self.text("language")
        return None if asked == "multi" or self.flag("detect_language") else asked

    def engine(self, engines: Engines) -> AnyEngine:
        """The engine that the model names, or else the first that knows the language. Deepgram's
        own models are not here, and clients must name one of them."""
        model = self.text("model")
        if any(model in (engine.name, engine.model) for engine in engines):
            return engines.get(model, self.language)
        return engines.knowing(self.language)

    @property
    def speakers(self) -> Speakers | None:
        """Whether they are told apart; None if the query does not say."""
        return "auto" if self.flag("diarize") else None

    @property
    def wishes(self) -> FileWishes:
        """For a file."""
        return FileWishes(
            self.format,
            self.speakers,
            self.terms,
            channels="split" if self.flag("multichannel") else "mix",
            raw=self.raw,
        )

    @property
    def options(self) -> Options:
        """For an engine."""
        return Options(terms=self.terms, language=self.language)

    @property
    def terms(self) -> tuple[str, ...]:
        """`keyterm`, and `keywords` without their boost (`term:2`)."""
        boosted = [word.partition(":")[0] for word in self._values.get("keywords", [])]
        terms = [*self._values.get("keyterm", []), *boosted]
        if len(terms) > _MOST_TERMS:
            raise BadRequest(f"there may be {_MOST_TERMS} key terms")
        return tuple(terms)

    @property
    def channels(self) -> int:
        """Of the sound."""
        return self._number("channels", 1, MOST) or 1

    @property
    def streams(self) -> int:
        """Of results: one for each channel if they are to be heard apart."""
        return self.channels if self.flag("multichannel") else 1

    @property
    def raw(self) -> RawFormat | None:
        """The format of sound without a header; None for sound with one."""
        encoding = self.text("encoding")
        if encoding is None or encoding in _CONTAINERS:
            return None
        rate = self._number("sample_rate", 1, 1_000_000)
        # A decoder of Opus gives one channel, whatever its packets have.
        together = encoding == "opus" and self.streams == 1
        return RawFormat.of(encoding, rate, 1 if together else self.channels)

    @property
    def silence(self) -> float | None:
        """Seconds of `endpointing` that end an utterance; None for those of the configuration.

        Deepgram's model goes on where an endpoint has cut; ours hears each utterance by itself, and
        pauses within words would cut those. So what is shorter than that is not taken literally.
        """
        if not self.endpointing:
            return None
        asked = self._number("endpointing", 0, 600_000)
        return None if asked is None or asked < _SHORTEST else min(asked, _LONGEST) / 1000

    @property
    def endpointing(self) -> bool:
        """Whether results say that the speaker paused."""
        return (self.text("endpointing") or "").lower() != "false"

    @property
    def utterance_end(self) -> float | None:
        """Seconds after the last word when `UtteranceEnd` is due; None if it is not wanted."""
        asked = self._number("utterance_end_ms", 0, 600_000)
        return None if asked is None else asked / 1000

    def check(self, engines: Engines) -> None:
        """Look at all values. Raises BadRequest for the first that is not taken."""
        self.engine(engines)
        _ = self.options, self.raw, self.streams, self.silence, self.utterance_end

    def _number(self, name: str, lowest: int, highest: int) -> int | None:
        text = self.text(name)
        if text is None or text.lower() in ("false", "true"):
            return None
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
        if not lowest <= number <= highest:
            raise BadRequest(f"{name} is a whole number, {lowest} to {highest}")
        return number
