"""Deepgram, prerecorded and live, through the official `deepgram-sdk` package.

https://developers.deepgram.com/reference/speech-to-text
"""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from coqui_server import extras
from coqui_server.config.settings import Settings
from coqui_server.engines.base import Capabilities, Hypothesis, Options, Stream
from coqui_server.engines.deepgram_reply import malformed, plain, reading
from coqui_server.engines.remote import Pause, Turns, at_path, client, missing, refused, unanswered
from coqui_server.exceptions import ConfigError, ServiceError
from coqui_server.media import wav
from coqui_server.media.samples import Samples

if TYPE_CHECKING:
    from deepgram.core.api_error import ApiError

_HOME = "https://api.deepgram.com"


def capabilities(settings: Settings) -> Capabilities:
    """What every model can do; the languages differ by model."""
    return Capabilities(
        streaming=True, words=True, confidence=True, longest=settings.deepgram.chunk
    )


def check(settings: Settings) -> Iterator[ConfigError]:
    """What is missing, without a request to the service."""
    yield from extras.missing("deepgram")
    yield from missing("deepgram", settings.deepgram, "DEEPGRAM_API_KEY")


def load(settings: Settings) -> "Deepgram":
    """The engine. Nothing is sent until there is something to transcribe.

    Raises:
        ConfigError: the key or the package is missing.
    """
    for problem in check(settings):
        raise problem
    return Deepgram(settings)


class Deepgram:
    """One model of the service, for files and for live sound."""

    name = "deepgram"

    def __init__(self, settings: Settings, pause: Pause = asyncio.sleep) -> None:
        from deepgram import AsyncDeepgramClient
        from deepgram.environment import DeepgramClientEnvironment

        self._settings = settings.deepgram
        self._pause = pause
        self.model = self._settings.model
        self.capabilities = capabilities(settings)
        assert self._settings.key is not None
        self._key = self._settings.key.get_secret_value()
        self._turns = Turns("deepgram", self._settings, pause)
        self._http = client()
        home = (self._settings.base_url or _HOME).rstrip("/")
        sockets = home.replace("http", "ws", 1)
        # Retries and the deadline are those of the turn.
        self._client = AsyncDeepgramClient(
            api_key=self._key,
            environment=DeepgramClientEnvironment(
                base=home, production=sockets, agent=sockets, agent_rest=home
            ),
            httpx_client=self._http,
            max_retries=0,
        )

    async def transcribe(self, pcm: Samples, options: Options) -> Hypothesis:
        file = wav.encode(pcm)
        async with self._turns.next() as turn:
            return _hypothesis(await turn.ask(lambda: self._request(file, options)))

    def connect(self, options: Options) -> AbstractAsyncContextManager[Stream]:
        from coqui_server.engines.deepgram_live import LiveStream

        language = {"language": self._language(options)}
        settings = self._settings.model_copy(update=language)
        return LiveStream(self._client, settings, self._failure, self._pause)

    async def close(self) -> None:
        await self._http.aclose()

    def _language(self, options: Options) -> str | None:
        return options.language or self._settings.language

    async def _request(self, file: bytes, options: Options) -> Any:
        from deepgram.core.api_error import ApiError
        from httpx import ConnectError, ConnectTimeout, RequestError

        try:
            return await self._client.listen.v1.media.transcribe_file(
                request=file,
                model=self.model,
                language=self._language(options),
                smart_format=True,
            )
        except ApiError as error:
            raise self._failure(error) from None
        except RequestError as error:
            unsent = isinstance(error, ConnectError | ConnectTimeout)
            raise unanswered("deepgram", error, retryable=unsent) from error
        except (ValueError, RecursionError) as wrong:
            raise malformed() from wrong

    def _failure(self, error: "ApiError") -> ServiceError:
        """Our error for one of the SDK, whose text may contain the whole reply."""
        if error.status_code is None or 200 <= error.status_code < 300:
            return malformed()
        shown = (at_path(error.body, key) for key in ("err_msg", "message"))
        reason = next((text for text in shown if isinstance(text, str)), None)
        return refused("deepgram", error.status_code, error.headers or {}, reason, self._key)


def _hypothesis(reply: Any) -> Hypothesis:
    match plain(reply):
        case {"results": {"channels": [{"alternatives": [alternative, *_]}, *_]}}:
            text, words, confidence = reading(alternative)
            return Hypothesis(text, words, confidence)
    raise malformed()
