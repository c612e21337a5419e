"""An engine in another's place, for tests that change or note what reaches it."""

from dataclasses import dataclass

from coqui_server.engines.base import Capabilities, Engine, Options, Recognizer


@dataclass
class Proxy:
    """Has the other engine's name and abilities, and opens its recognizers."""

    engine: Engine

    @property
    def name(self) -> str:
        return self.engine.name

    @property
    def model(self) -> str:
        return self.engine.model

    @property
    def capabilities(self) -> Capabilities:
        return self.engine.capabilities

    def open(self, options: Options) -> Recognizer:
        return self.engine.open(options)
