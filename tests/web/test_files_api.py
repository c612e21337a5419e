"""`/api/files`: real files through the real queue, and what is refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from coqui_server.engines.base import AnyEngine, Capabilities
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start, made
from tests.support.live import Obstacle
from tests.web.people import csrf, signed_up

VOICE = clip("appointment.wav")
SPEECH = VOICE.path.read_bytes()

File = dict[str, Any]


def uploads(server: Running) -> list[str]:
    """The files that are on the disk."""
    assert server.store
    return [file.name for file in (server.store.settings.path / "uploads").iterdir()]


async def handed_in(web: httpx.AsyncClient, *names: str, data: bytes = SPEECH) -> list[File]:
    """Files that were accepted."""
    answer = await web.post("/api/files", files=[("files", (name, data)) for name in names])
    assert answer.status_code == 201, answer.text
    found: list[File] = answer.json()
    return found


async def until(web: httpx.AsyncClient, id: int, *states: str) -> File:
    """Follow the events until a file is in one of these states."""
    async with web.stream("GET", "/api/files/events", timeout=30) as events:
        file: File = (await web.get(f"/api/files/{id}")).json()
        lines = events.aiter_lines()
        while file["state"] not in states:
            line = await anext(lines)
            if line.startswith("data:") and (told := json.loads(line[5:]))["id"] == id:
                file = told
    return file


async def test_files_are_transcribed_one_after_the_other(
    server: Running, web: httpx.AsyncClient
) -> None:
    """Each becomes a session under its name, and the list shows the newest first."""
    first, second = await handed_in(web, "one.wav", "two.wav")
    assert (first["state"], first["size"], first["name"]) == ("pending", len(SPEECH), "one.wav")
    done = await until(web, second["id"], "completed")
    assert done["percent"] == 100
    session = (await web.get(f"/api/sessions/{done['session']}")).json()
    assert spoken(session["text"]) == spoken(VOICE.text)
    assert (session["label"], session["kind"]) == ("two.wav", "file")
    listed = (await web.get("/api/files")).json()
    assert [(file["name"], file["state"]) for file in listed] == [
        ("two.wav", "completed"),
        ("one.wav", "completed"),
    ]
    assert uploads(server) == []


async def test_a_file_that_is_cut_off(web: httpx.AsyncClient) -> None:
    """The job, its session and the export say so."""
    (file,) = await handed_in(web, "half.wav", data=SPEECH[: len(SPEECH) // 2])
    assert file["warnings"] == []
    done = await until(web, file["id"], "completed")
    session = (await web.get(f"/api/sessions/{done['session']}")).json()
    export = await web.get(f"/api/sessions/{done['session']}/export?format=json")
    assert [warning["code"] for warning in done["warnings"]] == ["truncated"]
    assert session["warnings"] == export.json()["warnings"] == done["warnings"]
    assert (await web.get("/api/files")).json()[0]["warnings"] == done["warnings"]


async def test_the_track_is_chosen_for_each_file(web: httpx.AsyncClient) -> None:
    """By the address; a number that no file can have is refused at once."""
    files = {"files": ("a.wav", SPEECH)}
    (file,) = (await web.post("/api/files?track=2", files=files)).json()
    assert file["track"] == 2
    failed = await until(web, file["id"], "failed")
    assert failed["error"] == "there is no track 2: the file has 1"
    refused = await web.post("/api/files?track=x", files=files)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")


async def test_a_file_without_a_header(web: httpx.AsyncClient, tmp_path: Path) -> None:
    """The form names its encoding and rate; the file after it has its own again."""
    options = ["-ac", "1", "-ar", "16000", "-f", "mulaw"]
    data = made(*options, source=VOICE.path, suffix=".raw", folder=tmp_path)
    parts: list[tuple[str, tuple[str | None, bytes]]] = [
        ("encoding", (None, b"PCMU")),
        ("sample_rate", (None, b"16000")),
        ("files", ("a.raw", data)),
        ("encoding", (None, b"")),
        ("sample_rate", (None, b"")),
        ("files", ("b.wav", SPEECH)),
    ]
    raw, other = (await web.post("/api/files", files=parts)).json()
    assert (raw["encoding"], raw["sample_rate"]) == ("mulaw", 16_000)
    assert (other["encoding"], other["sample_rate"]) == (None, None)
    for file in (raw, other):
        done = await until(web, file["id"], "completed")
        session = (await web.get(f"/api/sessions/{done['session']}")).json()
        assert spoken(session["text"]) == spoken(VOICE.text)
        assert session["duration"] == pytest.approx(len(VOICE.pcm) / 16_000, abs=0.05)


@pytest.mark.parametrize("query", ["encoding=mp3", "sample_rate=8000", "encoding=opus"])
async def test_encodings_that_are_none(web: httpx.AsyncClient, query: str) -> None:
    """They are refused before anything is queued."""
    refused = await web.post(f"/api/files?{query}", files={"files": ("a.raw", SPEECH)})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")
    assert (await web.get("/api/files")).json() == []


async def test_events_tell_of_each_step(server: Running, web: httpx.AsyncClient) -> None:
    """From waiting to done, with progress, and of who is forgotten."""
    states: list[str] = []
    async with web.stream("GET", "/api/files/events", timeout=30) as events:
        assert events.headers["Content-Type"].startswith("text/event-stream")
        (file,) = await handed_in(web, "one.wav")
        async for line in events.aiter_lines():
            if line.startswith("data:"):
                states.append(json.loads(line[5:])["state"])
                if states[-1] == "completed":
                    await web.delete(f"/api/files/{file['id']}")
                if states[-1] == "deleted":
                    break
    assert states[0] == "pending"
    assert states[-2:] == ["completed", "deleted"]
    assert "processing" in states


async def test_the_engine_is_chosen_for_each_file(start: Start, moonshine: AnyEngine) -> None:
    """By the address for all, or by fields of the form for those after them."""
    other = Obstacle("other", text="something")
    async with (
        start(moonshine, others=[other], console=True) as server,
        server.http() as web,
    ):
        (mine,) = (
            await web.post("/api/files?engine=other", files={"files": ("a.wav", SPEECH)})
        ).json()
        form = b"".join(
            b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % part
            for part in (
                (b'files"; filename="b.wav', SPEECH),
                (b"engine", b"other"),
                (b"language", b"xx"),
                (b'files"; filename="c.wav', SPEECH),
            )
        )
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        posted = await web.post("/api/files", content=form + b"--x--\r\n", headers=headers)
        b, c = posted.json()
        assert (mine["engine"], b["engine"], c["engine"]) == ("other", None, "other")
        assert (b["language"], c["language"]) == (None, "xx")
        done = await until(web, mine["id"], "completed")
        session = (await web.get(f"/api/sessions/{done['session']}")).json()
        assert (session["engine"], session["text"]) == ("other", "Something")
        none = await web.post("/api/files?engine=nobody", files={"files": ("a.wav", SPEECH)})
        assert (none.status_code, none.json()["code"]) == (400, "bad_request")
        assert "other" in none.json()["message"]
        await until(web, c["id"], "completed", "failed")


async def test_the_format_is_chosen_for_each_file(start: Start) -> None:
    """Readable unless the address or a field asks for verbatim, also when it is done again."""
    english = Obstacle(text="ten dollars", capabilities=Capabilities(languages=("en",)))
    async with (
        start(english, console=True) as server,
        server.http() as web,
    ):
        for asked, expected in (("", "$10"), ("?format=verbatim", "ten dollars")):
            answer = await web.post(f"/api/files{asked}", files={"files": ("a.wav", SPEECH)})
            (file,) = answer.json()
            done = await until(web, file["id"], "completed")
            assert done["format"] == (asked.partition("=")[2] or None)
            address = f"/api/sessions/{done['session']}"
            (segment,) = (await web.get(address)).json()["segments"]
            assert segment["text"] == expected
            assert segment["words"][0]["word"] == "ten dollars"
            exported = await web.get(f"{address}/export?format=srt")
            assert expected in exported.text
        none = await web.post("/api/files?format=nice", files={"files": ("a.wav", SPEECH)})
        assert (none.status_code, none.json()["code"]) == (400, "bad_request")


async def test_one_that_waits_and_one_that_runs_are_cancelled(start: Start) -> None:
    """Both become `cancelled`, wait again when they are retried, and are forgotten when over."""
    slow = Obstacle(held=True)
    async with (
        start(slow, console=True) as server,
        server.http() as web,
    ):
        running, waiting = await handed_in(web, "one.wav", "two.wav")
        await until(web, running["id"], "processing")
        for id in (waiting["id"], running["id"]):
            answer = await web.delete(f"/api/files/{id}")
            assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
        slow.let_go()
        assert (await web.post(f"/api/files/{running['id']}/retry")).status_code == 200
        assert (await until(web, running["id"], "completed"))["error"] is None
        gone = await web.delete(f"/api/files/{waiting['id']}")
        assert (gone.status_code, gone.json()["state"]) == (200, "deleted")
        assert (await web.get(f"/api/files/{waiting['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"This is no sound at all." * 100, "not an audio or video file")],
)
async def test_what_is_no_audio_fails_with_its_reason(
    server: Running, web: httpx.AsyncClient, data: bytes, said: str
) -> None:
    """The file says why, and the next one is not held up."""
    bad, good = (
        await web.post(
            "/api/files", files=[("files", ("bad.wav", data)), ("files", ("good.wav", SPEECH))]
        )
    ).json()
    assert said in (await until(web, bad["id"], "failed"))["error"]
    await until(web, good["id"], "completed")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\sound\\one.wav", "one.wav"),
        ("a\u202eb\x7fc.wav", "abc.wav"),
        ("<script>alert(1)<.wav", "<script>alert(1)<.wav"),
        ("می\u200cشود %22.wav", 'می\u200cشود ".wav'),
        ("/", "file"),
        ("n" * 400 + ".wav", "n" * 251 + ".wav"),
    ],
)
async def test_names(server: Running, web: httpx.AsyncClient, name: str, kept: str) -> None:
    """A name is only shown: no folder of it is kept, and no file is called by it."""
    (file,) = await handed_in(web, name)
    assert file["name"] == kept
    assert all(len(upload.partition(".")[0]) == 36 for upload in uploads(server))
    await until(web, file["id"], "completed")


async def test_an_empty_file(server: Running, web: httpx.AsyncClient) -> None:
    """It is refused at once."""
    answer = await web.post("/api/files", files={"files": ("empty.wav", b"")})
    assert (answer.status_code, answer.json()["code"]) == (415, "empty")
    assert uploads(server) == []


async def test_over_the_limit(start: Start, moonshine: AnyEngine) -> None:
    """413, and nothing of the form is left, not even what came whole before."""
    async with (
        start(moonshine, "jobs.max_size = 200 kB", console=True) as server,
        server.http() as web,
    ):
        # More than the buffers on the way hold: who is still sending gets the answer too.
        files = [("files", ("small.wav", SPEECH)), ("files", ("large.wav", bytes(20_000_000)))]
        answer = await web.post("/api/files", files=files)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert "200000 bytes" in answer.json()["message"]
        assert uploads(server) == []
        assert (await web.get("/api/files")).json() == []


async def test_no_room_in_the_queue(start: Start) -> None:
    """503, and none of the form's files is queued."""
    slow = Obstacle(held=True)
    async with (
        start(slow, "jobs.max_waiting = 2", console=True) as server,
        server.http() as web,
    ):
        (first,) = await handed_in(web, "one.wav")
        files = [("files", (name, SPEECH)) for name in ("two.wav", "three.wav")]
        answer = await web.post("/api/files", files=files)
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        assert [file["id"] for file in (await web.get("/api/files")).json()] == [first["id"]]
        assert len(uploads(server)) == 1
        slow.let_go()
        await until(web, first["id"], "completed")


