"""Jobs on workers: in order, one for each user, each to one end whatever happens to a worker."""

import asyncio

from coqui_server.principal import EVERYBODY
from tests.workers.shop import Shop


async def test_two_workers(at: Shop) -> None:
    """Share the jobs; each user has one at a time, in order, with its progress for those who look
    on, and can cancel it."""
    at.hire()
    at.hire()
    with at.queue.subscribed("anna") as news:
        ids = [await at.put(owner) for owner in ("anna", "anna", "ben", "anna")]
        await at.begun(ids[0])
        await at.begun(ids[2])
        assert await at.states() == ["processing", "pending", "processing", "pending"]
        assert (await at.queue.cancel("anna", ids[0]))["state"] == "cancelled"
        assert (await at.queue.cancel("anna", ids[3]))["state"] == "cancelled"
        await at.begun(ids[1])
        at.gate.touch()
        jobs = await at.ended(*ids)
        ends = [job["state"] for job in jobs]
        assert ends == ["cancelled", "completed", "completed", "cancelled"]
        told = [await anext(news) for _ in range(3)]
        while told[-1]["state"] != "completed":
            told.append(await anext(news))
    mine = [message for message in told if message["id"] == ids[1]]
    states = dict.fromkeys(message["state"] for message in mine)
    assert list(states) == ["pending", "processing", "completed"]
    assert {0, 100} < {message["percent"] for message in mine}
    # What was cancelled can be tried again.
    assert len(at.uploads()) == 2


async def test_a_worker_that_is_killed(at: Shop) -> None:
    """In mid-file: another one does the job, from its start."""
    first = at.hire()
    id = await at.put("anna")
    begun = await at.begun(id)
    at.hire()
    first.kill()
    at.gate.touch()
    (job,) = await at.ended(id)
    assert job["state"] == "completed"
    assert job["session"] != begun.session
    assert (await at.store.jobs.get(EVERYBODY, id)).worker != begun.worker


async def test_a_worker_that_is_paused(at: Shop) -> None:
    """For longer than its lease: another one does the job. When it goes on, it changes nothing any
    more."""
    first = at.hire()
    id = await at.put("anna")
    begun = await at.begun(id)
    first.pause()
    second = at.hire()
    at.gate.touch()
    (job,) = await at.ended(id)
    first.resume()
    while "another worker does it now" not in at.log:
        await asyncio.sleep(0.02)
    assert await at.ended(id) == [job]
    sound = at.store.sessions.recordings
    assert not sound.path(begun.session or "").exists()
    assert sound.path(job["session"]).exists()
    assert second.stop() == 0


async def test_a_worker_that_is_stopped(at: Shop) -> None:
    """Gives its job back at once."""
    first = at.hire()
    id = await at.put("anna")
    begun = await at.begun(id)
    assert first.stop() == 0
    row = await at.store.jobs.get(EVERYBODY, id)
    assert (row.state, row.lost) == ("pending", 0)
    assert (await at.store.sessions.get(EVERYBODY, begun.session or "")).state == "failed"


async def test_a_worker_without_the_engine(at: Shop) -> None:
    """Leaves the job to one that has it, and does others."""
    at.hire("moonshine")
    at.gate.touch()
    waiting = await at.put("anna", engine="vosk")
    other = await at.put("ben")
    await at.until(other, "completed")
    assert await at.states() == ["pending", "completed"]
    at.hire("moonshine", "vosk")
    jobs = await at.ended(waiting, other)
    session = await at.store.sessions.get(EVERYBODY, jobs[0]["session"])
    assert session.engine == "vosk"
