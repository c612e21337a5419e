"""The names and terms of requests and of the configuration: what is taken, and what is refused."""

from pathlib import Path

import pytest

from coqui_server.config.settings import Settings
from coqui_server.exceptions import BadRequest, ConfigError
from coqui_server.transcription.wording import configured_terms, terms


def test_a_list_is_cleaned() -> None:
    """Each term is there once, with single spaces, and empty ones are not."""
    assert terms([" Ana\tRoe ", "", "Vevay", "Ana Roe"]) == ("Ana Roe", "Vevay")


def test_as_many_and_as_long_as_there_may_be() -> None:
    """A thousand terms, and a hundred characters, are taken."""
    assert len(terms([f"{number:0100}" for number in range(1000)])) == 1000


@pytest.mark.parametrize(
    "value", ["Ana", None, [1], ["a" * 101], [str(number) for number in range(1001)]]
)
def test_what_is_no_list_of_terms(value: object) -> None:
    """Other values, too many terms and too long ones are refused."""
    with pytest.raises(BadRequest, match="terms"):
        terms(value)


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
