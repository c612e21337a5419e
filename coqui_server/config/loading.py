"""`application.conf` (HOCON) into `Settings`. Every error names the key and what is allowed."""

import difflib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pyhocon import ConfigFactory, ConfigTree
from pyhocon.exceptions import ConfigException
from pyparsing import ParseBaseException

from coqui_server.config.settings import Settings
from coqui_server.exceptions import ConfigError

DEFAULT_FILE = Path("application.conf")


def load(path: Path | None) -> tuple[Settings, str]:
    """The settings of `path`, and the name of their source for messages.

    Without a path, `application.conf` of the working directory is read if it is there, and the
    defaults stand if it is not. Paths in the file are taken from the file's own folder.

    Raises:
        ConfigError: the file is missing, is not HOCON, or a key in it cannot be used.
    """
    if path is None and not DEFAULT_FILE.exists():
        return Settings(), "the built-in defaults"
    path = path or DEFAULT_FILE
    settings = parse(_read(path), base=path.parent)
    return settings, str(path)


def parse(tree: Mapping[str, Any], base: Path) -> Settings:
    """Settings from a parsed tree; relative paths in it start at the folder `base`."""
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as invalid:
        raise _explain(invalid.errors()[0]) from invalid
    rooted: Settings = _rooted(_with_engine(settings), base)
    return rooted


def _with_engine(settings: Settings) -> Settings:
    """The coqui engine for a file that names `coqui.model` and no engine.

    Files that were written before there was a choice of engines look like this.
    """
    chosen = "engine" in settings.model_fields_set or "coqui" in settings.engines.enabled
    if chosen or settings.coqui.model is None:
        return settings
    return settings.model_copy(update={"engine": "coqui"})


def _read(path: Path) -> Mapping[str, Any]:
    try:
        tree = ConfigFactory.parse_file(str(path))
    except FileNotFoundError as missing:
        raise ConfigError("", f"no such file: {missing.filename}") from missing
    except (OSError, UnicodeDecodeError) as unreadable:
        raise ConfigError("", f"cannot be read: {unreadable}") from unreadable
    except RecursionError as endless:
        raise ConfigError("", "not valid HOCON: it includes itself") from endless
    except (ConfigException, ParseBaseException) as wrong:
        raise ConfigError("", f"not valid HOCON: {' '.join(str(wrong).split())}") from wrong
    if not isinstance(tree, ConfigTree):
        raise ConfigError("", "not valid HOCON: a list; allowed: keys with values")
    plain: Mapping[str, Any] = tree.as_plain_ordered_dict()
    return plain


def _explain(error: ErrorDetails) -> ConfigError:
    known = dict(_fields(Settings))
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
        hint = f"did you mean {nearest[0]}?" if nearest else f"allowed: {', '.join(known)}"
        return ConfigError(key, f"unknown key; {hint}")
    while key not in known and "." in key:
        key = key.rpartition(".")[0]
    return ConfigError(key, f"found {_shown(error['input'])}, allowed: {known.get(key, 'a value')}")


def _fields(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, field in section.model_fields.items():
        kind = field.annotation
        if field.description:
            yield prefix + name, field.description
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            inside = dict(_fields(kind, f"{prefix}{name}."))
            if not field.description:
                yield prefix + name, "a section { … } with " + ", ".join(inside)
            yield from inside.items()


def _shown(value: Any) -> str:
    match value:
        case timedelta():
            return f"{value.total_seconds():g} s"
        case str():
            return f'"{value}"'
        case dict():
            return "a section"
    return repr(value)


def _rooted(section: Any, base: Path) -> Any:
    """The same section with every path in it joined to `base` (an absolute path stays itself)."""
    update: dict[str, Any] = {}
    for name in section.model_fields_set | {"models", "store", "path"} & set(
        type(section).model_fields
    ):
        value = getattr(section, name)
        if isinstance(value, Path):
            update[name] = base / value
        elif isinstance(value, BaseModel):
            update[name] = _rooted(value, base)
    return section.model_copy(update=update) if update else section
