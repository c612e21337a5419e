"""A real browser, Debian's Chromium, on the console of a real daemon in the test's own process."""

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from coqui_server.engines.base import AnyEngine
from tests.support.browser import Launch, Visit, Watched
from tests.support.daemon import Running, Start
from tools.browser import SWITCHES, fake_microphone


@pytest.fixture(scope="session")
def spoken_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the fake microphone hears: a test puts its WAV file there before it listens."""
    return tmp_path_factory.mktemp("microphone") / "spoken.wav"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def launch() -> AsyncIterator[Launch]:
    """Starts a browser with more switches."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    async with async_playwright() as playwright:

        async def launched(*switches: str) -> Browser:
            return await playwright.chromium.launch(
                executable_path=program, args=[*SWITCHES, *switches]
            )

        yield launched


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(launch: Launch, spoken_file: Path) -> AsyncIterator[Browser]:
    """One for all tests, with a microphone that plays `spoken_file`."""
    browser = await launch(*fake_microphone(spoken_file))
    yield browser
    await browser.close()


@pytest.fixture
def visit(browser: Browser) -> Visit:
    """Opens a page: `async with visit(server, "/path") as watched`; fails if it had faults. It may
    use the microphone unless `permissions=[]`; `browser` is another one than that of all tests;
    `script` runs before those of the page."""

    @asynccontextmanager
    async def visiting(
        server: Running,
        path: str = "/",
        pardoned: str | None = None,
        browser: Browser = browser,
        permissions: Sequence[str] = ("microphone",),
        script: str = "",
        **options: Any,
    ) -> AsyncIterator[Watched]:
        context = await browser.new_context(
            base_url=server.console, permissions=permissions, **options
        )
        context.set_default_timeout(20_000)
        try:
            watched = Watched(await context.new_page(), server, pardoned)
            watched.watch()
            await watched.page.add_init_script(script)
            await watched.page.goto(path)
            yield watched
            assert watched.faults == []
        finally:
            await context.close()

    return visiting


@pytest_asyncio.fixture(loop_scope="session")
async def server(start: Start, moonshine: AnyEngine) -> AsyncIterator[Running]:
    """The daemon as it comes, with its console."""
    async with start(moonshine, console=True) as running:
        yield running
