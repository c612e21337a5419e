"""Coqui STT: its model of digits on voices it never heard, its library, its settings."""

import gc
import os
import re
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import psutil
import pytest

from coqui_server.config.engines import CoquiSettings, ModelsSettings
from coqui_server.config.settings import Settings
from coqui_server.engines.base import DEFAULT_OPTIONS, Engine, Hypothesis, Options
from coqui_server.engines.coqui import DIGITS, check, library_files, load, words
from coqui_server.engines.libstt import Library, Token
from coqui_server.exceptions import ConfigError, LibraryError
from coqui_server.media.samples import Samples
from coqui_server.transcription.events import Event, Final
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.session import Session
from coqui_transcript.transcript import Segment
from tests.engines.digits import Said, said

pytestmark = pytest.mark.model

Load = Callable[..., Engine]

DIGIT = {"oh": "0"} | {
    word: str(value)
    for value, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    )
}


@pytest.fixture
def configured(coqui_settings: Settings) -> Load:
    """Loads the engine with a section `coqui` of its own."""

    def configured(**section: Any) -> Engine:
        return load(coqui_settings.model_copy(update={"coqui": CoquiSettings(**section)}))

    return configured


def heard(engine: Engine, pcm: Samples, options: Options = DEFAULT_OPTIONS) -> Hypothesis:
    """The final hypothesis."""
    recognizer = engine.open(options)
    recognizer.feed(pcm)
    return recognizer.finish()


def errors(engine: Engine, spoken: Iterable[Said]) -> float:
    """Digit errors as a share of the digits said."""
    spoken = list(spoken)
    return float(
        jiwer.wer([each.text for each in spoken], [heard(engine, each.pcm).text for each in spoken])
    )


@pytest.mark.parametrize("voice", [("espeak", "unseen voices"), ("flite", "rms")])
def test_digits_of_voices_and_sequences_it_was_not_trained_on(
    coqui: Engine, configured: Load, voice: tuple[str, str]
) -> None:
    """With the scorer fewer than one digit in twenty is wrong, and fewer than without it."""
    spoken = said(*voice, 40)
    scored, alone = (
        errors(coqui, spoken),
        errors(configured(model=DIGITS / "digits.tflite"), spoken),
    )
    assert scored < 0.05
    assert scored <= alone < 0.15


def test_words_lie_where_they_are_spoken(coqui: Engine) -> None:
    """Digits with half a second between them: each begins in its own stretch of the sound."""
    single = [each for each in said("flite", "rms", 40) if " " not in each.text][:4]
    assert len(single) == 4
    pause = np.zeros(8000, np.int16)
    sound = np.concatenate([part for each in single for part in (pause, each.pcm)])
    found = heard(coqui, sound)
    assert found.text == " ".join(each.text for each in single)
    start = 0.0
    for each, word in zip(single, found.words, strict=True):
        end = start + 0.5 + len(each.pcm) / 16_000
        assert start + 0.4 < word.start < word.end < end + 0.1
        start = end


def test_noise_is_no_text(coqui: Engine) -> None:
    """The model knows what nobody says."""
    noise = np.random.default_rng(1).normal(0, 500, 48_000).astype(np.int16)
    assert heard(coqui, noise).text == ""


def test_streams_on_many_threads_are_as_if_alone(coqui: Engine) -> None:
    """More streams than opened models, each moving from thread to thread: the same hypotheses."""
    spoken = said("espeak", "unseen voices", 40)[:12]
    alone = [heard(coqui, each.pcm) for each in spoken]
    recognizers = [coqui.open(DEFAULT_OPTIONS) for _ in spoken]
    with ThreadPoolExecutor(4) as pool:
        for start in range(0, max(len(each.pcm) for each in spoken), 4000):
            parts = [each.pcm[start : start + 4000] for each in spoken]
            # One after another for each stream, the streams side by side.
            list(pool.map(lambda one, part: one.feed(part), recognizers, parts))
            list(pool.map(lambda one: one.partial(), recognizers))
        assert list(pool.map(lambda one: one.finish(), recognizers)) == alone


