"""Accounts in a real browser: somebody signs up, speaks, mends, makes a token and signs out."""

import shutil
from pathlib import Path

from playwright.async_api import Page, expect

from coqui_server.engines.base import AnyEngine
from tests.browser.conftest import IN_BROWSER, Visit
from tests.conftest import SAMPLES
from tests.protocols.conftest import Start

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
        await expect(page.get_by_text("There are none.")).to_be_visible()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page).to_have_url(f"{server.console}/sign-in")
