"""The Live page in a real browser: a fake microphone that plays real speech, a real engine."""

import re
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Page, expect

from coqui_server.engines.base import AnyEngine
from coqui_server.media import wav
from coqui_server.media.samples import SAMPLE_RATE
from coqui_server.speakers.register import Register
from tests.support.browser import IN_BROWSER, Launch, Visit
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start
from tests.support.live import client
from tests.support.people import BERT, said_by

pytestmark = IN_BROWSER

VOICE = clip("appointment.wav")
SETTLED = "#transcript [aria-live] span"
PERMITTED = ["microphone", "clipboard-read", "clipboard-write"]


@pytest.fixture(autouse=True)
def _speech(spoken_file: Path) -> None:
    """What the microphone hears: silence first, as it plays before the page has its worklet."""
    silence = np.zeros(3 * SAMPLE_RATE, np.int16)
    spoken_file.write_bytes(wav.encode(np.concatenate((silence, VOICE.pcm))))


HEARD = """meter => new Promise((resolve) => {
    const look = () => (meter.value > -40 ? resolve() : requestAnimationFrame(look));
    look();
})"""
"""Wait until the meter moves."""


async def press(page: Page, name: str) -> None:
    """Press the one button, by the name it has now."""
    await page.get_by_role("button", name=name, exact=True).click()


async def test_speak_and_read_along(server: Running, visit: Visit) -> None:
    """Grey text comes while one speaks, black text stays, the button ends it, and it is copied."""
    async with visit(server, permissions=PERMITTED) as watched:
        page = watched.page
        await expect(page.get_by_role("button", name="Copy")).to_be_hidden()
        await press(page, "Start")
        await page.locator("#level").evaluate(HEARD)
        await expect(page.locator(".partial")).to_contain_text("appointment")
        await expect(page.locator(SETTLED)).to_have_count(0)
        assert server.service.health()["sessions"]["live"] == 1
        await expect(page.locator(SETTLED).last).to_contain_text("card")
        await expect(page.locator(".partial")).to_be_empty()
        await press(page, "Stop")
        await expect(page.get_by_role("button", name="Start")).to_be_enabled()
        said = await page.locator("#transcript [aria-live]").inner_text()
        elapsed = await page.locator("#elapsed").inner_text()
        await press(page, "Copy the text")
        await expect(page.locator("#state")).to_have_text("Copied")
        copied = await page.evaluate("navigator.clipboard.readText()")
        async with page.expect_download() as download:
            await page.get_by_role("link", name="SRT").click()
        assert "appointment" in (await (await download.value).path()).read_text()
        await page.get_by_role("link", name="Open the session").click()
        await expect(page.locator(".said").last).to_contain_text("insurance card")
    assert (await download.value).suggested_filename.endswith(".srt")
    assert spoken(said) == spoken(copied) == spoken(VOICE.text)
    assert re.fullmatch(r"0:(0[4-9]|[1-5]\d)", elapsed)
    assert server.service.health()["sessions"]["live"] == 0


ONE_RATE = """
    const source = AudioContext.prototype.createMediaStreamSource;
    AudioContext.prototype.createMediaStreamSource = function (stream) {
        if (this.sampleRate === 16000) throw new DOMException("", "NotSupportedError");
        window.rate = this.sampleRate;
        return source.call(this, stream);
    };
"""
"""Makes the browser one that opens a microphone at its own rate only, as Firefox does."""


async def test_a_browser_that_cannot_change_the_rate(server: Running, visit: Visit) -> None:
    """The worklet does it, and the words are as right."""
    async with visit(server, script=ONE_RATE) as watched:
        page = watched.page
        await press(page, "Start")
        await expect(page.locator(SETTLED).last).to_contain_text("card")
        assert await page.evaluate("window.rate") >= 44100
        said = await page.locator("#transcript [aria-live]").inner_text()
    assert spoken(said) == spoken(VOICE.text)


async def test_a_refused_microphone(server: Running, visit: Visit) -> None:
    """Words that say what to do, and the button is there to try again."""
    async with visit(server, permissions=[]) as watched:
        await press(watched.page, "Start")
        await expect(watched.page.get_by_role("alert")).to_contain_text("Allow it for this page")
        await expect(watched.page.get_by_role("button", name="Start")).to_be_enabled()


async def test_no_microphone(server: Running, visit: Visit, launch: Launch) -> None:
    """The same where there is none."""
    browser = await launch()
    async with visit(server, browser=browser) as watched:
        await press(watched.page, "Start")
        await expect(watched.page.get_by_role("alert")).to_contain_text("No microphone was found")
    await browser.close()


