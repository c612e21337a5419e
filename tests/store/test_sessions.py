"""Finding, reading, editing and deleting what was kept, on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coqui_server.exceptions import NotFound, StillRunning
from coqui_server.principal import EVERYBODY
from coqui_server.store.database import Database
from coqui_server.store.sessions import Page, Sessions, sum_up
from coqui_server.store.tables import SegmentRow, SessionRow

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def keep(database: Database, id: str, *texts: str, minutes: int = 0, **others: Any) -> None:
    """A session with these segments, opened so many minutes after noon."""
    start = NOON + timedelta(minutes=minutes)
    about: dict[str, Any] = {"kind": "live", "engine": "vosk", "state": "finished", **others}
    async with database.writing() as transaction:
        transaction.add(SessionRow(id=id, start=start, **about))
        await transaction.flush()
        for place, said in enumerate(texts):
            times = {"start": place * 2.0, "end": place * 2.0 + 1.5}
            transaction.add(SegmentRow(session=id, text=said, **times))
        await transaction.flush()
        await sum_up(transaction, [id])


def ids(page: Page) -> list[str]:
    """Which sessions were found."""
    return [session.id for session in page.sessions]


async def test_newest_first_in_pages(database: Database, sessions: Sessions) -> None:
    """Each page has as many as asked for, and the number of all."""
    for minute in (2, 0, 4, 1, 3):
        await keep(database, f"s{minute}", "hello", minutes=minute)
    pages = [await sessions.find(EVERYBODY, offset=offset, limit=2) for offset in (0, 2, 4, 6)]
    assert [ids(page) for page in pages] == [["s4", "s3"], ["s2", "s1"], ["s0"], []]
    assert {page.total for page in pages} == {5}


async def test_one_sees_what_is_ones_own(database: Database, sessions: Sessions) -> None:
    """Users theirs, nobody what is nobody's, everybody all; others' is as if it were not there."""
    for owner in ("anna", "ben", None):
        await keep(database, f"of {owner}", "hello", owner=owner)
    assert ids(await sessions.find("anna")) == ["of anna"]
    assert ids(await sessions.find(None)) == ["of None"]
    assert (await sessions.find(EVERYBODY)).total == 3
    assert ids(await sessions.find(EVERYBODY, owner="ben")) == ["of ben"]
    assert (await sessions.find("anna", owner="ben")).total == 0
    assert (await sessions.get("ben", "of ben")).owner == "ben"
    segment = (await sessions.get(EVERYBODY, "of ben")).segments[0].id
    for scope in ("anna", None):
        with pytest.raises(NotFound):
            await sessions.get(scope, "of ben")
        with pytest.raises(NotFound):
            await sessions.edit(scope, "of ben", segment, "gone")
        with pytest.raises(NotFound):
            await sessions.delete(scope, "of ben")
    assert (await sessions.get(EVERYBODY, "of ben")).text == "hello"


async def test_filters(database: Database, sessions: Sessions) -> None:
    """By kind and by date, alone and together; `until` is not in."""
    await keep(database, "call", "hello", kind="rtp", minutes=0)
    await keep(database, "talk", "hello", kind="live", minutes=10)
    await keep(database, "file", "hello", kind="file", minutes=20)
    ten = NOON + timedelta(minutes=10)
    assert ids(await sessions.find(EVERYBODY, kind="rtp")) == ["call"]
    assert ids(await sessions.find(EVERYBODY, since=ten)) == ["file", "talk"]
    assert ids(await sessions.find(EVERYBODY, until=ten)) == ["call"]
    assert ids(await sessions.find(EVERYBODY, kind="file", until=ten)) == []


SEARCHES = [
    ("appointment", ["english"]),
    ("MONDAY your", ["english"]),
    ("monday tuesday", []),
    ("desk", ["english"]),
    ("병원", ["korean"]),
    ("میخواهم", ["persian"]),
    ("می‌خواهم", ["persian"]),
    ("كتاب", ["persian"]),
    ("سلام کتاب", ["persian"]),
    ("creme", ["french"]),
    ("CRÈME brûlée", ["french"]),
    ("strasse", ["german"]),
    ("100%", ["german"]),
    ("1%", []),
    ("s_ra", []),
    ("' OR 1=1 --", []),
    ("\0", ["german", "french", "persian", "korean", "english"]),
    ("  ", ["german", "french", "persian", "korean", "english"]),
]


async def test_search(database: Database, sessions: Sessions) -> None:
    """All words, anywhere, in any order, in text or label, however their letters are coded."""
    await keep(database, "english", "Your appointment is", "on Monday.", label="Desk 1", minutes=0)
    await keep(database, "korean", "내일 병원에서 만나요", minutes=1)
    await keep(database, "persian", "سلام، کتاب می‌خواهم", minutes=2)
    await keep(database, "french", "une cre\u0300me brûlée", minutes=3)
    await keep(database, "german", "100% der Straße", minutes=4)
    for wanted, found in SEARCHES:
        page = await sessions.find(EVERYBODY, text=wanted)
        assert (ids(page), page.total) == (found, len(found)), wanted


async def test_reading(database: Database, sessions: Sessions) -> None:
    """A session has its segments in the order of speech; a list has how the text begins."""
    await keep(database, "a", "one two", "three", "x" * 300)
    session = await sessions.get(EVERYBODY, "a")
    assert [segment.text for segment in session.segments] == ["one two", "three", "x" * 300]
    assert session.text == f"one two three {'x' * 300}"
    assert session.words == 4
    (listed,) = (await sessions.find(EVERYBODY)).sessions
    assert listed.excerpt == session.text[:200]
    with pytest.raises(NotFound, match="no session b here"):
        await sessions.get(EVERYBODY, "b")


async def test_editing(database: Database, sessions: Sessions) -> None:
    """Text, word count and search follow; the first text stays the original however often."""
    await keep(database, "a", "wreck a nice beach", "today", owner="anna")
    first = (await sessions.get("anna", "a")).segments[0].id
    edited = await sessions.edit("anna", "a", first, "recognize")
    assert (edited.text, edited.original) == ("recognize", "wreck a nice beach")
    await sessions.edit("anna", "a", first, "recognize speech")
    session = await sessions.get("anna", "a")
    assert (session.text, session.words) == ("recognize speech today", 3)
    assert session.segments[0].original == "wreck a nice beach"
    assert session.segments[1].original is None
    assert ids(await sessions.find("anna", text="speech")) == ["a"]
    assert ids(await sessions.find("anna", text="beach")) == []


async def test_a_segment_of_another_session(database: Database, sessions: Sessions) -> None:
    """Is not edited through this one."""
    await keep(database, "a", "mine", owner="anna")
    await keep(database, "b", "yours", owner="ben")
    other = (await sessions.get("ben", "b")).segments[0].id
    with pytest.raises(NotFound):
        await sessions.edit("anna", "a", other, "mine now")
    assert (await sessions.get("ben", "b")).text == "yours"


async def test_deleting(database: Database, sessions: Sessions) -> None:
    """A session goes with its segments, unless it is running."""
    await keep(database, "a", "hello")
    await keep(database, "b", "hello", state="running")
    segment = (await sessions.get(EVERYBODY, "a")).segments[0].id
    await sessions.delete(EVERYBODY, "a")
    with pytest.raises(StillRunning):
        await sessions.delete(EVERYBODY, "b")
    assert ids(await sessions.find(EVERYBODY)) == ["b"]
    async with database.reading() as transaction:
        assert await transaction.get(SegmentRow, segment) is None
