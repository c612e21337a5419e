"""The pages of sessions in a real browser: found, heard, mended, exported, deleted."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from playwright.async_api import Page, expect

from coqui_server.engines.base import AnyEngine
from coqui_server.store.sessions import sum_up
from coqui_server.store.tables import SegmentRow, SessionRow
from coqui_server.word_times.aligner import Aligner
from tests.support.browser import IN_BROWSER, Visit
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start, send
from tests.support.media import wav
from tests.support.people import ANNA, BERT, conversation

pytestmark = IN_BROWSER

VOICE = clip("voicemail.wav")
KOREAN = clip("korean.wav")

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"


async def kept(server: Running, label: str | None, texts: Sequence[str]) -> str:
    """A session that is in the store without anybody having said it."""
    assert server.store
    row = SessionRow(
        id=f"made-{label and len(label)}", kind="live", engine="none", label=label, state="finished"
    )
    row.start, row.duration = datetime(2026, 1, 2, 3, 4, tzinfo=UTC), 2.0 * len(texts)
    async with server.store.database.writing() as transaction:
        transaction.add(row)
        await transaction.flush()
        for place, text in enumerate(texts):
            times = {"start": 2.0 * place, "end": 2.0 * place + 1}
            transaction.add(SegmentRow(session=row.id, text=text, words=[], **times))
        await transaction.flush()
        await sum_up(transaction, [row.id])
    return row.id


async def second(page: Page) -> float:
    """Where the player is."""
    return float(await page.locator("audio").evaluate("audio => audio.currentTime"))


async def test_sessions_are_searched_and_opened(server: Running, visit: Visit) -> None:
    """Words lead to the session they were said in, others to none."""
    await send(server, VOICE.path.read_bytes())
    await kept(server, "another", ["Nothing to find here."])
    async with visit(server, "/sessions") as watched:
        page = watched.page
        await expect(page.get_by_role("listitem")).to_have_count(2)
        await page.get_by_role("searchbox").fill("dental office")
        await page.get_by_role("button", name="Search").click()
        await expect(page.get_by_role("status")).to_have_text("One session")
        await page.get_by_role("listitem").get_by_role("link").click()
        said = await page.locator(".said").all_inner_texts()
        assert spoken(" ".join(said)) == spoken(VOICE.text)
        await page.goto("/sessions?q=giraffe&kind=rtp")
        await expect(page.get_by_role("status")).to_have_text("Nothing was found.")
        await expect(page.get_by_label("Kind")).to_have_value("rtp")


async def test_a_session_is_heard_and_followed(server: Running, visit: Visit) -> None:
    """A segment plays from where it was said and is shown while it does; so does the picture."""
    answer = await send(server, VOICE.path.read_bytes())
    async with visit(server, f"/sessions/{answer.reply['session']}") as watched:
        page = watched.page
        last = page.locator(".segment").last
        start = float(await last.get_attribute("data-start") or 0)
        await last.get_by_role("button", name="Play from").click()
        await expect(last).to_have_class("segment current")
        assert start <= await second(page)
        await page.locator("audio").evaluate("audio => audio.pause()")
        await page.locator(".said").first.click()
        await expect(page.locator(".segment").first).to_have_class("segment current")
        await page.locator("audio").evaluate("audio => audio.pause()")
        box = await page.locator("#levels").bounding_box()
        assert box
        await page.locator("#levels").click(position={"x": box["width"] / 2, "y": 10})
        assert 2.7 < await second(page) < 3.7
        drawn = await page.locator("#levels").evaluate(
            "canvas => new Set(canvas.getContext('2d')"
            ".getImageData(0, 0, canvas.width, canvas.height).data).size"
        )
        assert drawn > 3


async def test_words_are_followed_one_by_one(start: Start, vosk: AnyEngine, visit: Visit) -> None:
    """With an engine that knows when each was said; a click on one jumps to it."""
    async with start(vosk, console=True) as server:
        answer = await send(server, KOREAN.path.read_bytes())
        words = answer.reply["segments"][0]["words"]
        async with visit(server, f"/sessions/{answer.reply['session']}") as watched:
            page = watched.page
            assert await page.locator(".said span").all_inner_texts() == [
                word["word"] for word in words
            ]
            await page.locator(".said span").nth(1).click()
            await expect(page.locator(".said .word")).to_be_visible()
            assert await second(page) >= words[1]["start"]


async def test_words_of_the_default_engine(server: Running, aligner: Aligner, visit: Visit) -> None:
    """They are aligned with the sound, so that a click on one jumps to it."""
    answer = await send(server, VOICE.path.read_bytes())
    words = answer.reply["segments"][0]["words"]
    async with visit(server, f"/sessions/{answer.reply['session']}") as watched:
        page = watched.page
        shown = page.locator(".segment").first.locator(".said span")
        assert await shown.all_inner_texts() == [word["word"] for word in words]
        await shown.last.click()
        await expect(page.locator(".said .word")).to_be_visible()
        assert await second(page) >= words[-1]["start"]


async def test_a_segment_is_mended(server: Running, visit: Visit) -> None:
    """The new text is there at once and after a reload, the engine's beside it."""
    answer = await send(server, VOICE.path.read_bytes())
    said = answer.reply["segments"][0]["text"]
    async with visit(server, f"/sessions/{answer.reply['session']}") as watched:
        page = watched.page
        segment = page.locator(".segment").first
        await segment.get_by_role("button", name="Edit").click()
        await page.get_by_role("textbox", name="The text").fill("never mind")
        await page.keyboard.press("Escape")
        await expect(segment.locator(".said")).to_have_text(said)
        await segment.get_by_role("button", name="Edit").click()
        await page.get_by_role("textbox", name="The text").fill(f"سلام، {MARKUP}")
        await page.get_by_role("button", name="Save").click()
        for _ in range(2):
            await expect(segment.locator(".said")).to_have_text(f"سلام، {MARKUP}")
            await expect(segment.locator(".original bdi")).to_have_text(said)
            await page.reload()


