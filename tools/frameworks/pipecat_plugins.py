"""Pipecat's plug-ins, run by `python -m tools.frameworks` in Pipecat's own environment.

    python pipecat_plugins.py http://HOST:PORT FILE

Each is the only service of a pipeline that hears a 16 kHz WAV at the pace of speech, between the
frames of a voice activity detector. A line of JSON is printed for each.
"""

import asyncio
import json
import sys
import wave
from importlib.metadata import version

from loguru import logger
from pipecat.frames.frames import (
    EndFrame,
    Frame,
    InputAudioRawFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.openai.stt import OpenAIRealtimeSTTService, OpenAISTTService
from pipecat.services.stt_service import STTService
from pipecat.workers.runner import WorkerRunner

_RATE = 16_000
_PACE = 0.02
"""Seconds in a frame."""

_FIRST, _MORE = 30.0, 3.0
"""Seconds after the end of the speech in which the first text has to come, and then any more."""


class _Texts(FrameProcessor):
    """The end of a pipeline: keeps the finals."""

    def __init__(self) -> None:
        super().__init__()
        self.finals: asyncio.Queue[str] = asyncio.Queue()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TranscriptionFrame):
            self.finals.put_nowait(frame.text)
        await self.push_frame(frame, direction)


def _services(console: str) -> dict[str, STTService]:
    """The plug-ins, with our address in place of their vendor's."""
    sockets = console.replace("http:", "ws:")
    realtime = OpenAIRealtimeSTTService.Settings(model="gpt-4o-mini-transcribe")
    return {
        "DeepgramSTTService": DeepgramSTTService(api_key="any", base_url=sockets),
        "OpenAISTTService": OpenAISTTService(api_key="any", base_url=f"{console}/v1"),
        "OpenAIRealtimeSTTService": OpenAIRealtimeSTTService(
            api_key="any", base_url=f"{sockets}/v1/realtime", settings=realtime
        ),
    }


async def _heard(service: STTService, sound: bytes) -> str:
    """All finals of the sound."""
    texts = _Texts()
    worker = PipelineWorker(
        Pipeline([service, texts]),
        params=PipelineParams(audio_in_sample_rate=_RATE),
        cancel_on_idle_timeout=False,
        enable_rtvi=False,
    )
    started = asyncio.Event()
    worker.add_event_handler("on_pipeline_started", lambda *_: started.set())
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())
    await started.wait()
    await worker.queue_frame(VADUserStartedSpeakingFrame())
    size = int(_RATE * _PACE) * 2
    for start in range(0, len(sound), size):
        await worker.queue_frame(InputAudioRawFrame(sound[start : start + size], _RATE, 1))
        await asyncio.sleep(_PACE)
    await worker.queue_frame(VADUserStoppedSpeakingFrame())
    found = await _all(texts.finals)
    await worker.queue_frame(EndFrame())
    await running
    return " ".join(found)


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
    for name, service in _services(console).items():
        told = {"plugin": f"pipecat {name}", "version": version("pipecat-ai")}
        try:
            told["text"] = await _heard(service, sound)
        # Whatever a plug-in raises is its result.
        except Exception as error:
            told["error"] = repr(error)
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    asyncio.run(main(*sys.argv[1:]))
