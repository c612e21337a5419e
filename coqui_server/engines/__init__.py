"""Recognition back ends. Nothing outside an engine's file knows that engine's library."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from coqui_server.engines.base import AnyEngine
from coqui_server.settings import Settings

_MODULES = {
    "moonshine": "coqui_server.engines.moonshine",
    "vosk": "coqui_server.engines.vosk",
    "openai": "coqui_server.engines.openai",
    "deepgram": "coqui_server.engines.deepgram",
    "scribe": "coqui_server.engines.scribe",
    "eboo": "coqui_server.engines.eboo",
    "vira": "coqui_server.engines.vira",
}


def load_engine(settings: Settings) -> AnyEngine:
    """Load the configured engine with its model. Blocks for seconds.

    Only the chosen engine's library is imported.

    Raises:
        ConfigError: its model is missing or unusable.
    """
    module = import_module(_MODULES[settings.engine])
    load = cast(Callable[[Settings], AnyEngine], module.load)
    return load(settings)