def test_memory_is_given_back(coqui: Engine) -> None:
    """Streams that finished and streams that were dropped leave nothing behind."""
    sound = said("espeak", "unseen voices", 40)[0].pcm

    def many() -> int:
        for number in range(100):
            recognizer = coqui.open(DEFAULT_OPTIONS)
            recognizer.feed(sound[:10_000])
            if number % 2:
                recognizer.finish()
        del recognizer
        gc.collect()
        return psutil.Process().memory_info().rss

    many()
    before = many()
    assert many() - before < 2**20


async def test_a_live_session(coqui: Engine, scheduler: Scheduler) -> None:
    """Fed as the speaker goes on, on any thread, it says the digits with their places."""
    finals: list[Segment] = []

    async def keep(event: Event) -> None:
        if isinstance(event, Final):
            finals.append(event.segment)

    spoken = max(said("flite", "rms", 40), key=lambda each: len(each.pcm))
    async with Session(
        SessionRequest("live", coqui, interim=0.5, sinks=(keep,)), scheduler, Settings()
    ) as session:
        for start in range(0, len(spoken.pcm), 1600):
            await session.write(spoken.pcm[start : start + 1600])
        await session.write(np.zeros(16_000, np.int16))
        await session.finish()
    assert " ".join(final.text for final in finals) == spoken.text
    assert all(f.start <= word.start < word.end <= f.end for f in finals for word in f.words)


async def test_readable_digits_of_a_live_session(coqui: Engine, scheduler: Scheduler) -> None:
    """A row of digits is one number, and its words are those that were spoken."""
    spoken = max(said("flite", "rms", 40), key=lambda each: len(each.pcm))
    request = SessionRequest("live", coqui, format="readable")
    async with Session(request, scheduler, Settings()) as session:
        await session.write(spoken.pcm)
        await session.finish()
    (final,) = session.segments
    assert re.sub("[ -]", "", final.text) == "".join(DIGIT[word] for word in spoken.text.split())
    assert [word.text for word in final.words] == spoken.text.split()


def test_hot_words_change_what_is_heard(coqui: Engine, configured: Load) -> None:
    """A word that is made unlikely is heard less, one that is made likely more."""
    spoken = said("espeak", "unseen voices", 40)

    def count(engine: Engine) -> int:
        return sum(heard(engine, each.pcm).text.split().count("oh") for each in spoken)

    plain = count(coqui)
    assert (
        count(configured(hot_words={"oh": -20})) < plain < count(configured(hot_words={"oh": 20}))
    )


def test_beam_alpha_and_beta_reach_the_library(coqui: Engine, configured: Load) -> None:
    """A scorer that costs a word much is heard to say fewer of them."""
    spoken = said("espeak", "unseen voices", 40)[:10]

    def count(engine: Engine) -> int:
        return sum(len(heard(engine, each.pcm).text.split()) for each in spoken)

    assert count(configured(alpha=0.5, beta=-30)) < count(coqui)
    narrow = heard(configured(beam_width=1), spoken[0].pcm, Options(alternatives=3))
    assert len(narrow.alternatives) == 1


def test_alternatives(coqui: Engine) -> None:
    """Other readings come best first, each once, only if they are asked for."""
    pcm = said("espeak", "unseen voices", 40)[0].pcm
    assert heard(coqui, pcm).alternatives == ()
    readings = heard(coqui, pcm, Options(alternatives=5)).alternatives
    assert 1 < len({reading.text for reading in readings}) == len(readings) <= 5
    assert readings[0].text == heard(coqui, pcm).text
    scores = [reading.confidence for reading in readings]
    assert scores == sorted(scores, reverse=True)


