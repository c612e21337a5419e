"""OpenAI's Realtime protocol on the console's port: keys, and refusals."""

import json

import openai
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from coqui_server.engines.base import AnyEngine
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start
from tests.support.live import Obstacle
from tests.support.openai_clients import talking
from tests.web.people import made_token, signed_up
from tests.web.test_openai import client_of

VOICE = clip("appointment.wav")


async def refused(address: str, key: str = "any", **query: str) -> tuple[int, dict[str, str]]:
    """The status and the error of a refused handshake, which the client raises."""
    with pytest.raises(InvalidStatus) as refusal:
        async with talking(address, key, **query):
            raise AssertionError("it was let in")
    response = refusal.value.response
    assert response.headers["Content-Type"] == "application/json"
    error: dict[str, str] = json.loads(response.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return response.status_code, {**error, "retry": response.headers.get("Retry-After", "")}


async def test_keys(start: Start, moonshine: AnyEngine) -> None:
    """A token is the key, in a header or as browsers send it; the session is its user's."""
    async with start(moonshine, "auth.required = true", console=True) as server:
        async with signed_up(server, "anna") as anna:
            token = await made_token(anna)
        async with talking(server.console, token) as talk:
            await talk.configure(turn_detection=None)
            await talk.say(VOICE.pcm)
            assert spoken((await talk.commit())["transcript"]) == spoken(VOICE.text)
        await server.service.drained()
        assert server.store
        (session,) = (await server.store.sessions.find("anna")).sessions
        assert session.owner == "anna"
        for url in (server.url, server.console.replace("http:", "ws:")):
            offered = [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{token}")]
            address = f"{url}/v1/realtime?intent=transcription"
            async with connect(address, subprotocols=offered) as socket:
                assert socket.subprotocol == "realtime"
                assert json.loads(await socket.recv())["type"] == "session.created"
            status, error = await refused(url.replace("ws:", "http:"), "coqui_wrong")
            assert (status, error["code"]) == (401, "invalid_api_key")


async def test_an_unknown_model(server: Running) -> None:
    """404 before the handshake; OpenAI's own names mean the default engine."""
    status, error = await refused(server.console, model="nobody")
    assert (status, error["code"]) == (404, "model_not_found")
    assert "moonshine" in error["message"]
    for model in ("gpt-realtime", "gpt-4o-mini-transcribe", "moonshine"):
        async with talking(server.console, model=model) as talk:
            await talk.until("session.created")


async def test_no_room(start: Start) -> None:
    """503 and when to come back, before the handshake."""
    async with (
        start(Obstacle(), "server.max_sessions = 1", console=True) as server,
        talking(server.console) as talk,
    ):
        await talk.configure(turn_detection=None)
        await talk.say(VOICE.pcm[:1600])
        await talk.connection.input_audio_buffer.clear()
        await talk.until("input_audio_buffer.cleared")
        status, error = await refused(server.console)
        assert (status, error["code"], error["retry"]) == (503, "busy", "5")


async def test_no_ephemeral_keys(server: Running) -> None:
    """The client raises its exception for that, with what is a key here."""
    async with client_of(server) as client:
        with pytest.raises(openai.BadRequestError, match="token of the account's page"):
            await client.realtime.client_secrets.create(session={"type": "transcription"})
