"""What remote engines share: turns, deadlines, retries, and errors with reasons.

A request is repeated only where that may help and is not billed twice: the service is busy (429,
408, 5xx), or the request never reached it. When a reply was lost, it is not known whether the
request was billed; then only free requests (`repeatable`) are sent again.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, TypeVar

import httpx

from coqui_server.backoff import backoff
from coqui_server.config.engines import RemoteSettings
from coqui_server.exceptions import ConfigError, ServiceError

FIRST_WAIT = 1.0
"""Seconds, at most, before a second attempt."""

_LONGEST_REPLY = 16 * 2**20
"""Bytes of a reply; the text and the word times of ten minutes are below one million."""

_LONGEST_REASON = 300
"""Characters of a service's own message that are passed on."""

_REFUSED_KEY = "it does not accept the key"
"""Shown instead of the service's message, which may contain the key."""

Result = TypeVar("Result")

Pause = Callable[[float], Awaitable[None]]
"""Waits for so many seconds."""

_log = logging.getLogger(__name__)


def missing(engine: str, settings: RemoteSettings, variable: str) -> Iterator[ConfigError]:
    """What keeps an engine from being used, as far as that is known without a request."""
    key = f"{engine}.key"
    if settings.key is None or not (secret := settings.key.get_secret_value()):
        yield ConfigError(key, "not set", fix=f"export {variable}=…")
    # httpx would refuse such a header with an error that shows it.
    elif not (secret.isascii() and secret.isprintable() and " " not in secret):
        yield ConfigError(key, "has a space, a line end or a letter that no key has")
    try:
        usable = (httpx.URL(settings.base_url or "").port or 0) <= 65535
    except httpx.InvalidURL:
        usable = False
    if not usable:
        yield ConfigError(f"{engine}.base_url", "not an address that can be asked")


class Turn:
    """One transcription's requests, up to its deadline."""

    def __init__(self, service: str, retries: int, until: float, pause: Pause) -> None:
        self._service = service
        self._retries = retries
        self._until = until
        self.pause = pause

    async def ask(self, request: Callable[[], Awaitable[Result]]) -> Result:
        """The result of `request()`, which is called again after a failure that may pass.

        Raises:
            ServiceError: the last one.
        """
        attempts = 0
        while True:
            try:
                return await request()
            except ServiceError as failure:
                attempts += 1
                wait = backoff(attempts, FIRST_WAIT) if failure.wait is None else failure.wait
                late = asyncio.get_running_loop().time() + wait >= self._until
                if not failure.retryable or attempts > self._retries or late:
                    raise
                _log.info("%s, attempt %d; the next in %.1f s", failure, attempts, wait)
            await self.pause(wait)


class Turns:
    """The transcriptions of one engine: so many at once, each with a deadline."""

    def __init__(self, service: str, settings: RemoteSettings, pause: Pause) -> None:
        self._service = service
        self._settings = settings
        self._pause = pause
        self._free = asyncio.Semaphore(settings.requests)

    @asynccontextmanager
    async def next(self) -> AsyncIterator[Turn]:
        """Wait for a turn; the block then has until the deadline.

        Raises:
            ServiceError: it did not end in time.
        """
        seconds = self._settings.deadline
        async with self._free:
            try:
                async with asyncio.timeout(seconds) as limit:
                    until = limit.when()
                    assert until is not None
                    yield Turn(self._service, self._settings.retries, until, self._pause)
            except TimeoutError as late:
                raise ServiceError(self._service, f"no answer within {seconds:g} s") from late


