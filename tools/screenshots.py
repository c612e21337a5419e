"""`python -m tools.screenshots [PAGE...]`: pictures of the console's pages, into docs/screens/.

Each page as it looks with something in it, in light, in dark and on a phone. Needs Chromium.
"""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from playwright.async_api import Browser, Page, async_playwright

from coqui_server.media import wav
from coqui_server.media.ffmpeg import find_ffmpeg
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


async def _files(page: Page) -> None:
    """One of each state."""
    voice = (ROOT / "samples" / "voicemail.wav").read_bytes()
    while jobs := await (await page.request.get("/api/files")).json():  # of the picture before
        for job in jobs:
            await page.request.delete(f"/api/files/{job['id']}")
    await page.goto("/files")
    meeting = wav.encode(np.tile(np.frombuffer(voice[44:], np.int16), 200))
    with TemporaryDirectory() as folder:
        for name, data in (
            ("interview.wav", voice),
            ("notes.txt", b"Nothing to hear here. " * 500),
            ("Board meeting, 14 May.wav", meeting),
            ("گفتگو با آنا.wav", voice),
        ):
            Path(folder, name).write_bytes(data)
            await page.locator("#chosen").set_input_files(Path(folder, name))
        await page.locator("tbody tr").nth(3).wait_for()
    meeting_row = page.locator("tr", has_text="Board meeting")
    await meeting_row.locator(".state .muted", has_text="left").wait_for()


async def _calls(page: Page) -> None:
    """The caller has spoken, the agent answers."""
    await page.request.delete("/api/calls/ticket-4711")  # of the picture before
    await page.goto("/calls")
    reservation = {"id": "ticket-4711", "label": "Ticket 4711", "legs": ["caller", "agent"]}
    call = await (await page.request.post("/api/calls", data=reservation)).json()
    caller, agent = (leg["port"] for leg in call["legs"])
    _speak(caller, "voicemail.wav")
    await page.locator(".talk li:not(.partial)").first.wait_for()
    _speak(agent, "appointment.wav")
    await page.locator(".partial:visible", has_text="agent").wait_for()


def _speak(port: int, sound: str) -> None:
    """Send a sample as RTP at its own pace."""
    arguments = ["-v", "error", "-re", "-i", str(ROOT / "samples" / sound)]
    arguments += ["-ar", "8000", "-c:a", "pcm_mulaw"]
    address = f"rtp://127.0.0.1:{port}?pkt_size=172"
    ffmpeg = find_ffmpeg()
    subprocess.Popen([ffmpeg, *arguments, "-f", "rtp", address], stdout=subprocess.DEVNULL)


_PAGES = {
    "live": _live,
    "calls": _calls,
    "sessions": _sessions,
    "session": _session,
    "files": _files,  # the last, since it leaves a long one at work
}
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
        for name in sys.argv[1:] or _PAGES:
            for look in _LOOKS:
                await _picture(browser, daemon, look, _PAGES[name], f"{name}-{look}.png")
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
