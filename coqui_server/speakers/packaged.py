"""The models of pyannote's speaker-diarization-community-1, which come inside `moonshine-voice`.

Its native library carries them as onnxruntime files. They are found by the bytes such a file begins
with, and told by their length and SHA-256, so that no other version is taken for them.
"""

import hashlib
import mmap
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from coqui_server import extras
from coqui_server.exceptions import ConfigError

_BEGINNING = b"\x14\x00\x00\x00ORTM"
"""The offset of the root table, and the identifier of onnxruntime's FlatBuffers files."""


@dataclass(frozen=True)
class Model:
    """A model inside the library: its bytes and their SHA-256."""

    size: int
    sha256: str


SEGMENTATION = Model(1_594_080, "9715e3996ef181252aa1cc0c9398060f42b2c984c2fb65e3604262555e2efb1a")
EMBEDDING = Model(6_975_920, "6e4af7d49562e6e7042672e444d6394935cb2c23c3a7dd4919da45922b91735b")


def read(*models: Model) -> list[bytes]:
    """The content of each model.

    Raises:
        ConfigError: the package is not installed, or is not the version that has them.
    """
    with _library().open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as all:
        return [_found(all, model) for model in models]


def _library() -> Path:
    spec = find_spec("moonshine_voice")
    for folder in (spec and spec.submodule_search_locations) or ():
        for path in sorted(Path(folder).glob("*moonshine.*")):
            if path.suffix in (".so", ".dylib", ".dll"):
                return path
    raise _missing("the package moonshine-voice is not installed, whose library has the models")


def _found(library: mmap.mmap, model: Model) -> bytes:
    place = library.find(_BEGINNING)
    while place >= 0:
        content = library[place : place + model.size]
        if hashlib.sha256(content).hexdigest() == model.sha256:
            return content
        place = library.find(_BEGINNING, place + 1)
    raise _missing("the installed moonshine-voice is a version without the models of speakers")


def _missing(problem: str) -> ConfigError:
    return ConfigError("speakers", problem, fix=extras.command("moonshine-voice"))
