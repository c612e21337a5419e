"""The Files page in a real browser, on the real queue."""

import re
import threading
import time
from base64 import b64encode
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import FilePayload, Locator, Page, Route, expect

from coqui_server.engines.base import AnyEngine
from coqui_server.media import wav
from coqui_server.media.samples import Samples
from tests.browser.test_account_pages import sign_up
from tests.support.browser import IN_BROWSER, Visit
from tests.support.clips import SAMPLES, clip, spoken
from tests.support.daemon import Running, Start
from tests.support.live import Obstacle

pytestmark = IN_BROWSER

VOICE = clip("appointment.wav")


def row(page: Page, name: str) -> Locator:
    """The row of a file."""
    return page.get_by_role("row").filter(has=page.get_by_text(name, exact=True))


def payload(name: str, data: bytes) -> FilePayload:
    return FilePayload(name=name, mimeType="audio/wav", buffer=data)


async def choose(page: Page, *files: Path | FilePayload) -> None:
    """Hand files in by the button."""
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Choose files").click()
    await (await chooser.value).set_files(list(files))  # type: ignore[arg-type]


async def test_three_files_to_the_end(server: Running, visit: Visit) -> None:
    """They go up, wait, are worked on one after another, and can be read; nobody loads the page."""
    paths = [SAMPLES / name for name in ("appointment.wav", "voicemail.wav", "appointment.wav")]
    async with visit(server, "/files") as watched:
        page = watched.page
        await expect(page.get_by_text("No files yet")).to_be_visible()
        await page.evaluate("window.untouched = true")
        await choose(page, *paths)
        await expect(page.locator("tbody tr")).to_have_count(3)
        await expect(page.locator("tbody .word")).to_have_text(["Done"] * 3)
        assert await page.evaluate("window.untouched")
        names = await page.locator("tbody .name").all_inner_texts()
        assert names == ["appointment.wav", "voicemail.wav", "appointment.wav"]
        await expect(page.locator("#uploads li")).to_have_count(0)
        first = page.locator("tbody tr").last
        address = await first.get_by_role("link", name="Read").get_attribute("href")
        formats = [
            await link.get_attribute("href") for link in await first.locator(".formats a").all()
        ]
        assert address
        session = address.rpartition("/")[2]
        heard = await page.evaluate(
            "id => fetch(`/api/sessions/${id}`).then(r => r.json())", session
        )
        assert spoken(heard["text"]) == spoken(VOICE.text)
        expected = ["txt", "srt", "vtt", "json", "docx", "pdf"]
        assert formats == [f"/api/sessions/{session}/export?format={each}" for each in expected]
        await page.get_by_role("button", name="Delete").first.focus()
        for left in (2, 1, 0):
            await page.keyboard.press("Enter")
            await expect(page.locator("tbody tr")).to_have_count(left)
        await expect(page.get_by_role("button", name="Choose files")).to_be_focused()
        await expect(page.get_by_text("No files yet")).to_be_visible()


async def test_cancel_and_retry(start: Start, visit: Visit) -> None:
    """One that runs and one that waits are cancelled, one of them is tried again, by keyboard."""
    slow = Obstacle(held=True)
    async with start(slow, console=True) as server, visit(server, "/files") as watched:
        page = watched.page
        await choose(
            page, *(payload(name, VOICE.path.read_bytes()) for name in ("a.wav", "b.wav", "c.wav"))
        )
        await expect(row(page, "a.wav").locator(".word")).to_have_text("Working")
        await expect(row(page, "c.wav").locator(".word")).to_have_text("Waiting")
        for name in ("a.wav", "b.wav"):
            await page.get_by_role("button", name=f"Cancel {name}").focus()
            await page.keyboard.press("Enter")
            await expect(row(page, name).locator(".word")).to_have_text("Cancelled")
            await expect(page.get_by_role("button", name=f"Retry {name}")).to_be_focused()
        await expect(row(page, "c.wav").locator(".word")).to_have_text("Working")
        slow.let_go()
        await expect(row(page, "c.wav").locator(".word")).to_have_text("Done")
        await page.get_by_role("button", name="Retry b.wav").press("Enter")
        await expect(row(page, "b.wav").locator(".word")).to_have_text("Done")
        await expect(row(page, "a.wav").locator(".word")).to_have_text("Cancelled")
        assert await page.get_by_role("status").inner_text() == "b.wav: Done"


class Stepped(Obstacle):
    """An engine that decodes an utterance for each step it is given."""

    def __init__(self) -> None:
        super().__init__()
        self._steps = threading.Semaphore(0)

    def step(self, count: int) -> None:
        self._steps.release(count)

    def feed(self, pcm: Samples) -> None:
        assert self._steps.acquire(timeout=60)


class Clock:
    """The real clock, which can be put forward."""

    ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


