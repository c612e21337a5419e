"""What the end-of-speech wait of live sound buys and costs: word errors against delay.

python -m benchmarks.endpoint [FOLDER] [--waits 300,400,500,600,700,800] [--set HOCON]

Each clip goes through a live session of its own, with a second and a half of silence after it, as
fast as it is taken: neither words nor delays depend on the pace, since delays are counted in
sound. Milliseconds, p50 and p95: `tail` is from the last sound of an utterance to the end of its
last voiced frame, `wait` from there until the gate closes it; together they are what a final waits
for before it is decoded. `finals` tells how often speech was split.
"""

import argparse
import asyncio
from pathlib import Path

import numpy as np

from benchmarks.live import configured, stream_of, utterances
from benchmarks.speech import SAMPLES, Clip, clips, errors
from coqui_server.config.settings import Settings
from coqui_server.engines import load_engine
from coqui_server.engines.base import AnyEngine
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.session import Session
from coqui_transcript.transcript import Transcript

_WAITS = "300,400,500,600,700,800"


def main() -> None:
    parser = argparse.ArgumentParser(description="Word errors against the end-of-speech wait.")
    parser.add_argument("folder", type=Path, nargs="?", default=SAMPLES)
    parser.add_argument("--waits", default=_WAITS, help="milliseconds, with commas between")
    parser.add_argument("--set", default="", metavar="HOCON", help="settings beside the wait")
    arguments = parser.parse_args()
    found = clips(arguments.folder)
    engine = load_engine(configured(arguments.set))
    print(f"{len(found)} clips, engine {engine.name}, model {engine.model}\n")
    print("  wait  WER     missed  added  wrong  finals   tail p50 p95   wait p50 p95")
    for wait in arguments.waits.split(","):
        row(wait, found, engine, configured(f"{arguments.set}\nvad.silence.live = {wait} ms"))


def row(wait: str, found: list[Clip], engine: AnyEngine, settings: Settings) -> None:
    """Print one line of the table."""
    sounds = [stream_of([clip], 0, 0.1) for clip in found]
    heard = asyncio.run(transcripts(sounds, engine, settings))
    result = errors((clip.text for clip in found), (said.text for said in heard))
    counts = f"{result.deletions:6} {result.insertions:6} {result.substitutions:6}"
    finals = sum(len(said.segments) for said in heard)
    ended = [one for sound in sounds for one in utterances(sound, settings) if not one.cut]
    tails = np.percentile([one.voiced - one.spoken for one in ended], (50, 95)) * 1000
    waits = np.percentile([one.closed - one.voiced for one in ended], (50, 95)) * 1000
    delays = f"{tails[0]:11.0f} {tails[1]:3.0f} {waits[0]:10.0f} {waits[1]:3.0f}"
    print(f"{wait:>6}  {result.wer:6.2%}  {counts} {finals:7} {delays}", flush=True)


async def transcripts(
    sounds: list[Samples], engine: AnyEngine, settings: Settings
) -> list[Transcript]:
    """What live sessions make of these sounds."""
    scheduler = Scheduler(settings.server.threadpool.count)
    heard = []
    for sound in sounds:
        async with Session(SessionRequest("live", engine), scheduler, settings) as session:
            for start in range(0, len(sound), SAMPLE_RATE):
                await session.write(sound[start : start + SAMPLE_RATE])
            heard.append(await session.finish())
    await scheduler.close()
    return heard


if __name__ == "__main__":
    main()
