"""The names and terms of the configuration: what is taken, and what is refused."""

from pathlib import Path

import pytest

from coqui_server.config.settings import Settings
from coqui_server.exceptions import ConfigError
from coqui_server.transcription.wording import configured_terms


def configured(file: Path) -> Settings:
    """Settings with this file of terms and one term beside it."""
    return Settings.model_validate({"text": {"terms": ["Vevay"], "terms_file": file}})


def test_a_file_with_one_term_a_line(tmp_path: Path) -> None:
    """The file's terms follow the configured ones."""
    file = tmp_path / "terms.txt"
    file.write_text("\ufeffAna Roe\n\nZürich\n", encoding="utf-8")
    assert configured_terms(configured(file)) == ("Vevay", "Ana Roe", "Zürich")
    assert configured_terms(Settings()) == ()


@pytest.mark.parametrize("content", [None, b"\xff", b"a" * 101])
def test_a_file_that_cannot_be_used(tmp_path: Path, content: bytes | None) -> None:
    """A file that is missing, not UTF-8 or has too long a term is an error of its key."""
    file = tmp_path / "terms.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"text\.terms_file: found"):
        configured_terms(configured(file))
