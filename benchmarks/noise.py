"""Words made out of sounds that have none: the bare engine beside the daemon.

python -m benchmarks.noise [--seconds 12]
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from benchmarks.bare import engine
from benchmarks.speech import ask, write_wav
from coqui_server.config.settings import Settings
from tools.daemon import running
from tools.sounds import MADE, at

_LEVELS = (-60, -40, -20)


def main() -> None:
    parser = argparse.ArgumentParser(description="Words heard in noise and tones.")
    parser.add_argument("--seconds", type=float, default=12)
    arguments = parser.parse_args()
    bare = engine(Settings())
    words = {"bare": 0, "daemon": 0}
    print(f"{'sound':16} {'dBFS':>5}  {'bare recognizer':44} daemon")
    with tempfile.TemporaryDirectory() as folder, running() as daemon:
        for name, make in MADE.items():
            for level in _LEVELS:
                pcm = at(level, make(arguments.seconds))
                reply = asyncio.run(ask(daemon.url, write_wav(Path(folder) / "noise.wav", pcm)))
                made_up = bare(pcm)
                words["bare"] += len(made_up.split())
                words["daemon"] += len(reply["text"].split())
                print(f"{name:16} {level:5}  {made_up[:42]!r:44} {reply['text']!r}", flush=True)
    sounds = len(MADE) * len(_LEVELS)
    print(f"{sounds} sounds: {words['bare']} words bare, {words['daemon']} through the daemon")


if __name__ == "__main__":
    main()
