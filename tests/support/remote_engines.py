"""Remote engines, each made for a stand-in of its service.

The functions are fixtures: the conftest of a folder that needs them imports all four.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import certifi
import pytest

from coqui_server.config.settings import Settings
from coqui_server.engines.base import RemoteEngine
from tests.support.remote_service import KEY, Pauses, Service, serving

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
