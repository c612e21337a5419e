"""Coqui STT for the tests: its library, and the engine with the model of digits."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from coqui_server.engines.base import Engine
from coqui_server.engines.coqui import load
from coqui_server.settings import ModelsSettings, ServerSettings, Settings, ThreadpoolSettings


@pytest.fixture(scope="session")
def coqui_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models with Coqui STT's library in it."""
    folder = tmp_path_factory.mktemp("models")
    target = ("--python-version=3.10", "--implementation=cp", "--abi=cp310")
    place = ("--platform=manylinux_2_24_x86_64", f"--dest={folder}", "stt==1.4.0")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *target]
    subprocess.run([*command, "--only-binary=:all:", *place], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "coqui-runtime")
    return folder


@pytest.fixture(scope="session")
def coqui_settings(coqui_models: Path) -> Settings:
    """Two decoder threads, and nothing of Coqui's own set."""
    return Settings(
        engine="coqui",
        models=ModelsSettings(path=coqui_models),
        server=ServerSettings(threadpool=ThreadpoolSettings(count=2)),
    )


@pytest.fixture(scope="session")
def coqui(coqui_settings: Settings) -> Engine:
    """The digit recogniser."""
    return load(coqui_settings)
