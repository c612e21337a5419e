"""`/api/sessions` over real sessions of a real engine, in a real store."""

import asyncio
import io
import re
import sqlite3
import wave
from contextlib import closing
from typing import Any
from urllib.parse import unquote

import httpx
import numpy as np
import pytest

from coqui_server.engines.base import AnyEngine
from coqui_server.web.api.sessions import attachment
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start, send
from tests.support.live import client

VOICE = clip("appointment.wav")
OTHER = clip("voicemail.wav")


async def transcribed(server: Running, path: Any = VOICE.path) -> str:
    """The id of a session that heard this file."""
    answer = await send(server, path.read_bytes())
    return str(answer.reply["session"])


async def test_sessions_are_listed_newest_first_in_pages(
    server: Running, web: httpx.AsyncClient
) -> None:
    """With what a list shows of each, and how many there are in all."""
    ids = [await transcribed(server) for _ in range(3)]
    page = (await web.get("/api/sessions/", params={"limit": 2})).json()
    assert (page["total"], page["offset"]) == (3, 0)
    assert [found["id"] for found in page["sessions"]] == [ids[2], ids[1]]
    rest = (await web.get("/api/sessions/", params={"limit": 2, "offset": 2})).json()
    assert [found["id"] for found in rest["sessions"]] == [ids[0]]
    shown = rest["sessions"][0]
    assert (shown["kind"], shown["engine"], shown["state"]) == ("file", "moonshine", "finished")
    assert shown["words"] == len(VOICE.text.split())
    assert spoken(shown["excerpt"]) == spoken(VOICE.text)
    assert shown["duration"] == pytest.approx(4.4, abs=0.1)
    assert "segments" not in shown


async def test_sessions_are_found_by_words_kind_and_date(
    server: Running, web: httpx.AsyncClient
) -> None:
    """Each narrows the list, and together all count."""
    one, other = await transcribed(server), await transcribed(server, OTHER.path)

    async def found(**wanted: str) -> list[str]:
        page = (await web.get("/api/sessions/", params=wanted)).json()
        return [session["id"] for session in page["sessions"]]

    assert await found(q="INSURANCE monday") == [one]
    assert await found(q="dental insurance") == []
    assert await found(kind="file", q="dental") == [other]
    assert await found(kind="live") == []
    assert await found(since="2000-01-01T00:00:00Z") == [other, one]
    assert await found(until="2000-01-01T00:00:00Z") == []


async def test_a_session_is_read(server: Running, web: httpx.AsyncClient) -> None:
    """Its text and its segments with their times; one that runs has those there are."""
    session = (await web.get(f"/api/sessions/{await transcribed(server)}")).json()
    assert spoken(session["text"]) == spoken(VOICE.text)
    assert spoken(" ".join(segment["text"] for segment in session["segments"])) == spoken(
        VOICE.text
    )
    first = session["segments"][0]
    assert 0 <= first["start"] < first["end"] <= session["duration"]
    assert first["original"] is None
    async with client(server, "/ws/v1/speech-to-text") as speaker:
        await speaker.send({"event": "start"})
        started = await speaker.until(event="started")
        await speaker.send_sound(np.concatenate((VOICE.pcm, np.zeros(16000, np.int16))))
        await speaker.until(event="transcript", is_final=True)
        running = (await web.get(f"/api/sessions/{started['session_id']}")).json()
        assert (running["state"], running["kind"]) == ("running", "live")
        assert spoken(running["text"]).startswith("your appointment")
        refused = await web.delete(f"/api/sessions/{started['session_id']}")
        assert (refused.status_code, refused.json()["code"]) == (409, "running")