async def test_a_sender_that_stops_in_the_middle(start: Start, moonshine: AnyEngine) -> None:
    """408 after `server.idle`, and what came is removed."""
    async with (
        start(moonshine, "server.idle = 200 ms", console=True) as server,
        server.http() as web,
    ):
        url = httpx.URL(server.console)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        head = "POST /api/files HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n"
        head += "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.wav"\r\n\r\n'
        writer.write(head.encode() + part + SPEECH[:50_000])
        answer = await reader.readuntil(b"}")
        writer.close()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"idle"' in answer
        assert uploads(server) == []
        assert (await web.get("/api/files")).json() == []


async def test_a_full_disk(
    server: Running, web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """507, nothing is left, and when there is room again files are taken again."""
    really = Path.open

    def full(path: Path, mode: str = "r", *options: Any) -> Any:
        if path.suffix != ".part":
            return really(path, mode, *options)
        path.touch()
        return really(Path("/dev/full"), "wb", 0)

    monkeypatch.setattr(Path, "open", full)
    answer = await web.post("/api/files", files={"files": ("one.wav", SPEECH)})
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
    assert uploads(server) == []
    monkeypatch.undo()
    (file,) = await handed_in(web, "one.wav")
    await until(web, file["id"], "completed")


async def test_a_sender_that_goes_away(server: Running, web: httpx.AsyncClient) -> None:
    """What came of its file is removed."""
    came = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.wav"\r\n\r\n'
        yield SPEECH[:50_000]
        while not uploads(server):
            await asyncio.sleep(0.01)
        came.set()
        await asyncio.Event().wait()

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    sending = asyncio.create_task(web.post("/api/files", content=half(), headers=headers))
    await came.wait()
    sending.cancel()
    while uploads(server):
        await asyncio.sleep(0.01)
    assert (await web.get("/api/files")).json() == []


FORM = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("audio/wav", SPEECH),
        ("multipart/form-data", b"--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
        ("multipart/form-data; boundary=x", b"not this form"),
        ("multipart/form-data; boundary=x", FORM % (b"engine", b"", b"moonshine") + b"--x--\r\n"),
        ("multipart/form-data; boundary=x", FORM % (b"color", b"", b"red") + b"--x--\r\n"),
        ("multipart/form-data; boundary=x", FORM % (b"f", b'; filename="a"', SPEECH)),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A: " + b"b" * 20_000),
    ],
)
async def test_what_is_no_form_with_files(
    server: Running, web: httpx.AsyncClient, content_type: str, body: bytes
) -> None:
    """400 in the one form of errors, and nothing is left."""
    headers = {"Content-Type": content_type}
    answer = await web.post("/api/files", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert uploads(server) == []


async def test_too_many_and_too_long(web: httpx.AsyncClient) -> None:
    """A form has a hundred files at most, and fields of a line."""
    many = [("files", (f"{number}.wav", b"x")) for number in range(101)]
    answer = await web.post("/api/files", files=many)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    form = FORM % (b"language", b"", b"x" * 300)
    answer = await web.post("/api/files", content=form, headers=headers)
    assert answer.status_code == 413


async def test_events_end_with_the_daemon(start: Start, moonshine: AnyEngine) -> None:
    """When the queue is closed nobody waits for more."""
    async with start(moonshine, console=True) as server:
        assert server.queue
        async with (
            server.http() as web,
            web.stream("GET", "/api/files/events") as events,
        ):
            await server.queue.close()
            assert [line async for line in events.aiter_lines()] == []


async def test_where_nothing_is_kept(start: Start, moonshine: AnyEngine) -> None:
    """404 with the reason, and no page leads there."""
    async with (
        start(moonshine, "store.enabled = false", console=True) as server,
        server.http() as web,
    ):
        for path in ("/api/files", "/api/files/events", "/api/sessions/", "/api/sessions/1"):
            answer = await web.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
            assert "store.enabled" in answer.json()["message"]
        posted = await web.post("/api/files", files={"files": ("a.wav", SPEECH)})
        assert posted.status_code == 404


async def test_files_are_their_owners(start: Start, moonshine: AnyEngine) -> None:
    """Nobody else sees, cancels or retries one, or is told of it; an administrator is."""
    async with (
        start(moonshine, "auth.required = true", console=True) as server,
        signed_up(server, "root") as root,
        signed_up(server, "anna") as anna,
        signed_up(server, "ben") as ben,
    ):
        async with server.http() as stranger:
            assert (await stranger.get("/api/files")).status_code == 401
        for client in (root, anna, ben):
            client.headers["X-CSRF-Token"] = await csrf(client)
        async with ben.stream("GET", "/api/files/events", timeout=30) as events:
            (hers,) = await handed_in(anna, "hers.wav")
            assert hers["owner"] == "anna"
            address = f"/api/files/{hers['id']}"
            for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/retry")):
                assert (await ben.request(method, address + path)).status_code == 404
            assert (await ben.get("/api/files")).json() == []
            assert [file["id"] for file in (await root.get("/api/files")).json()] == [hers["id"]]
            done = await until(anna, hers["id"], "completed")
            assert (await ben.get(f"/api/sessions/{done['session']}")).status_code == 404
            (his,) = await handed_in(ben, "his.wav")
            lines = events.aiter_lines()
            while not (first := await anext(lines)).startswith("data:"):
                pass
            assert json.loads(first[5:])["id"] == his["id"]
            await until(ben, his["id"], "completed")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_file_that_is_not_there(web: httpx.AsyncClient, method: str) -> None:
    """404, and 400 for what is no number."""
    assert (await web.request(method, "/api/files/77")).status_code == 404
    assert (await web.request(method, "/api/files/one")).status_code == 400
    assert (await web.post("/api/files/77/retry")).status_code == 404
