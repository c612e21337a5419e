"""Another password, signing out, and the end of an account: what they end and close."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from coqui_server.auth import cookies
from coqui_server.engines.base import AnyEngine
from coqui_server.exceptions import NotSignedIn
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start, answer_to
from tests.web.people import PASSWORD, browser, csrf, made_token, sign, signed_up

VOICE = clip("appointment.wav")
OTHER = "another horse"


@pytest.fixture
async def server(start: Start, moonshine: AnyEngine) -> AsyncIterator[Running]:
    """A daemon where everybody has to sign in."""
    async with start(moonshine, "auth.required = true", console=True) as running:
        yield running


async def post(client: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    """Send a form of a page."""
    return await client.post(path, data={"csrf": await csrf(client), **form})


async def let_in(client: httpx.AsyncClient) -> bool:
    """Whether a browser is still signed in."""
    return (await client.get("/account")).status_code == 200


def by_cookie(server: Running, client: httpx.AsyncClient) -> connect:
    """A socket of a page in this browser."""
    address = server.console.replace("http:", "ws:")
    headers = {"Cookie": f"{cookies.NAME}={client.cookies[cookies.NAME]}"}
    return connect(
        f"{address}/ws/events", origin=Origin(server.console), additional_headers=headers
    )


async def is_open(socket: ClientConnection) -> bool:
    """Whether the server still answers."""
    await socket.send('{"command": "nothing"}')
    return bool(json.loads(await socket.recv())["code"] == "bad_command")


async def close_code(socket: ClientConnection) -> int | None:
    """How the server closes, after what it still sends."""
    with pytest.raises(ConnectionClosed):
        while True:
            await socket.recv()
    return socket.close_code


async def test_signing_out(server: Running) -> None:
    """It ends the sign-ins of all browsers of this user, and closes their sockets. Tokens and
    other users stay."""
    async with signed_up(server, "admin") as admin, signed_up(server, "anna") as anna:
        token = await made_token(anna)
        async with (
            browser(server) as phone,
            connect(f"{server.url}/ws/events?token={token}") as program,
            by_cookie(server, admin) as other,
        ):
            await sign(phone, "in", "anna")
            async with by_cookie(server, phone) as page:
                assert await is_open(page)
                assert (await post(anna, "/sign-out")).headers["location"] == "/sign-in"
                assert await close_code(page) == NotSignedIn.close_code
            assert not await let_in(phone)
            assert await is_open(program)
            assert await is_open(other)


async def test_a_revoked_token_closes_its_sockets(server: Running) -> None:
    """And no others."""
    async with signed_up(server, "anna") as anna:
        kept, gone = await made_token(anna), await made_token(anna)
        assert server.store
        newest = (await server.store.tokens.of("anna"))[0]
        async with (
            connect(f"{server.url}/ws/events?token={kept}") as open,
            connect(f"{server.url}/ws/events?token={gone}") as closed,
            by_cookie(server, anna) as page,
        ):
            await post(anna, f"/account/tokens/{newest.id}/revoke")
            assert await close_code(closed) == NotSignedIn.close_code
            assert await is_open(open)
            assert await is_open(page)


async def test_news_of_files_end_with_the_sign_in(server: Running) -> None:
    """They are a stream of events over HTTP, which nothing else would end."""
    async with signed_up(server, "anna") as anna, browser(server) as phone:
        await sign(phone, "in", "anna")
        async with phone.stream("GET", "/api/files/events") as news:
            assert news.status_code == 200
            await post(anna, "/sign-out")
            async for _ in news.aiter_lines():
                pass


async def test_words_of_a_closed_socket_are_kept(server: Running) -> None:
    """Who is speaking while the sign-in ends loses the socket, and nothing of what was said."""
    async with signed_up(server, "anna") as anna:
        token = await made_token(anna)
        assert server.store
        async with connect(f"{server.url}/?token={token}") as speaker:
            await speaker.send('{"config": {"sample_rate": 16000}}')
            await speaker.send(VOICE.pcm.tobytes())
            await speaker.recv()
            (row,) = await server.store.tokens.of("anna")
            await post(anna, f"/account/tokens/{row.id}/revoke")
            assert await close_code(speaker) == NotSignedIn.close_code
        await server.service.drained()
        (kept,) = (await server.store.sessions.find("anna")).sessions
        text = (await server.store.sessions.get("anna", kept.id)).text
        assert spoken(text) == spoken(VOICE.text)


async def test_another_password(server: Running) -> None:
    """Who knows the old one sets it, stays signed in, and is signed out everywhere else."""
    async with signed_up(server, "anna") as anna, browser(server) as phone:
        await sign(phone, "in", "anna")
        wrong = await post(anna, "/account/password", password=OTHER, new=OTHER)
        assert wrong.status_code == 401
        short = await post(anna, "/account/password", password=PASSWORD, new="short")
        assert (short.status_code, "8 to 1000" in short.text) == (400, True)
        assert await let_in(phone)
        done = await post(anna, "/account/password", password=PASSWORD, new=OTHER)
        assert (done.status_code, done.headers["location"]) == (303, "/account")
        assert await let_in(anna)
        assert not await let_in(phone)
        assert (await sign(phone, "in", "anna")).status_code == 401
        assert (await sign(phone, "in", "anna", OTHER)).status_code == 303


async def test_guesses_of_the_current_password(server: Running) -> None:
    """They are limited as at the sign-in."""
    async with signed_up(server, "anna") as anna:
        for _ in range(5):
            form = {"password": "a guess", "sessions": "true"}
            assert (await post(anna, "/account/delete", **form)).status_code == 401
        right = await post(anna, "/account/password", password=PASSWORD, new=OTHER)
        assert right.status_code == 429


async def test_administrators(server: Running) -> None:
    """They set passwords, make administrators and delete accounts; nobody else may."""
    async with signed_up(server, "admin") as admin, signed_up(server, "anna") as anna:
        assert "/accounts" in (await admin.get("/")).text
        assert "/accounts" not in (await anna.get("/")).text
        for path in ("admin/password", "anna/promote", "admin/delete"):
            form = {"new": OTHER, "sessions": "true"}
            assert (await post(anna, f"/accounts/{path}", **form)).status_code == 403
        assert (await anna.get("/accounts")).status_code == 403
        assert (await post(admin, "/accounts/anna/password", new="short")).status_code == 400
        assert (await post(admin, "/accounts/anna/password", new=OTHER)).status_code == 303
        assert not await let_in(anna)
        assert (await sign(anna, "in", "anna", OTHER)).status_code == 303
        refused = await post(admin, "/accounts/admin/delete", sessions="true")
        assert (refused.status_code, "only administrator" in refused.text) == (403, True)
        assert (await post(admin, "/accounts/anna/promote")).status_code == 303
        assert (await post(anna, "/accounts/admin/delete", sessions="true")).status_code == 303
        assert not await let_in(admin)
        assert (await post(anna, "/accounts/nobody/delete", sessions="true")).status_code == 404


async def session_and_file(server: Running, client: httpx.AsyncClient) -> str:
    """A session and a finished file of this user; the token."""
    token = await made_token(client)
    async with server.connect(f"?token={token}") as socket:
        await socket.send(VOICE.path.read_bytes())
        await answer_to(socket)
    bearer = {"Authorization": f"Bearer {token}"}
    files = {"files": VOICE.path.read_bytes()}
    (await client.post("/api/files", files=files, headers=bearer)).raise_for_status()
    return token


@pytest.mark.parametrize("sessions", ["true", "false"])
async def test_the_end_of_an_account(server: Running, sessions: str) -> None:
    """Nothing lets anybody in, what is open is closed, files are gone; sessions as was chosen."""
    async with signed_up(server, "admin") as admin, signed_up(server, "anna") as anna:
        token = await session_and_file(server, anna)
        async with connect(f"{server.url}/ws/events?token={token}") as open:
            form = {"password": PASSWORD, "sessions": sessions}
            gone = await post(anna, "/account/delete", **form)
            assert (gone.status_code, gone.headers["location"]) == (303, "/sign-in")
            assert await close_code(open) == NotSignedIn.close_code
        assert (await anna.get("/account")).status_code == 303
        bearer = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        assert (await admin.get("/api/files", headers=bearer)).status_code == 401
        assert (await admin.get("/api/files")).json() == []
        assert server.store
        assert not list((server.store.settings.path / "uploads").iterdir())
        left = (await admin.get("/api/sessions/")).json()["sessions"]
        owners = {session["owner"] for session in left}
        assert owners == (set() if sessions == "true" else {"anna"})
        again = await sign(anna, "up", "anna")
        assert again.status_code == (303 if sessions == "true" else 409)


async def test_the_end_of_an_account_stops_its_files(start: Start, moonshine: AnyEngine) -> None:
    """Also one that runs and one that waits."""
    async with (
        start(moonshine, "auth.required = true", console=True) as server,
        signed_up(server, "admin") as admin,
        signed_up(server, "anna") as anna,
    ):
        token = await made_token(anna)
        bearer = {"Authorization": f"Bearer {token}"}
        files = [("files", (f"{n}.wav", VOICE.path.read_bytes())) for n in range(3)]
        handed = await anna.post("/api/files", files=files, headers=bearer)
        assert handed.status_code == 201
        done = await post(admin, "/accounts/anna/delete", sessions="true")
        assert done.status_code == 303
        assert (await admin.get("/api/files")).json() == []
        assert (await admin.get("/api/sessions/")).json()["sessions"] == []
