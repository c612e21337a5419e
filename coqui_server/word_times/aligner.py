"""Words with times for a text and its sound."""

import logging
import threading
from collections.abc import Iterator, Sequence

from coqui_server.exceptions import NotAligned
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.word_times.process import Process
from coqui_server.word_times.spoken import spoken
from coqui_server.word_times.wire import Span
from coqui_transcript.transcript import Word

_log = logging.getLogger(__name__)


class Aligner:
    """Finds out when the words of English texts were said. For many threads.

    It has as many processes as threads have used it at once, each of 20 MB, started when needed.
    """

    def __init__(self) -> None:
        self._idle: list[Process] = []
        self._lock = threading.Lock()
        self._closed = False

    @property
    def processes(self) -> list[int]:
        """The ids of the processes that wait for something to do."""
        with self._lock:
            return [process.id for process in self._idle]

    def words(self, text: str, pcm: Samples) -> tuple[Word, ...]:
        """The words of a text as they are written, with their times in its sound.

        Numbers in figures are one word each, and marks without a sound are none. If the text and
        the sound do not fit, there are no words; the log says why, at DEBUG.

        Args:
            pcm: 16 kHz mono int16 samples.
        """
        written = [(word, said) for word in text.split() if (said := spoken(word))]
        if not written:
            return ()
        try:
            spans = self._align([word for _, said in written for word in said], pcm)
        except NotAligned as reason:
            _log.debug("no word times: %s", reason)
            return ()
        longest = len(pcm) / SAMPLE_RATE
        return tuple(_words(written, spans, longest))

    def close(self) -> None:
        """End the processes, when no thread aligns any more. Then there are no times."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.close()

    def _align(self, words: Sequence[str], pcm: Samples) -> list[Span]:
        process = self._borrowed()
        try:
            return process.align(words, pcm)
        finally:
            self._give_back(process)

    def _borrowed(self) -> Process:
        with self._lock:
            if self._closed:
                raise NotAligned("the daemon is shutting down")
            if self._idle:
                return self._idle.pop()
        return Process()

    def _give_back(self, process: Process) -> None:
        with self._lock:
            kept = process.usable and not self._closed
            if kept:
                self._idle.append(process)
        if not kept:
            process.close()


def _words(
    written: Sequence[tuple[str, Sequence[str]]], spans: Sequence[Span], longest: float
) -> Iterator[Word]:
    """Each word from its first spoken word's start to its last one's end."""
    place = 0
    for word, said in written:
        start, end = spans[place][0], spans[place + len(said) - 1][1]
        yield Word(word, min(start, longest), min(end, longest))
        place += len(said)