async def test_a_busy_server(start: Start, moonshine: AnyEngine, visit: Visit) -> None:
    """It says so in its own words, the microphone is let go, and later it works."""
    async with (
        start(moonshine, "server.max_sessions = 1", console=True) as server,
        visit(server) as watched,
    ):
        page = watched.page
        async with client(server, "/ws/v1/speech-to-text") as other:
            await other.send({"event": "start"})
            await other.until(event="started")
            await press(page, "Start")
            await expect(page.get_by_role("alert")).to_contain_text("1 sessions are taken")
            await expect(page.get_by_role("button", name="Start")).to_be_enabled()
        await server.service.drained()
        await press(page, "Start")
        await expect(page.locator("#state")).to_have_text("Listening")
        await expect(page.get_by_role("alert")).to_be_hidden()


async def test_a_server_that_goes_and_comes_back(
    start: Start, moonshine: AnyEngine, visit: Visit
) -> None:
    """The text stays, the page says what is wrong, and goes on by itself with what was kept."""
    async with AsyncExitStack() as first:
        server = await first.enter_async_context(start(moonshine, console=True))
        port = server.console.rpartition(":")[2]
        async with visit(server, pardoned="WebSocket connection to") as watched:
            page = watched.page
            await press(page, "Start")
            await expect(page.locator(".partial")).to_contain_text("appointment")
            await first.aclose()
            await expect(page.get_by_role("alert")).to_contain_text("trying again")
            await expect(page.locator("#state")).to_have_text("Not connected")
            async with start(moonshine, f"web.port = {port}", console=True):
                await expect(page.locator("#state")).to_have_text("Listening")
                await expect(page.get_by_role("alert")).to_be_hidden()
                await expect(page.locator(SETTLED).last).to_contain_text("card")
                await press(page, "Stop")
                await expect(page.get_by_role("button", name="Start")).to_be_enabled()
            said = " ".join(await page.locator(".speech").all_inner_texts())
            await expect(page.get_by_role("link", name="Open the session")).to_have_count(2)
    assert spoken(said).startswith("your appointment")
    assert spoken(said).endswith("insurance card")


async def test_who_speaks(
    server: Running, visit: Visit, spoken_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each turn has its speaker, who can be named; what was told wrongly is corrected at the end,
    and the session's page shows the same."""
    # Anna speaks longer, so she keeps the label that both are told to be.
    bert = said_by(BERT, VOICE.path.name)[: round(3.2 * SAMPLE_RATE)]
    hush = np.zeros(3 * SAMPLE_RATE, np.int16)
    spoken_file.write_bytes(wav.encode(np.concatenate((hush, VOICE.pcm, hush[::2], bert, hush))))
    monkeypatch.setattr(Register, "assign", lambda _, voices: [0] * len(voices))
    async with visit(server, permissions=PERMITTED) as watched:
        page = watched.page
        turns = page.locator(".turns p")
        await page.get_by_label("Speakers").select_option("2 of them")
        await page.get_by_label("Names and terms").fill("Ana Roe, Vevay")
        await press(page, "Start")
        await expect(turns).to_contain_text("Speaker 1: Your appointment is on Monday")
        (session,) = server.service.sessions
        assert session.request.options.terms == ("Ana Roe", "Vevay")
        await page.get_by_label("Speaker 1").fill("Anna")
        await page.keyboard.press("Tab")
        await expect(turns).to_have_text(re.compile("Anna: Your appointment.*card.*Monday"))
        await press(page, "Stop")
        await expect(turns).to_have_count(2)
        await expect(turns.last).to_contain_text("Speaker 2: Your appointment")
        await expect(turns.first).to_contain_text("Anna: Your appointment")
        colours = await page.locator(".turns .who").evaluate_all(
            "all => all.map(one => getComputedStyle(one).color)"
        )
        said = await turns.all_inner_texts()
        await press(page, "Copy the text")
        await expect(page.locator("#state")).to_have_text("Copied")
        copied = await page.evaluate("navigator.clipboard.readText()")
        await page.get_by_role("link", name="Open the session").click()
        who = page.locator(".segment .who")
        await expect(who.first).to_have_text("Anna")
        await expect(who.last).to_have_text("Speaker 2")
    assert colours[0] != colours[1]
    assert [line.split() for line in copied.splitlines()] == [line.split() for line in said]


async def test_the_choice_of_a_microphone(server: Running, visit: Visit) -> None:
    """Browsers tell the names when one was allowed; the one that was chosen is opened."""
    async with visit(server) as watched:
        page = watched.page
        choice = page.locator("#microphone")
        await expect(choice.locator("option").nth(1)).to_have_text("Fake Audio Input 1")
        await choice.select_option("Fake Audio Input 2")
        await press(page, "Start")
        await expect(page.locator("#state")).to_have_text("Listening")
        assert await choice.locator("option:checked").inner_text() == "Fake Audio Input 2"
