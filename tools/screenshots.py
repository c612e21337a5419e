"""`python -m tools.screenshots`: pictures of the console's pages, into docs/screens/.

Each page as it looks with something in it, in light, in dark and on a phone. Needs Chromium.
"""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable

from playwright.async_api import Browser, Page, async_playwright

from tools.browser import SWITCHES, fake_microphone
from tools.daemon import ROOT, Daemon, running

_SCREENS = ROOT / "docs" / "screens"

_HEARD = ("weather.flac", "telephone.wav", "appointment.wav", "voicemail.wav")

_LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1000, "height": 640}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1000, "height": 640}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 780}},
}


async def _live(page: Page) -> None:
    """In the middle of the second sentence: some text is settled, some is not."""
    await page.goto("/")
    await page.get_by_role("button", name="Start").click()
    await page.locator("#transcript [aria-live] span").first.wait_for(timeout=20_000)
    await page.locator(".partial", has_text="call").wait_for(timeout=20_000)


async def _sessions(page: Page) -> None:
    """What the pictures of the Live page and the uploads left."""
    await page.goto("/sessions")


async def _session(page: Page) -> None:
    """The second sentence is heard."""
    await page.goto("/sessions?kind=file")
    await page.get_by_role("link", name="dental office").first.click()
    await page.get_by_role("button", name="Play from").last.click()
    await page.locator(".segment.current").last.wait_for()
    await page.locator("audio").evaluate("audio => audio.pause()")


_PAGES = {"live": _live, "sessions": _sessions, "session": _session}
"""Each goes to its page and brings it into the state that is shown."""


def main() -> int:
    program = shutil.which("chromium")
    if program is None:
        print("chromium is not installed", file=sys.stderr)
        return 1
    with running() as daemon:
        _hand_in(daemon)
        asyncio.run(_take(program, daemon))
    return 0


async def _take(program: str, daemon: Daemon) -> None:
    _SCREENS.mkdir(exist_ok=True)
    switches = [*SWITCHES, *fake_microphone(ROOT / "samples" / "voicemail.wav")]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=switches)
        for name, prepare in _PAGES.items():
            for look in _LOOKS:
                await _picture(browser, daemon, look, prepare, f"{name}-{look}.png")
        await browser.close()


def _hand_in(daemon: Daemon) -> None:
    """Let the daemon hear the samples, so that there is something on the pages."""
    samples = [str(ROOT / "samples" / name) for name in _HEARD]
    command = [sys.executable, str(ROOT / "client.py"), "--url", daemon.url, *samples]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


async def _picture(
    browser: Browser,
    daemon: Daemon,
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
    await prepare(page)
    await page.screenshot(path=_SCREENS / file)
    print(_SCREENS / file)
    await context.close()


if __name__ == "__main__":
    sys.exit(main())
