"""Runs the examples of the pages, each as a process."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

from tests.docs.blocks import Block
from tests.support.clips import ROOT

_DEADLINE = 100.0
"""Seconds until a block that hangs is stopped, so that its output is shown."""

_UNTIL_ONE_FAILS = "set -e\n"
"""A console's commands are a script that ends at the first one that fails."""


@dataclass(frozen=True)
class Examples:
    """Runs what the pages show, with this server's ports (and a token) for theirs."""

    folder: Path
    replaced: Mapping[str, str]

    def run(self, block: Block) -> tuple[int, str]:
        """Run a block.

        Returns:
            The exit code and what it printed. The code is 0 for a block that does not end by
            itself and was stopped when it had printed what it should.
        """
        script = block.script
        for old, new in self.replaced.items():
            script = script.replace(old, new)
        shell = ["bash", "-c", _UNTIL_ONE_FAILS + script]
        process = subprocess.Popen(
            [sys.executable, "-c", script] if block.language == "python" else shell,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            cwd=self.folder,
            env=_environment(),
            start_new_session=True,
        )
        timer = Timer(_DEADLINE, _kill, [process])
        timer.start()
        try:
            return _followed(process, block)
        finally:
            timer.cancel()
            _kill(process)
            process.communicate()


def _followed(process: "subprocess.Popen[str]", block: Block) -> tuple[int, str]:
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if block.endless and shown(block.printed, text):
            return 0, text
    return process.wait(), text


def shown(printed: re.Pattern[str], text: str) -> bool:
    """Whether a text has what should be printed, whatever its spaces."""
    return printed.search("".join(text.split())) is not None


def _kill(process: "subprocess.Popen[str]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COQUI_")}
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return kept | {"PATH": programs, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
