"""What benchmarks measure of a process, and their rows as JSON beside the table for people."""

import argparse
import json
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

Rows = list[dict[str, Any]]


def cpu_seconds(process: psutil.Process) -> float:
    """Seconds of processor that it has used, on all cores."""
    times = process.cpu_times()
    return float(times.user + times.system)


def add_json(parser: argparse.ArgumentParser) -> None:
    """The option that names the file."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")


@contextmanager
def rows(file: Path | None) -> Iterator[Rows]:
    """A list of rows, written when the block has ended, also by an error or ^C.

    The file has the command, what machine it ran on, and the rows.
    """
    found: Rows = []
    try:
        yield found
    finally:
        if file:
            about = {
                "command": sys.argv[1:],
                "python": platform.python_version(),
                "system": platform.platform(),
                "cores": psutil.cpu_count(),
            }
            file.write_text(json.dumps({**about, "rows": found}, indent=1) + "\n")
