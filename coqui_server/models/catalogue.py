"""The models that can be downloaded by name, and their addresses; from publishers' lists where they
exist."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from coqui_server import extras
from coqui_server.config.engines import EngineName
from coqui_server.exceptions import ModelError
from coqui_server.models.download import File, unreachable

_WHISPER = {
    "tiny.en": "Systran/faster-whisper-tiny.en",
    "tiny": "Systran/faster-whisper-tiny",
    "base.en": "Systran/faster-whisper-base.en",
    "base": "Systran/faster-whisper-base",
    "small.en": "Systran/faster-whisper-small.en",
    "small": "Systran/faster-whisper-small",
    "medium.en": "Systran/faster-whisper-medium.en",
    "medium": "Systran/faster-whisper-medium",
    "large-v3": "Systran/faster-whisper-large-v3",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
}
"""Repositories of CTranslate2 models, under faster-whisper's own names."""

_WHISPER_PARTS = (
    "config.json",
    "preprocessor_config.json",
    "model.bin",
    "tokenizer.json",
    "vocabulary.json",
    "vocabulary.txt",
)
"""Files of a model; not every model has all of them."""

_MOONSHINE = {0: "tiny-en", 1: "base-en"}
"""The models that our decoder runs, by the library's number; the others stream, or are not free."""

_COQUI_RELEASES = "https://github.com/coqui-ai/STT-models/releases/download"
_COQUI = {
    "coqui-en-v1.0.0": (
        f"{_COQUI_RELEASES}/english/coqui/v1.0.0-huge-vocab/model.tflite",
        f"{_COQUI_RELEASES}/english/coqui/v1.0.0-huge-vocab/huge-vocabulary.scorer",
    ),
}

_TIMEOUT = 10.0


@dataclass(frozen=True)
class Model:
    """A model to download: one archive, one file, or files that go into one folder."""

    name: str
    engine: EngineName | None
    files: tuple[File, ...]


def names() -> dict[str, list[str]]:
    """The names by engine, without a request; Vosk has a list of its own."""
    return {
        "moonshine": list(_MOONSHINE.values()),
        "whisper": list(_WHISPER),
        "coqui": list(_COQUI),
    }


def find(name: str) -> Model:
    """The model of this name, or the one at this address.

    Raises:
        ModelUnreachable: its publisher cannot be reached.
        ModelError: the name is not known.
    """
    if "://" in name:
        return _at(name)
    if name in _MOONSHINE.values():
        return _moonshine(name)
    if name in _WHISPER:
        return _whisper(name)
    if name in _COQUI:
        return Model(name, "coqui", tuple(_file(url) for url in _COQUI[name]))
    return vosk(name)


def vosk(name: str) -> Model:
    """A model on Vosk's list.

    Raises:
        ModelUnreachable: the list cannot be downloaded.
        ModelError: it is not on the list.
    """
    for entry in vosk_list():
        if entry["name"] == name:
            # An archive without an address is where the library looks for it.
            import vosk

            url = entry.get("url", f"{vosk.MODEL_PRE_URL}{name}.zip")
            file = File(f"{name}.zip", url, entry.get("size"), entry.get("md5"), "md5")
            return Model(name, "vosk", (file,))
    known = ", ".join(known for group in names().values() for known in group)
    raise ModelError(f'no model is called "{name}"; there are {known}, and those on Vosk\'s list')


def vosk_list() -> list[Mapping[str, Any]]:
    """Vosk's own list, each with `name`, `url`, `size`, `md5`, `lang_text`, `obsolete`, ….

    Raises:
        ModelUnreachable: it cannot be downloaded.
    """
    import vosk

    entries: list[Mapping[str, Any]] = _json(vosk.MODEL_LIST_URL)
    return entries


def _moonshine(name: str) -> Model:
    """By the list inside Moonshine's library."""
    from moonshine_voice.moonshine_api import moonshine_get_stt_dependencies_string

    number = next(number for number, known in _MOONSHINE.items() if known == name)
    listed = json.loads(moonshine_get_stt_dependencies_string("en", {"model_arch": number}))
    files = tuple(
        File(
            entry["name"],
            entry["url"],
            entry["size"],
            base64.b64decode(entry["checksum"]).hex(),
            entry["checksum_type"],
        )
        for entry in listed["groups"][0]["files"]
    )
    return Model(name, "moonshine", files)


def _whisper(name: str) -> Model:
    """By the hub's interface for a repository's files; large ones have a SHA-256."""
    try:
        from huggingface_hub.constants import ENDPOINT
    except ImportError as missing:
        problem = "Whisper's models are got with a package that is not installed"
        raise ModelError(f"{problem}; run: {extras.command('faster-whisper')}") from missing
    repository = _WHISPER[name]
    listed = _json(f"{ENDPOINT}/api/models/{repository}?blobs=true")
    files = tuple(
        File(
            entry["rfilename"],
            f"{ENDPOINT}/{repository}/resolve/{listed['sha']}/{entry['rfilename']}",
            entry["size"],
            entry.get("lfs", {}).get("sha256"),
        )
        for entry in listed["siblings"]
        if entry["rfilename"] in _WHISPER_PARTS
    )
    return Model(name, "whisper", files)


def _at(url: str) -> Model:
    """A model's file, or an archive with one, by its address."""
    file = _file(url)
    if not re.fullmatch(r"\w[\w.+-]*", file.name) or urlsplit(url).scheme not in ("http", "https"):
        raise ModelError(f"{url} is not the address of a file, http://… or https://…")
    return Model(file.name.removesuffix(".zip"), None, (file,))


def _file(url: str) -> File:
    return File(unquote(urlsplit(url).path).rpartition("/")[2], url)


def _json(url: str) -> Any:
    try:
        return httpx.get(url, timeout=_TIMEOUT, follow_redirects=True).raise_for_status().json()
    except httpx.HTTPError as error:
        raise unreachable(url, error) from error
    except json.JSONDecodeError as error:
        raise ModelError(f"{url} is not a list of models: {error}") from error
