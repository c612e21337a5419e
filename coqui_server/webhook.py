"""Posts the finals and the ends of calls to an address of the operator.

Requests are signed as Standard Webhooks has it:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import ssl
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
from pydantic import SecretStr

from coqui_server.backoff import backoff
from coqui_server.config.rtp import WebhookSettings
from coqui_server.exceptions import ConfigError
from coqui_server.transcription.events import Event, Final, SessionEnded, SpeakersCorrected
from coqui_server.transcription.messages import message

_FIRST_WAIT = 2.0
"""Seconds before a second attempt, at most."""

_LONGEST_ASKED = 60.0
"""Seconds of a Retry-After that are honoured; later events wait for as long."""

_SHORT_BODY = 64 * 1024
"""Bytes of a response that are read to keep the connection."""

_QUIET = 60.0
"""Seconds between two log lines about dropped events."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Delivery:
    """One event to deliver. The id is the same for all attempts, so that receivers can find
    repeats."""

    id: str
    session: str
    event: str
    body: bytes

    @classmethod
    def of(cls, event: Event) -> "_Delivery":
        content = message(event)
        # A lone surrogate, which a client's JSON may put into a label, becomes its JSON escape.
        body = json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")
        return cls(f"msg_{uuid.uuid4().hex}", event.source.session, content["event"], body)


@dataclass(frozen=True)
class _Outcome:
    """The status, or the class of an error, and the seconds of a Retry-After."""

    what: int | str
    asked: float | None = None

    @property
    def delivered(self) -> bool:
        return isinstance(self.what, int) and 200 <= self.what < 300

    @property
    def passing(self) -> bool:
        """Whether another attempt may succeed."""
        return isinstance(self.what, str) or self.what in (408, 429) or self.what >= 500


