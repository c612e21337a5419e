"""The process that aligns: `python -m coqui_server.word_times.worker`, until its input ends."""

import signal
import sys
from collections.abc import Sequence

from coqui_server.exceptions import NotAligned
from coqui_server.word_times import wire
from coqui_server.word_times.sphinx import Sphinx


def _aligned(sphinx: Sphinx, words: Sequence[str], pcm: bytes) -> list[wire.Span] | NotAligned:
    try:
        return sphinx.align(pcm, words)
    except NotAligned as reason:
        return reason


def _main() -> None:
    # Only the end of its input ends it, so that the last finals of a daemon have their times.
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    sphinx = Sphinx()
    for words, pcm in wire.requests(sys.stdin.buffer):
        sys.stdout.buffer.write(wire.answer(_aligned(sphinx, words, pcm)))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _main()
