"""A file over the wire, transcribed by a service: the same reply, and its errors as any other."""

import pytest

from coqui_server.engines.base import Engine
from tests.support.clips import clip
from tests.support.daemon import Start, send
from tests.support.remote_engines import Make
from tests.support.remote_service import KEY, Service, answer

pytestmark = pytest.mark.process

VOICE = clip("voicemail.wav").path


async def test_its_text(start: Start, make: Make, service: Service) -> None:
    """One segment for each chunk, and the engine's name."""
    said = {"data": {"data": {"aiResponse": {"result": {"text": "سلام"}}}}}
    service.replies = [answer(200, said)]
    async with start(make("vira")) as server:
        heard = await send(server, VOICE.read_bytes())
    assert (heard.code, heard.text, heard.reply["engine"]) == (1000, "سلام", "vira")
    assert len(heard.reply["segments"]) == 1


async def test_by_the_address(
    start: Start, make: Make, service: Service, moonshine: Engine
) -> None:
    """It is sent only what asks for it, in the language that is asked for."""
    service.replies = [answer(200, {"text": "Bonjour."})]
    async with start(moonshine, others=[make("openai")]) as server:
        here = await send(server, VOICE.read_bytes())
        assert (here.reply["engine"], service.requests) == ("moonshine", [])
        heard = await send(server, VOICE.read_bytes(), "?engine=openai&language=fr")
        assert (heard.text, heard.reply["engine"]) == ("Bonjour.", "openai")
        assert service.requests[0].form["language"] == "fr"
        refused = await send(server, VOICE.read_bytes(), "?engine=openai&language=f%20r")
        assert refused.error == ("bad_request", 1008)


async def test_its_failure(start: Start, make: Make, service: Service) -> None:
    """The client is told the service's reason, and gets no text."""
    service.replies = [answer(402, {"message": f"no credit for {KEY}"})]
    async with start(make("vira")) as server:
        heard = await send(server, VOICE.read_bytes())
    assert heard.code == 1011
    assert heard.reply["code"] == "engine_failed"
    assert "the service vira failed: 402, no credit for …" in str(heard.reply)
    assert "text" not in heard.reply
