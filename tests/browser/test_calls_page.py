"""The Calls page in a real browser, while real RTP comes in."""

from typing import Any

import pytest
import soxr
from playwright.async_api import Page, expect
from websockets.frames import CloseCode

from coqui_server.engines.base import AnyEngine
from coqui_server.media.samples import SAMPLE_RATE
from coqui_server.speakers.register import Register
from tests.rtp.sender import calling, hush, mu_law, voice
from tests.support.browser import IN_BROWSER, Visit
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start
from tests.support.live import Obstacle, until
from tests.support.people import ANNA, BERT, conversation

pytestmark = IN_BROWSER

VOICE = clip("appointment.wav")
FINAL = ".talk li:not(.partial) .words"

NOTE_PARTIALS = """() => {
  window.grey = new Set();
  new MutationObserver(() => {
    for (const words of document.querySelectorAll(".partial .words")) grey.add(words.textContent);
  }).observe(document.body, { childList: true, subtree: true });
}"""
"""A partial may be there for half a second only."""


async def reserve(page: Page, id: str, *legs: str) -> list[int]:
    """Ports for the legs of a call."""
    wanted: dict[str, Any] = {"id": id, "label": f"Call {id}", "legs": list(legs)}
    answer = await page.request.post("/api/calls", data=wanted)
    return [leg["port"] for leg in (await answer.json())["legs"]]


async def talk(page: Page) -> list[tuple[str, str]]:
    """Who said what, from the top."""
    said = page.locator(".talk li:not(.partial)")
    names = await said.locator(".who").all_inner_texts()
    return list(zip(names, await said.locator(".words").all_inner_texts(), strict=True))


async def test_both_legs_as_one_conversation(server: Running, visit: Visit) -> None:
    """Grey words become black ones, in the order in which they were said, also for who comes
    later; a call that has ended leads to its sessions."""
    async with visit(server, "/calls") as watched:
        page = watched.page
        await expect(page.locator("#hint")).to_contain_text(
            "There are no calls. Send RTP to 127.0.0.1:"
        )
        first, second = await reserve(page, "1", "caller", "<b>agent</b>")
        call = page.locator(".call")
        await expect(call).to_contain_text(f"caller: nothing yet at 127.0.0.1:{first}")
        with (
            calling(server, 1, port=first) as (caller,),
            calling(server, 2, port=second) as (agent,),
        ):
            await page.evaluate(NOTE_PARTIALS)
            await caller.say(mu_law(voice("appointment.wav", 0, 2.3)))
            await expect(page.locator(FINAL).filter(has_text="morning")).to_be_visible()
            grey = await page.evaluate("[...window.grey].join(' ')")
            await agent.say(mu_law(voice("voicemail.wav", 0, 3.5), hush(1)))
            await expect(page.locator(FINAL).filter(has_text="Anna")).to_be_visible()
            await caller.say(mu_law(voice("appointment.wav", 2.3), hush(1)))
            await expect(page.locator(FINAL).filter(has_text="card")).to_be_visible()
            await expect(page.locator(".partial:visible")).to_have_count(0)
            numbers = page.locator(".legs li").first
            await expect(numbers).to_contain_text("callerPCMU/8000 · 0:05 · 0 % lost · jitter")
            seen = await talk(page)
            await page.reload()
            await expect(page.locator(FINAL)).to_have_count(len(seen))
            assert await talk(page) == seen
            await page.request.delete("/api/calls/1")
        await expect(call).to_have_class("card call ended")
        await page.get_by_role("link", name="Session of caller").wait_for()
        await expect(page.get_by_role("link", name="Session of")).to_have_count(2)
    assert "appointment" in grey
    assert {name for name, _ in seen} == {"caller", "<b>agent</b>"}
    assert spoken(" ".join(text for name, text in seen if name == "caller")) == spoken(VOICE.text)


async def test_a_page_that_was_cut_off_goes_on(server: Running, visit: Visit) -> None:
    """With what was said meanwhile."""
    pardoned = "WebSocket connection to|ERR_INTERNET_DISCONNECTED"
    async with visit(server, "/calls", pardoned=pardoned) as watched:
        page = watched.page
        with calling(server) as (telephone,):
            await telephone.say(mu_law(voice("voicemail.wav", 0, 3.5), hush(1)))
            await expect(page.locator(FINAL).filter(has_text="Anna")).to_be_visible()
            await page.context.set_offline(True)
            assert server.daemon.console
            for connection in list(server.daemon.console.connections):
                await connection.close(CloseCode.GOING_AWAY)
            await telephone.say(mu_law(voice("appointment.wav"), hush(1)))
            session = telephone.leg and telephone.leg.session
            assert session
            await until(lambda: len(session.segments) > 1)
            await page.context.set_offline(False)
            await expect(page.locator(FINAL).filter(has_text="card")).to_be_visible()
            await page.request.delete(f"/api/calls/{session.source.call}")


async def test_what_was_lost_and_where_nothing_is_kept(
    start: Start, moonshine: AnyEngine, visit: Visit
) -> None:
    """A call that came by itself, with packets missing, and no page to lead to."""
    settings = "store.enabled = false\nrtp.jitter = 20 ms"
    async with (
        start(moonshine, settings, console=True) as server,
        visit(server, "/calls") as watched,
    ):
        page = watched.page
        with calling(server) as (telephone,):
            packets = mu_law(voice("appointment.wav"), hush(1))
            await telephone.say(packets[:50])
            telephone.sequence += 25
            telephone.timestamp += 25 * 160
            await telephone.say(packets[75:])
            await expect(page.locator(FINAL).filter(has_text="card")).to_be_visible()
            await expect(page.locator(".legs")).to_contain_text("9.2 % lost")
            await page.request.delete(f"/api/calls/{telephone.leg.call if telephone.leg else ''}")
        await expect(page.locator(".call")).to_have_class("card call ended")
        await expect(page.locator(".call")).to_contain_text("Ended")
        assert await page.get_by_role("link", name="Session of").count() == 0


async def test_several_people_on_a_leg(
    start: Start, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line has its speaker beside the leg, as it is told and as it is corrected."""
    monkeypatch.setattr(Register, "assign", lambda _, voices: [0] * len(voices))
    # Bert speaks longer, so he keeps the label that both are told to be.
    call = conversation((BERT, VOICE.path.name), (ANNA, VOICE.path.name), pause=1.5)
    narrow = soxr.resample(call, SAMPLE_RATE, SAMPLE_RATE // 2)
    async with (
        start(Obstacle(), "speakers = auto", console=True) as server,
        visit(server, "/calls") as watched,
    ):
        page = watched.page
        (port,) = await reserve(page, "1", "room")
        with calling(server, port=port) as (telephone,):
            await telephone.say(mu_law(narrow[:64_000]))
            await telephone.taken(6)
            await telephone.say(mu_law(narrow[64_000:], hush(1)))
            who = page.locator(".talk li:not(.partial) .who")
            await telephone.taken(len(call) / SAMPLE_RATE)
            await expect(who.nth(1)).to_have_text("room · Speaker 1")
            await page.request.delete("/api/calls/1")
        await expect(who.last).to_have_text("room · Speaker 2")
        await expect(who.first).to_have_text("room · Speaker 1")
