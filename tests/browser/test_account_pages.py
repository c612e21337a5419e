"""Accounts in a real browser: somebody signs up, speaks, mends, makes a token and signs out."""

import shutil
from dataclasses import replace
from pathlib import Path

from playwright.async_api import Page, expect

from coqui_server.engines.base import AnyEngine
from coqui_server.principal import EVERYBODY
from tests.support.browser import IN_BROWSER, Visit
from tests.support.clips import SAMPLES
from tests.support.daemon import Start
from tests.support.nginx import PASSES_ON, SAYS_WHAT_IT_WAS, in_front_of

pytestmark = IN_BROWSER

PASSWORD = "correct horse"


BELOW_A_PATH = f"""
location /speech/ {{{{
    proxy_pass http://{{console}}/; {PASSES_ON} {SAYS_WHAT_IT_WAS}
    proxy_set_header X-Forwarded-Proto http;
    proxy_set_header X-Forwarded-Prefix /speech;
}}}}
"""


async def sign_up(page: Page, name: str, root: str = "") -> None:
    """From the page where somebody is sent who has no account."""
    await page.goto(f"{root}/sign-up")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign up").click()
    await expect(page.get_by_role("link", name=name)).to_be_visible()


async def speak(page: Page) -> None:
    """On the live page, until the last word of the sample is there."""
    await page.get_by_role("button", name="Start").click()
    await expect(page.locator("#transcript")).to_contain_text("card")


async def open_session(page: Page) -> None:
    """Stop speaking, and go to the page of what was said."""
    await page.get_by_role("button", name="Stop").click()
    await page.get_by_role("link", name="Open the session").click()


async def test_speaking_with_an_account(
    start: Start, moonshine: AnyEngine, visit: Visit, spoken_file: Path
) -> None:
    """The page's socket knows who it is, a segment can be mended, a token made and revoked."""
    shutil.copy(SAMPLES / "appointment.wav", spoken_file)
    async with (
        start(moonshine, "auth.required = true", console=True) as server,
        visit(server, "/sign-up") as watched,
    ):
        page = watched.page
        await sign_up(page, "anna")
        await page.goto("/")
        await speak(page)
        await open_session(page)
        await page.get_by_role("button", name="Edit").first.click()
        await page.get_by_role("textbox").first.fill("Mended.")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator(".said").first).to_have_text("Mended.")
        await page.get_by_role("link", name="anna").click()
        await page.get_by_label("What it is for").fill("a gateway")
        await page.get_by_role("button", name="Make a token").click()
        await expect(page.locator("#token")).to_contain_text("coqui_")
        await page.get_by_role("button", name="Revoke").click()
        await expect(page.get_by_text("There are no tokens.")).to_be_visible()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page).to_have_url(f"{server.console}/sign-in")


async def opened(page: Page, *offered: str) -> str | None:
    """The subprotocol of a socket that the page opened with these; None if it was refused."""
    script = """offered => new Promise(done => {
        const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws/events", offered);
        socket.onopen = () => done(socket.protocol);
        socket.onerror = () => done(null);
    })"""
    found: str | None = await page.evaluate(script, list(offered))
    return found


async def test_sockets_of_pages(start: Start, moonshine: AnyEngine, visit: Visit) -> None:
    """A page may connect while somebody is signed in, or with a token, which a browser offers."""
    async with (
        start(moonshine, "auth.required = true", console=True) as server,
        visit(server, "/account", pardoned="401|WebSocket") as watched,
    ):
        page = watched.page
        await page.get_by_role("link", name="Make the first one").click()
        await sign_up(page, "مینا")
        assert await opened(page) == ""
        await page.goto("/account")
        await page.get_by_label("What it is for").fill("<b>CRM</b>")
        await page.get_by_role("button", name="Make a token").click()
        token = await page.locator("#token").inner_text()
        await expect(page.get_by_role("cell", name="<b>CRM</b>", exact=True)).to_be_visible()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page).to_have_url(f"{server.console}/sign-in")
        assert await opened(page) is None
        assert await opened(page, "bearer", "coqui_wrong") is None
        assert await opened(page, "bearer", token) == "bearer"


