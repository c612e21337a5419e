"""Recognition back ends. Nothing outside an engine's file knows that engine's library."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from coqui_server.engines.base import Engine
from coqui_server.settings import Settings

_MODULES = {
    "coqui": "coqui_server.engines.coqui",
    "moonshine": "coqui_server.engines.moonshine",
    "vosk": "coqui_server.engines.vosk",
}


def load_engine(settings: Settings) -> Engine:
    """Load the configured engine with its model. Blocks for seconds.

    Only the chosen engine's library is imported.

    Raises:
        ConfigError: its model is missing or unusable.
    """
    module = import_module(_MODULES[settings.engine])
    load = cast(Callable[[Settings], Engine], module.load)
    return load(settings)
