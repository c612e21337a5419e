"""Accounts in a real browser: signing up and out, tokens, and a socket by cookie and by token."""

from playwright.async_api import Page, expect

from coqui_server.engines.base import AnyEngine
from tests.browser.conftest import IN_BROWSER, Visit
from tests.protocols.conftest import Start

pytestmark = IN_BROWSER

PASSWORD = "correct horse"


async def sign(page: Page, button: str, name: str) -> None:
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("main").get_by_role("button", name=button).click()


async def opened(page: Page, *offered: str) -> str | None:
    """The subprotocol of a socket that the page opened with these; None if it was refused."""
    script = """offered => new Promise(done => {
        const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws/events", offered);
        socket.onopen = () => done(socket.protocol);
        socket.onerror = () => done(null);
    })"""
    found: str | None = await page.evaluate(script, list(offered))
    return found


async def test_accounts(start: Start, moonshine: AnyEngine, visit: Visit) -> None:
    """Sign up, make a token and revoke it, sign out and in again."""
    async with (
        start(moonshine, "auth.required = true", console=True) as server,
        visit(server, "/account", pardoned="401|WebSocket") as watched,
    ):
        page = watched.page
        await page.get_by_role("link", name="Make the first one").click()
        await sign(page, "Sign up", "مینا")
        await expect(page).to_have_url(f"{server.console}/")
        assert await opened(page) == ""

        await page.get_by_role("link", name="مینا").click()
        await page.get_by_label("What it is for").fill("<b>CRM</b>")
        await page.get_by_role("button", name="Make a token").click()
        token = await page.locator("#token").inner_text()
        await expect(page.get_by_role("cell", name="<b>CRM</b>", exact=True)).to_be_visible()

        await page.get_by_role("button", name="Sign out").click()
        await expect(page).to_have_url(f"{server.console}/sign-in")
        assert await opened(page) is None
        assert await opened(page, "bearer", token) == "bearer"
        await sign(page, "Sign in", "مینا")
        await expect(page).to_have_url(f"{server.console}/")

        await page.goto("/account")
        await page.get_by_role("button", name="Revoke").click()
        await expect(page.get_by_text("There are none.")).to_be_visible()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page).to_have_url(f"{server.console}/sign-in")
        assert await opened(page, "bearer", token) is None
