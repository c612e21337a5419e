"""The last `openai` package that has the beta of Realtime, run by `python -m tools.frameworks`.

    python openai_plugins.py http://HOST:PORT FILE

It hears a 16 kHz WAV by REST and by both of its Realtime clients. A line of JSON is printed for
each. The suite has the newest package, beside which this one cannot be installed.
"""

import asyncio
import base64
import json
import sys
import wave
from array import array
from pathlib import Path
from typing import Any

import openai

_PIECE = 4800
"""Bytes in an event: 0.1 s of 24 kHz."""

_COMPLETED = "conversation.item.input_audio_transcription.completed"
_NEWER = {
    "type": "transcription",
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24_000},
            "transcription": {"model": "gpt-4o-transcribe"},
            "turn_detection": None,
        }
    },
}
_BETA = {
    "input_audio_format": "pcm16",
    "input_audio_transcription": {"model": "gpt-4o-transcribe"},
    "turn_detection": None,
}


def _at_24_khz(path: str) -> bytes:
    """The sound of a 16 kHz WAV, each new sample on the line between the two beside it."""
    with wave.open(path) as file:
        old = array("h", file.readframes(file.getnframes()))
    new = array("h")
    for number in range((len(old) - 1) * 3 // 2):
        place, rest = divmod(number * 2, 3)
        new.append(round(old[place] + (old[place + 1] - old[place]) * rest / 3))
    return new.tobytes()


async def _live(connecting: Any, sound: bytes, *, beta: bool) -> str:
    """The text of one turn that the client ends."""
    async with connecting as connection:
        if beta:
            await connection.transcription_session.update(session=_BETA)
        else:
            await connection.session.update(session=_NEWER)
        for start in range(0, len(sound), _PIECE):
            coded = base64.b64encode(sound[start : start + _PIECE]).decode()
            await connection.input_audio_buffer.append(audio=coded)
        await connection.input_audio_buffer.commit()
        async for event in connection:
            if event.type == _COMPLETED:
                return str(event.transcript)
            if event.type == "error":
                raise openai.OpenAIError(event.error.message)
    raise openai.OpenAIError("the connection ended without a text")


async def _of_file(client: Any, path: str) -> str:
    said = await client.audio.transcriptions.create(file=Path(path), model="whisper-1")
    return str(said.text)


async def main(console: str, path: str) -> None:
    """Print what each client heard, or why it did not."""
    sockets = f"{console.replace('http', 'ws', 1)}/v1"
    client: Any = openai.AsyncOpenAI(
        base_url=f"{console}/v1", websocket_base_url=sockets, api_key="any"
    )
    wishes = {"model": "gpt-4o-transcribe", "extra_query": {"intent": "transcription"}}
    sound = _at_24_khz(path)
    ways = {
        "audio.transcriptions": _of_file(client, path),
        "realtime": _live(client.realtime.connect(**wishes), sound, beta=False),
        "beta.realtime": _live(client.beta.realtime.connect(**wishes), sound, beta=True),
    }
    for name, hearing in ways.items():
        told = {"plugin": f"openai {name}", "version": openai.__version__}
        try:
            told["text"] = await hearing
        # Whatever the package raises is its result.
        except Exception as error:
            told["error"] = repr(error)
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
