"""Write what is generated from the settings: `docs/settings.md` and `application.conf`.

Run it after a setting was added or changed; a test fails while either file is out of date. They are
kept in the repository, rather than made when the site is built, so that they can be read there and
a change of a setting shows in a review.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from coqui_server.config import reference
from coqui_server.config.reference import Setting

_ROOT = Path(__file__).resolve().parent.parent

_HEAD = """\
# Settings

Every setting, as `python -m tools.reference` reads it from the code.
[Configuration](configuration.md) says how the file is written.
"""


def files() -> dict[Path, str]:
    """What the generated files must contain, by their path."""
    return {
        _ROOT / "docs" / "settings.md": page(),
        _ROOT / "application.conf": reference.file(),
    }


def page() -> str:
    """The settings as a page of the documentation: a table for each section."""
    parts = [_HEAD]
    for section, group in groupby(reference.settings(), lambda setting: setting.section):
        parts.append(f"## {section}\n\n" + "\n".join(_table(group)))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _table(settings: Iterator[Setting]) -> Iterator[str]:
    yield "| key | default | what it does |"
    yield "| --- | --- | --- |"
    for each in settings:
        allowed = each.allowed.replace("|", "\\|")
        yield f"| `{each.key}` | `{each.default}` | {each.purpose} *Allowed:* {allowed}. |"


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
