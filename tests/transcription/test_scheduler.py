"""Decoder threads: rounds, priorities, cancelling, closing."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest

from coqui_server.transcription.scheduler import Priority, Scheduler


class Gatekeeper:
    """Holds one decoder thread until it is let go, so that jobs can queue behind it."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.let_go = threading.Event()

    def __call__(self) -> str:
        self.entered.set()
        assert self.let_go.wait(10)
        return "held"


@pytest.fixture
async def scheduler() -> AsyncIterator[Scheduler]:
    """One thread, so that the order of jobs can be seen."""
    one = Scheduler(1)
    yield one
    await one.close()


async def held(scheduler: Scheduler) -> tuple[Gatekeeper, "asyncio.Task[tuple[str, float]]"]:
    """The thread taken, and what holds it."""
    keeper = Gatekeeper()
    task = asyncio.create_task(scheduler.run("keeper", keeper))
    await asyncio.to_thread(keeper.entered.wait, 10)
    return keeper, task


async def order_of(scheduler: Scheduler, jobs: list[tuple[object, str, Priority]]) -> list[str]:
    """The order in which jobs that were all waiting are run."""
    keeper, holding = await held(scheduler)
    ran: list[str] = []

    def job(name: str) -> Callable[[], None]:
        return lambda: ran.append(name)

    waiting = [
        asyncio.create_task(scheduler.run(owner, job(name), priority))
        for owner, name, priority in jobs
    ]
    await asyncio.sleep(0)
    keeper.let_go.set()
    await asyncio.gather(holding, *waiting)
    return ran


async def test_sessions_take_turns(scheduler: Scheduler) -> None:
    """A session with many jobs does not stand before one with a single job."""
    final = Priority.FILE
    greedy = [("file", f"file {n}", final) for n in range(4)]
    assert await order_of(scheduler, [*greedy, ("call", "call 0", final)]) == [
        "file 0",
        "call 0",
        "file 1",
        "file 2",
        "file 3",
    ]


async def test_finals_come_before_partials(scheduler: Scheduler) -> None:
    """No partial is decoded while a final of anyone waits."""
    ran = await order_of(
        scheduler,
        [
            ("a", "partial", Priority.PARTIAL),
            ("b", "final 1", Priority.FILE),
            ("b", "final 2", Priority.FILE),
        ],
    )
    assert ran == ["final 1", "final 2", "partial"]


async def test_result_and_seconds_come_back(scheduler: Scheduler) -> None:
    """A job's result comes with the seconds its thread was busy."""
    result, seconds = await scheduler.run("a", lambda: sum(range(200_000)))
    assert result == 19_999_900_000
    assert 0 < seconds < 10


