"""The site of the pages: complete, without dead links, and loading nothing from other hosts."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.docs.blocks import PAGES
from tests.support.clips import ROOT

OTHERS = (ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md")

_LOADED = {"src", "srcset", "poster", "data", "href"}
_LOADING_WITH_HREF = {"link", "image", "use"}
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site. `mkdocs.yml` makes each dead link or anchor an error."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )
    assert built.returncode == 0, built.stderr
    return folder


class Loads(HTMLParser):
    """Collects what a page makes a browser load; links that people follow are not meant."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in _LOADED and (name != "href" or tag in _LOADING_WITH_HREF):
                self.addresses.append(value or "")
            if name == "style":
                self.inline += value or ""

    def handle_data(self, data: str) -> None:
        self.inline += data if self.cdata_elem == "style" else ""


def test_pages_load_nothing_from_other_hosts(site: Path) -> None:
    """No font, script, style or picture, in the pages and in their style sheets."""
    pages = list(site.rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        loads = Loads()
        text = page.read_text(encoding="utf-8")
        loads.feed(text)
        assert loads.addresses, page
        assert not [each for each in loads.addresses if re.match(r"(https?:)?//", each)], page
        assert not re.search(r"(url\(|@import)\W*(https?:)?//", loads.inline), page
        # The theme's script would load a library for diagrams from elsewhere, if there were one.
        assert 'class="mermaid"' not in text, page
    for sheet in site.rglob("*.css"):
        style = sheet.read_text(encoding="utf-8")
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", style), sheet


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and mkdocs make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links(page: Path) -> None:
    """What the README, the pages and their pictures point at is there, with its anchor."""
    for target, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        file = page.parent / target if target else page
        assert file.exists(), target
        if anchor:
            assert anchor in _anchors(file), f"{target}#{anchor}"
