"""Accounts: signing up, in and out, tokens, and who sees what, over real HTTP."""

import re
import stat
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from coqui_server.auth import cookies
from coqui_server.engines.base import AnyEngine
from coqui_server.exceptions import ConfigError
from coqui_server.transcription.readiness import ANSWERS
from tests.support.clips import clip
from tests.support.daemon import Running, Start, answer_to
from tests.web.people import PASSWORD, browser, csrf, made_token, sign, signed_up

VOICE = clip("appointment.wav")


@pytest.fixture
async def server(start: Start, moonshine: AnyEngine) -> AsyncIterator[Running]:
    """A daemon where everybody has to sign in."""
    async with start(moonshine, "auth.required = true", console=True) as running:
        yield running


async def transcribed(server: Running, token: str) -> str:
    """The id of a session of the token's user."""
    async with server.connect(f"?token={token}") as socket:
        await socket.send(VOICE.path.read_bytes())
        return str((await answer_to(socket)).reply["session"])


async def seen(client: httpx.AsyncClient) -> set[str]:
    """The ids of the sessions that are listed for somebody."""
    listed = (await client.get("/api/sessions/")).raise_for_status().json()
    return {session["id"] for session in listed["sessions"]}


async def test_nobody_is_let_in(server: Running) -> None:
    """People are sent to the sign-in page and back, programs are told; monitors may look."""
    async with browser(server) as client:
        sent = await client.get("/account?token=coqui_wrong")
        assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=%2Faccount")
        for path in ("/", "/account", "/api/sessions/", "/api/calls"):
            refused = await client.get(path, headers={"Accept": "application/json"})
            assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
            assert refused.headers["www-authenticate"] == "Bearer"
        for path in (*ANSWERS, "/sign-in", "/sign-up", "/static/style.css"):
            assert (await client.get(path)).status_code == 200


async def test_metrics_and_the_reference_are_opened_by_settings(
    start: Start, moonshine: AnyEngine
) -> None:
    """They need a sign-in where all others do."""
    pages = ("/metrics", "/docs", "/redoc", "/openapi.json")

    async def answers(configuration: str) -> list[int]:
        async with (
            start(moonshine, f"auth.required = true\n{configuration}", console=True) as running,
            running.http() as client,
        ):
            return [(await client.get(page)).status_code for page in pages]

    assert await answers("") == [401, 401, 401, 401]
    assert await answers("auth.metrics = true") == [200, 401, 401, 401]
    assert await answers("auth.docs = true") == [401, 200, 200, 200]


async def test_every_route_asks(server: Running) -> None:
    """None of the API was forgotten, and each says so in the reference."""
    async with signed_up(server, "anna") as anna:
        paths = (await anna.get("/openapi.json")).json()["paths"]
    async with server.http() as client:
        assert len(paths) > 10
        for path in paths.keys() - ANSWERS.keys():
            for method, about in paths[path].items():
                refused = await client.request(method, path.replace("{", "").replace("}", ""))
                assert refused.status_code == 401, (method, path)
                assert about["security"] == [{"HTTPBearer": []}]


async def test_sign_up_in_and_out(server: Running) -> None:
    """The first becomes the administrator; who signed out has to sign in again."""
    async with signed_up(server, "Anna") as client:
        page = await client.get("/account")
        assert "anna" in page.text
        assert "administrator" in page.text
        assert page.headers["cache-control"] == "no-store"
        out = await client.post("/sign-out", data={"csrf": await csrf(client)})
        assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
        assert (await client.get("/account")).status_code == 303
        wrong = await sign(client, "in", "anna", "wrong horse")
        assert (wrong.status_code, cookies.NAME in client.cookies) == (401, False)
        right = await sign(client, "in", "ANNA", next="/account")
        assert (right.status_code, right.headers["location"]) == (303, "/account")
        assert (await client.get("/account")).status_code == 200


async def test_the_cookie(start: Start, moonshine: AnyEngine) -> None:
    """It is for HTTP alone, not sent by other sites, and by TLS alone where there is TLS."""
    settings = 'auth.required = true, server.proxies = ["127.0.0.1"]'
    async with start(moonshine, settings, console=True) as server, browser(server) as client:
        plain = (await sign(client, "up", "anna")).headers["set-cookie"]
        proxied = {"X-Forwarded-Proto": "https"}
        form = {"name": "anna", "password": PASSWORD}
        client.cookies.clear()
        secured = (await client.post("/sign-in", data=form, headers=proxied)).headers["set-cookie"]
    for wanted in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=2592000"):
        assert wanted in plain
    assert "Secure" not in plain
    assert "Secure" in secured