def test_words_from_letters() -> None:
    """Spaces part words, wherever they are; what lies after the end is moved back to it."""
    letters = [" ", "o", "h", " ", " ", "s", "x", " "]
    tokens = tuple(Token(letter, 0.1 * place) for place, letter in enumerate(letters))
    assert [
        (word.text, round(word.start, 2), round(word.end, 2)) for word in words(tokens, 0.55)
    ] == [
        ("oh", 0.1, 0.22),
        ("sx", 0.5, 0.55),
    ]
    assert words((), 1.0) == ()


def test_every_error_code_has_its_own_message(coqui_settings: Settings) -> None:
    """Those of coqui-stt.h, and one it does not have."""
    library = Library(library_files(coqui_settings))
    codes = [0x1000, *range(0x2000, 0x200A), *range(0x3000, 0x300A), 0x3010, 0x9999]
    messages = {str(LibraryError(code, library.message(code))) for code in codes}
    assert len(messages) == len({message.rpartition(" (")[0] for message in messages}) == len(codes)
    assert "Invalid scorer file (error 0x2002)" in messages
    assert library.version == "1.4.0"


def test_without_the_library(tmp_path: Path) -> None:
    """The one command that fetches it is named."""
    settings = Settings(engine="coqui", models=ModelsSettings(path=tmp_path))
    told = "coqui: its library is not installed; run: python -m coqui_server.models install coqui-r"
    assert [str(missing)[: len(told)] for missing in check(settings)] == [told]
    with pytest.raises(ConfigError, match=told):
        load(settings)


def test_the_library_of_an_installed_package_is_used(
    coqui_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If there is a package `stt`, nothing needs to be in the folder of models."""
    package = coqui_models / "coqui-runtime"
    monkeypatch.syspath_prepend(package)
    files = library_files(Settings(models=ModelsSettings(path=tmp_path)))
    assert files == [package / "stt" / "lib" / name for name in ("libkenlm.so", "libstt.so")]


def test_a_library_that_is_none(tmp_path: Path) -> None:
    """Files of the right names that this machine cannot load."""
    folder = tmp_path / "coqui-runtime" / "stt" / "lib"
    folder.mkdir(parents=True)
    for name in ("libkenlm.so", "libstt.so"):
        (folder / name).write_bytes(b"not a library")
    with pytest.raises(ConfigError, match=r"coqui: its library cannot be loaded: .*libkenlm"):
        load(Settings(engine="coqui", models=ModelsSettings(path=tmp_path)))


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({"model": "no.tflite"}, r"coqui\.model: .*no\.tflite\", which cannot be read"),
        ({"model": "bad.tflite"}, r"coqui\.model: .*: it is not a TensorFlow Lite file; allowed"),
        ({"scorer": "no.scorer"}, r"coqui\.scorer: .*no\.scorer.* \(error 0x"),
        ({"scorer": "bad.tflite"}, r"coqui\.scorer: .*bad\.tflite.* \(error 0x"),
        ({"scorer": "cut.scorer"}, r"coqui\.scorer: .*cut\.scorer\", which is broken"),
        ({"alpha": 1.0}, r"coqui\.alpha: is set without coqui\.beta"),
        ({"model": "digits.tflite", "alpha": 1.0, "beta": 1.0}, r"coqui\.alpha: .*not enabled"),
        ({"model": "digits.tflite", "hot_words": {"oh": 1}}, r"coqui\.hot_words: .*not enabled"),
    ],
)
def test_what_cannot_be_used_is_named(
    configured: Load, tmp_path: Path, section: dict[str, Any], problem: str
) -> None:
    """The key, what is wrong, and what would be right."""
    (tmp_path / "bad.tflite").write_bytes(os.urandom(1000))
    (tmp_path / "cut.scorer").write_bytes((DIGITS / "digits.scorer").read_bytes()[:300])
    shutil.copy(DIGITS / "digits.tflite", tmp_path)
    paths = {key: tmp_path / value for key, value in section.items() if isinstance(value, str)}
    with pytest.raises(ConfigError, match=problem):
        configured(**section | paths)
