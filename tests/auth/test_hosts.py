"""Only requests for this host are answered, on both ports, over HTTP and for WebSockets."""

import asyncio
import json
import logging

import pytest

from coqui_server.auth.hosts import Hosts
from coqui_server.banner import screen
from coqui_server.config.settings import Settings
from coqui_server.exceptions import ForeignHost
from tests.support.daemon import Start
from tests.support.live import Obstacle

HANDSHAKE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


async def answer(address: str, head: str) -> str:
    """The head and body of the answer to a GET, without the headers that HTTP clients add."""
    host, _, port = address.partition("://")[2].rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"{head}\r\n".encode())
    received = await reader.readuntil(b"\r\n\r\n")
    if b" 101 " not in received:
        received += await reader.read(1000)
    writer.close()
    await writer.wait_closed()
    return received.decode()


def settings(**values: object) -> Settings:
    """Settings as a file gives them."""
    return Settings.model_validate(values)


OURS = [
    "localhost", "LOCALHOST:8000", "localhost.", "127.0.0.1:5004", "127.8.9.1", "[::1]:8000",
    "[0:0:0:0:0:0:0:1]", "192.0.2.7:8000", "[::ffff:192.0.2.7]",
]  # fmt: skip
FOREIGN = [
    "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.0.2.8", "", ":8000",
    "localhost@evil.example", "evil.example#localhost", "localhost:x", "[::1", "localhost evil",
]  # fmt: skip


@pytest.mark.parametrize("host", OURS)
def test_loopback_and_the_address_of_the_connection_are_ours(host: str) -> None:
    """In every spelling."""
    Hosts(Settings()).check(host, "192.0.2.7")


@pytest.mark.parametrize("host", FOREIGN)
def test_all_others_are_foreign(host: str) -> None:
    """Also those that look like ours."""
    with pytest.raises(ForeignHost):
        Hosts(Settings()).check(host, "192.0.2.7")


@pytest.mark.parametrize(
    ("configured", "host"),
    [
        ({"server": {"hosts": ["speech.example"]}}, "Speech.Example:443"),
        ({"server": {"hosts": ["*"]}}, "anything.example"),
        ({"web": {"host": "desk.lan"}}, "desk.lan"),
        ({"rtp": {"advertise": "203.0.113.5"}}, "203.0.113.5:8000"),
    ],
)
def test_names_of_the_configuration_are_ours(configured: dict[str, object], host: str) -> None:
    """Whichever setting names the host."""
    with pytest.raises(ForeignHost):
        Hosts(Settings()).check(host, "127.0.0.1")
    Hosts(settings(**configured)).check(host, "127.0.0.1")


def test_an_address_to_listen_on_is_no_name() -> None:
    """0.0.0.0 reaches this machine in some browsers, from any page."""
    with pytest.raises(ForeignHost):
        Hosts(settings(web={"host": "0.0.0.0"})).check("0.0.0.0:8000", "127.0.0.1")


@pytest.mark.parametrize("port", ["url", "console"])
@pytest.mark.parametrize("head", ["", HANDSHAKE])
async def test_other_hosts_get_421(
    start: Start, caplog: pytest.LogCaptureFixture, port: str, head: str
) -> None:
    """On both ports, for pages and sockets. The log says what would let the request in."""
    caplog.set_level(logging.WARNING)
    path = "/ws/events" if head else "/health"
    async with start(Obstacle(), console=True) as server:
        address = getattr(server, port)
        refused = await answer(address, f"GET {path} HTTP/1.1\r\nHost: evil.example:1\r\n{head}")
        served = await answer(address, f"GET {path} HTTP/1.1\r\nHost: localhost:1\r\n{head}")
    assert refused.startswith("HTTP/1.1 421 ")
    assert "evil.example" in refused.partition("\r\n\r\n")[2]
    assert served.startswith("HTTP/1.1 101 " if head else "HTTP/1.1 200 ")
    assert 'server.hosts = ["evil.example"] lets it in' in caplog.text


async def test_a_request_without_a_host_is_no_browsers(start: Start) -> None:
    """Monitors of balancers send HTTP/1.0 without it."""
    async with start(Obstacle(), console=True) as server:
        served = await answer(server.console, "GET /health HTTP/1.0\r\n")
    assert json.loads(served.partition("\r\n\r\n")[2])["status"]


async def test_a_start_on_all_addresses_says_how_to_name_the_host(start: Start) -> None:
    """And only such a start."""

    async def shown(configuration: str) -> str:
        async with start(Obstacle(), configuration, console=True) as server:
            return screen(server.daemon, "tests")

    assert "server.hosts" not in await shown("")
    assert 'server.hosts = ["name"] adds a name' in await shown('web.host = "0.0.0.0"')
    assert "server.hosts" not in await shown('web.host = "0.0.0.0", server.hosts = ["desk.lan"]')
