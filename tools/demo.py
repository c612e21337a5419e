"""`make demo`: start the daemon, send it the samples through the client, show what it heard.

Then one of them again, as a telephone call at real pace. The exit code is 0 only if every English
sample came back with text.
"""

import json
import subprocess
import sys
from pathlib import Path

from tools.daemon import ROOT, Daemon, running

_SAMPLES = ROOT / "samples"
_CALL = "voicemail"


def main() -> int:
    references = [path for path in sorted(_SAMPLES.glob("*.txt")) if path.stem != "korean"]
    clips = [_sound_of(path) for path in references]
    with running() as daemon:
        print(f"The daemon listens at {daemon.url}. Sending {len(clips)} samples with client.py:\n")
        replies = _transcribed(daemon, clips)
        for clip, reference in zip(clips, references, strict=True):
            _show(clip.name, _text_of(reference), replies.get(clip.name))
        print(f"Now a call to {daemon.rtp}, as fast as people speak, with client.py --rtp:\n")
        said = _SAMPLES / f"{_CALL}.txt"
        called = _called(daemon, _sound_of(said))
        print(f"{_CALL}\n  said  {_text_of(said)}\n  heard {called or '(no answer)'}\n")
        stopped = daemon.stop()
    print(f"The daemon was stopped, exit code {stopped}.")
    heard = all(replies.get(clip.name, {}).get("text") for clip in clips)
    return 0 if heard and called and stopped == 0 else 1


def _sound_of(text: Path) -> Path:
    return next(path for path in _SAMPLES.glob(f"{text.stem}.*") if path != text)


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()


def _transcribed(daemon: Daemon, clips: list[Path]) -> dict[str, dict[str, str]]:
    """What the client printed for each file, by the file's name."""
    printed = _client(daemon, "--format", "json", *map(str, clips))
    replies = [json.loads(line) for line in printed.splitlines()]
    return {Path(reply["file"]).name: reply for reply in replies}


def _called(daemon: Daemon, clip: Path) -> str:
    return " ".join(_client(daemon, "--rtp", daemon.rtp, str(clip)).split())


def _client(daemon: Daemon, *arguments: str) -> str:
    command = [sys.executable, str(ROOT / "client.py"), "--url", daemon.url, *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=False).stdout


def _show(name: str, reference: str, reply: dict[str, str] | None) -> None:
    heard = f"{reply['text']}\n  took  {reply['time']} s" if reply else "(no answer)"
    print(f"{name}\n  said  {reference}\n  heard {heard}\n")


if __name__ == "__main__":
    sys.exit(main())
