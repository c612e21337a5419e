"""`coqui_server.engines.tflite`: no file that would crash Coqui STT's library gets to it."""

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coqui_server.engines.coqui import DIGITS
from coqui_server.engines.flatbuffer import Reader
from coqui_server.engines.tflite import check_model

pytestmark = pytest.mark.model

MODEL = (DIGITS / "digits.tflite").read_bytes()

STRUCTURE = 2000
"""How much of the file, from its end, is likely to be structure: weights come first."""

_OPENED = """
import sys
from pathlib import Path
from coqui_server.engines.coqui import library_files
from coqui_server.engines.libstt import Library, Model
from coqui_server.exceptions import LibraryError
from coqui_server.config.settings import ModelsSettings, Settings
import numpy as np
settings = Settings(models=ModelsSettings(path=sys.argv[1]))
library = Library(library_files(settings))
for path in sorted(Path(sys.argv[2]).iterdir()):
    print(path.name, flush=True)
    try:
        stream = Model(library, path.read_bytes()).open()
        stream.feed(np.zeros(16_000, np.int16))
        stream.finish(1)
    except LibraryError as error:
        pass
"""


def refused(content: bytes) -> bool:
    """Whether the check says no; anything but its own error fails the test."""
    try:
        check_model(content)
    except ValueError:
        return True
    return False


def changed(places: list[tuple[int, int]]) -> bytes:
    """The model with other bytes at these places."""
    content = bytearray(MODEL)
    for place, value in places:
        content[place % len(content)] = value
    return bytes(content)


def test_the_model_of_digits_passes() -> None:
    """What is right is let through."""
    assert not refused(MODEL)


@given(st.lists(st.tuples(st.integers(0, len(MODEL) - 1), st.integers(0, 255)), max_size=20))
@settings(max_examples=60, deadline=None)
def test_other_bytes_anywhere(places: list[tuple[int, int]]) -> None:
    """Any bytes may be others: the check answers, and never fails itself."""
    refused(changed(places))


@given(st.integers(0, len(MODEL) - 1))
@settings(max_examples=60, deadline=None)
def test_a_model_cut_off(length: int) -> None:
    """No part of a model is a model."""
    assert refused(MODEL[:length])


@given(st.binary(max_size=400))
def test_any_bytes(content: bytes) -> None:
    """Neither is anything else, with the right mark or without."""
    assert refused(content)
    assert refused(content[:4] + b"TFL3" + content[4:])


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (b"metadata_beam_width", b"metadata_bean_width", "no tensor metadata_beam_width"),
        (b"previous_state_c", b"previous_state_d", "no tensor previous_state_c"),
        (b"input_samples", b"input_simples", "no tensor input_samples"),
        (b"AudioSpectrogram", b"AudioSpectrogrem", "an operator 'AudioSpectrogrem'"),
    ],
)
def test_another_name(old: bytes, new: bytes, problem: str) -> None:
    """A misspelt tensor crashes the library, or is not even noticed by it."""
    assert MODEL.count(old) == 1
    with pytest.raises(ValueError, match=problem):
        check_model(MODEL.replace(old, new))


def test_parts_that_overlap_do_not_grow() -> None:
    """A file of many tables that share one large vector is refused, not decoded for hours."""
    schema = {"Root": {"nodes": "[Node]"}, "Node": {"numbers": "[i]"}}
    nodes = range(24 + 4 * 1000, 24 + 12 * 1000, 8)
    numbers = nodes.stop
    # One list of slots for all tables, the root, its vector, the tables, the vector they share.
    content = struct.pack("<IHHHxxiII", 12, 6, 8, 4, 12 - 4, 20 - 16, len(nodes))
    content += b"".join(struct.pack("<I", place - (24 + 4 * n)) for n, place in enumerate(nodes))
    content += b"".join(struct.pack("<iI", place - 4, numbers - (place + 4)) for place in nodes)
    content += struct.pack("<I", 1000) + bytes(4000)
    assert Reader(content, schema | {"Node": {}}).root("Root") == {"nodes": [{}] * 1000}
    with pytest.raises(ValueError, match="its parts overlap"):
        Reader(content, schema).root("Root")


def test_what_passes_does_not_crash_the_library(coqui_models: Path, tmp_path: Path) -> None:
    """Corrupted models that the check lets through: the library takes them or says no."""
    random = np.random.default_rng(1)
    passed = 0
    while passed < 25:
        place = (
            len(MODEL) - int(random.integers(1, STRUCTURE))
            if random.random() < 0.7
            else int(random.integers(len(MODEL)))
        )
        content = changed([(place, int(random.integers(256)))])
        if not refused(content):
            (tmp_path / f"{passed:03}.tflite").write_bytes(content)
            passed += 1
    command = [sys.executable, "-c", _OPENED, str(coqui_models), str(tmp_path)]
    opened = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert opened.returncode == 0, opened.stdout.splitlines()[-1:]
    assert len(opened.stdout.splitlines()) == passed
