"""What a second of sound costs in processor time, by its source: for planning, not for speed.

    python -m benchmarks.cores [FOLDER] [--engine moonshine|vosk|whisper] [--set HOCON]
                               [--language en] [--streams 2] [--seconds 60]
                               [--sources live,call,file] [--json FILE]

Live streams and calls come at real pace, and then one file of the same length as fast as it is
taken. The daemon is a process of its own, and is not asked for partials, which it makes only on
idle threads. Each row is milliseconds of processor time for a second of sound:

loop      the event loop: sockets or packets, filter, level, gate, events, store
decoders  the recogniser, on all threads
others    processes: ffmpeg, and those that find the times of words
speech    the share of the sound that the gate took for speech, which the decoders hear

Processor time does not depend on what else the machine does, as long as the caches hold. `cores` is
what one core takes if it does nothing else: one second divided by all of it.
"""

import argparse
import asyncio
import json
import tempfile
import urllib.request
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

import psutil
from websockets.asyncio.client import connect

from benchmarks.callers import Callers, speech
from benchmarks.live import configured, speak, stream_of, utterances
from benchmarks.results import Rows, add_json, cpu_seconds, rows
from benchmarks.speech import SAMPLES, ask, clips, minutes_of, write_wav
from coqui_server.config.settings import Settings
from coqui_server.media.samples import SAMPLE_RATE, Samples
from tools.daemon import Daemon, running

Send = Callable[[Daemon], Coroutine[None, None, None]]
"""Sends its sound to a daemon, and returns when all of it was heard."""

_PLAIN = "partials.pace = 1 hour\nserver.threadpool.count = 2\nrtp.max_calls = 1000\n"


@dataclass(frozen=True)
class Spent:
    """Seconds of processor time since the start of a daemon."""

    loop: float
    decoders: float
    others: float

    @classmethod
    def by(cls, process: psutil.Process) -> "Spent":
        """What a daemon has spent until now."""
        whole = cpu_seconds(process)
        # The loop runs on the main thread, whose id is that of the process.
        (main,) = (each for each in process.threads() if each.id == process.pid)
        loop = main.user_time + main.system_time
        ended = process.cpu_times()
        running = sum(cpu_seconds(child) for child in process.children(recursive=True))
        return cls(loop, whole - loop, ended.children_user + ended.children_system + running)

    def since(self, before: "Spent", seconds: float) -> dict[str, float]:
        """Milliseconds for each of so many seconds of sound."""
        spent = {name: getattr(self, name) - getattr(before, name) for name in vars(self)}
        return {name: round(1000 * value / seconds, 1) for name, value in spent.items()}


def main() -> None:
    arguments = _arguments()
    hocon = f"engine = {arguments.engine}\n{_PLAIN}{arguments.set}"
    found = clips(arguments.folder, arguments.language)
    streams, seconds = arguments.streams, arguments.seconds
    sounds = [stream_of(found, 3 * n, seconds) for n in range(streams)]
    long = minutes_of(found, streams * seconds / 60)
    on_the_line = minutes_of(clips(SAMPLES), seconds / 60)
    sources: dict[str, tuple[Send, list[Samples]]] = {
        "live": (lambda daemon: live(daemon, sounds), sounds),
        "call": (lambda daemon: calls(daemon, streams, seconds), [on_the_line] * streams),
        "file": (lambda daemon: file(daemon, long), [long]),
    }
    print("source    loop  decoders  others    cores  speech")
    with rows(arguments.json) as table:
        for name in arguments.sources.split(","):
            send, sent = sources[name]
            with running(hocon) as daemon:
                report(daemon, name, send, sent, configured(hocon), table)


def report(
    daemon: Daemon, name: str, send: Send, sent: list[Samples], settings: Settings, table: Rows
) -> None:
    """Print a row, and add it to the table."""
    process = psutil.Process(daemon.process.pid)
    before = Spent.by(process)
    asyncio.run(send(daemon))
    seconds = sum(map(len, sent)) / SAMPLE_RATE
    spent = Spent.by(process).since(before, seconds)
    heard = sum(len(each.pcm) for sound in sent for each in utterances(sound, settings))
    share, cores = heard / SAMPLE_RATE / seconds, 1000 / sum(spent.values())
    figures = f"{spent['loop']:7.1f} {spent['decoders']:9.1f} {spent['others']:7.1f} {cores:8.1f}"
    print(f"{name:6} {figures} {share:7.2f}", flush=True)
    table.append({"source": name, **spent, "cores": round(cores, 1), "speech": round(share, 2)})


async def live(daemon: Daemon, sounds: list[Samples]) -> None:
    """Speak them all at once, at real pace."""
    told = await asyncio.gather(*(speak(daemon.url, sound) for sound in sounds))
    if refused := [each.refused for each in told if each.refused]:
        raise SystemExit(f"refused: {refused[0]}; ask for fewer with --streams")


async def calls(daemon: Daemon, count: int, seconds: float) -> None:
    """Call with PCMU, and wait until the calls are over."""
    port = int(daemon.rtp.rpartition(":")[2])
    with Callers(count, port, speech()) as callers:
        await asyncio.to_thread(callers.run, seconds)
    async with connect(f"{daemon.url}/ws/events?kind=rtp") as events:
        while await asyncio.to_thread(_open_calls, daemon.console):
            await events.recv()


def _open_calls(console: str) -> int:
    with urllib.request.urlopen(f"{console}/health") as answer:
        return int(json.load(answer)["sessions"]["rtp"])


async def file(daemon: Daemon, sound: Samples) -> None:
    """Send a WAV."""
    with tempfile.TemporaryDirectory() as folder:
        await ask(daemon.url, write_wav(Path(folder) / "a.wav", sound))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Processor time for a second of sound.")
    parser.add_argument("folder", type=Path, nargs="?", default=SAMPLES)
    parser.add_argument("--engine", default="moonshine", choices=("moonshine", "vosk", "whisper"))
    parser.add_argument("--set", default="", metavar="HOCON", help="the daemon's configuration")
    parser.add_argument("--language", default="en", help="which clips of the folder")
    parser.add_argument("--streams", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--sources", default="live,call,file")
    add_json(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
