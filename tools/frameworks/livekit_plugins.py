"""LiveKit Agents' plug-ins, run by `python -m tools.frameworks` in LiveKit's own environment.

    python livekit_plugins.py http://HOST:PORT FILE

Each hears a 16 kHz WAV: as a whole, or as a stream at the pace of speech. A line of JSON is printed
for each.
"""

import asyncio
import json
import sys
import wave
from importlib.metadata import version

import aiohttp
from livekit import rtc
from livekit.agents import stt, utils
from livekit.plugins import deepgram, openai

_RATE = 16_000
_PACE = 0.05
"""Seconds in a frame."""

_PAUSE = 2.0
"""Seconds of silence after the speech, by which a service finds its end."""

_FIRST, _MORE = 30.0, 3.0
"""Seconds after the sound in which the first text has to come, and then any more."""


def _frame(sound: bytes) -> rtc.AudioFrame:
    return rtc.AudioFrame(sound, _RATE, 1, len(sound) // 2)


async def _recognized(service: stt.STT, sound: bytes) -> str:
    """The text of the sound as a whole."""
    event = await service.recognize(_frame(sound))
    return str(event.alternatives[0].text)


async def _streamed(service: stt.STT, sound: bytes) -> str:
    """All finals of the sound at its pace, with silence after it."""
    stream, finals = service.stream(), asyncio.Queue[str]()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_listen(stream, finals))
        await _speak(stream, sound + bytes(int(_RATE * _PAUSE) * 2))
        found = await _all(finals)
        await stream.aclose()
    return " ".join(found)


async def _listen(stream: stt.RecognizeStream, finals: asyncio.Queue[str]) -> None:
    async for event in stream:
        if event.type == stt.SpeechEventType.FINAL_TRANSCRIPT:
            finals.put_nowait(event.alternatives[0].text)


async def _speak(stream: stt.RecognizeStream, sound: bytes) -> None:
    size = int(_RATE * _PACE) * 2
    for start in range(0, len(sound), size):
        stream.push_frame(_frame(sound[start : start + size]))
        await asyncio.sleep(_PACE)


async def _all(finals: asyncio.Queue[str]) -> list[str]:
    """Wait for finals until no more come."""
    found: list[str] = []
    try:
        while True:
            found.append(await asyncio.wait_for(finals.get(), _MORE if found else _FIRST))
    except TimeoutError:
        return found


async def main(console: str, path: str) -> None:
    """Print what each plug-in heard, or why it did not."""
    with wave.open(path) as file:
        sound = file.readframes(file.getnframes())
    async with utils.http_context.open(), aiohttp.ClientSession() as session:
        listen = f"{console}/v1/listen"
        deep = deepgram.STT(api_key="any", base_url=listen, http_session=session)
        files = openai.STT(api_key="any", base_url=f"{console}/v1")
        live = openai.STT(api_key="any", base_url=f"{console}/v1", use_realtime=True)
        ways = {
            "deepgram.STT recognize": _recognized(deep, sound),
            "deepgram.STT stream": _streamed(deep, sound),
            "openai.STT recognize": _recognized(files, sound),
            "openai.STT(use_realtime=True) stream": _streamed(live, sound),
        }
        for name, hearing in ways.items():
            told = {"plugin": f"livekit {name}", "version": version("livekit-agents")}
            try:
                told["text"] = await hearing
            # Whatever a plug-in raises is its result.
            except Exception as error:
                told["error"] = repr(error)
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
