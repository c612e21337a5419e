"""`python -m tools.screenshots`: pictures of the console's pages, into docs/screens/.

Each page as it looks with something in it, in light, in dark and on a phone. Needs Chromium.
"""

import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable

from playwright.async_api import Browser, Page, async_playwright

from tools.browser import SWITCHES, fake_microphone
from tools.daemon import ROOT, Daemon, running

_SCREENS = ROOT / "docs" / "screens"

_LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1000, "height": 640}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1000, "height": 640}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 780}},
}


async def _live(page: Page) -> None:
    """In the middle of the second sentence: some text is settled, some is not."""
    await page.get_by_role("button", name="Start").click()
    await page.locator("#transcript [aria-live] span").first.wait_for(timeout=20_000)
    await page.locator(".partial", has_text="call").wait_for(timeout=20_000)


_PAGES: dict[str, tuple[str, Callable[[Page], Awaitable[None]]]] = {"live": ("/", _live)}


def main() -> int:
    program = shutil.which("chromium")
    if program is None:
        print("chromium is not installed", file=sys.stderr)
        return 1
    with running() as daemon:
        asyncio.run(_take(program, daemon))
    return 0


async def _take(program: str, daemon: Daemon) -> None:
    _SCREENS.mkdir(exist_ok=True)
    switches = [*SWITCHES, *fake_microphone(ROOT / "samples" / "voicemail.wav")]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=switches)
        for name, (path, prepare) in _PAGES.items():
            for look in _LOOKS:
                await _picture(browser, daemon, path, look, prepare, f"{name}-{look}.png")
        await browser.close()


async def _picture(
    browser: Browser,
    daemon: Daemon,
    path: str,
    look: str,
    prepare: Callable[[Page], Awaitable[None]],
    file: str,
) -> None:
    context = await browser.new_context(
        base_url=daemon.console,
        permissions=["microphone"],
        **_LOOKS[look],  # type: ignore[arg-type]
    )
    page = await context.new_page()
    await page.goto(path)
    await prepare(page)
    await page.screenshot(path=_SCREENS / file)
    print(_SCREENS / file)
    await context.close()


if __name__ == "__main__":
    sys.exit(main())
