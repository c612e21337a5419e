"""Bad days of Redis and PostgreSQL: every job ends, and it ends once."""

import asyncio
from pathlib import Path

import pytest
from redis import Redis

from tests.workers.shop import Shop, shop
from tools import postgresql, redis


async def test_redis_comes_later(
    tmp_path: Path, server: postgresql.Server, redis: redis.Server
) -> None:
    """Than the daemon, the worker and the file."""
    redis.stop()
    async with shop(tmp_path, server.create(), redis) as at:
        at.hire()
        id = await at.put("anna")
        while "Cannot connect to redis" not in at.log:
            await asyncio.sleep(0.02)
        at.gate.touch()
        redis.start()
        (job,) = await at.ended(id)
    assert job["state"] == "completed"


async def test_redis_goes_and_forgets(at: Shop, redis: redis.Server) -> None:
    """While a job runs, and others are put into the queue: the worker goes on without it, and is
    told of work again when it is back."""
    at.hire()
    first = await at.put("anna")
    await at.begun(first)
    redis.stop(forget=True)
    second = await at.put("ben")
    at.gate.touch()
    # The worker takes what waits, as long as there is something.
    await at.ended(first, second)
    third = await at.put("anna")
    redis.start()
    jobs = await at.ended(first, second, third)
    assert [job["state"] for job in jobs] == ["completed"] * 3


async def test_a_full_redis(
    at: Shop, redis: redis.Server, caplog: pytest.LogCaptureFixture
) -> None:
    """Takes no messages: a job waits until it does."""
    at.hire()
    at.gate.touch()
    first = await at.put("anna")
    await at.ended(first)
    with Redis(port=redis.port) as client:
        client.config_set("maxmemory", 1)
        id = await at.put("anna")
        while "workers are not told of files that wait" not in caplog.text:
            await asyncio.sleep(0.02)
        client.config_set("maxmemory", 0)
    jobs = await at.ended(first, id)
    assert [job["state"] for job in jobs] == ["completed", "completed"]


async def test_a_database_that_is_restarted(at: Shop, server: postgresql.Server) -> None:
    """In mid-file: the job is done afterwards, once."""
    at.hire()
    ids = [await at.put("anna"), await at.put("anna")]
    await at.begun(ids[0])
    await asyncio.to_thread(server.stop)
    at.gate.touch()
    while "the store failed" not in at.log:
        await asyncio.sleep(0.02)
    await asyncio.to_thread(server.start)
    jobs = await at.ended(*ids)
    assert [job["state"] for job in jobs] == ["completed", "completed"]
