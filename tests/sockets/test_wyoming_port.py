"""The port of Wyoming: who may connect, how often, and that it is found."""

import asyncio
import socket
import uuid
from contextlib import suppress

import pytest
from zeroconf import ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

from coqui_server import extras
from coqui_server.exceptions import ConfigError
from coqui_server.ready import addresses
from tests.support.daemon import Running, Start
from tests.support.live import Obstacle, until
from tests.support.wyoming import ON, client, place, port

TYPE = "_wyoming._tcp.local."


async def gone(server: Running) -> None:
    """Connect, and be closed without a word."""
    reader, writer = await asyncio.open_connection(*place(server))
    with suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()


async def test_it_is_off_by_default(start: Start) -> None:
    """The ready file says so, too."""
    async with start(Obstacle()) as server:
        assert addresses(server.daemon)["wyoming"] is None


async def test_only_those_who_are_allowed(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """Others are closed at once; the log has what would let them in."""
    async with start(Obstacle(), f'{ON}, wyoming.allow = ["10.0.0.0/8"]') as server:
        await gone(server)
    assert 'wyoming.allow = ["127.0.0.1"] lets it in' in caplog.text


async def test_more_connections_than_an_address_may_have(start: Start) -> None:
    """The next one is closed; when one has left, there is room again."""
    async with start(Obstacle(), f"{ON}, server.connections = 1") as server:
        async with client(server) as first:
            await first.heard()
            await gone(server)
            await until(lambda: len(port(server).connections) == 1)
        await until(lambda: not port(server).connections)
        async with client(server) as second:
            await second.heard()


async def test_the_end_closes_connections(start: Start) -> None:
    """No task is left, and the port is free again."""
    before = asyncio.all_tasks()
    async with start(Obstacle(), ON) as server:
        told = addresses(server.daemon)["wyoming"]
        reader, writer = await asyncio.open_connection(*place(server))
        await until(lambda: port(server).connections)
    assert asyncio.all_tasks() == before
    assert told == "{}:{}".format(*writer.get_extra_info("peername"))
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(writer.get_extra_info("peername"))
    assert await reader.read() == b""


async def test_a_port_that_is_taken(start: Start) -> None:
    """The start fails, and names the setting."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=r"wyoming\.port: found .* in use"):
            async with start(Obstacle(), f"wyoming.port = {number}"):
                pytest.fail("it started")


async def test_it_is_announced(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks for the service finds its address and port, until the end. The name is cut to
    what may be, not in the middle of a character."""
    host = f"host-{uuid.uuid4()}" + "é" * 20
    monkeypatch.setattr("socket.gethostname", lambda: host)
    name = f"coqui_server {host}"[:58] + f".{TYPE}"
    seen: asyncio.Queue[ServiceStateChange] = asyncio.Queue()

    def changed(name: str, state_change: ServiceStateChange, **_: object) -> None:
        if host[:20] in name:
            seen.put_nowait(state_change)

    network = AsyncZeroconf(interfaces=["127.0.0.1"])
    browser = AsyncServiceBrowser(network.zeroconf, TYPE, handlers=[changed])
    try:
        async with start(Obstacle(), f"{ON}, wyoming.announce = true") as server:
            assert await seen.get() is ServiceStateChange.Added
            found = await network.async_get_service_info(TYPE, name)
            assert found
            assert (found.parsed_addresses(), found.port) == (["127.0.0.1"], place(server)[1])
        while await seen.get() is not ServiceStateChange.Removed:
            pass
    finally:
        await browser.async_cancel()
        await network.async_close()


async def test_the_package_for_it_is_missing(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """The start fails with the command that installs it."""
    monkeypatch.setattr("coqui_server.extras.find_spec", lambda _: None)
    with pytest.raises(ConfigError) as missing:
        async with start(Obstacle(), f"{ON}, wyoming.announce = true"):
            pytest.fail("it started")
    assert missing.value.fix == extras.command("zeroconf")
