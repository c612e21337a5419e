"""A thread for a library object that only one thread may use."""

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

Result = TypeVar("Result")

_Job = tuple["Future[Any]", Callable[[], Any]]


class Confinement:
    """Runs functions one after another on its own thread.

    The thread does not keep the process alive, and ends with `close`.
    """

    def __init__(self, name: str) -> None:
        # Unlike an executor's, its `put` may be interrupted by itself: `post` is for finalizers,
        # which run wherever the garbage collector does.
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        Thread(target=_work, args=(self._jobs,), name=name, daemon=True).start()

    def run(self, function: Callable[[], Result]) -> Result:
        """Run the function when it is its turn; give its result, or raise its exception."""
        return self.post(function).result()

    def post(self, function: Callable[[], Result]) -> "Future[Result]":
        """Run the function when it is its turn, without waiting for it."""
        future: Future[Result] = Future()
        self._jobs.put((future, function))
        return future

    def close(self) -> None:
        """End the thread after all posted functions, without waiting for it."""
        self._jobs.put(None)


def _work(jobs: "SimpleQueue[_Job | None]") -> None:
    while job := jobs.get():
        future, function = job
        try:
            future.set_result(function())
        # Any exception belongs to the caller.
        except Exception as error:
            future.set_exception(error)
        # While it waits it must not keep the objects of the last function alive.
        del job, future, function
