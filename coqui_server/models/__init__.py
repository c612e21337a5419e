"""Models on disk: where they are, and `python -m coqui_server.models` to get and remove them."""

from collections.abc import Iterable
from pathlib import Path

from coqui_server.config.settings import Settings
from coqui_server.exceptions import ConfigError


def find(name: str, settings: Settings, *more: Path) -> Path | None:
    """The place of a model by its name or path: in `models.path`, relative to its parent (so that
    "models/NAME" works), or in one of the folders `more`."""
    models = settings.models.path
    paths = (place / name for place in (models, models.parent, *more))
    return next((path for path in paths if path.exists()), None)


def located(key: str, name: str, settings: Settings, parts: Iterable[str]) -> Path:
    """The folder of a model that has these files.

    Raises:
        ConfigError: for `key`: there is none, or a file is missing.
    """
    folder = find(name, settings)
    if folder is None:
        raise absent(key, name, settings)
    check_parts(key, folder, parts)
    return folder


def absent(key: str, name: str, settings: Settings) -> ConfigError:
    """The error for a missing model, with the command that downloads it if this is a name."""
    get = f"python -m coqui_server.models get {name}" if Path(name).name == name else None
    return ConfigError(key, f'found "{name}", which is not in {settings.models.path}', fix=get)


def check_parts(key: str, folder: Path, parts: Iterable[str]) -> None:
    """Raise a ConfigError for `key` if the folder lacks one of these files."""
    for name in parts:
        if not (folder / name).is_file():
            problem = f'found "{folder}", which has no {name}; allowed: a folder with'
            raise ConfigError(key, f"{problem} {', '.join(parts)}")
