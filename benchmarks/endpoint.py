"""What the end-of-speech wait of live sound buys and costs: word errors against delay.

python -m benchmarks.endpoint [FOLDER] [--waits words,300,400,500,600,700,800] [--set HOCON]

A wait is in milliseconds (`vad.silence.live`), or `words`: what is said decides, as it does where
no silence is set. Each clip goes through a live session of its own, with a second and a half of
silence after it, as fast as it is decoded: neither words nor delays depend on the pace, since
delays are counted in sound. Milliseconds, p50 and p95: `tail` is from the last sound of an
utterance to its end, `wait` from there until the sound with which it is known to be over.
`finals` tells how often speech was split.
"""

import argparse
import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.live import configured, sounding, stream_of
from benchmarks.speech import SAMPLES, Clip, clips, errors
from coqui_server.config.settings import Settings
from coqui_server.engines import load_engine
from coqui_server.engines.base import AnyEngine
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.transcription.events import Event, Final
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.session import Session

_WAITS = "words,300,400,500,600,700,800"
_CHUNK = SAMPLE_RATE // 50


@dataclass
class Heard:
    """What a session made of a sound: finals, and how much sound each one needed, in seconds."""

    sound: Samples
    written: float = 0.0
    finals: list[Final] = field(default_factory=list)
    known: list[float] = field(default_factory=list)

    async def __call__(self, event: Event) -> None:
        if isinstance(event, Final):
            self.finals.append(event)
            self.known.append(self.written)

    @property
    def text(self) -> str:
        return " ".join(final.segment.text for final in self.finals)

    def delays(self) -> Iterator[tuple[float, float]]:
        """Tail and wait of each final."""
        for final, known in zip(self.finals, self.known, strict=True):
            start, end = final.segment.start, final.segment.end
            said = self.sound[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
            yield end - start - sounding(said)[-1], known - end


def main() -> None:
    parser = argparse.ArgumentParser(description="Word errors against the end-of-speech wait.")
    parser.add_argument("folder", type=Path, nargs="?", default=SAMPLES)
    parser.add_argument("--waits", default=_WAITS, help="milliseconds or words, with commas")
    parser.add_argument("--set", default="", metavar="HOCON", help="settings beside the wait")
    arguments = parser.parse_args()
    found = clips(arguments.folder)
    engine = load_engine(configured(arguments.set))
    print(f"{len(found)} clips, engine {engine.name}, model {engine.model}\n")
    print("  wait  WER     missed  added  wrong  finals   tail p50 p95   wait p50 p95")
    for wait in arguments.waits.split(","):
        silence = "" if wait == "words" else f"vad.silence.live = {wait} ms"
        row(wait, found, engine, configured(f"{arguments.set}\n{silence}"))


def row(wait: str, found: list[Clip], engine: AnyEngine, settings: Settings) -> None:
    """Print one line of the table."""
    heard = asyncio.run(hear([stream_of([clip], 0, 0.1) for clip in found], engine, settings))
    result = errors((clip.text for clip in found), (said.text for said in heard))
    counts = f"{result.deletions:6} {result.insertions:6} {result.substitutions:6}"
    finals = sum(len(said.finals) for said in heard)
    delays = np.array([delay for said in heard for delay in said.delays()])
    (tail, wait50), (tail95, wait95) = np.percentile(delays, (50, 95), axis=0) * 1000
    figures = f"{tail:11.0f} {tail95:3.0f} {wait50:10.0f} {wait95:3.0f}"
    print(f"{wait:>6}  {result.wer:6.2%}  {counts} {finals:7} {figures}", flush=True)


async def hear(sounds: list[Samples], engine: AnyEngine, settings: Settings) -> list[Heard]:
    """What live sessions make of these sounds, each decoded as far as it has come."""
    scheduler = Scheduler(settings.server.threadpool.count)
    heard = []
    for sound in sounds:
        one = Heard(sound)
        request = SessionRequest("live", engine, sinks=(one,))
        async with Session(request, scheduler, settings) as session:
            for start in range(0, len(sound), _CHUNK):
                one.written = start / SAMPLE_RATE
                await session.write(sound[start : start + _CHUNK])
                await _decoded(scheduler)
            await session.finish()
        heard.append(one)
    await scheduler.close()
    return heard


async def _decoded(scheduler: Scheduler) -> None:
    """Wait until the sound that was written needs no more work."""
    idle = 0
    while idle < 10:
        busy = scheduler.running or scheduler.waiting
        await asyncio.sleep(0.001 if busy else 0)
        idle = 0 if busy else idle + 1


if __name__ == "__main__":
    main()