class Webhook:
    """A sink that posts the finals of RTP sessions, the corrections of their speakers, and their
    ends, one after another, in order.

    It never makes a session wait: when the queue is full, the newest event is dropped and counted.
    Without an address it does nothing. Use as an async context manager; leaving it drops what
    `close` has not delivered.

    Args:
        pause: waits for the seconds between two attempts.
        clock: gives seconds of a clock that only goes up, to limit the log.

    Raises:
        ConfigError: the address or the secret cannot be used. Neither is in the message.
    """

    def __init__(
        self,
        settings: WebhookSettings,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._url = _address(settings.url)
        self._key = signing_key(settings.secret)
        self._pause = pause
        self._clock = clock
        # One place more than events may take, for the end marker.
        self._queue: asyncio.Queue[_Delivery | None] = asyncio.Queue(settings.queue + 1)
        self._undelivered = 0
        self._dropped = 0
        self._quiet_until = float("-inf")
        self._closing = False
        self._client = _client(self._url)
        self._worker: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Webhook":
        self._worker = asyncio.create_task(self._run(), name="webhook")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close(0)

    async def __call__(self, event: Event) -> None:
        posted = isinstance(event, Final | SpeakersCorrected | SessionEnded)
        if self._url is None or not posted or event.source.kind != "rtp":
            return
        if self._closing or self._queue.qsize() >= self._settings.queue:
            self._drop()
            return
        self._queue.put_nowait(_Delivery.of(event))
        self._undelivered += 1

    async def close(self, seconds: float) -> None:
        """Deliver what is queued, for up to `seconds`; what is left then is counted in the log.

        Later events are dropped. Cancelling it drops what is left. It may be called again.
        """
        assert self._worker is not None
        if not self._closing:
            self._closing = True
            self._queue.put_nowait(None)
        try:
            await asyncio.wait({self._worker}, timeout=seconds)
        finally:
            await self._stop(self._worker)

    async def _stop(self, worker: asyncio.Task[None]) -> None:
        worker.cancel()
        await asyncio.wait({worker})
        await self._client.aclose()
        if self._undelivered or self._dropped:
            _log.warning(
                "webhook: closed with %d events not delivered, %d dropped",
                self._undelivered,
                self._dropped,
            )
        self._undelivered = self._dropped = 0
        if not worker.cancelled():
            worker.result()

    def _drop(self) -> None:
        self._dropped += 1
        if (now := self._clock()) >= self._quiet_until:
            self._quiet_until = now + _QUIET
            _log.warning("webhook: queue full or closed, %d events dropped so far", self._dropped)

    async def _run(self) -> None:
        while (delivery := await self._queue.get()) is not None:
            await self._deliver(delivery)
            self._undelivered -= 1

    async def _deliver(self, delivery: _Delivery) -> None:
        attempts = 1
        outcome = await self._post(delivery)
        while outcome.passing and attempts <= self._settings.retries:
            wait = backoff(attempts, _FIRST_WAIT) if outcome.asked is None else outcome.asked
            await self._pause(wait)
            attempts += 1
            outcome = await self._post(delivery)
        if not outcome.delivered:
            _log.warning(
                "session %s: the webhook did not take a %s, attempts: %d, the last: %s",
                delivery.session,
                delivery.event,
                attempts,
                outcome.what,
            )

    async def _post(self, delivery: _Delivery) -> _Outcome:
        assert self._url is not None
        outcome = None
        request = self._client.stream(
            "POST",
            self._url,
            content=delivery.body,
            headers=headers(delivery.id, delivery.body, self._key),
        )
        try:
            async with asyncio.timeout(self._settings.timeout), request as response:
                outcome = _Outcome(response.status_code, _asked(response))
                await _read_short(response)
        # A resolver or a hostile peer can cause other errors than those of httpx, and the failure
        # of one event must not stop the next.
        except Exception as error:
            _log.debug("session %s: the webhook failed", delivery.session, exc_info=True)
            # Once there is a status it counts, whatever happens to the rest of the response.
            return outcome or _Outcome(type(error).__name__)
        return outcome


def _client(address: httpx.URL | None) -> httpx.AsyncClient:
    # Loading the certificate authorities takes 0.1 s, so only for https. SSL_CERT_FILE names other
    # authorities. The context for http trusts none.
    secure = address is not None and address.scheme == "https"
    trust = httpx.create_ssl_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.AsyncClient(
        verify=trust,
        # Transcripts go only where the configuration says, not through a proxy of the environment.
        trust_env=False,
        # The whole attempt has a deadline in _post. httpx's timeouts are for each read, so that an
        # endpoint that sends a byte now and then would never reach them.
        timeout=None,  # noqa: S113
        follow_redirects=False,
        # Otherwise an endpoint could fill the memory with cookies.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
    )


def _address(url: str | None) -> httpx.URL | None:
    if url is None:
        return None
    problem = ConfigError("rtp.webhook.url", "not an address that can be posted to")
    try:
        address = httpx.URL(url)
        usable = address.host and (address.port or 0) <= 65535
    except (httpx.InvalidURL, UnicodeError) as wrong:
        raise problem from wrong
    if not usable:
        raise problem
    return address


def signing_key(secret: SecretStr | None) -> bytes | None:
    """What to sign with, as a secret of Standard Webhooks says; None for no signatures.

    Raises:
        ConfigError: the secret cannot be used.
    """
    if secret is None:
        return None
    text = secret.get_secret_value()
    encoded = text.removeprefix("whsec_")
    # Padding is often missing; the reference implementation does not require it either.
    padded = encoded + "=" * (-len(encoded) % 4)
    try:
        key = text.encode() if encoded == text else base64.b64decode(padded, validate=True)
    except ValueError as wrong:
        raise ConfigError("rtp.webhook.secret", "what follows whsec_ is not base64") from wrong
    if not key:
        raise ConfigError("rtp.webhook.secret", "found nothing, allowed: a secret to sign with")
    return key


def headers(id: str, body: bytes, key: bytes | None) -> dict[str, str]:
    """The headers of a message, which is signed if there is a key."""
    moment = str(int(time.time()))
    values = {
        "Content-Type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": moment,
    }
    if key is not None:
        signed = f"{id}.{moment}.".encode() + body
        digest = hmac.digest(key, signed, hashlib.sha256)
        values["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return values


def _asked(response: httpx.Response) -> float | None:
    """The seconds of a Retry-After (RFC 9110 section 10.2.3); a date is ignored."""
    value = response.headers.get("retry-after", "")
    return min(float(value), _LONGEST_ASKED) if value.isdecimal() else None


async def _read_short(response: httpx.Response) -> None:
    """Read a short body, to keep the connection. After any other body it is closed."""
    length = response.headers.get("content-length", "")
    chunked = "transfer-encoding" in response.headers
    short = length.isdecimal() and float(length) <= _SHORT_BODY and not chunked
    if short or response.status_code == 204:
        async for _ in response.aiter_raw():
            pass
