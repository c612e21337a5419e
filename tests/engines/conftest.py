"""Remote engines, each made for a stand-in of its service, and Coqui's digit recogniser."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import certifi
import pytest

from coqui_server.config.engines import ModelsSettings
from coqui_server.config.server import ServerSettings, ThreadpoolSettings
from coqui_server.config.settings import Settings
from coqui_server.engines.base import Engine, RemoteEngine
from coqui_server.engines.coqui import load
from coqui_server.models import runtime
from tests.engines.service import KEY, Pauses, Service, serving

CLASSES = {
    "openai": "OpenAi",
    "deepgram": "Deepgram",
    "scribe": "Scribe",
    "eboo": "Eboo",
    "vira": "Vira",
}

Make = Callable[..., RemoteEngine]


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """The stand-in, which has no replies yet."""
    async with serving() as service:
        yield service


@pytest.fixture
def pauses() -> Pauses:
    """What the engines wait with."""
    return Pauses()


@pytest.fixture(scope="session")
def one_authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of one certificate; to load all of them takes each client 0.1 s."""
    bundle = Path(certifi.where()).read_text(encoding="utf-8")
    end = "-----END CERTIFICATE-----\n"
    file = tmp_path_factory.mktemp("authorities") / "one.pem"
    file.write_text(bundle.partition(end)[0] + end, encoding="utf-8")
    return file


@pytest.fixture
async def make(
    service: Service, pauses: Pauses, one_authority: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Make]:
    """Makes an engine by its name, with settings of its section."""
    monkeypatch.setenv("SSL_CERT_FILE", str(one_authority))
    async with AsyncExitStack() as stack:

        def make(name: str, **section: Any) -> RemoteEngine:
            given = {"key": KEY, "base_url": service.url, **section}
            settings = Settings.model_validate({"engine": name, name: given})
            module = import_module(f"coqui_server.engines.{name}")
            engine: RemoteEngine = getattr(module, CLASSES[name])(settings, pauses)
            stack.push_async_callback(engine.close)
            return engine

        yield make


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
