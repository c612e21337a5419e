"""Decoder threads, shared fairly.

Engines are blocking native code that releases the interpreter lock, so each decode is a job on one
of a fixed number of threads. Waiting jobs are taken in rounds, one of each session, so that a file
with a hundred utterances does not stand before a caller with one. A session's finals come before
anyone's partials.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import Any, TypeVar

Result = TypeVar("Result")


class Priority(IntEnum):
    """Lower goes first."""

    FINAL = 0
    PARTIAL = 1


@dataclass(eq=False)
class _Job:
    work: Callable[[], Any]
    done: "asyncio.Future[tuple[Any, float]]"


class Scheduler:
    """Runs jobs on `threads` threads. Used from one event loop."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decoder")
        self._waiting: dict[Priority, OrderedDict[object, deque[_Job]]] = {
            priority: OrderedDict() for priority in Priority
        }
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def waiting(self) -> int:
        """Jobs no thread has taken yet."""
        return sum(len(jobs) for queue in self._waiting.values() for jobs in queue.values())

    @property
    def running(self) -> int:
        """Threads at work."""
        return self._running

    async def run(
        self, owner: object, work: Callable[[], Result], priority: Priority = Priority.FINAL
    ) -> tuple[Result, float]:
        """Run `work()` on a thread; give its result and the seconds it took.

        Cancelling takes a job that is still waiting out of the queue. Native code cannot be
        stopped, so one that runs is left to end by itself, and its result is dropped.
        """
        job = _Job(work, asyncio.get_running_loop().create_future())
        self._waiting[priority].setdefault(owner, deque()).append(job)
        self._fill()
        result, seconds = await job.done
        return result, seconds

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
        while self._running < self.threads and (job := self._next()):
            self._running += 1
            self._idle.clear()
            running = asyncio.get_running_loop().run_in_executor(self._pool, _timed, job.work)
            running.add_done_callback(partial(self._ended, job))

    def _next(self) -> _Job | None:
        """The first job of the session whose turn it is, which then goes to the round's end."""
        for queue in self._waiting.values():
            while queue:
                owner, jobs = queue.popitem(last=False)
                job = jobs.popleft()
                if jobs:
                    queue[owner] = jobs
                if not job.done.done():
                    return job
        return None

    def _ended(self, job: _Job, running: "asyncio.Future[tuple[Any, float]]") -> None:
        self._running -= 1
        if not self._running:
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