async def test_a_speaker_is_named(server: Running, visit: Visit) -> None:
    """All that they say has the name at once and after a reload."""
    call = wav(conversation((ANNA, VOICE.path.name), (BERT, VOICE.path.name), pause=1.5))
    answer = await send(server, call, "?speakers=2")
    async with visit(server, f"/sessions/{answer.reply['session']}") as watched:
        page = watched.page
        names = ["Speaker 1", "Speaker 1", "Speaker 2", "Speaker 2"]
        who = page.locator(".segment .who")
        await expect(who).to_have_text(names)
        colours = await who.evaluate_all("all => all.map(one => getComputedStyle(one).color)")
        assert colours[0] == colours[1] != colours[2]
        await page.get_by_label("Speaker 2").fill("Bert")
        await page.keyboard.press("Tab")
        for _ in range(2):
            await expect(who).to_have_text([*names[:2], "Bert", "Bert"])
            await page.reload()
        await expect(page.get_by_label("Speaker 2")).to_have_value("Bert")


async def test_persian_runs_from_right_to_left(server: Running, visit: Visit) -> None:
    """Each text in its own direction, on the list and on the page."""
    texts = ["نوبت شما صبح دوشنبه است.", "See you at the office."]
    id = await kept(server, "پیام صوتی", texts)
    async with visit(server, "/sessions") as watched:
        page = watched.page
        excerpt = page.locator(".excerpt")
        assert await excerpt.evaluate("p => getComputedStyle(p).direction") == "rtl"
        await page.goto(f"/sessions/{id}")
        directions = await page.locator(".said").evaluate_all(
            "all => all.map(p => getComputedStyle(p).direction)"
        )
        heading = page.get_by_role("heading", name="پیام صوتی")
        assert await heading.evaluate("h1 => getComputedStyle(h1).direction") == "rtl"
    assert directions == ["rtl", "ltr"]


async def test_markup_is_shown_and_not_obeyed(server: Running, visit: Visit) -> None:
    """In labels and in what was said."""
    id = await kept(server, MARKUP, [MARKUP])
    async with visit(server, "/sessions") as watched:
        page = watched.page
        await expect(page.get_by_role("listitem").get_by_role("link")).to_have_text(MARKUP)
        await page.goto(f"/sessions/{id}")
        await expect(page.locator(".said")).to_have_text(MARKUP)
        await expect(page).to_have_title(re.compile(re.escape(MARKUP)))
        assert await page.locator("main img").count() == 0


async def test_a_session_is_deleted(server: Running, visit: Visit) -> None:
    """After a question, and then it is not on the list."""
    answer = await send(server, VOICE.path.read_bytes())
    path = f"/sessions/{answer.reply['session']}"
    pardoned = "404"
    async with visit(server, path, pardoned=pardoned) as watched:
        page = watched.page
        page.on("dialog", lambda question: question.accept())
        await page.get_by_role("button", name="Delete").click()
        await expect(page.get_by_role("status")).to_have_text("Nothing was said yet.")
        gone = await page.goto(path)
        assert gone
        assert gone.status == 404
        await expect(page.get_by_role("heading", name="Not Found")).to_be_visible()
        await expect(page.get_by_role("navigation")).to_contain_text("Sessions")


async def test_every_format_is_offered(server: Running, visit: Visit) -> None:
    """And each is what it says."""
    answer = await send(server, VOICE.path.read_bytes())
    begins = {
        "TXT": b"",
        "SRT": b"1\n",
        "VTT": b"WEBVTT",
        "JSON": b"{",
        "DOCX": b"PK",
        "PDF": b"%PDF",
    }
    async with visit(server, f"/sessions/{answer.reply['session']}") as watched:
        for name, first in begins.items():
            async with watched.page.expect_download() as download:
                await watched.page.get_by_role("link", name=name, exact=True).click()
            file = await download.value
            assert (await file.path()).read_bytes().startswith(first)
            assert file.suggested_filename.endswith(f".{name.lower()}")


async def test_pages_of_a_long_list(server: Running, visit: Visit) -> None:
    """Thirty at a time, and the words that were looked for stay."""
    for number in range(31):
        await kept(server, "x" * (number + 1), ["A word."])
    async with visit(server, "/sessions?q=word") as watched:
        page = watched.page
        await expect(page.get_by_role("listitem")).to_have_count(30)
        await page.get_by_role("link", name="Older").click()
        await expect(page.get_by_role("listitem")).to_have_count(1)
        await expect(page.get_by_role("searchbox")).to_have_value("word")
        await page.get_by_role("link", name="Newer").click()
        await expect(page.get_by_role("listitem")).to_have_count(30)
