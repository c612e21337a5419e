"""A store belongs to one daemon at a time, and to the next as soon as that one is dead."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from coqui_server.config.store import StoreSettings
from coqui_server.exceptions import ConfigError
from coqui_server.store import locks
from coqui_server.store.database import opened
from tests.support.clips import ROOT
from tests.support.stores import settings_of
from tools import postgresql


@contextmanager
def holding(settings: StoreSettings) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the store open."""
    url = [settings.url.get_secret_value()] if settings.url else []
    command = [sys.executable, "-m", "tests.store.holder", str(settings.path), *url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "open\n"
            yield process
        finally:
            process.kill()


@pytest.mark.process
async def test_a_second_one_says_who_has_it(
    settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the process and its machine. A killed one has it no longer."""
    with holding(settings) as first:
        monkeypatch.setattr(locks, "_PATIENCE", 0)
        owner = f"process {first.pid} on {socket.gethostname()}"
        with pytest.raises(ConfigError, match=rf"^store: another server uses this .* {owner}; "):
            async with opened(settings):
                pass
        first.kill()
        first.wait()
        monkeypatch.setattr(locks, "_PATIENCE", 60)
        async with opened(settings):
            pass


async def test_a_closed_store_can_be_opened_again(settings: StoreSettings) -> None:
    """Also in the same process, and not before it is closed."""
    async with opened(settings):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(locks, "_PATIENCE", 0)
            with pytest.raises(ConfigError, match="another server"):
                async with opened(settings):
                    pass
    async with opened(settings):
        pass


async def test_the_lock_is_taken_again_after_postgresql_dropped_it(
    server: postgresql.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart of PostgreSQL ends its connections, and the locks with them."""
    monkeypatch.setattr(locks, "_WATCH", 0.01)
    monkeypatch.setattr(locks, "_PATIENCE", 0)
    settings = settings_of(tmp_path, server.create())
    lost, taken = asyncio.Event(), asyncio.Event()
    take, close = locks._Advisory._take, locks._Advisory.close

    async def taking(self: locks._Advisory) -> str | None:
        holder = await take(self)
        if lost.is_set() and holder is None:
            taken.set()
        return holder

    async def closing(self: locks._Advisory) -> None:
        lost.set()
        await close(self)

    async with opened(settings) as database:
        monkeypatch.setattr(locks._Advisory, "_take", taking)
        monkeypatch.setattr(locks._Advisory, "close", closing)
        async with database.reading() as transaction:
            await transaction.execute(text(ENDED))
        await taken.wait()
        with pytest.raises(ConfigError, match="another server"):
            async with opened(settings):
                pass


ENDED = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name LIKE 'coqui_server,%' AND datname = current_database()
"""
