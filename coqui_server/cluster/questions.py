"""Questions that one server asks another, through Redis: each is answered once, or not in time."""

import asyncio
import json
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Self

from coqui_server.backoff import backoff
from coqui_server.cluster.link import PATIENCE, Link
from coqui_server.exceptions import ClusterFault

_QUESTION, _ANSWER, _ASKED = "coqui:question:", "coqui:answer:", "coqui:asked:"
"""Keys: of a question and its answer by its id; of the ids for a server, by its run."""

_TURN = PATIENCE / 2
"""Seconds that one request to Redis waits."""

_KEPT = 10
"""Seconds that Redis keeps an answer."""

_AT_ONCE = 100
"""Questions that are answered at a time; more wait in Redis, until nobody waits for them."""

_PAUSE, _LONGEST_PAUSE = 0.2, 2.0
"""Seconds before Redis is tried again: at first, and at most."""

Answering = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""Answers a question; both are JSON. Raises nothing."""

_log = logging.getLogger(__name__)


class Questions:
    """Asks other servers, and answers theirs. Use as an async context manager.

    A question lies in Redis for as long as somebody waits for its answer, and in the list of the
    server that it is for.

    Args:
        run: of this server.
    """

    def __init__(self, link: Link, run: str, answering: Answering) -> None:
        self._link = link
        self._run = run
        self._answering = answering
        self._answers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._listening = asyncio.create_task(self._listen(), name="questions")
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (self._listening, *self._answers):
            task.cancel()
        await asyncio.gather(self._listening, *self._answers, return_exceptions=True)

    async def ask(self, run: str, question: dict[str, Any], patience: float) -> dict[str, Any]:
        """The answer of a server.

        Args:
            patience: seconds to wait for it. Later it is not answered.

        Raises:
            ClusterFault: there was none in time, or Redis cannot be used.
        """
        id = uuid.uuid4().hex
        clock = asyncio.get_running_loop().time
        due = clock() + patience
        async with self._link.watched() as redis, redis.pipeline() as request:
            request.set(f"{_QUESTION}{id}", json.dumps(question), px=round(1000 * patience))
            request.rpush(f"{_ASKED}{run}", id)
            request.expire(f"{_ASKED}{run}", round(patience) + 1)
            await request.execute()
        while (left := due - clock()) > 0:
            async with self._link.watched() as redis:
                found = await redis.blpop([f"{_ANSWER}{id}"], min(left, _TURN))
            if found:
                answer: dict[str, Any] = json.loads(found[1])
                return answer
        raise ClusterFault(f"the server {run} does not answer")

    async def _listen(self) -> None:
        failures = 0
        while True:
            try:
                if question := await self._next():
                    self._begin(*question)
                failures = 0
            except ClusterFault:
                failures += 1
                await asyncio.sleep(backoff(failures, _PAUSE, _LONGEST_PAUSE))
            while len(self._answers) >= _AT_ONCE:
                await asyncio.wait(self._answers, return_when=asyncio.FIRST_COMPLETED)

    async def _next(self) -> tuple[str, dict[str, Any]] | None:
        """The next question and its id; None if there is none for a while, or nobody waits."""
        async with self._link.watched() as redis:
            found = await redis.blpop([f"{_ASKED}{self._run}"], _TURN)
            if not found:
                return None
            id = str(found[1])
            text = await redis.getdel(f"{_QUESTION}{id}")
        return (id, json.loads(text)) if text else None

    def _begin(self, id: str, question: dict[str, Any]) -> None:
        task = asyncio.create_task(self._answer(id, question))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, id: str, question: dict[str, Any]) -> None:
        try:
            answer = json.dumps(await self._answering(question))
            async with self._link.watched() as redis, redis.pipeline() as request:
                request.rpush(f"{_ANSWER}{id}", answer)
                request.expire(f"{_ANSWER}{id}", _KEPT)
                await request.execute()
        except ClusterFault as fault:
            _log.warning("an answer to another server was lost: %s", fault)
        # The other server hears nothing in time, and says so.
        except Exception:
            _log.exception("a question of another server was not answered")
