"""`speakers` in the protocols: told apart where it is asked for."""

import base64
import json

from coqui_server.engines.base import Engine
from tests.support.daemon import Running, Start, send
from tests.support.live import client
from tests.support.media import wav
from tests.support.people import ANNA, BERT, conversation

CALL = conversation((ANNA, "appointment.wav"), (BERT, "appointment.wav"), pause=1.5)
BOTH = ["Speaker 1", "Speaker 2"]


async def test_a_file(server: Running) -> None:
    """`?speakers=` names the speaker of each segment; otherwise there is none."""
    for query in ("?speakers=auto", "?speakers=2"):
        answer = await send(server, wav(CALL), query)
        told = [segment["speaker"] for segment in answer.reply["segments"]]
        assert list(dict.fromkeys(told)) == BOTH
    answer = await send(server, wav(CALL))
    assert not any("speaker" in segment for segment in answer.reply["segments"])


async def test_a_wrong_wish(server: Running) -> None:
    """It is refused, and says what there is."""
    answer = await send(server, wav(CALL), "?speakers=many")
    assert answer.reply["code"] == "bad_request"
    assert "off, auto or a number" in answer.reply["message"]


async def test_the_setting(start: Start, moonshine: Engine) -> None:
    """It holds where a request says nothing; a request may say off."""
    async with start(moonshine, "speakers = auto") as server:
        answer = await send(server, wav(CALL))
        assert answer.reply["segments"][0]["speaker"] == BOTH[0]
        answer = await send(server, wav(CALL), "?speakers=off")
        assert not any("speaker" in segment for segment in answer.reply["segments"])


async def test_live(server: Running) -> None:
    """The start message or the address says it; each final has its speaker."""
    for path, start in (("", {"speakers": 2}), ("?speakers=auto", {})):
        async with client(server, f"/ws/v1/speech-to-text{path}") as speaker:
            await speaker.send({"event": "start", "interim": False, **start})
            await speaker.send_sound(CALL)
            await speaker.send({"event": "stop"})
            await speaker.until(event="stopped")
            told = [message["speaker"] for message in speaker.received if message.get("is_final")]
            assert list(dict.fromkeys(told)) == BOTH


async def test_a_recording_in_json(server: Running) -> None:
    """It is taken there, too, and a wrong one refused."""
    async with client(server, "/ws?speakers=auto") as speaker:
        audio = base64.b64encode(wav(CALL)).decode()
        await speaker.send({"type": "audio", "audio": audio})
        await speaker.until(type="transcription")
        await speaker.send({"type": "audio", "audio": audio, "speakers": 99})
        refused = await speaker.until(type="error")
        assert "off, auto or a number" in json.dumps(refused)
