"""Remote engines, each made for a stand-in of its service, Coqui's digit recogniser, and Vosk's
model."""

from pathlib import Path

import pytest
import vosk as library

from coqui_server.config.engines import ModelsSettings
from coqui_server.config.server import ServerSettings, ThreadpoolSettings
from coqui_server.config.settings import Settings
from coqui_server.engines.base import Engine
from coqui_server.engines.coqui import load
from coqui_server.engines.vosk import Vosk
from coqui_server.models import runtime
from tests.support.remote_engines import make, one_authority, pauses, service

__all__ = ["make", "one_authority", "pauses", "service"]


@pytest.fixture(scope="session")
def coqui_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models with Coqui STT's library in it."""
    folder = tmp_path_factory.mktemp("models")
    runtime.install(folder)
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


@pytest.fixture(scope="session")
def vosk_model(vosk: Engine) -> library.Model:
    """The library's own model, as the engine has loaded it."""
    assert isinstance(vosk, Vosk)
    return vosk._pool._model
