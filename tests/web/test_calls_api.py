"""`/api/calls`: the same control of calls as on the events socket, with a real call."""

import httpx
import pytest

from tests.rtp.sender import calling, hush, mu_law, voice
from tests.support.daemon import Running


async def test_a_call_is_reserved_heard_and_released(
    server: Running, web: httpx.AsyncClient
) -> None:
    """It has a port for each leg; what comes there is counted, and its session ends with it."""
    asked = {"id": "ticket-1", "legs": ["caller", "agent"]}
    made = await web.post("/api/calls", json=asked)
    assert made.status_code == 201
    caller, agent = made.json()["legs"]
    assert (caller["label"], agent["label"]) == ("caller", "agent")
    with calling(server, port=caller["port"]) as (telephone,):
        await telephone.say(mu_law(voice("appointment.wav", 0, 1), hush(0.5)))
        await telephone.taken(1.0)
        (call,) = (await web.get("/api/calls")).json()
        (stream,) = call["legs"][0]["streams"]
        assert (call["id"], call["reserved"]) == ("ticket-1", True)
        assert (stream["codec"], stream["packets"], stream["lost"]) == ("PCMU/8000", 75, 0)
        assert stream["jitter_ms"] >= 0
        assert stream["duration"] >= 1.0
        assert call["legs"][1]["streams"] == []
        gone = await web.delete("/api/calls/ticket-1")
    assert (gone.status_code, gone.json()["id"]) == (200, "ticket-1")
    assert (await web.get("/api/calls")).json() == []
    session = (await web.get(f"/api/sessions/{stream['session']}")).json()
    assert (session["kind"], session["label"], session["state"]) == ("rtp", "caller", "finished")


async def test_a_call_that_came_by_itself(server: Running, web: httpx.AsyncClient) -> None:
    """It can be named while it is there, and be ended, though its id has a slash in it."""
    with calling(server) as (telephone,):
        await telephone.say(mu_law(voice("appointment.wav", 0, 1)))
        await telephone.taken(0.5)
        named = await web.post(
            "/api/calls/streams", json={"source": telephone.source, "label": "A"}
        )
        assert named.status_code == 204
        (call,) = (await web.get("/api/calls")).json()
        assert "/" in call["id"]
        assert call["legs"][0]["label"] == "A"
        assert (await web.delete(f"/api/calls/{call['id']}")).json()["id"] == call["id"]
    assert (await web.get("/api/calls")).json() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "", {"legs": 9}, 400, "bad_command"),
        ("POST", "", {"legs": "two"}, 400, "bad_request"),
        ("POST", "", {"codec": "mp3/44100"}, 400, "bad_command"),
        ("POST", "", {"id": "a\nb"}, 400, "bad_command"),
        ("POST", "/streams", {"label": "A"}, 400, "bad_command"),
        ("POST", "/streams", {"ssrc": -1}, 400, "bad_command"),
        ("DELETE", "/none", None, 404, "no_such_call"),
    ],
)
async def test_refusals(
    web: httpx.AsyncClient, method: str, path: str, body: object, status: int, code: str
) -> None:
    """In the one form of errors, with the words of the events socket."""
    answer = await web.request(method, f"/api/calls{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
