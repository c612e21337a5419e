"""Files that requests name by their addresses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from coqui_server.engines.base import Engine
from coqui_server.exceptions import BadRequest, Forbidden
from coqui_server.web import fetching
from coqui_server.web.fetching import fetched, public
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start

VOICE = clip("appointment.wav")


@asynccontextmanager
async def site(*answers: bytes) -> AsyncIterator[str]:
    """A web server on this machine that gives these answers, one for each connection, and after the
    last one none."""
    left = list(answers)
    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        await reader.readuntil(b"\r\n\r\n")
        if left:
            writer.write(left.pop(0))
        else:
            await reader.read()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await asyncio.gather(*filter(None, serving))


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    """An answer of HTTP."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine be part of the internet."""
    monkeypatch.setattr(fetching, "public", lambda address: True)


async def read(address: str, patience: float = 30.0) -> bytes:
    """All bytes of a file."""
    return b"".join([chunk async for chunk in fetched(address, patience)])


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_public_addresses(address: str, is_public: bool) -> None:
    """Those that all of the internet can reach, and no form of any other."""
    assert public(address) == is_public


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"])
async def test_nothing_of_this_machine_is_fetched(name: str) -> None:
    """Whatever its name is."""
    async with site() as address:
        port = address.rpartition(":")[2]
        with pytest.raises((Forbidden, BadRequest)):
            await read(f"http://{name}:{port}/secret")


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://a.example/a", "a", "http://", ""])
async def test_what_is_no_address_of_the_web(address: str) -> None:
    """Only http and https are."""
    with pytest.raises(BadRequest, match="no address of the web"):
        await read(address)


@pytest.mark.usefixtures("everywhere")
async def test_a_file_behind_a_redirect() -> None:
    """Redirects are followed."""
    async with site(answer("200 OK", b"sound")) as target:
        moved = answer("302 Found", b"", f"Location: {target}/there")
        async with site(moved) as address:
            assert await read(f"{address}/here?key=1#part") == b"sound"


async def test_a_redirect_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked at as the first address was."""
    looked_at: list[str] = []

    def first_only(address: str) -> bool:
        looked_at.append(address)
        return len(looked_at) == 1

    monkeypatch.setattr(fetching, "public", first_only)
    async with site(answer("302 Found", b"", "Location: http://127.0.0.1:1/")) as address:
        with pytest.raises(Forbidden):
            await read(address)
    assert looked_at == ["127.0.0.1", "127.0.0.1"]


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (answer("404 Not Found", b"none"), "the answer is 404"),
        (answer("302 Found"), "the answer is 302"),
        (answer("302 Found", b"", "Location: file:///etc/passwd"), "no address of the web"),
        (b"SSH-2.0\r\n", "RemoteProtocolError"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "RemoteProtocolError"),
    ],
)
async def test_no_file_there(reply: bytes, problem: str) -> None:
    """The reason is said, without the address, which may have a key in it."""
    async with site(reply) as address:
        with pytest.raises(BadRequest, match=problem) as refusal:
            await read(f"{address}/a?key=secret")
    assert "secret" not in str(refusal.value)


@pytest.mark.usefixtures("everywhere")
async def test_a_site_that_goes_round_in_circles() -> None:
    """It is left after a few rounds."""
    async with site(*[answer("302 Found", b"", "Location: /again")] * 9) as address:
        with pytest.raises(BadRequest, match="more than 5 redirects"):
            await read(address)


@pytest.mark.usefixtures("everywhere")
async def test_a_site_that_never_answers() -> None:
    """It is given up."""
    async with site() as address:
        with pytest.raises(BadRequest, match="nothing came"):
            await read(address, 0.2)


@pytest.mark.usefixtures("everywhere")
async def test_deepgrams_api_fetches_where_it_is_allowed(start: Start, moonshine: Engine) -> None:
    """The text of the file at an address; a body without one is refused."""
    async with (
        site(answer("200 OK", VOICE.path.read_bytes())) as address,
        start(moonshine, "web.fetch = true", console=True) as server,
        server.http(timeout=60) as web,
    ):
        reply = await web.post("/v1/listen", json={"url": f"{address}/a.wav"})
        best = reply.json()["results"]["channels"][0]["alternatives"][0]
        assert spoken(best["transcript"]) == spoken(VOICE.text)
        wrong: Any
        for wrong in ({"uri": "x"}, {"url": 1}, [], {"url": "x" * 20_000}):
            assert (await web.post("/v1/listen", json=wrong)).status_code in (400, 413)


async def test_it_does_not_unless_it_is_allowed(server: Running, web: httpx.AsyncClient) -> None:
    """The refusal names the setting."""
    reply = await web.post("/v1/listen", json={"url": "http://127.0.0.1/a.wav"})
    assert reply.status_code == 400
    assert "web.fetch" in reply.json()["err_msg"]
