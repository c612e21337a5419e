"""Whisper: words and their times, noise, settings, and what is said when something is missing."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from coqui_server.config.engines import ModelsSettings
from coqui_server.config.settings import Settings
from coqui_server.engines.base import DEFAULT_OPTIONS, Engine, Hypothesis, Options
from coqui_server.engines.whisper import capabilities, check, load
from coqui_server.exceptions import ConfigError
from tests.support.clips import ROOT, clip, spoken

pytestmark = pytest.mark.model


def heard(engine: Engine, options: Options = DEFAULT_OPTIONS) -> Hypothesis:
    """What the engine makes of a voice message."""
    recognizer = engine.open(options)
    recognizer.feed(clip("voicemail.wav").pcm)
    return recognizer.finish()


def configured(**whisper: object) -> Settings:
    """Settings with this section."""
    return Settings.model_validate({"whisper": whisper})


@pytest.fixture
def copied(whisper_model: Path, tmp_path: Path) -> Path:
    """A copy of the model that may be damaged."""
    folder = tmp_path / "tiny.en"
    shutil.copytree(whisper_model, folder)
    return folder


def test_words_and_times(whisper: Engine) -> None:
    """The words are those of the text, at the times they are spoken, with a pause in between."""
    said = heard(whisper)
    assert spoken(said.text) == spoken(clip("voicemail.wav").text)
    assert " ".join(word.text for word in said.words) == said.text
    times = {spoken(word.text): word.start for word in said.words}
    assert times["office"] == pytest.approx(2.7, abs=0.5)
    assert times["please"] == pytest.approx(4.1, abs=0.5)
    assert 0.6 < (said.confidence or 0) < 1


def test_noise_is_no_text(whisper: Engine) -> None:
    """Out of loud noise it makes nothing up."""
    recognizer = whisper.open(DEFAULT_OPTIONS)
    recognizer.feed(np.random.default_rng(1).normal(0, 3000, 64_000).astype(np.int16))
    assert recognizer.finish().text == ""


@pytest.mark.parametrize("language", ["en-GB", "ko"])
def test_a_language_that_is_asked_for(
    whisper: Engine, language: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The region is not looked at, and a language the model has not is not asked of it."""
    assert spoken(heard(whisper, Options(language=language)).text) == spoken(
        clip("voicemail.wav").text
    )
    assert not caplog.records


def test_terms_change_the_spelling(whisper: Engine) -> None:
    """A name is written as the list has it, and the other words stay."""
    said = spoken(heard(whisper, Options(terms=("Ana",))).text)
    assert said == spoken(clip("voicemail.wav").text).replace("anna", "ana")


def test_terms_that_are_not_said(whisper: Engine) -> None:
    """Names that are in the list and not in the sound change no word."""
    others = tuple((ROOT / "benchmarks" / "names.txt").read_text(encoding="utf-8").splitlines())
    assert heard(whisper, Options(terms=others)).text == heard(whisper).text


def test_a_name_under_models(copied: Path) -> None:
    """A model is found by its name where models are kept; a CPU and its languages are chosen."""
    engine = load(Settings(models=ModelsSettings(path=copied.parent)))
    assert (engine.model, engine.capabilities.languages) == ("tiny.en", ("en",))
    assert capabilities(configured(model="tiny.en")).languages == ("en",)
    assert capabilities(configured(model="tiny")).languages == ()


def test_a_name_that_is_not_there(tmp_path: Path) -> None:
    """Nothing is downloaded; the command that does it is named."""
    settings = Settings(models=ModelsSettings(path=tmp_path))
    command = f"not in {tmp_path}; run: python -m coqui_server.models get tiny.en"
    with pytest.raises(ConfigError, match=re.escape(command)):
        load(settings)
    assert [error.key for error in check(settings)] == ["whisper.model"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """What is no name cannot be got by one."""
    (error,) = check(configured(model=str(tmp_path / "nowhere")))
    assert (error.key, error.fix) == ("whisper.model", None)


def test_the_package_is_not_there(whisper_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command installs the version that is tested."""
    monkeypatch.setattr("coqui_server.extras.find_spec", lambda _: None)
    with pytest.raises(ConfigError) as caught:
        load(configured(model=str(whisper_model)))
    pinned = (ROOT / "requirements-whisper.txt").read_text().strip()
    assert (caught.value.key, caught.value.fix) == ("whisper", f"pip install {pinned}")


def test_without_a_tokenizer(copied: Path) -> None:
    """The library is not let to look for one in the network."""
    (copied / "tokenizer.json").unlink()
    with pytest.raises(ConfigError, match=r"whisper\.model: .* no tokenizer\.json"):
        load(configured(model=str(copied)))


@pytest.mark.parametrize("part", ["model.bin", "config.json", "tokenizer.json"])
def test_a_broken_model(copied: Path, part: str) -> None:
    """Files that were cut off are an error of the configuration."""
    (copied / part).write_bytes(b"{")
    with pytest.raises(ConfigError, match=r"^whisper: .* cannot be loaded: "):
        load(configured(model=str(copied)))


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("language", "ko", 'whisper.language: found "ko", allowed: en'),
        ("compute", "float16", "float16"),
    ],
)
def test_what_the_model_or_machine_cannot(
    whisper_model: Path, key: str, value: str, problem: str
) -> None:
    """A language it does not know and arithmetic that a CPU does not do are refused."""
    with pytest.raises(ConfigError, match=problem):
        load(configured(model=str(whisper_model), **{key: value}))
