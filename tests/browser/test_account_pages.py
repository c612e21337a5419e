"""Accounts in a real browser: somebody signs up, speaks, mends, makes a token and signs out."""

import shutil
from pathlib import Path

from playwright.async_api import Page, expect

from coqui_server.engines.base import AnyEngine
from tests.support.browser import IN_BROWSER, Visit
from tests.support.clips import SAMPLES
from tests.support.daemon import Start

pytestmark = IN_BROWSER

PASSWORD = "correct horse"


async def sign_up(page: Page, name: str) -> None:
    """From the page where somebody is sent who has no account."""
    await page.goto("/sign-up")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign up").click()
    await expect(page.get_by_role("link", name=name)).to_be_visible()


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
        await page.get_by_role("button", name="Start").click()
        await expect(page.locator("#transcript")).to_contain_text("card")
        await page.get_by_role("button", name="Stop").click()
        await page.get_by_role("link", name="Open the session").click()
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
