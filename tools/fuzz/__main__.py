"""Random and broken input for everything that reads from strangers.

    python -m tools.fuzz [TARGET ...] [--count 20000] [--seed 1]

The parsers are called directly: whatever they raise but a refusal is a failure. The other targets
are tried on one daemon, a process of its own. It must answer each client in the form of its
protocol, log no error, keep its memory, and transcribe every word of a good call beside the
datagrams. The same seed gives the same input. The exit code is 1 if anything of this fails.

At length: `--count 1000000`, and `flood --count 10000000` for datagrams. `file` starts ffmpeg for
nearly every message, and `configurations` parses one text in 2 ms.
"""

import argparse
import asyncio
import logging
import re
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable

import psutil

from tools.daemon import Daemon, running
from tools.fuzz import flood, parsers, rest, sockets, wyoming
from tools.fuzz.messages import PROTOCOLS
from tools.fuzz.parsers import PARSERS

_GROWTH = 64 * 2**20
"""Bytes the daemon may grow by after a tenth of the input."""

Try = Callable[[Daemon, int, int], list[str]]
"""Tries a daemon with so much input of a seed, and gives what went wrong."""


def main() -> int:
    on_daemon: dict[str, Try] = {
        **{name: _conversations(name) for name in PROTOCOLS},
        "wyoming": _events,
        "rest": _requests,
        "flood": flood.flood,
    }
    names = [*PARSERS, *on_daemon]
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(names)}")
    parser.add_argument("--count", type=int, default=20_000, metavar="N", help="for each target")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    arguments = parser.parse_args()
    if unknown := set(arguments.targets) - set(names):
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(names)}")
    chosen = arguments.targets or names
    failures = _try_parsers([name for name in chosen if name in PARSERS], arguments)
    tries = {name: on_daemon[name] for name in chosen if name in on_daemon}
    if tries:
        failures += _try_daemon(tries, arguments)
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


def _try_parsers(names: list[str], arguments: argparse.Namespace) -> list[str]:
    # Libraries log what they refuse.
    logging.disable()
    warnings.simplefilter("ignore")
    failures = []
    for name in names:
        began = time.monotonic()
        result = parsers.run(PARSERS[name], arguments.count, arguments.seed)
        refused = sum(result.refused.values())
        _show(name, arguments.count, began, f"{result.read} good, {refused} refused")
        failures += [f"{name}: {error} for {data!r}" for error, data in result.failures.items()]
    return failures


def _try_daemon(tries: dict[str, Try], arguments: argparse.Namespace) -> list[str]:
    failures = []
    with running(flood.SETTINGS) as daemon:
        for name, attempt in tries.items():
            failures += [f"{name}: {one}" for one in _try(name, attempt, daemon, arguments)]
        lines = daemon.log.read_text().splitlines()
        bad = [line for line in lines if re.search(r" ERROR |^Traceback", line)]
        failures += [f"the log has {line}" for line in bad[:10]]
        if code := daemon.stop():
            failures.append(f"the daemon ended with {code}")
    return failures


def _try(name: str, attempt: Try, daemon: Daemon, arguments: argparse.Namespace) -> list[str]:
    """A tenth of the input, and then the rest, in which the daemon must not grow."""
    process = psutil.Process(daemon.process.pid)
    began, first = time.monotonic(), max(1, arguments.count // 10)
    failures = attempt(daemon, first, arguments.seed)
    early = process.memory_info().rss
    if rest := arguments.count - first:
        failures += attempt(daemon, rest, arguments.seed + 1)
    late = process.memory_info().rss
    memory = f"{early >> 20} MB after a tenth, {late >> 20} MB at the end"
    _show(name, arguments.count, began, memory)
    return failures + (["the memory grew"] if late - early > _GROWTH else [])


def _conversations(name: str) -> Try:
    def attempt(daemon: Daemon, count: int, seed: int) -> list[str]:
        talk = asyncio.run(sockets.talk(daemon.url, PROTOCOLS[name], count, seed))
        print(f"{name}: closed with {_counts(talk.codes)}")
        return talk.failures

    return attempt


def _events(daemon: Daemon, count: int, seed: int) -> list[str]:
    talk = asyncio.run(wyoming.talk(daemon.wyoming, count, seed))
    print(f"wyoming: answered with {_counts(talk.answers)}")
    return talk.failures


def _requests(daemon: Daemon, count: int, seed: int) -> list[str]:
    answers = asyncio.run(rest.ask(daemon.console, count, seed))
    print(f"rest: answered with {_counts(answers.codes)}")
    return answers.failures


def _counts(codes: Counter[int] | Counter[str]) -> str:
    return ", ".join(f"{code} ({times})" for code, times in sorted(codes.items()))


def _show(name: str, count: int, began: float, result: str) -> None:
    seconds = time.monotonic() - began
    print(f"{name}: {count} in {seconds:.1f} s, {count / seconds:.0f} a second; {result}")


if __name__ == "__main__":
    sys.exit(main())
