"""Texts aligned with their sound, by real processes."""

import logging
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from coqui_server.media.samples import SAMPLE_RATE
from coqui_server.word_times.aligner import Aligner
from coqui_transcript.transcript import Word
from tests.support.clips import clip

pytest.importorskip("pocketsphinx")

VOICE = clip("voicemail.wav")
SILENCE = np.zeros(2 * SAMPLE_RATE, np.int16)


def texts(words: tuple[Word, ...]) -> list[str]:
    return [word.text for word in words]


def near(one: tuple[Word, ...], other: tuple[Word, ...], seconds: float = 0.0) -> bool:
    """Whether the words of `other` are those of `one`, so many seconds later."""
    return all(
        abs(a.start + seconds - b.start) < 0.1 and abs(a.end + seconds - b.end) < 0.1
        for a, b in zip(one, other, strict=True)
    )


def test_every_word_has_its_time(aligner: Aligner) -> None:
    """One after the other, within the sound, and none in the silence around it."""
    pcm = np.concatenate((SILENCE, VOICE.pcm, SILENCE))
    words = aligner.words(VOICE.text, pcm)
    assert texts(words) == VOICE.text.split()
    assert all(word.start < word.end for word in words)
    assert all(a.end <= b.start for a, b in pairwise(words))
    assert words[0].start >= 2
    assert words[-1].end <= len(pcm) / SAMPLE_RATE - 2


def test_times_move_with_the_sound(aligner: Aligner) -> None:
    """The same speech again has the same times, later by as much."""
    once = aligner.words(VOICE.text, VOICE.pcm)
    both = aligner.words(
        f"{VOICE.text} {VOICE.text}", np.concatenate((VOICE.pcm, SILENCE, VOICE.pcm))
    )
    assert near(once, both[: len(once)])
    assert near(once, both[len(once) :], len(VOICE.pcm) / SAMPLE_RATE + 2)


def test_words_outside_the_dictionary(aligner: Aligner) -> None:
    """They are spelled, and cost the others nothing."""
    right = aligner.words(VOICE.text, VOICE.pcm)
    other = VOICE.text.replace("dental", "denntle").replace("moment", "moamend")
    assert other != VOICE.text
    assert near(right, aligner.words(other, VOICE.pcm))


def test_marks_and_figures(aligner: Aligner) -> None:
    """A mark is no word, and a number in figures is one."""
    two = clip("appointment.wav")
    words = aligner.words(f"— {two.text} ...", two.pcm)
    assert texts(words) == two.text.split()
    figures = {"thirty": "30", "three": "3", "ten": "10", "two": "2", "five": "5"}
    written = " ".join(figures.get(word, word) for word in two.text.split())
    assert near(words, aligner.words(written, two.pcm))


def test_what_does_not_fit(aligner: Aligner, caplog: pytest.LogCaptureFixture) -> None:
    """No words, and the log says why, without what was said."""
    with caplog.at_level(logging.DEBUG):
        assert aligner.words(VOICE.text, VOICE.pcm[:1600]) == ()
    assert "no word times: " in caplog.text
    assert "dental" not in caplog.text
    assert aligner.words("...", VOICE.pcm) == ()
    assert aligner.words("", VOICE.pcm) == ()
    assert texts(aligner.words(VOICE.text, VOICE.pcm)) == VOICE.text.split()


def test_from_several_threads(aligner: Aligner) -> None:
    """Each has a process of its own, and they find the same."""
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda _: aligner.words(VOICE.text, VOICE.pcm), range(4)))
    assert all(words == found[0] for words in found)
    assert len(found[0]) == len(VOICE.text.split())


@pytest.mark.process
def test_a_process_that_is_killed() -> None:
    """It costs the times of at most one text."""
    own = Aligner()
    assert own.words(VOICE.text, VOICE.pcm)
    os.kill(own.processes[0], signal.SIGKILL)
    own.words(VOICE.text, VOICE.pcm)
    assert own.words(VOICE.text, VOICE.pcm)
    own.close()
    assert own.processes == []
    assert own.words(VOICE.text, VOICE.pcm) == ()


@pytest.mark.process
def test_signals_of_a_terminal_or_a_service_manager() -> None:
    """They reach the process too, which goes on for the last finals."""
    own = Aligner()
    assert own.words(VOICE.text, VOICE.pcm)
    for name in (signal.SIGINT, signal.SIGTERM):
        os.kill(own.processes[0], name)
    assert own.words(VOICE.text, VOICE.pcm)
    own.close()