async def test_signing_out_elsewhere(
    start: Start, moonshine: AnyEngine, visit: Visit, spoken_file: Path
) -> None:
    """The page of somebody who speaks, and the page of calls, say so, and do not try again."""
    shutil.copy(SAMPLES / "appointment.wav", spoken_file)
    async with (
        start(moonshine, "auth.required = true", console=True) as server,
        visit(server, "/sign-up", pardoned="401") as watched,
    ):
        page = watched.page
        await sign_up(page, "anna")
        await speak(page)
        calls = await page.context.new_page()
        async with calls.expect_websocket() as opening:
            await calls.goto("/calls")
        await (await opening.value).wait_for_event("framereceived")
        other = await page.context.new_page()
        await other.goto("/account")
        await other.get_by_role("button", name="Sign out").click()
        for told in (page, calls):
            await expect(told.locator("#notice")).to_have_text(
                "You are signed out. Sign in again to go on."
            )


async def test_an_account_below_a_path(
    start: Start, moonshine: AnyEngine, visit: Visit, spoken_file: Path, tmp_path: Path
) -> None:
    """Behind a proxy that serves the console at `/speech`: somebody speaks, reads the session,
    sets another password, and deletes the account."""
    shutil.copy(SAMPLES / "appointment.wav", spoken_file)
    settings = 'auth.required = true, server.proxies = ["127.0.0.1"]'
    async with start(moonshine, settings, console=True) as server:
        assert server.store
        await server.store.users.add("admin", PASSWORD)
        with in_front_of(server, tmp_path, BELOW_A_PATH) as address:
            proxied = replace(server, console=f"http://{address}")
            async with visit(proxied, "/speech/sign-up", pardoned="401") as watched:
                page = watched.page
                await sign_up(page, "anna", "/speech")
                await speak(page)
                await open_session(page)
                await expect(page.locator(".said").first).to_contain_text("appointment")
                await page.get_by_role("link", name="Files").click()
                await expect(page).to_have_url(f"http://{address}/speech/files")
                await page.get_by_role("link", name="anna").click()
                await page.get_by_label("Current password").first.fill("wrong horse")
                await page.get_by_label("New password").fill("another horse")
                await page.get_by_role("button", name="Change the password").click()
                await expect(page.get_by_role("alert")).to_contain_text("no account has")
                await page.get_by_label("Current password").first.fill(PASSWORD)
                await page.get_by_label("New password").fill("another horse")
                await page.get_by_role("button", name="Change the password").click()
                await expect(page).to_have_url(f"http://{address}/speech/account")
                await page.get_by_text("Delete this account").click()
                await page.get_by_label("Current password").last.fill("another horse")
                await page.get_by_role("button", name="Delete the account").click()
                await expect(page).to_have_url(f"http://{address}/speech/sign-in")
        assert [user.name for user in await server.store.users.all()] == ["admin"]
        assert (await server.store.sessions.find(EVERYBODY)).total == 0


async def test_the_administrators_page(start: Start, moonshine: AnyEngine, visit: Visit) -> None:
    """It makes an administrator, sets a password, and deletes an account."""
    async with (
        start(moonshine, "auth.required = true", console=True) as server,
        visit(server, "/sign-up") as watched,
    ):
        page = watched.page
        await sign_up(page, "admin")
        assert server.store
        users = server.store.users
        await users.add("ben", PASSWORD)
        await page.get_by_role("link", name="Accounts").click()
        await page.get_by_text("ben", exact=True).click()
        await page.get_by_label("New password").last.fill("another horse")
        await page.get_by_role("button", name="Set the password of ben").click()
        await page.get_by_text("ben", exact=True).click()
        await page.get_by_role("button", name="Make ben an administrator").click()
        await page.get_by_text("ben", exact=True).click()
        await page.get_by_role("button", name="Delete the account of ben").click()
        await expect(page.get_by_text("ben", exact=True)).to_have_count(0)
        assert [user.name for user in await users.all()] == ["admin"]
