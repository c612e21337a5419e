"""The wheel and the source distribution: what is in them, and where versions are pinned."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from coqui_server import extras
from tests.support.clips import ROOT

PINS = re.compile(r"[a-zA-Z0-9_.-]+(?:\[[a-z]+\])?==[0-9][^\s=;]*(?:; .+)?")
"""A package, its version, and perhaps the Pythons and machines that it is for."""


@pytest.mark.process
def test_the_wheel_has_all_that_runs(built: Path) -> None:
    """Packages, templates, scripts of pages, the digit model, migrations, and no tests."""
    (path,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(path).namelist())
    assert {
        "coqui_client/py.typed",
        "coqui_server/engines/digits/digits.tflite",
        "coqui_server/py.typed",
        "coqui_server/store/migrations/env.py",
        "coqui_server/web/static/live.js",
        "coqui_server/web/templates/live.html",
        "coqui_transcript/py.typed",
    } <= names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {
        "coqui_client",
        "coqui_server",
        "coqui_transcript",
    }


@pytest.mark.process
def test_the_source_has_all_that_the_demo_and_the_tests_need(built: Path) -> None:
    """With samples, tools, documents and tests, and nothing that is made."""
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    assert {
        "LICENSE",
        "Makefile",
        "application.conf",
        "client.py",
        "deploy/Dockerfile",
        "docs/architecture.md",
        "models/README.md",
        "requirements-test.txt",
        "samples/appointment.wav",
        "tests/conftest.py",
        "tools/demo.py",
    } <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith("build/")]


def test_every_version_is_pinned_in_one_place() -> None:
    """`pyproject.toml` reads the requirements, and nothing else repeats a version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    dynamic = project["tool"]["setuptools"]["dynamic"]
    assert dynamic["dependencies"] == {"file": "requirements.txt"}
    for name, source in dynamic["optional-dependencies"].items():
        files = source["file"] if isinstance(source["file"], list) else [source["file"]]
        assert f"requirements-{name}.txt" in files
    pins = {path: path.read_text().splitlines() for path in ROOT.glob("requirements*.txt")}
    assert all(PINS.fullmatch(pin) for lines in pins.values() for pin in lines)
    for folder in ("coqui_server", "coqui_client", "coqui_transcript"):
        for path in (ROOT / folder).glob("**/*.py"):
            text = path.read_text(encoding="utf-8")
            assert not [pin for lines in pins.values() for pin in lines if pin in text], path


@pytest.mark.process
def test_the_command_needs_no_extra() -> None:
    """Their packages are imported only where they are used: a plain install has none of them."""
    absent = [module for module, _ in extras._PACKAGES.values()]
    program = f"import sys; sys.modules.update(dict.fromkeys({absent})); import coqui_server.app"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


@pytest.mark.parametrize(
    "extra",
    ["whisper", "openai", "deepgram", "postgresql", "cluster", "zeroconf", "celery", "s3"],
)
def test_the_command_for_an_extra_has_its_pin(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As its requirements have it; also in a clone that is not installed."""
    pin = (ROOT / f"requirements-{extra}.txt").read_text().strip()
    monkeypatch.setattr("coqui_server.extras.find_spec", lambda _: None)
    for installed in (True, False):
        if not installed:
            monkeypatch.setattr("coqui_server.extras.requires", _not_installed)
        (problem,) = extras.missing(extra)
        assert problem.fix == f"pip install {pin}"


def _not_installed(name: str) -> list[str]:
    raise PackageNotFoundError(name)
