"""The troubleshooting page has every code of a refusal, with its close code and HTTP status."""

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
    # `NotAudio` is told its code; these are given to it where the sound is read.
    del expected[NotAudio.code]
    for code in ("not_audio", "no_audio", "empty", "not_binary", "wrong_format"):
        expected[code] = (NotAudio.close_code, NotAudio.http_status)
    assert rows == expected