async def test_a_segment_is_edited(server: Running, web: httpx.AsyncClient) -> None:
    """The new text is read and found, the engine's is kept, also when it is edited again."""
    address = f"/api/sessions/{await transcribed(server)}"
    segment = (await web.get(address)).json()["segments"][0]
    for text in ("A <b>visit</b> to the zoo.", "A visit to the zoo."):
        edited = await web.patch(f"{address}/segments/{segment['id']}", json={"text": text})
        assert edited.status_code == 200
        assert edited.json()["text"] == text
        assert edited.json()["original"] == segment["text"]
    assert "visit to the zoo" in (await web.get(address)).json()["text"]
    assert (await web.get("/api/sessions/", params={"q": "zoo"})).json()["total"] == 1


async def test_a_recording_is_heard_in_parts(server: Running, web: httpx.AsyncClient) -> None:
    """The WAV as it was listened to, and any range of it, as players ask for."""
    address = f"/api/sessions/{await transcribed(server)}/audio"
    whole = await web.get(address)
    assert (whole.headers["Content-Type"], whole.status_code) == ("audio/wav", 200)
    assert whole.headers["Accept-Ranges"] == "bytes"
    with wave.open(io.BytesIO(whole.content)) as file:
        assert file.getnframes() / file.getframerate() == pytest.approx(4.43, abs=0.02)
    part = await web.get(address, headers={"Range": "bytes=1000-1999"})
    assert part.status_code == 206
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(whole.content)}"
    assert part.content == whole.content[1000:2000]
    tail = await web.get(address, headers={"Range": "bytes=-100"})
    assert tail.content == whole.content[-100:]
    beyond = await web.get(address, headers={"Range": f"bytes={len(whole.content)}-"})
    assert beyond.status_code == 416


async def test_the_picture_of_a_recording(server: Running, web: httpx.AsyncClient) -> None:
    """As many levels as were asked for, quiet where nobody speaks and loud where somebody does."""
    answer = await web.get(f"/api/sessions/{await transcribed(server)}/peaks?count=100")
    peaks = answer.json()["peaks"]
    assert len(peaks) == 100
    assert 70 < max(peaks) <= 100
    assert min(peaks) < 30


EXPORTS = {"txt": b"", "srt": b"1\n00:00:00", "vtt": b"WEBVTT", "json": b"{", "pdf": b"%PDF"}


async def test_a_session_is_exported(server: Running, web: httpx.AsyncClient) -> None:
    """With its edits, under its name, as a file to be kept."""
    address = f"/api/sessions/{await transcribed(server)}"
    segment = (await web.get(address)).json()["segments"][-1]
    await web.patch(f"{address}/segments/{segment['id']}", json={"text": "Bring the giraffe."})
    for format, begins in EXPORTS.items():
        answer = await web.get(f"{address}/export", params={"format": format})
        assert answer.status_code == 200
        assert answer.content.startswith(begins)
        assert format == "pdf" or b"Bring the giraffe." in answer.content
        named = rf"attachment; filename=\"(File .+\.{format})\"; filename\*=UTF-8''(.+)"
        names = re.fullmatch(named, answer.headers["Content-Disposition"])
        assert names
        assert names[1] == unquote(names[2])


def test_any_name_fits_into_the_header() -> None:
    """With letters that are not Latin, and without what would end the quotes or the header."""
    header = attachment('سلام "\r\n/..\\.srt').encode("latin-1").decode()
    assert header.startswith("attachment; filename=\"سلام ____.._.srt\"; filename*=UTF-8''%D8%B3")
    assert header.isprintable()


async def test_a_format_that_is_none(server: Running, web: httpx.AsyncClient) -> None:
    """The refusal names those there are."""
    answer = await web.get(f"/api/sessions/{await transcribed(server)}/export?format=exe")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert "'srt'" in answer.json()["message"]
    assert (await web.get("/api/sessions/none/export?format=txt")).status_code == 404


async def test_a_session_is_deleted(server: Running, web: httpx.AsyncClient) -> None:
    """With its recording; then it is not there any more."""
    id = await transcribed(server)
    assert server.store
    recording = server.store.sessions.recordings.path(id)
    assert recording.exists()
    assert (await web.delete(f"/api/sessions/{id}")).status_code == 204
    assert not recording.exists()
    for path in ("", "/audio", "/peaks"):
        gone = await web.get(f"/api/sessions/{id}{path}")
        assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    assert (await web.delete(f"/api/sessions/{id}")).status_code == 404