@pytest.mark.parametrize(
    "next", ["https://evil.example", "//evil.example", "/\\evil.example", "/\r\nX: y", ""]
)
async def test_nobody_is_sent_elsewhere(server: Running, next: str) -> None:
    """After signing in one goes on to a page of the console, whatever a link said."""
    async with signed_up(server, "anna") as client:
        assert (await sign(client, "in", "anna", next=next)).headers["location"] == "/"


async def test_forged_and_old_cookies(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not signed here, or too long ago, or for an account that is gone, is none."""
    async with signed_up(server, "anna") as client:
        made = client.cookies[cookies.NAME]
        assert server.store
        anna = await server.store.users.get("anna")
        assert anna
        stranger = cookies.Cookies("0" * 64, 3600).made(anna)
        # Not the end of the signature: the last letter of base64 has bits that do not count.
        signed, _, signature = made.rpartition(".")
        changed = f"{signed}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
        for forged in (stranger, changed, made.partition(".")[2], "x", ""):
            client.cookies.set(cookies.NAME, forged, domain="127.0.0.1")
            assert (await client.get("/account")).status_code == 303, forged
        client.cookies.clear()
        client.cookies.set(cookies.NAME, made)
        assert (await client.get("/account")).status_code == 200
        month = time.time() + 30 * 86400
        with monkeypatch.context() as patch:
            patch.setattr("itsdangerous.timed.time.time", lambda: month - 5)
            assert (await client.get("/account")).status_code == 200
            patch.setattr("itsdangerous.timed.time.time", lambda: month + 5)
            assert (await client.get("/account")).status_code == 303
        async with server.store.database.writing() as transaction:
            await transaction.delete(anna)
        await server.store.users.add("anna", "another password")
        assert (await client.get("/account")).status_code == 303


async def test_the_secret(server: Running, tmp_path: Path) -> None:
    """It is kept where only the daemon's user reads it, and is the same after a restart."""
    path = tmp_path / "data" / "secret"
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert cookies.secret(path.parent) == path.read_text()
    path.write_text("")
    with pytest.raises(ConfigError, match="is not a valid secret"):
        cookies.secret(path.parent)


async def test_posts_of_other_sites(server: Running) -> None:
    """A form or a script that is not of our pages changes nothing, whoever's browser sends it."""
    evil = {"Origin": "https://evil.example"}
    async with (
        signed_up(server, "anna") as anna,
        server.http(cookies=anna.cookies) as client,
    ):
        right, own = await csrf(anna), {"Origin": server.console}
        for headers, proof, status in (
            (evil, right, 403),
            ({"Origin": "null"}, right, 403),
            ({"Sec-Fetch-Site": "cross-site"}, right, 403),
            (own, "", 403),
            (own, "0" * 64, 403),
            (own | {"X-CSRF-Token": "0" * 64}, right, 403),
            (own | {"X-CSRF-Token": right}, "", 200),
            (own, right, 200),
            ({}, right, 200),
        ):
            form = {"label": "a", "csrf": proof}
            answer = await client.post("/account/tokens", data=form, headers=headers)
            assert answer.status_code == status, (headers, proof)
        assert server.store
        assert len(await server.store.tokens.of("anna")) == 3
        for header, status in (({}, 403), ({"X-CSRF-Token": right}, 404)):
            deleted = await client.delete("/api/sessions/1", headers=header)
            assert deleted.status_code == status
        form = {"name": "anna", "password": PASSWORD}
        assert (await client.post("/sign-in", data=form, headers=evil)).status_code == 403


async def test_the_cookie_of_another_port(server: Running) -> None:
    """Browsers send cookies to every port of a host: a page of another one is none of ours."""
    async with signed_up(server, "anna") as client:
        other = {"Origin": "http://127.0.0.1:9", "Accept": "application/json"}
        assert (await client.get("/api/sessions/", headers=other)).status_code == 401
        assert (await client.get("/api/sessions/")).status_code == 200


async def test_guessing(server: Running) -> None:
    """After five wrong passwords the right one does not help either, here; there it does."""
    async with signed_up(server, "anna") as client:
        for _ in range(5):
            assert (await sign(client, "in", "anna", "wrong horse")).status_code == 401
        for name in ("anna", "ANNA", " anna "):
            refused = await sign(client, "in", name)
            assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 901
        assert "try again in 15 minutes" in refused.text
        assert (await sign(client, "up", "ben")).status_code == 303


async def test_closed_sign_up(start: Start, moonshine: AnyEngine) -> None:
    """Only the first account can be made; names and passwords have to be some."""
    async with (
        start(moonshine, "auth { required = true, signup = false }", console=True) as server,
        browser(server) as client,
    ):
        assert "/sign-up" in (await client.get("/sign-in")).text
        for name, password in (("a b", PASSWORD), ("anna", "short")):
            assert (await sign(client, "up", name, password)).status_code == 400
        assert (await sign(client, "up", "anna")).status_code == 303
        refused = await sign(client, "up", "ben")
        assert refused.status_code == 403
        assert 'action="/sign-up"' not in refused.text
        assert "/sign-up" not in (await client.get("/sign-in")).text


async def test_names_that_are_taken_or_markup(server: Running) -> None:
    """A name has one account; what was typed is shown, and is no markup."""
    async with signed_up(server, "anna") as client:
        assert (await sign(client, "up", "Anna")).status_code == 409
        shown = await sign(client, "in", '"><script>alert(1)</script>')
        assert "<script>alert" not in shown.text
        assert "&lt;script&gt;alert" in shown.text


async def test_everybody_sees_their_own(server: Running) -> None:
    """Other people's sessions are not there; an administrator sees all."""
    async with (
        signed_up(server, "admin") as admin,
        signed_up(server, "anna") as anna,
        signed_up(server, "ben") as ben,
    ):
        hers = await transcribed(server, await made_token(anna))
        his = await transcribed(server, await made_token(ben))
        assert (await seen(anna), await seen(ben)) == ({hers}, {his})
        assert await seen(admin) == {hers, his}
        assert (await admin.get(f"/api/sessions/{his}")).json()["owner"] == "ben"
        proof = {"X-CSRF-Token": await csrf(anna)}
        for path in ("", "/audio", "/peaks"):
            assert (await ben.get(f"/api/sessions/{hers}{path}")).status_code == 404
            assert (await anna.get(f"/api/sessions/{his}{path}")).status_code == 404
            assert (await anna.get(f"/api/sessions/{hers}{path}")).status_code == 200
        assert (await anna.delete(f"/api/sessions/{his}", headers=proof)).status_code == 404
        assert (await anna.get("/api/sessions/", params={"owner": "ben"})).json()["total"] == 0
        assert (await anna.get("/api/calls")).status_code == 403
        assert (await admin.get("/api/calls")).json() == []
        assert (await anna.delete(f"/api/sessions/{hers}", headers=proof)).status_code == 204
        assert await seen(admin) == {his}


async def test_tokens(server: Running) -> None:
    """A token is shown once, works without a cookie and without proof, until it is revoked."""
    async with (
        signed_up(server, "admin") as admin,
        signed_up(server, "anna") as anna,
        server.http() as program,
    ):
        token = await made_token(anna, "<i>crm</i>", "30")
        page = (await anna.get("/account")).text
        assert token not in page
        assert "&lt;i&gt;crm&lt;/i&gt;" in page
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await program.get("/api/sessions/", headers=bearer)).status_code == 200
        assert (await program.get("/api/sessions/", params={"token": token})).status_code == 200
        assert (await program.delete("/api/sessions/1", headers=bearer)).status_code == 404
        wrong = {"Authorization": "Bearer coqui_wrong", "Accept": "application/json"}
        assert (await anna.get("/api/sessions/", headers=wrong)).status_code == 401
        number = re.search(r"/account/tokens/(\d+)/revoke", page)
        assert number
        revoked = f"/account/tokens/{number[1]}/revoke"
        others = await admin.post(revoked, data={"csrf": await csrf(admin)})
        assert others.status_code == 404
        assert (await program.get("/api/sessions/", headers=bearer)).status_code == 200
        assert (await anna.post(revoked, data={"csrf": await csrf(anna)})).status_code == 303
        assert (await program.get("/api/sessions/", headers=bearer)).status_code == 401
        for days in ("31", "-1", "x"):
            form = {"label": "a", "days": days, "csrf": await csrf(anna)}
            assert (await anna.post("/account/tokens", data=form)).status_code == 400


async def test_nothing_of_it_where_nobody_has_to_sign_in(
    start: Start, moonshine: AnyEngine
) -> None:
    """No pages of accounts, no cookie, and everything for everybody."""
    async with start(moonshine, console=True) as server, browser(server) as client:
        for path in ("/sign-in", "/sign-up", "/account"):
            assert (await client.get(path)).status_code == 404
        assert (await client.get("/api/sessions/")).status_code == 200
        assert "Sign out" not in (await client.get("/")).text


async def test_accounts_need_a_store(start: Start, moonshine: AnyEngine) -> None:
    """There is nowhere else to keep them."""
    configuration = "auth.required = true\nstore.enabled = false"
    with pytest.raises(ConfigError, match=r"auth\.required: found true, allowed with store"):
        async with start(moonshine, configuration, console=True):
            pass