class Rest:
    """HTTP requests to a service. Every failure is a `ServiceError`.

    Args:
        explain: finds the service's message in the JSON of a refusal.
        headers: sent with each request to `base_url`, and to no other address.
    """

    def __init__(
        self,
        service: str,
        settings: RemoteSettings,
        explain: Callable[[Any], str | None],
        headers: Mapping[str, str],
    ) -> None:
        assert settings.key is not None
        self._service = service
        self._key = settings.key
        self._explain = explain
        self._base = httpx.URL(settings.base_url or "")
        self._headers = headers
        self._client = client()

    async def json(
        self, method: str, path: str, *, repeatable: bool = False, **content: Any
    ) -> dict[str, Any]:
        """The JSON object in the reply to a request at `base_url` and `path`."""
        url = f"{self._base}".rstrip("/") + path
        body = await self._send(method, url, self._headers, repeatable, content)
        try:
            reply = json.loads(body)
        except (ValueError, RecursionError):
            reply = None
        if not isinstance(reply, dict):
            raise self.malformed("a JSON object")
        return reply

    async def text(self, address: str) -> str:
        """The text at an address that the service gave. Only the service itself gets the key."""
        try:
            ours = _origin(httpx.URL(address)) == _origin(self._base)
        except httpx.InvalidURL as wrong:
            raise self.malformed("the address of a text") from wrong
        body = await self._send("GET", address, self._headers if ours else {}, True, {})
        try:
            return body.decode()
        except UnicodeDecodeError as wrong:
            raise self.malformed("text") from wrong

    def malformed(self, expected: str) -> ServiceError:
        """The error for a reply of another shape. Its content may be a transcript, so it is not
        shown."""
        return ServiceError(self._service, f"its reply is not {expected}")

    def refusal(self, reason: str | None, *, retryable: bool = False) -> ServiceError:
        """An error that the service put into a reply of any status."""
        hidden = shortened(reason or "no reason given", self._key.get_secret_value())
        return ServiceError(self._service, hidden, retryable=retryable)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        repeatable: bool,
        content: dict[str, Any],
    ) -> bytes:
        request = self._client.stream(method, url, headers=headers, **content)
        try:
            async with request as response:
                body = await self._read(response)
        except httpx.RequestError as error:
            unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            raise unanswered(self._service, error, retryable=unsent or repeatable) from error
        if not response.is_success:
            raise refused(
                self._service,
                response.status_code,
                response.headers,
                self._reason(body),
                self._key.get_secret_value(),
            )
        return body

    async def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > _LONGEST_REPLY:
                raise self.malformed("one of less than 16 MiB")
        return bytes(body)

    def _reason(self, body: bytes) -> str | None:
        try:
            return self._explain(json.loads(body))
        except (ValueError, RecursionError):
            return None


def client() -> httpx.AsyncClient:
    """An HTTP client without timeouts: a turn has one deadline for all its requests."""
    return httpx.AsyncClient(timeout=httpx.Timeout(None, connect=10), follow_redirects=False)


def refused(
    service: str, status: int, headers: Mapping[str, str], reason: str | None, key: str
) -> ServiceError:
    """The error for a reply with a status other than success."""
    shown = _REFUSED_KEY if status == 401 else shortened(reason or "no reason given", key)
    passing = status in (408, 429) or status >= 500
    return ServiceError(service, shown, status=status, retryable=passing, wait=_asked(headers))


def unanswered(service: str, error: Exception, *, retryable: bool) -> ServiceError:
    """The error for a request without a reply. The library's message may contain addresses; ours
    does not."""
    return ServiceError(service, f"no reply, {type(error).__name__}", retryable=retryable)


def shortened(reason: str, key: str | None = None) -> str:
    """A service's message as one short line without the key."""
    return " ".join((reason.replace(key, "…") if key else reason).split())[:_LONGEST_REASON]


def at_path(reply: Any, *path: str) -> Any:
    """The value at `path` in nested JSON objects; None if there is none."""
    for name in path:
        reply = reply.get(name) if isinstance(reply, dict) else None
    return reply


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _asked(headers: Mapping[str, str]) -> float | None:
    """The seconds of a Retry-After (RFC 9110 section 10.2.3), given as such or as a date."""
    value = headers.get("retry-after", "")
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except ValueError:
        return None
