"""The names and terms of a user: the list on the account page, and whose sessions it is for."""

import html
import re

import httpx
import pytest
from websockets.asyncio.client import connect

from coqui_server.engines.base import AnyEngine
from tests.support.clips import clip
from tests.support.daemon import Running, Start
from tests.web.people import csrf, made_token, signed_up
from tests.web.test_files_api import until

pytestmark = pytest.mark.model

VOICE = clip("appointment.wav")


async def keep(client: httpx.AsyncClient, lines: str) -> httpx.Response:
    """Send the form."""
    return await client.post("/account/terms", data={"csrf": await csrf(client), "lines": lines})


async def kept(client: httpx.AsyncClient) -> list[str]:
    """The lines of the list on the page."""
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", (await client.get("/account")).text, re.S)
    assert found
    return html.unescape(found[1]).splitlines()


async def heard(server: Running, token: str) -> str:
    """What the server makes of a file of this user."""
    headers = {"Authorization": f"Bearer {token}"}
    async with connect(f"{server.url}/api/v1/stt", additional_headers=headers) as socket:
        await socket.send(VOICE.path.read_bytes())
        return str(await socket.recv())


async def test_a_list_is_for_its_user_alone(start: Start, moonshine: AnyEngine) -> None:
    """Terms of the account page are favoured in that user's files, and in nobody else's."""
    async with (
        start(moonshine, "auth.required = true", console=True) as server,
        signed_up(server, "anna") as anna,
        signed_up(server, "bert") as bert,
    ):
        assert (await keep(anna, " Monday  Morning\r\n\r\n<Vevay>")).status_code == 303
        assert (await kept(anna), await kept(bert)) == (["Monday Morning", "<Vevay>"], [])
        assert "Monday Morning." in await heard(server, await made_token(anna))
        assert "Monday morning." in await heard(server, await made_token(bert))


async def test_a_list_that_is_too_long(start: Start, moonshine: AnyEngine) -> None:
    """It is refused and stays on the page to be mended; an empty one takes the terms away."""
    async with (
        start(moonshine, "auth.required = true", console=True) as server,
        signed_up(server, "anna") as anna,
    ):
        await keep(anna, "Vevay")
        refused = await keep(anna, "x" * 101)
        assert refused.status_code == 400
        assert "x" * 101 in refused.text
        assert await kept(anna) == ["Vevay"]
        await keep(anna, "")
        assert await kept(anna) == []


async def transcript(web: httpx.AsyncClient, **form: str) -> str:
    """What the queue makes of a file with these fields."""
    files = {"files": ("voice.wav", VOICE.path.read_bytes())}
    (file,) = (await web.post("/api/files", data=form, files=files)).json()
    done = await until(web, file["id"], "completed")
    return str((await web.get(f"/api/sessions/{done['session']}")).json()["text"])


async def test_terms_of_a_file_in_the_queue(web: httpx.AsyncClient) -> None:
    """They are favoured in that file, and in no other."""
    assert "Monday Morning." in await transcript(web, terms="Vevay, Monday Morning")
    assert "Monday morning." in await transcript(web)


async def test_a_full_list_in_a_form(server: Running, web: httpx.AsyncClient) -> None:
    """All of it is kept with the job, wherever the body was cut on its way; more is refused."""
    assert server.store
    names = [f"{number:03}{'ü' * 97}" for number in range(1000)]
    files = {"files": ("voice.wav", VOICE.path.read_bytes())}
    taken = await web.post("/api/files", data={"terms": ",".join(names)}, files=files)
    (job,) = await server.store.jobs.find(None)
    assert (taken.status_code, job.terms) == (201, names)
    await until(web, job.id, "completed")
    for many in (",".join([*names, "one more"]), "a" * 101_001):
        refused = await web.post("/api/files", data={"terms": many}, files=files)
        assert refused.json()["code"] in ("bad_request", "too_large")
    assert len(await server.store.jobs.find(None)) == 1


@pytest.mark.parametrize("fields", [["Vevay,Monday Morning"], ["Vevay", "Monday Morning"]])
async def test_terms_of_openais_clients(web: httpx.AsyncClient, fields: list[str]) -> None:
    """In one field of the form, or in one for each, as its packages send a list."""
    files = {"file": ("voice.wav", VOICE.path.read_bytes())}
    answer = await web.post("/v1/audio/transcriptions", data={"terms[]": fields}, files=files)
    assert "Monday Morning." in answer.json()["text"]
