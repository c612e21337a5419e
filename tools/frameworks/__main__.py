"""Pipecat's and LiveKit Agents' plug-ins for Deepgram and OpenAI, and an older package of OpenAI,
each hearing a sample.

    python -m tools.frameworks [pipecat] [livekit] [openai]

Each of them is installed into an environment of its own in `build/frameworks`, the first time for
some minutes: it is half a gigabyte, and its packages do not agree with ours. A daemon is started on
free ports. The plug-ins have nothing but its address in place of their vendor's. The exit code is 1
if any of them does not hear every word.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.speech import errors
from tools.daemon import ROOT, running

_HERE = Path(__file__).parent
_FRAMEWORKS = ("pipecat", "livekit", "openai")
_CLIP = ROOT / "samples" / "voicemail.wav"
_FOLDER = ROOT / "build" / "frameworks"
_SETTINGS = "store.enabled = false"

_PATIENCE = 300.0
"""Seconds for all plug-ins of a framework; each hears the sample as slowly as it was spoken."""


def main() -> int:
    """Print a line for each plug-in."""
    parser = argparse.ArgumentParser(prog="frameworks", description=__doc__.partition("\n")[0])
    parser.add_argument("frameworks", nargs="*", choices=[*_FRAMEWORKS, []], metavar="FRAMEWORK")
    chosen = parser.parse_args().frameworks or _FRAMEWORKS
    programs = {name: _installed(name) for name in chosen}
    print(f"{'plug-in':<44} {'version':<8} {'WER':>6}  text")
    good = True
    with running(_SETTINGS) as daemon:
        for name, python in programs.items():
            for heard in _results(name, python, daemon.console):
                good &= _show(heard)
    return 0 if good else 1


def _installed(framework: str) -> Path:
    """The Python of the framework's environment, which is made if it is not there."""
    requirements = _HERE / f"requirements-{framework}.txt"
    folder = _FOLDER / framework
    python, stamp = folder / "bin" / "python", folder / "installed"
    if not stamp.exists() or stamp.read_text() != requirements.read_text():
        print(f"Installing {framework} into {folder}; this takes some minutes.", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([str(python), *install, "--requirement", str(requirements)], check=True)
        stamp.write_text(requirements.read_text())
    return python


def _results(framework: str, python: Path, console: str) -> Iterator[dict[str, Any]]:
    """What each plug-in heard: a line of JSON from the framework's program."""
    program = _HERE / f"{framework}_plugins.py"
    with (_FOLDER / f"{framework}.log").open("w") as log:
        done = subprocess.run(
            [str(python), str(program), console, str(_CLIP)],
            stdout=subprocess.PIPE,
            stderr=log,
            check=True,
            text=True,
            timeout=_PATIENCE,
        )
    yield from map(json.loads, done.stdout.splitlines())


def _show(heard: dict[str, Any]) -> bool:
    """Print the line of a plug-in; whether it heard every word."""
    text = heard.get("text", "")
    wrong = errors([_CLIP.with_suffix(".txt").read_text()], [text]).wer
    told = heard.get("error") or text or f"nothing; see the log in {_FOLDER}"
    print(f"{heard['plugin']:<44} {heard['version']:<8} {wrong:>6.1%}  {told}", flush=True)
    return wrong == 0.0


if __name__ == "__main__":
    sys.exit(main())
