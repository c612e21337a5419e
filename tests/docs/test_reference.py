"""The settings page and the shipped `application.conf` say what the settings are."""

from pathlib import Path

import pytest

from coqui_server.app import main
from coqui_server.config import reference
from tools.reference import files

KEYS = {setting.key: setting for setting in reference.settings()}


def test_what_is_generated_is_up_to_date() -> None:
    """A setting that was added or changed is in both files."""
    for path, text in files().items():
        assert path.read_text(encoding="utf-8") == text, f"run: python -m tools.reference ({path})"


def test_every_setting_says_what_it_does_and_what_is_allowed() -> None:
    """The purpose is the docstring below the field, what is allowed its description."""
    for setting in KEYS.values():
        assert setting.purpose.endswith("."), f"{setting.key}: no docstring below the field"
        assert setting.allowed, f"{setting.key}: no description"


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("level.target", "-23"),
        ("vad.silence.live", "500 ms"),
        ("openai.chunk", "60 s"),
        ("auth.age", "30 days"),
        ("jobs.max_size", '"2 GB"'),
        ("server.websocket.max_frame", '"64 MiB"'),
        ("server.threadpool.count", "the number of cores"),
        ("rtp.ports", '"40000-40999"'),
        ("rtp.allow", '["127.0.0.0/8"]'),
        ("coqui.hot_words", "{}"),
        ("rtp.enabled", "true"),
        ("store.url", "null"),
        ("vira.key", "${?VIRA_TOKEN}"),
    ],
)
def test_defaults_are_shown_as_the_file_would_have_them(key: str, default: str) -> None:
    """With units, quotes and the name of an environment variable; never the value of a key."""
    assert KEYS[key].default == default


def test_init_config_writes_the_shipped_file_and_overwrites_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`coqui-server --init-config`, for those who have no clone."""
    monkeypatch.chdir(tmp_path)
    assert main(["--init-config"]) == 0
    written = tmp_path / "application.conf"
    assert written.read_text(encoding="utf-8") == reference.file()
    written.write_text("engine = moonshine")
    assert main(["--init-config"]) == 2
    assert written.read_text() == "engine = moonshine"
    assert capsys.readouterr().err == "application.conf: cannot be written: File exists\n"
