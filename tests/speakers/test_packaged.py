"""`coqui_server.speakers.packaged`: the models in the library of moonshine-voice."""

from dataclasses import replace
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from coqui_server.exceptions import ConfigError
from coqui_server.speakers import packaged
from coqui_server.speakers.packaged import EMBEDDING, SEGMENTATION


def test_both_are_found() -> None:
    """Whole, as onnxruntime reads them."""
    found = packaged.read(SEGMENTATION, EMBEDDING)
    assert [len(model) for model in found] == [SEGMENTATION.size, EMBEDDING.size]
    assert {model[4:8] for model in found} == {b"ORTM"}


def test_another_version_is_not_taken_for_it() -> None:
    """One changed byte, and the message says what to install."""
    other = replace(EMBEDDING, sha256="0" * 64)
    with pytest.raises(ConfigError, match="a version without the models") as caught:
        packaged.read(other)
    assert "moonshine-voice" in str(caught.value.fix)


@pytest.mark.parametrize("spec", [None, "empty"])
def test_the_package_is_not_there(
    spec: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or it has no library."""
    found = ModuleSpec("moonshine_voice", None, is_package=True) if spec else None
    if found:
        found.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(packaged, "find_spec", lambda _: found)
    with pytest.raises(ConfigError, match="not installed"):
        packaged.read(SEGMENTATION)
