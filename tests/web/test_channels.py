"""Channels of files in the queue: asked for in the form, kept, and shown with their names."""

import httpx

from tests.support.clips import clip, spoken
from tests.support.media import several_channels
from tests.web.test_files_api import until

VOICE, OTHER = clip("appointment.wav"), clip("voicemail.wav")
BOTH = several_channels(VOICE.pcm, OTHER.pcm // 3)


async def test_two_people_in_the_queue(web: httpx.AsyncClient) -> None:
    """The session has the channel and its name for each segment; so have its page and exports,
    whose lines are in the order of time."""
    (file,) = (await web.post("/api/files", files={"files": ("call.wav", BOTH)})).json()
    assert file["channels"] is None
    done = await until(web, file["id"], "completed")
    address = f"/api/sessions/{done['session']}"
    session = (await web.get(address)).json()
    told = [(segment["channel"], segment["speaker"]) for segment in session["segments"]]
    assert set(told) == {(1, "left"), (2, "right")}
    words = sorted(spoken(session["text"]).split())
    assert words == sorted(spoken(f"{VOICE.text} {OTHER.text}").split())
    text = (await web.get(f"{address}/export?format=txt")).text
    assert f"right: {OTHER.text.partition('.')[0]}.\n" in text
    times = [
        line.split()[0]
        for line in (await web.get(f"{address}/export?format=vtt")).text.splitlines()
        if "-->" in line
    ]
    assert times == sorted(times)
    exported = (await web.get(f"{address}/export?format=json")).json()["segments"]
    assert [(segment["channel"], segment["speaker"]) for segment in exported] == told
    page = (await web.get(f"/sessions/{done['session']}")).text
    assert '<p class="who"><bdi>right</bdi></p>' in page


async def test_each_file_may_ask_for_another_mode(web: httpx.AsyncClient) -> None:
    """By fields of the form before it; a mode that is none is refused at once."""
    parts: list[tuple[str, tuple[str | None, bytes]]] = [
        ("channels", (None, b"mix")),
        ("files", ("a.wav", BOTH)),
        ("channels", (None, b"split")),
        ("files", ("b.wav", several_channels(VOICE.pcm, VOICE.pcm))),
    ]
    mixed, split = (await web.post("/api/files", files=parts)).json()
    assert (mixed["channels"], split["channels"]) == ("mix", "split")
    done = await until(web, mixed["id"], "completed")
    assert [warning["code"] for warning in done["warnings"]] == ["mixed_channels"]
    done = await until(web, split["id"], "completed")
    session = (await web.get(f"/api/sessions/{done['session']}")).json()
    assert spoken(session["text"]) == spoken(f"{VOICE.text} {VOICE.text}")
    refused = await web.post("/api/files?channels=left", files={"files": ("a.wav", BOTH)})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")


async def test_the_recording_has_all_legs(web: httpx.AsyncClient) -> None:
    """Both people can be heard in it, from their times on."""
    options = {"files": ("call.wav", several_channels(VOICE.pcm, -OTHER.pcm))}
    (file,) = (await web.post("/api/files?channels=split", files=options)).json()
    done = await until(web, file["id"], "completed")
    session = (await web.get(f"/api/sessions/{done['session']}")).json()
    assert session["recording"] == 44 + 2 * max(len(VOICE.pcm), len(OTHER.pcm))
    assert session["duration"] == round(max(len(VOICE.pcm), len(OTHER.pcm)) / 16_000, 3)
