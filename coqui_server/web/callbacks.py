"""Answers that are posted to addresses that requests name, signed as those of the webhook are."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import httpcore

from coqui_server.backoff import backoff
from coqui_server.config.rtp import WebhookSettings
from coqui_server.exceptions import Busy, RequestError, ServerFault
from coqui_server.protocols import deepgram_shapes as shapes
from coqui_server.web.fetching import internet, web_address
from coqui_server.webhook import headers, signing_key

Json = dict[str, Any]

_MOST = 100
"""Answers that are worked on or not delivered yet."""

_FIRST_WAIT = 2.0
"""Seconds before a second attempt, at most."""

_PASSING = (408, 429)
"""The statuses below 500 after which another attempt may succeed."""

_log = logging.getLogger(__name__)


class Callbacks:
    """Owns the work whose answer nobody waits for. What is not delivered when it is closed is lost.

    Args:
        settings: the secret, and how often and for how long delivery is tried.
        pause: waits for the seconds between two attempts.

    Raises:
        ConfigError: the secret cannot be used.
    """

    def __init__(
        self,
        settings: WebhookSettings,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._key = signing_key(settings.secret)
        self._pause = pause
        self._tasks: set[asyncio.Task[None]] = set()

    async def accept(
        self,
        id: str,
        address: str,
        work: Coroutine[Any, Any, Json],
        received: asyncio.Event,
    ) -> None:
        """Return when the work has all that it needs from its request, and post its answer later.

        Args:
            id: of the request; the answer's `metadata` gets it.
            work: raises RequestError; then that is the answer.
            received: set when the request may be answered.

        Raises:
            BadRequest: it is no address of the web.
            Busy: too many answers are not delivered yet.
            RequestError: the work failed before it had all.
        """
        working = asyncio.ensure_future(work)
        waiting = asyncio.create_task(received.wait())
        try:
            web_address(address)
            if len(self._tasks) >= _MOST:
                raise Busy(f"{_MOST} callbacks wait to be delivered; try again later")
            await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
        except BaseException:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            raise
        finally:
            waiting.cancel()
        task = asyncio.create_task(self._run(id, address, working))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Drop what is not delivered."""
        tasks = list(self._tasks)
        if tasks:
            _log.warning("%d callbacks were not delivered", len(tasks))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, id: str, address: str, working: "asyncio.Task[Json]") -> None:
        try:
            answer = await working
            answer["metadata"]["request_id"] = id
        except RequestError as refusal:
            answer = shapes.error(refusal, id)
        # The work may fail in ways that its sender cannot know of.
        except Exception:
            _log.exception("request %s failed; its callback tells that", id)
            answer = shapes.error(ServerFault("an internal error"), id)
        body = json.dumps(answer, ensure_ascii=False).encode()
        attempts = 1
        while problem := await self._problem(id, address, body):
            if problem in ("forbidden", "refused") or attempts > self._settings.retries:
                _log.warning("request %s: its callback was not taken: %s", id, problem)
                return
            await self._pause(backoff(attempts, _FIRST_WAIT))
            attempts += 1

    async def _problem(self, id: str, address: str, body: bytes) -> str:
        """Post once; why it was not taken, or ""."""
        try:
            async with asyncio.timeout(self._settings.timeout), internet() as pool:
                signed = list(headers(f"msg_{id}", body, self._key).items())
                request = pool.stream(
                    "POST", str(web_address(address)), headers=signed, content=body
                )
                async with request as response:
                    status = response.status
        except RequestError:
            return "forbidden"
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError, UnicodeError) as error:
            return type(error).__name__
        if 200 <= status < 300:
            return ""
        return str(status) if status >= 500 or status in _PASSING else "refused"