async def test_an_error_reaches_its_caller_alone(scheduler: Scheduler) -> None:
    """A failing job raises where it was asked for; the next one runs."""
    with pytest.raises(ZeroDivisionError):
        await scheduler.run("a", lambda: 1 // 0)
    assert (await scheduler.run("b", lambda: "well"))[0] == "well"


async def test_a_cancelled_job_that_waits_never_runs(scheduler: Scheduler) -> None:
    """Cancelling before a thread is free takes the job out of the queue."""
    keeper, holding = await held(scheduler)
    ran: list[str] = []
    waiting = asyncio.create_task(scheduler.run("a", lambda: ran.append("cancelled")))
    await asyncio.sleep(0)
    assert scheduler.waiting == 1
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    keeper.let_go.set()
    await holding
    await scheduler.run("b", lambda: ran.append("after"))
    assert ran == ["after"]


async def test_a_cancelled_job_that_runs_keeps_its_thread_until_it_ends(
    scheduler: Scheduler,
) -> None:
    """Native code cannot be stopped: its thread is not given to another job meanwhile."""
    keeper, holding = await held(scheduler)
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    assert scheduler.running == 1
    after = asyncio.create_task(scheduler.run("b", lambda: "after"))
    await asyncio.sleep(0)
    assert not after.done()
    keeper.let_go.set()
    assert (await after)[0] == "after"


async def test_closing_waits_for_what_runs_and_cancels_what_waits() -> None:
    """No thread is left behind, and no waiter hangs."""
    scheduler = Scheduler(1)
    keeper, holding = await held(scheduler)
    waiting = asyncio.create_task(scheduler.run("a", lambda: "never"))
    await asyncio.sleep(0)
    closing = asyncio.create_task(scheduler.close())
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
    assert not closing.done()
    keeper.let_go.set()
    await closing
    assert (await holding)[0] == "held"
    assert not [t for t in threading.enumerate() if t.name.startswith("decoder")]


async def test_two_threads_run_two_jobs_at_once() -> None:
    """Jobs of one session run side by side."""
    scheduler = Scheduler(2)
    meeting = threading.Barrier(2, timeout=10)
    await asyncio.gather(*(scheduler.run("a", meeting.wait) for _ in range(2)))
    await scheduler.close()
    assert not meeting.broken


async def test_live_comes_before_files_and_files_before_partials(scheduler: Scheduler) -> None:
    """Whatever came first, what somebody waits for goes first."""
    jobs: list[tuple[object, str, Priority]] = [
        ("a", "partial", Priority.PARTIAL),
        ("b", "file", Priority.FILE),
        ("c", "live", Priority.LIVE),
        ("b", "live of b", Priority.LIVE),
    ]
    assert await order_of(scheduler, jobs) == ["live", "live of b", "file", "partial"]


async def test_a_reserved_thread_is_kept_from_files() -> None:
    """Files leave it free, even when more of them wait; live sound has it at once."""
    scheduler = Scheduler(2)
    scheduler.reserved = 1
    keeper, first = await held(scheduler)
    second = asyncio.create_task(scheduler.run("other", lambda: "second"))
    await asyncio.sleep(0)
    assert (scheduler.running, scheduler.waiting) == (1, 1)
    assert (await scheduler.run("live", lambda: "now", Priority.LIVE))[0] == "now"
    assert not second.done()
    scheduler.reserved = 0
    await scheduler.run("live", lambda: "nudge", Priority.LIVE)
    assert (await second)[0] == "second"
    keeper.let_go.set()
    await first
    await scheduler.close()


async def test_the_only_thread_is_not_reserved(scheduler: Scheduler) -> None:
    """With one thread, files are decoded all the same."""
    scheduler.reserved = 1
    assert (await scheduler.run("file", lambda: "done"))[0] == "done"


@pytest.mark.parametrize(("threads", "most"), [(1, 1), (2, 1), (4, 3)])
async def test_partials_leave_a_thread(threads: int, most: int) -> None:
    """Of several threads one never makes a partial, so that a final has it at once."""
    scheduler = Scheduler(threads)
    keepers = [Gatekeeper() for _ in range(threads + 1)]
    looks = [asyncio.create_task(scheduler.run(k, k, Priority.PARTIAL)) for k in keepers]
    await asyncio.sleep(0)
    assert (scheduler.running, scheduler.waiting) == (most, threads + 1 - most)
    if threads > 1:
        assert (await scheduler.run("live", lambda: "now", Priority.LIVE))[0] == "now"
    for keeper in keepers:
        keeper.let_go.set()
    await asyncio.gather(*looks)
    await scheduler.close()


async def test_what_is_early_goes_first_once_it_is_waited_for(scheduler: Scheduler) -> None:
    """Before that it lets all go first that somebody waits for."""
    keeper, holding = await held(scheduler)
    done: list[str] = []
    wanted = {"paused": Priority.EARLY, "ended": Priority.EARLY, "live": Priority.LIVE}
    jobs = [
        asyncio.create_task(scheduler.run(owner, partial(done.append, owner), priority))
        for owner, priority in wanted.items()
    ]
    await asyncio.sleep(0)
    scheduler.promote("ended")
    scheduler.promote("nobody")
    keeper.let_go.set()
    await asyncio.gather(holding, *jobs)
    assert done[-1] == "paused"
    assert set(done) == set(wanted)


async def test_overdue_counts_sessions_and_not_their_jobs(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One session ahead of its finals keeps nobody waiting for more than its turn; files never
    count."""
    monkeypatch.setattr("coqui_server.transcription.scheduler._TOO_LONG", -1.0)
    keeper, holding = await held(scheduler)
    wanted = [
        *(("greedy", Priority.LIVE, False) for _ in range(5)),
        *((f"file {n}", Priority.FILE, False) for n in range(5)),
        ("modest", Priority.LIVE, True),
    ]
    waiting = []
    for owner, priority, overdue in wanted:
        waiting.append(asyncio.create_task(scheduler.run(owner, lambda: None, priority)))
        await asyncio.sleep(0)
        assert scheduler.overdue is overdue, owner
    monkeypatch.setattr("coqui_server.transcription.scheduler._TOO_LONG", 60.0)
    assert not scheduler.overdue, "they met by chance"
    keeper.let_go.set()
    await asyncio.gather(holding, *waiting)
    assert not scheduler.overdue