async def test_without_a_recording(start: Start, moonshine: AnyEngine) -> None:
    """A session whose sound is not kept has no audio, and says so."""
    async with (
        start(moonshine, "store.recordings.file = false", console=True) as server,
        server.http() as web,
    ):
        id = await transcribed(server)
        session = (await web.get(f"/api/sessions/{id}")).json()
        gone = await web.get(f"/api/sessions/{id}/audio")
    assert session["recording"] == 0
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    assert "no recording" in gone.json()["message"]


async def test_a_locked_database(
    start: Start, moonshine: AnyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another program holds it nothing is written, which is said; reading goes on."""
    monkeypatch.setattr("coqui_server.store.database._LOCK_TIMEOUT", 0.05)
    async with (
        start(moonshine, console=True) as server,
        server.http() as web,
    ):
        address = f"/api/sessions/{await transcribed(server)}"
        segment = (await web.get(address)).json()["segments"][0]
        edit = f"{address}/segments/{segment['id']}"
        assert server.store
        file = server.store.settings.path / "coqui_server.db"
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            refused = await web.patch(edit, json={"text": "Never."})
            assert (refused.status_code, refused.json()["code"]) == (503, "store_failed")
            assert (await web.get(address)).json()["segments"][0]["text"] == segment["text"]
        assert (await web.patch(edit, json={"text": "Now."})).status_code == 200


async def test_without_a_store(start: Start, moonshine: AnyEngine) -> None:
    """Nothing is kept, so there is nothing to ask."""
    async with (
        start(moonshine, "store.enabled = false", console=True) as server,
        server.http() as web,
    ):
        assert (await web.get("/api/sessions/")).status_code == 404
        assert (await web.get("/")).status_code == 200


REFUSED = [
    ("GET", "/api/sessions/?limit=0", 400, "limit"),
    ("GET", "/api/sessions/?limit=1000000", 400, "limit"),
    ("GET", "/api/sessions/?offset=-1", 400, "offset"),
    ("GET", f"/api/sessions/?offset={2**63}", 400, "offset"),
    ("PATCH", f"/api/sessions/none/segments/{2**63}", 400, "segment"),
    ("GET", f"/api/files?offset={2**63}", 400, "offset"),
    *((method, f"/api/files/{2**63}", 400, "id") for method in ("GET", "DELETE")),
    ("POST", f"/api/files/{2**63}/retry", 400, "id"),
    ("GET", f"/api/files/{2**63 - 1}", 404, ""),
    ("GET", "/api/sessions/?kind=video", 400, "kind"),
    ("GET", "/api/sessions/?since=yesterday", 400, "since"),
    ("GET", "/api/sessions/none", 404, "none"),
    ("GET", "/api/sessions/..%2f..%2fetc%2fpasswd/audio", 404, ""),
    ("GET", "/api/sessions/none/peaks?count=0", 400, "count"),
    ("PATCH", "/api/sessions/none/segments/one", 400, "segment"),
    ("PATCH", "/api/sessions/none/segments/1", 400, ""),
    ("PUT", "/api/sessions/none", 405, ""),
]


async def test_what_cannot_be(web: httpx.AsyncClient) -> None:
    """Each refusal has one form, and names what is wrong."""
    for method, path, status, said in REFUSED:
        answer = await web.request(method, path)
        assert answer.status_code == status, path
        assert set(answer.json()) == {"message", "code"}
        assert said in answer.json()["message"]


async def test_many_ask_at_once(server: Running, web: httpx.AsyncClient) -> None:
    """Readers do not hold each other up."""
    id = await transcribed(server)
    answers = await asyncio.gather(*(web.get(f"/api/sessions/{id}") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