async def test_progress_is_shown(
    start: Start, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Per cent and time left, while the file is half done."""
    clock, engine = Clock(), Stepped()
    monkeypatch.setattr("coqui_server.jobs.running.time", clock)
    long = wav.encode(np.tile(np.concatenate((VOICE.pcm, np.zeros(16_000, np.int16))), 10))
    async with start(engine, console=True) as server, visit(server, "/files") as watched:
        page = watched.page
        await choose(page, payload("long.wav", long))
        await expect(row(page, "long.wav").locator(".word")).to_have_text("Working")
        clock.ahead = 100.0
        engine.step(5)
        shown = row(page, "long.wav").locator(".state .muted")
        await expect(shown).to_have_text(re.compile(r"^\d+ %, \d+:\d\d left$"))
        engine.step(1000)
        await expect(row(page, "long.wav").locator(".word")).to_have_text("Done")


async def test_what_cannot_be_taken(start: Start, moonshine: AnyEngine, visit: Visit) -> None:
    """Too large and empty ones are not sent; no sound fails with its reason; names are text."""
    async with (
        start(moonshine, "jobs.max_size = 200 kB", console=True) as server,
        visit(server, "/files") as watched,
    ):
        page = watched.page
        nasty = "<img src=x onerror=alert(1)>.wav"
        await choose(
            page,
            payload("large.wav", bytes(300_000)),
            payload("empty.wav", b""),
            payload(nasty, b"no sound" * 1000),
        )
        large = page.locator("#uploads li").filter(has_text="large.wav")
        await expect(large).to_contain_text("This file has 300 kB; the most is 200 kB.")
        await expect(page.locator("#uploads")).to_contain_text("This file is empty.")
        await expect(row(page, nasty).locator(".word")).to_have_text("Failed")
        await expect(row(page, nasty)).to_contain_text("not an audio or video file")
        await page.get_by_role("button", name="Dismiss large.wav").click()
        await expect(page.locator("#uploads li")).to_have_count(1)
        assert await page.locator("img").count() == 1  # the icon


async def test_dropping_with_an_engine(start: Start, moonshine: AnyEngine, visit: Visit) -> None:
    """Files that are dropped on the page go up too, for the engine that is chosen."""
    other = Obstacle("other", text="something else")
    async with (
        start(moonshine, others=[other], console=True) as server,
        visit(server, "/files") as watched,
    ):
        page = watched.page
        await page.get_by_label("Engine").select_option("other")
        dropped = await page.evaluate_handle(
            """sound => {
              const carried = new DataTransfer();
              const bytes = Uint8Array.from(atob(sound), (letter) => letter.charCodeAt(0));
              carried.items.add(new File([bytes], "سلام.wav"));
              return carried;
            }""",
            b64encode(VOICE.path.read_bytes()).decode(),
        )
        await page.dispatch_event("#drop", "drop", {"dataTransfer": dropped})
        await expect(row(page, "سلام.wav").locator(".word")).to_have_text("Done")
        await expect(row(page, "سلام.wav")).to_contain_text("other")
        assert await page.locator("tbody .name").evaluate("name => name.dir") == "auto"


async def test_without_a_store(start: Start, moonshine: AnyEngine, visit: Visit) -> None:
    """The page is not offered."""
    async with (
        start(moonshine, "store.enabled = false", console=True) as server,
        visit(server, "/") as watched,
    ):
        names = await watched.page.get_by_role("navigation").get_by_role("link").all_inner_texts()
        assert "Live" in names
        assert "Files" not in names


async def test_an_answer_that_comes_after_the_news(start: Start, visit: Visit) -> None:
    """What the queue said when a file was taken does not hide what has happened to it since."""
    slow = Obstacle(held=True)
    async with start(slow, console=True) as server, visit(server, "/files") as watched:
        page = watched.page
        state = page.locator("tbody .word")

        async def late(route: Route) -> None:
            answer = await route.fetch()
            await expect(state).to_have_text("Working")
            await route.fulfill(response=answer)

        await page.route("**/api/files", late)
        await choose(page, payload("a.wav", VOICE.path.read_bytes()))
        await expect(state).to_have_text("Working")
        await expect(page.locator("#uploads li")).to_have_count(0)
        await expect(state).to_have_text("Working")
        slow.let_go()
        await expect(state).to_have_text("Done")


async def test_two_users(start: Start, visit: Visit) -> None:
    """Each signs up and sees their own three files; neither waits for the other."""
    slow = Obstacle(held=True)
    async with (
        start(slow, "auth.required = true", console=True) as server,
        AsyncExitStack() as both,
    ):
        pages = []
        for name in ("anna", "ben", "cleo"):
            page = (await both.enter_async_context(visit(server, "/sign-up"))).page
            await sign_up(page, name)
            await page.get_by_role("link", name="Files").click()
            pages.append((name, page))
        del pages[0]  # the administrator, who sees everything
        for name, page in pages:
            await expect(page.get_by_role("link", name="Calls")).to_have_count(0)
            files = (
                payload(f"{name} {number}.wav", VOICE.path.read_bytes()) for number in (1, 2, 3)
            )
            await choose(page, *files)
        for name, page in pages:
            states = page.locator("tbody .word")
            await expect(states).to_have_text(["Waiting", "Waiting", "Working"])
            names = await page.locator("tbody .name").all_inner_texts()
            assert names == [f"{name} {number}.wav" for number in (3, 2, 1)]
        slow.let_go()
        for _, page in pages:
            await expect(page.locator("tbody .word")).to_have_text(["Done"] * 3)
