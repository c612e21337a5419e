"""Speakers of files in the queue: asked for, kept, named, and shown with their names."""

import httpx

from coqui_server.principal import EVERYBODY
from tests.support.daemon import Running
from tests.support.media import wav
from tests.support.people import ANNA, BERT, conversation
from tests.web.test_files_api import until

CALL = wav(
    conversation(
        (ANNA, "appointment.wav"),
        (BERT, "appointment.wav"),
        (ANNA, "voicemail.wav"),
        pause=1.5,
    )
)
FIRST, SECOND = "Speaker 1", "Speaker 2"


async def transcribed(web: httpx.AsyncClient, speakers: str) -> str:
    """The address of the session of the call, once it is finished."""
    data, files = {"speakers": speakers}, {"files": ("call.wav", CALL)}
    (file,) = (await web.post("/api/files", data=data, files=files)).json()
    assert file["speakers"] == speakers
    done = await until(web, file["id"], "completed")
    return f"/api/sessions/{done['session']}"


async def test_people_are_named(web: httpx.AsyncClient) -> None:
    """The name is shown on the page and in exports, and taken away by an empty one."""
    address = await transcribed(web, "auto")
    session = (await web.get(address)).json()
    told = [segment["speaker"] for segment in session["segments"]]
    assert list(dict.fromkeys(told)) == [FIRST, SECOND]
    assert told[-1] == FIRST
    assert session["names"] == {}
    page = (await web.get(address.removeprefix("/api"))).text
    assert f'<p class="who"><bdi>{SECOND}</bdi></p>' in page

    for name in ("Bob", " Bert "):
        answer = await web.patch(f"{address}/speakers/{SECOND}", json={"name": name})
        assert answer.json()["names"] == {SECOND: name.strip()}
    assert [segment["speaker"] for segment in answer.json()["segments"]] == told
    page = (await web.get(address.removeprefix("/api"))).text
    assert '<p class="who"><bdi>Bert</bdi></p>' in page
    assert 'value="Bert"' in page
    text = (await web.get(f"{address}/export?format=txt")).text
    assert "Bert: Your appointment" in text
    assert f"{FIRST}: Your appointment" in text

    await web.patch(f"{address}/speakers/{SECOND}", json={"name": " "})
    assert (await web.get(address)).json()["names"] == {}


async def test_who_is_not_there_has_no_name(web: httpx.AsyncClient, server: Running) -> None:
    """Neither a speaker that nobody is, nor one of a session that is not there."""
    address = await transcribed(web, "2")
    for wrong in (f"{address}/speakers/Speaker 3", "/api/sessions/none/speakers/Speaker 1"):
        answer = await web.patch(wrong, json={"name": "Anna"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    long = await web.patch(f"{address}/speakers/{FIRST}", json={"name": "a" * 101})
    assert long.status_code in (400, 422)
    assert server.daemon.store
    row = await server.daemon.store.sessions.get(EVERYBODY, address.rpartition("/")[2])
    assert row.names == {}


async def test_a_wish_that_is_none(web: httpx.AsyncClient) -> None:
    """It is refused before the file is taken."""
    refused = await web.post("/api/files?speakers=all", files={"files": ("call.wav", CALL)})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")
