"""OpenAI's transcription API, and servers that speak it, through the official `openai` package."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from coqui_server import extras
from coqui_server.config.settings import Settings
from coqui_server.engines.base import Capabilities, Hypothesis, Options, base_language
from coqui_server.engines.remote import Pause, Turns, missing, refused, unanswered
from coqui_server.exceptions import ConfigError, ServiceError
from coqui_server.media import wav
from coqui_server.media.samples import Samples
from coqui_transcript.transcript import Word

if TYPE_CHECKING:
    from openai import OpenAIError


def capabilities(settings: Settings) -> Capabilities:
    """What the model can do; there is no list of its languages."""
    # Only Whisper models give word times; the others refuse a request for them.
    return Capabilities(words="whisper" in settings.openai.model, longest=settings.openai.chunk)


def check(settings: Settings) -> Iterator[ConfigError]:
    """What is missing, without asking the service."""
    yield from extras.missing("openai")
    yield from missing("openai", settings.openai, "OPENAI_API_KEY")


def load(settings: Settings) -> "OpenAi":
    """The engine. Nothing is sent until there is something to transcribe.

    Raises:
        ConfigError: the key or the package is missing.
    """
    for problem in check(settings):
        raise problem
    return OpenAi(settings)


class OpenAi:
    """One model of the service."""

    name = "openai"

    def __init__(self, settings: Settings, pause: Pause = asyncio.sleep) -> None:
        # It takes two seconds to import.
        from openai import AsyncOpenAI

        self._settings = settings.openai
        self.model = self._settings.model
        self.capabilities = capabilities(settings)
        assert self._settings.key is not None
        self._key = self._settings.key.get_secret_value()
        self._turns = Turns("openai", self._settings, pause)
        # Without a base_url the package takes OPENAI_BASE_URL. Retries and deadline are the turn's.
        self._client = AsyncOpenAI(
            api_key=self._key, base_url=self._settings.base_url, max_retries=0, timeout=None
        )

    async def transcribe(self, pcm: Samples, options: Options) -> Hypothesis:
        file = wav.encode(pcm)
        # It takes the languages of ISO 639, without regions.
        language = base_language(options.language or "") or self._settings.language
        async with self._turns.next() as turn:
            reply = await turn.ask(lambda: self._request(file, language, options.prompt))
        return _hypothesis(reply)

    async def close(self) -> None:
        await self._client.close()

    async def _request(self, file: bytes, language: str | None, prompt: str | None) -> Any:
        from openai import OpenAIError

        wishes: dict[str, Any] = {"response_format": "json"}
        if self.capabilities.words:
            wishes = {"response_format": "verbose_json", "timestamp_granularities": ["word"]}
        if language:
            wishes["language"] = language
        if prompt:
            wishes["prompt"] = prompt
        try:
            return await self._client.audio.transcriptions.create(
                file=("speech.wav", file, "audio/wav"), model=self.model, **wishes
            )
        except OpenAIError as error:
            raise self._failure(error) from error
        except (ValueError, RecursionError) as wrong:
            raise _malformed() from wrong

    def _failure(self, error: "OpenAIError") -> ServiceError:
        from httpx2 import ConnectError, ConnectTimeout
        from openai import APIConnectionError, APIStatusError

        if isinstance(error, APIStatusError):
            reason = error.body.get("message") if isinstance(error.body, dict) else None
            status, headers = error.status_code, error.response.headers
            return refused("openai", status, headers, reason, self._key)
        if isinstance(error, APIConnectionError):
            cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
            unsent = isinstance(cause, ConnectError | ConnectTimeout)
            return unanswered("openai", cause, retryable=unsent)
        return _malformed()


def _hypothesis(reply: Any) -> Hypothesis:
    text = getattr(reply, "text", None)
    if not isinstance(text, str):
        raise _malformed()
    try:
        words = tuple(
            Word(word.word.strip(), float(word.start), float(word.end))
            for word in getattr(reply, "words", None) or ()
        )
    except (AttributeError, TypeError, ValueError) as wrong:
        raise _malformed() from wrong
    return Hypothesis(text.strip(), words)


def _malformed() -> ServiceError:
    return ServiceError("openai", "its reply is not a transcription")
