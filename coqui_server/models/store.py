"""The folder models are kept in."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from coqui_server.exceptions import ModelError
from coqui_server.models.catalogue import Model
from coqui_server.models.download import download

PARTIAL = ".partial"
"""Incomplete downloads, one folder for each model."""

_FILES = (".tflite", ".scorer")
"""Models that are single files."""


def here(models: Path) -> Iterator[Path]:
    """The models in the folder `models`, in order of their names."""
    for path in sorted(models.iterdir()) if models.is_dir() else ():
        if path.name != PARTIAL and (path.is_dir() or path.suffix in _FILES):
            yield path


def place(name: str, models: Path) -> Path:
    """The place of the model of this name.

    Raises:
        ModelError: there is no such model.
    """
    for path in here(models):
        if path.name == name:
            return path
    there = ", ".join(path.name for path in here(models)) or "nothing"
    raise ModelError(f'"{name}" is not in {models}, which has {there}')


def get(model: Model, models: Path) -> Path:
    """Download a model into the folder `models`, unless it is there; give its folder or file.

    It gets its name there when it is complete. An incomplete download is kept, and the next attempt
    resumes it.

    Raises:
        ModelUnreachable: it cannot be downloaded now.
        ModelError: it is not what its publisher says.
    """
    target, partial = models / model.name, models / PARTIAL / model.name
    if target.exists():
        return target
    for file in model.files:
        download(file, partial)
    _whole(model, partial).rename(target)
    shutil.rmtree(partial, ignore_errors=True)
    return target


def remove(name: str, models: Path) -> None:
    """Delete a model.

    Raises:
        ModelError: there is no such model.
    """
    path = place(name, models)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _whole(model: Model, partial: Path) -> Path:
    """The model in the downloaded files: all of them, the only one, or its content."""
    (only, *more) = model.files
    if only.name == f"{model.name}.zip":
        return _unpacked(partial / only.name, partial / "unpacked")
    return partial if more else partial / only.name


def _unpacked(archive: Path, folder: Path) -> Path:
    """The folder inside an archive. (`ZipFile` writes nothing outside its target folder.)"""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with ZipFile(archive) as packed:
            packed.extractall(folder)
    except BadZipFile as bad:
        archive.unlink()
        raise ModelError(f"{archive.name} is not a zip archive: {bad}") from bad
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder
