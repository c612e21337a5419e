"""The troubleshooting page has every code of a refusal, with its close code and HTTP status."""

import ast
import re
from collections.abc import Iterator

from coqui_server.exceptions import NotAudio, RequestError, StoreError
from tests.support.clips import ROOT

ROW = re.compile(r"^\| `(\w+)` \| (\d+) \| (\d+) \| (.+) \|$", re.M)


def refusals(kind: type[RequestError] = RequestError) -> Iterator[type[RequestError]]:
    """Every class of refusal below `kind`, without those that tests make."""
    for below in kind.__subclasses__():
        if below.__module__ == kind.__module__:
            yield below
        yield from refusals(below)


def test_every_code_is_in_the_table() -> None:
    """With the numbers that the class gives."""
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    rows = {code: (int(close), int(http)) for code, close, http, _ in ROW.findall(page)}
    expected = {each.code: (each.close_code, each.http_status) for each in refusals()}
    full = StoreError("", full=True)
    expected[full.code] = (full.close_code, full.http_status)
    del expected[NotAudio.code]
    for code in given_to_not_audio():
        expected[code] = (NotAudio.close_code, NotAudio.http_status)
    assert rows == expected


def given_to_not_audio() -> set[str]:
    """The codes that `NotAudio` is given where it is raised, and its default."""
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "coqui_server").rglob("*.py"))
    calls = (node for text in texts for node in ast.walk(ast.parse(text)))
    given = {
        node.args[1].value
        for node in calls
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == NotAudio.__name__
        if len(node.args) > 1 and isinstance(node.args[1], ast.Constant)
    }
    return {NotAudio("").code, *map(str, given)}
