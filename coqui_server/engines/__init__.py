"""Recognition engines. Only an engine's own file uses that engine's library.

An engine is a module here, named in `config.engines.EngineName`, that has

- `capabilities(settings)`: what it can do, as far as that is known before a model is loaded;
- `check(settings)`: each thing that is missing, as the `ConfigError` that says how to install it,
  without loading or importing anything optional;
- `load(settings)`: the engine, or a `ConfigError`. It may block for seconds.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast, get_args

from coqui_server.config.engines import EngineName
from coqui_server.config.settings import Settings
from coqui_server.engines.base import AnyEngine, Capabilities, RemoteEngine, base_language
from coqui_server.engines.doubt import doubting, second_opinion
from coqui_server.exceptions import BadRequest, ConfigError, UnknownEngine

_TAG = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8})*", re.ASCII | re.IGNORECASE)
"""The shape of a BCP 47 tag. Services get it unchanged."""


class _Module(Protocol):
    def capabilities(self, settings: Settings) -> Capabilities: ...

    def check(self, settings: Settings) -> Iterable[ConfigError]: ...

    def load(self, settings: Settings) -> AnyEngine: ...


@dataclass(frozen=True)
class Status:
    """A line of `--list-engines`: an engine is ready when nothing is missing."""

    name: EngineName
    enabled: bool
    capabilities: Capabilities
    missing: tuple[str, ...]


class Engines:
    """The loaded engines that requests may name. The first is the default."""

    def __init__(self, default: AnyEngine, *others: AnyEngine) -> None:
        self.default = default
        self._all = (default, *others)

    def __iter__(self) -> Iterator[AnyEngine]:
        return iter(self._all)

    def get(self, name: object = None, language: object = None) -> AnyEngine:
        """The engine with this name or this model's name; None is the default.

        Raises:
            UnknownEngine: there is none. The message says what there is, and how to get an engine
                that is not enabled.
            BadRequest: it does not know the language.
        """
        known = [engine for engine in self if name in (None, engine.name, engine.model)]
        if not known:
            there = " or ".join(f"{engine.name} (model {engine.model})" for engine in self)
            raise UnknownEngine(f"engine is {there} here{_how_to_enable(name)}")
        _check_language(known[0], language)
        return known[0]

    def knowing(self, language: object) -> AnyEngine:
        """The first engine that knows the language; with None, the default engine.

        Raises:
            BadRequest: none does; the message has the languages of the default engine.
        """
        knows = (engine for engine in self if _knows(engine, language))
        return next(knows, None) or self.get(None, language)

    async def close(self) -> None:
        """Close the connections of remote engines. No engine may be used after this."""
        for engine in self:
            if isinstance(engine, RemoteEngine):
                await engine.close()


def _how_to_enable(name: object) -> str:
    if name not in get_args(EngineName):
        return ""
    return (
        f"; the configuration's engines.enabled = [{name}] adds {name}, "
        "and coqui-server --list-engines says what it needs"
    )


def _check_language(engine: AnyEngine, language: object) -> None:
    if not _knows(engine, language):
        known = " or ".join(engine.capabilities.languages)
        raise BadRequest(f"language is {known} with {engine.name}")


def _knows(engine: AnyEngine, language: object) -> bool:
    """Whether an engine may be asked for a language. Raises BadRequest if it is none."""
    if language is None:
        return True
    if not isinstance(language, str) or not _TAG.fullmatch(language):
        raise BadRequest("language is a BCP 47 tag, such as en")
    known = engine.capabilities.languages
    return not known or base_language(language) in map(base_language, known)


def load_engines(settings: Settings) -> Engines:
    """Load `engine` and all of `engines.enabled`, so that errors show at the start.

    Their texts are believed only if there is speech enough for them (`vad.speech_per_word`).

    Raises:
        ConfigError: as `load_engine`, or the model for the second opinion cannot be loaded.
    """
    each = settings.vad.speech_per_word
    voices = second_opinion(each)
    loaded = (load_engine(settings, name) for name in _enabled(settings))
    return Engines(*(doubting(engine, voices, each) for engine in loaded))


def load_engine(settings: Settings, name: EngineName | None = None) -> AnyEngine:
    """Load one engine, the configured one by default, with its model. Blocks for seconds.

    Only this engine's library is imported, and its model is kept in memory from then on.

    Raises:
        ConfigError: its package or model is missing or unusable.
    """
    return _module(name or settings.engine).load(settings)


def survey(settings: Settings) -> list[Status]:
    """Every engine there is, without loading any."""
    enabled = _enabled(settings)
    modules = {name: _module(name) for name in get_args(EngineName)}
    return [
        Status(
            name,
            name in enabled,
            module.capabilities(settings),
            missing=tuple(map(str, module.check(settings))),
        )
        for name, module in modules.items()
    ]


def _enabled(settings: Settings) -> list[EngineName]:
    """The default engine first, each once."""
    return list(dict.fromkeys((settings.engine, *settings.engines.enabled)))


def _module(name: EngineName) -> _Module:
    return cast(_Module, import_module(f"coqui_server.engines.{name}"))
