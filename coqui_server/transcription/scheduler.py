"""Decoder threads, shared fairly.

Engines are blocking native code that releases the interpreter lock, so each decode is a job on one
of a fixed number of threads. Finals of live speakers go first, then utterances that may be over (a
live speaker has paused), then files, then partials. Within each, sessions take turns, so that a
file with a hundred utterances does not delay another that has one. While live sessions are open,
files and partials each leave one thread free: native code cannot be interrupted, and an utterance
of a file may take a second.
"""

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import Any, TypeVar

Result = TypeVar("Result")

_TOO_LONG = 0.5
"""Seconds. A live session that waits longer for a thread shows that there are too many of them; in
less, the short jobs of many sessions may only have come at the same moment."""


class Priority(IntEnum):
    """Lower goes first."""

    LIVE = 0
    EARLY = 1
    FILE = 2
    PARTIAL = 3


@dataclass(eq=False)
class _Job:
    work: Callable[[], Any]
    done: "asyncio.Future[tuple[Any, float]]"
    since: float


class Scheduler:
    """Runs jobs on `threads` threads. Used from one event loop.

    Attributes:
        reserved: threads that files leave free, as long as there is another.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decoder")
        self._waiting: dict[Priority, OrderedDict[object, deque[_Job]]] = {
            priority: OrderedDict() for priority in Priority
        }
        self.reserved = 0
        self._running: Counter[Priority] = Counter()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def waiting(self) -> int:
        """Jobs that wait for a thread."""
        return sum(map(self._queued, Priority))

    @property
    def running(self) -> int:
        """Threads that are busy."""
        return self._running.total()

    @property
    def overdue(self) -> bool:
        """Whether more live sessions than there are threads have waited for one for too long.

        The jobs of one session count as one, because sessions take turns.
        """
        since = asyncio.get_running_loop().time() - _TOO_LONG
        late = sum(jobs[0].since < since for jobs in self._waiting[Priority.LIVE].values())
        return late > self.threads

    async def run(
        self, owner: object, work: Callable[[], Result], priority: Priority = Priority.FILE
    ) -> tuple[Result, float]:
        """Run `work()` on a thread; give its result and the seconds it took.

        Cancelling takes a job that is still waiting out of the queue. Native code cannot be
        stopped, so one that runs is left to end by itself, and its result is dropped.
        """
        loop = asyncio.get_running_loop()
        job = _Job(work, loop.create_future(), loop.time())
        self._waiting[priority].setdefault(owner, deque()).append(job)
        self._fill()
        result, seconds = await job.done
        return result, seconds

    def promote(self, owner: object) -> None:
        """The utterance of `owner` is over: its early jobs are now live ones."""
        if jobs := self._waiting[Priority.EARLY].pop(owner, None):
            self._waiting[Priority.LIVE].setdefault(owner, deque()).extend(jobs)

    async def close(self) -> None:
        """Wait for the jobs that run; those that still wait are cancelled."""
        for queue in self._waiting.values():
            for jobs in queue.values():
                for job in jobs:
                    job.done.cancel()
            queue.clear()
        await self._idle.wait()
        self._pool.shutdown()

    def _fill(self) -> None:
        while self.running < self.threads and (next := self._next()):
            job, priority = next
            self._running[priority] += 1
            self._idle.clear()
            running = asyncio.get_running_loop().run_in_executor(self._pool, _timed, job.work)
            running.add_done_callback(partial(self._ended, job, priority))

    def _queued(self, priority: Priority) -> int:
        queues = self._waiting[priority].values()
        return sum(not job.done.done() for jobs in queues for job in jobs)

    def _held_back(self, priority: Priority) -> bool:
        left_free = {Priority.FILE: self.reserved, Priority.PARTIAL: 1}.get(priority, 0)
        return self._running[priority] >= max(1, self.threads - left_free)

    def _next(self) -> tuple[_Job, Priority] | None:
        """The first job of the session whose turn it is, which then goes to the round's end."""
        for priority, queue in self._waiting.items():
            while queue and not self._held_back(priority):
                owner, jobs = queue.popitem(last=False)
                job = jobs.popleft()
                if jobs:
                    queue[owner] = jobs
                if not job.done.done():
                    return job, priority
        return None

    def _ended(
        self, job: _Job, priority: Priority, running: "asyncio.Future[tuple[Any, float]]"
    ) -> None:
        self._running[priority] -= 1
        if not self.running:
            self._idle.set()
        error = running.exception()
        if not job.done.done():
            if error is None:
                job.done.set_result(running.result())
            else:
                job.done.set_exception(error)
        self._fill()


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start
