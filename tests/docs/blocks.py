"""The fenced code blocks of the pages, and the commands and output in those of a console.

A comment on the line before a block says what a test does with it. Readers do not see it:

- `<!-- not run: REASON -->`: it cannot run here, or something else runs it.
- `<!-- until the output is there -->`: it does not end by itself.
- `<!-- prints: TEXT -->`: what a program prints, among other things.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.clips import ROOT

PAGES = (
    ROOT / "README.md",
    ROOT / "samples" / "README.md",
    ROOT / "models" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
)

_BLOCK = re.compile(
    r"^(?:<!-- (?P<note>[^\n]*) -->\n)?```(?P<language>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        where: the page and the line, such as `docs/files.md:12`.
        language: what stands after the fence.
        note: the text of the comment before it; empty without one.
        text: what is in it.
    """

    where: str
    language: str
    note: str
    text: str

    @property
    def runs(self) -> bool:
        """Whether a test runs it."""
        return not self.note.startswith("not run: ")

    @property
    def endless(self) -> bool:
        """Whether it has to be stopped when its output is there."""
        return self.note == "until the output is there"

    @property
    def script(self) -> str:
        """The commands of a console block, or the whole of another one."""
        if self.language != "console":
            return self.text
        return "\n".join(line.removeprefix("$ ") for line, typed in self._lines() if typed)

    @property
    def printed(self) -> re.Pattern[str]:
        """What it prints, without spaces and line ends; anything may stand for a "…"."""
        if self.language == "console":
            text = "".join(line for line, typed in self._lines() if not typed)
        else:
            text = self.note.removeprefix("prints: ")
        parts = "".join(text.split()).split("…")
        return re.compile(".*?".join(map(re.escape, parts)))

    def _lines(self) -> Iterator[tuple[str, bool]]:
        """The lines of a console block, each with whether somebody types it."""
        continued = False
        for line in self.text.splitlines():
            typed = continued or line.startswith("$ ")
            continued = typed and line.endswith("\\")
            yield line, typed


def blocks() -> Iterator[Block]:
    """The blocks of all pages."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in _BLOCK.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            where = f"{page.relative_to(ROOT)}:{line}"
            yield Block(where, found["language"], found["note"] or "", found["text"])
