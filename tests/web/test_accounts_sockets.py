"""Who may open a socket where somebody has to sign in, on both ports."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from coqui_client.cli import main
from coqui_client.connection import TOKEN
from coqui_server.auth import cookies
from coqui_server.engines.base import AnyEngine
from coqui_server.store.users import Users
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start
from tests.support.live import client
from tests.web.people import PASSWORD, signed_up
from tools.daemon import running

VOICE = clip("appointment.wav")
PATHS = (
    "/api/v1/stt",
    "/ws/v1/speech-to-text",
    "/ws",
    "/",
    "/vosk",
    "/ws/events",
    "/v1/listen",
)


@pytest.fixture
async def server(start: Start, moonshine: AnyEngine) -> AsyncIterator[Running]:
    """A daemon where everybody has to sign in, with an administrator."""
    async with start(moonshine, "auth.required = true", console=True) as running:
        await users_of(running).add("admin", PASSWORD)
        yield running


@pytest.fixture(params=["speech", "console"])
def port(request: pytest.FixtureRequest, server: Running) -> Running:
    """The same server, its sockets reached by each of its ports."""
    if request.param == "speech":
        return server
    return replace(server, url=server.console.replace("http:", "ws:"))


def users_of(server: Running) -> Users:
    assert server.store
    return server.store.users


async def token_of(server: Running, name: str, age: timedelta | None = None) -> str:
    """A token of this user, who is made if need be."""
    assert server.store
    if await server.store.users.get(name) is None:
        await server.store.users.add(name, PASSWORD)
    return (await server.store.tokens.add(name, "test", age))[0]


async def refused(address: str, **options: object) -> int:
    """The status of a handshake that is refused."""
    with pytest.raises(InvalidStatus) as refusal:
        await connect(address, **options)  # type: ignore[arg-type]
    assert refusal.value.response.headers["WWW-Authenticate"] == "Bearer"
    return refusal.value.response.status_code


@pytest.mark.parametrize("path", PATHS)
async def test_nobody_is_let_in(port: Running, path: str) -> None:
    """Every protocol is refused before the handshake."""
    assert await refused(port.url + path) == 401


async def test_wrong_tokens(port: Running) -> None:
    """One that never was, one that is too old, one that was revoked."""
    assert port.store
    tokens = port.store.tokens
    old = await token_of(port, "anna", timedelta(microseconds=1))
    gone = await token_of(port, "anna")
    await tokens.revoke("anna", (await tokens.of("anna"))[0].id)
    for token in ("coqui_wrong", old, gone):
        address = f"{port.url}/ws/events"
        assert await refused(f"{address}?token={token}") == 401
        bearer = {"Authorization": f"Bearer {token}"}
        assert await refused(address, additional_headers=bearer) == 401
        offered = [Subprotocol("bearer"), Subprotocol(token)]
        assert await refused(address, subprotocols=offered) == 401


async def test_tokens_in_the_address_and_in_a_header(port: Running) -> None:
    """Both ways, and the session belongs to who opened it."""
    token = await token_of(port, "anna")
    async with connect(f"{port.url}/ws/events?token={token}") as socket:
        await socket.send('{"command": "nothing"}')
        assert json.loads(await socket.recv())["code"] == "bad_command"
    bearer = {"Authorization": f"bearer {token}"}
    async with connect(f"{port.url}/api/v1/stt", additional_headers=bearer) as socket:
        await socket.send(VOICE.path.read_bytes())
        reply = json.loads(await socket.recv())
    assert spoken(reply["text"]) == spoken(VOICE.text)
    assert port.store
    assert (await port.store.sessions.get("anna", reply["session"])).owner == "anna"


async def test_tokens_as_a_subprotocol(port: Running) -> None:
    """A browser has no other way, and takes only an answer that it offered."""
    token = Subprotocol(await token_of(port, "anna"))
    bearer = Subprotocol("bearer")
    for offered, answered in (([bearer, token], bearer), ([token], token)):
        async with connect(f"{port.url}/ws/v1/speech-to-text", subprotocols=offered) as socket:
            assert socket.subprotocol == answered
            await socket.send('{"event": "start"}')
            answer = json.loads(await socket.recv())
            assert answer["event"] == "started", answer


@pytest.mark.parametrize("path", ["/ws/v1/speech-to-text", "/ws", "/vosk"])
async def test_live_sessions_have_owners(server: Running, path: str) -> None:
    """In every live protocol."""
    token = await token_of(server, "anna")
    async with client(server, f"{path}?token={token}") as speaker:
        if path == "/ws/v1/speech-to-text":
            await speaker.send({"event": "start"})
        await speaker.send_sound(VOICE.pcm[:16000])
        await speaker.next()
    await server.service.drained()
    assert server.store
    found = await server.store.sessions.find("anna")
    assert [session.kind for session in found.sessions] == ["live"]


async def test_the_cookie_of_a_page(server: Running) -> None:
    """Pages of the console connect with their cookie; those of other ports have none there."""
    console = server.console.replace("http:", "ws:")
    async with signed_up(server, "anna") as anna:
        headers = {"Cookie": f"{cookies.NAME}={anna.cookies[cookies.NAME]}"}
    address = f"{console}/ws/v1/speech-to-text"
    async with connect(
        address, origin=Origin(server.console), additional_headers=headers
    ) as socket:
        await socket.send('{"event": "start"}')
        assert json.loads(await socket.recv())["event"] == "started"
    other = Origin("http://127.0.0.1:9")
    assert await refused(address, origin=other, additional_headers=headers) == 401
    forged = {"Cookie": f"{cookies.NAME}=x"}
    assert await refused(address, origin=Origin(server.console), additional_headers=forged) == 401


async def test_events_are_ones_own(server: Running) -> None:
    """A user is told of their own sessions, an administrator of all, and only that one commands."""
    anna, ben = await token_of(server, "anna"), await token_of(server, "ben")
    admin = await token_of(server, "admin")
    async with (
        client(server, f"/ws/events?token={anna}") as hers,
        client(server, f"/ws/events?token={admin}") as all_of_them,
    ):
        for viewer in (hers, all_of_them):
            await viewer.send({"command": "list_calls"})
        assert (await hers.next())["code"] == "forbidden"
        assert await all_of_them.next() == {"event": "calls", "calls": []}
        for token in (ben, anna):
            async with server.connect(f"?token={token}") as socket:
                await socket.send(VOICE.path.read_bytes())
                await socket.recv()
            await all_of_them.until(event="session_end")
        await hers.until(event="session_end")
    assert {heard["owner"] for heard in hers.received[1:]} == {"anna"}
    assert {heard["owner"] for heard in all_of_them.received[1:]} == {"anna", "ben"}


async def test_the_client_brings_its_token(
    server: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the environment; without one it says what is missing, and nothing of the token."""
    command = ["--url", server.url, str(VOICE.path)]
    monkeypatch.delenv(TOKEN, raising=False)
    assert await asyncio.to_thread(main, command) != 0
    assert "run: export COQUI_TOKEN=" in capsys.readouterr().err
    monkeypatch.setenv(TOKEN, await token_of(server, "anna"))
    assert await asyncio.to_thread(main, command) == 0
    assert spoken(capsys.readouterr().out) == spoken(VOICE.text)


async def test_subprotocols_where_nobody_has_to_sign_in(start: Start, moonshine: AnyEngine) -> None:
    """Pages that are made for both find the same answer."""
    async with start(moonshine, console=True) as server:
        for url in (server.url, server.console.replace("http:", "ws:")):
            offered = [Subprotocol("bearer"), Subprotocol("coqui_any")]
            async with connect(f"{url}/ws/events", subprotocols=offered) as socket:
                assert socket.subprotocol == "bearer"


async def test_tokens_are_in_no_log() -> None:
    """However much is logged; and an open address is warned of only where nobody signs in."""
    configuration = 'auth.required = true\nserver.http.host = "0.0.0.0"\nlog.level = DEBUG'
    with running(configuration) as daemon:
        ports = (daemon.url.replace("0.0.0.0", "127.0.0.1"), daemon.console.replace("http", "ws"))
        for url in ports:
            assert await refused(f"{url}/ws/events?token=coqui_secret") == 401
        assert daemon.stop() == 0
        log = daemon.log.read_text()
    assert "shutting down" in log
    assert "coqui_secret" not in log
    assert "without signing in" not in log
    assert "the first one that signs up is administrator" in log
