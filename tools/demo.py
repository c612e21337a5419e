"""`make demo`: start the daemon, send it the samples through the client, show what it heard.

The exit code is 0 only if every English sample came back with text.
"""

import json
import subprocess
import sys
from pathlib import Path

from tools.daemon import ROOT, Daemon, running

_SAMPLES = ROOT / "samples"


def main() -> int:
    references = [path for path in sorted(_SAMPLES.glob("*.txt")) if path.stem != "korean"]
    clips = [_sound_of(path) for path in references]
    with running() as daemon:
        print(f"The daemon listens at {daemon.url}. Sending {len(clips)} samples with client.py:\n")
        replies = _transcribed(daemon, clips)
        for clip, reference in zip(clips, references, strict=True):
            _show(clip.name, reference.read_text(encoding="utf-8").strip(), replies.get(clip.name))
        stopped = daemon.stop()
    print(f"The daemon was stopped, exit code {stopped}.")
    heard = all(replies.get(clip.name, {}).get("text") for clip in clips)
    return 0 if heard and stopped == 0 else 1


def _sound_of(text: Path) -> Path:
    return next(path for path in _SAMPLES.glob(f"{text.stem}.*") if path != text)


def _transcribed(daemon: Daemon, clips: list[Path]) -> dict[str, dict[str, str]]:
    """What the client printed for each file, by the file's name."""
    command = [sys.executable, str(ROOT / "client.py"), "--url", daemon.url, "--format", "json"]
    printed = subprocess.run(
        [*command, *map(str, clips)], stdout=subprocess.PIPE, encoding="utf-8", check=False
    ).stdout
    replies = [json.loads(line) for line in printed.splitlines()]
    return {Path(reply["file"]).name: reply for reply in replies}


def _show(name: str, reference: str, reply: dict[str, str] | None) -> None:
    heard = f"{reply['text']}\n  took  {reply['time']} s" if reply else "(no answer)"
    print(f"{name}\n  said  {reference}\n  heard {heard}\n")


if __name__ == "__main__":
    sys.exit(main())
