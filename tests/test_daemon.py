"""`coqui_server.daemon`: the order in which the parts start and end."""

import asyncio
import json
import socket
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from coqui_server.engines.base import Engine
from coqui_server.exceptions import ConfigError
from coqui_server.ready import addresses, announced
from tests.support.clips import clip, spoken
from tests.support.daemon import Start
from tests.support.live import Obstacle, client, until

VOICE = clip("appointment.wav")


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


async def test_the_drain_has_an_end(start: Start) -> None:
    """A client that never ends its message is told, and closed with 1001 after `server.drain`."""
    async with (
        start(Obstacle(), "server.drain = 100 ms") as server,
        client(server, "/api/v1/stt") as sender,
    ):
        ending = asyncio.create_task(server.daemon.shut_down())
        assert (await sender.next())["code"] == "going_away"
        assert (await sender.closed())[0] == 1001
        await ending


@pytest.mark.parametrize(
    ("path", "first"),
    [("/ws/v1/speech-to-text", {"event": "start"}), ("/vosk", {"config": {"sample_rate": 16000}})],
)
async def test_a_shutdown_ends_a_live_client_that_goes_on(
    start: Start, moonshine: Engine, path: str, first: dict[str, object]
) -> None:
    """It is told what it has said until now, then closed with 1001."""
    async with (
        start(moonshine, "server.drain = 100 ms") as server,
        client(server, path) as speaker,
    ):
        await speaker.send(first)
        await speaker.socket.send(VOICE.pcm.tobytes())
        await until(lambda: server.service.health()["sessions"]["live"])
        await server.daemon.shut_down()
        assert (await speaker.closed())[0] == 1001
    finals = (message for message in speaker.received if message.get("is_final", True))
    assert spoken(" ".join(final.get("text", "") for final in finals)) == spoken(VOICE.text)


async def test_extra_ports(start: Start) -> None:
    """Every path is served on them too, so that Vosk's clients find it on their own port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with start(Obstacle(), f"server.http.extra_ports = [{port}]") as server:
        for url in (f"ws://127.0.0.1:{port}", server.url):
            async with connect(url, compression=None) as vosk:
                await vosk.send('{"eof" : 1}')
                assert json.loads(await vosk.recv()) == {"text": ""}


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
