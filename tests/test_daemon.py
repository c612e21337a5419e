"""`coqui_server.daemon`: the order in which the parts start and end."""

import asyncio
import json
import socket
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from coqui_server.exceptions import ConfigError
from coqui_server.ready import addresses, announced
from tests.support.daemon import Start
from tests.support.live import Obstacle, client, until


async def test_nothing_is_left_after_the_end(start: Start) -> None:
    """Every task is awaited, and every port is free again."""
    before = asyncio.all_tasks()
    async with start(Obstacle(), console=True) as server:
        told = addresses(server.daemon)
        assert (told["console"], told["speech"]) == (server.console, [server.url])
    assert asyncio.all_tasks() == before
    for address in (*told["speech"], told["console"]):
        host, port = address.split("//")[1].split(":")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, int(port)))
    host, port = told["rtp"].split(":")
    with socket.socket(type=socket.SOCK_DGRAM) as free:
        free.bind((host, int(port)))


async def test_a_start_that_fails_ends_what_was_started(start: Start) -> None:
    """The console's port is the last to be opened; when it is taken, all others are closed."""
    before = asyncio.all_tasks()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=r"web\.port"):
            async with start(Obstacle(), f"web.port = {port}", console=True):
                pytest.fail("it started")
    assert asyncio.all_tasks() == before


async def test_a_shutdown_lets_a_session_finish_and_takes_no_new_one(start: Start) -> None:
    """A client that stops in time gets all its text; a new one finds no open port."""
    async with start(Obstacle(), "server.drain = 30 s") as server:
        async with client(server, "/ws/v1/speech-to-text") as speaker:
            await speaker.send({"event": "start"})
            await speaker.next()
            ending = asyncio.create_task(server.daemon.shut_down())
            await until(lambda: server.service.health()["status"] == "draining")
            with pytest.raises(ConnectionRefusedError):
                await connect(f"{server.url}/ws")
            assert not ending.done()
            await speaker.send({"event": "stop"})
            assert (await speaker.until(event="stopped"))["session_id"]
        await ending


async def test_a_shutdown_ends_a_client_that_goes_on(start: Start) -> None:
    """It gets what it said so far, and is closed with 1001."""
    async with (
        start(Obstacle(), "server.drain = 0 s") as server,
        client(server, "/ws/v1/speech-to-text") as speaker,
    ):
        await speaker.send({"event": "start"})
        await speaker.next()
        await server.daemon.shut_down()
        assert (await speaker.closed())[0] == 1001


async def test_engines_of_the_caller_stay_open(start: Start) -> None:
    """They are not closed, so that the next daemon can use them."""

    class Closing(Obstacle):
        closed = False

        async def close(self) -> None:
            self.closed = True

    engine = Closing()
    async with start(engine):
        pass
    assert not engine.closed


async def test_ready_file(start: Start, tmp_path: Path) -> None:
    """There from the start to the end, and complete whenever it is there."""
    path = tmp_path / "ready"
    async with start(Obstacle()) as server:
        with announced(server.daemon, path):
            told = json.loads(path.read_text(encoding="utf-8"))
            assert told == addresses(server.daemon)
            assert (told["console"], told["speech"]) == (None, [server.url])
        assert not path.exists()
        nowhere = tmp_path / "nowhere" / "ready"
        with (
            pytest.raises(ConfigError, match="cannot be written"),
            announced(server.daemon, nowhere),
        ):
            pytest.fail("it was written")
