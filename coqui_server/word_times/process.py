"""The daemon's side of a process that aligns."""

import subprocess
import sys
import threading
from collections.abc import Sequence

from coqui_server.exceptions import NotAligned
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.word_times import wire

_COMMAND = (sys.executable, "-m", "coqui_server.word_times.worker")

_PATIENCE = 10.0
"""Seconds, and one for each second of sound, until a process that does not answer is killed. It
needs a hundredth of the sound's length."""


class Process:
    """A process that aligns one utterance at a time. For one thread at a time.

    Raises:
        NotAligned: it cannot be started.

    Attributes:
        usable: whether it has always answered.
    """

    def __init__(self) -> None:
        self.usable = True
        try:
            self._child = subprocess.Popen(  # noqa: S603, it is us
                _COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # PocketSphinx would write there what was said.
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise NotAligned(f"no process can be started: {error}") from error

    @property
    def id(self) -> int:
        return self._child.pid

    def align(self, words: Sequence[str], pcm: Samples) -> list[wire.Span]:
        """When each word was said.

        Raises:
            NotAligned: the words do not fit the sound, or the process failed.
        """
        child = self._child
        assert child.stdin
        assert child.stdout
        deadline = threading.Timer(_PATIENCE + len(pcm) / SAMPLE_RATE, child.kill)
        deadline.start()
        line = b""
        try:
            child.stdin.write(wire.request(words, pcm.tobytes()))
            child.stdin.flush()
            line = child.stdout.readline()
        except OSError as error:
            raise NotAligned(f"the process does not listen: {error}") from error
        finally:
            deadline.cancel()
            self.usable = line.endswith(b"\n")
        return wire.spans(line)

    def close(self) -> None:
        """End the process, which has nothing to do any more, and wait for it."""
        self._child.kill()
        # Closes the pipes, too, even if it died with half a request in one of them.
        self._child.communicate()
