"""Moonshine: the words, its confidence, its vocabulary file, its models."""

from pathlib import Path

import numpy as np
import pytest

from coqui_server.config.engines import MoonshineSettings
from coqui_server.config.settings import Settings
from coqui_server.engines.base import DEFAULT_OPTIONS, Engine, Options
from coqui_server.engines.moonshine import load, packaged_model, read_tokens
from coqui_server.exceptions import ConfigError
from tests.support.clips import ROOT, clip, spoken

pytestmark = pytest.mark.model


@pytest.mark.parametrize("name", ["appointment.wav", "voicemail.wav"])
def test_words(moonshine: Engine, name: str) -> None:
    """A clear voice is understood word for word, with high confidence."""
    sample = clip(name)
    recognizer = moonshine.open(DEFAULT_OPTIONS)
    recognizer.feed(sample.pcm)
    heard = recognizer.finish()
    assert spoken(heard.text) == spoken(sample.text)
    assert heard.confidence is not None
    assert heard.confidence > 0.8


def test_noise_is_believed_less_than_speech(moonshine: Engine) -> None:
    """The confidence tells text that was made up from text that was heard."""
    noise = np.random.default_rng(1).normal(0, 3000, 64_000).astype(np.int16)
    recognizer = moonshine.open(DEFAULT_OPTIONS)
    recognizer.feed(noise)
    assert (recognizer.finish().confidence or 0) < 0.75


@pytest.mark.parametrize(
    "options", [Options(terms=("Monday Morning",)), Options(phrases=("Monday Morning",))]
)
def test_a_term_is_written_as_it_is_given(moonshine: Engine, options: Options) -> None:
    """What is said nearly so is written as the list has it, and the rest stays."""
    recognizer = moonshine.open(options)
    recognizer.feed(clip("appointment.wav").pcm)
    heard = recognizer.finish().text
    assert heard == "Your appointment is on Monday Morning. Please bring your insurance card."


@pytest.mark.parametrize("name", ["appointment.wav", "voicemail.wav"])
def test_a_thousand_names_that_are_not_said(moonshine: Engine, name: str) -> None:
    """Clear speech stays what it is, whatever the list has."""
    names = tuple((ROOT / "benchmarks" / "names.txt").read_text(encoding="utf-8").splitlines())
    assert len(names) == 1000
    heard = []
    for options in (Options(terms=names), DEFAULT_OPTIONS):
        recognizer = moonshine.open(options)
        recognizer.feed(clip(name).pcm)
        heard.append(recognizer.finish())
    assert heard[0] == heard[1]


def test_vocabulary_file() -> None:
    """Lengths below 128 take one byte, longer ones two, and 0 is an empty token."""
    long = b"x" * 300
    assert read_tokens(b"\x00\x02hi" + bytes([300 % 128 + 128, 300 // 128]) + long) == [
        b"",
        b"hi",
        long,
    ]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A model folder without a file says which."""
    (tmp_path / "encoder_model.ort").touch()
    with pytest.raises(ConfigError, match=r"moonshine\.model: .* no decoder_model_merged\.ort"):
        load(Settings(moonshine=MoonshineSettings(model=tmp_path)))


def test_a_broken_model_is_refused(tmp_path: Path) -> None:
    """Files that are no model are an error of the configuration, not a crash."""
    for name in ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"):
        (tmp_path / name).write_bytes(b"not a model")
    with pytest.raises(ConfigError, match=r"moonshine\.model: .* cannot be loaded"):
        load(Settings(moonshine=MoonshineSettings(model=tmp_path)))


def test_another_model_by_path(moonshine: Engine, tmp_path: Path) -> None:
    """A model's folder can be anywhere."""
    folder = tmp_path / "mine"
    folder.symlink_to(packaged_model())
    loaded = load(Settings(moonshine=MoonshineSettings(model=folder)))
    recognizer = loaded.open(DEFAULT_OPTIONS)
    recognizer.feed(clip("appointment.wav").pcm)
    assert (loaded.model, spoken(recognizer.finish().text)) == (
        "mine",
        spoken(clip("appointment.wav").text),
    )
