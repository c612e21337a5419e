"""HTML for people: one file a page, and the templates they share."""

from pathlib import Path
from typing import NamedTuple

from fastapi import Request
from fastapi.templating import Jinja2Templates

from coqui_server import __version__, exports
from coqui_server.exports.document import clock
from coqui_server.web.transcripts import KINDS


class Entry(NamedTuple):
    """A page in the navigation; `kept`: it shows what is kept, and is not there without a store."""

    address: str
    name: str
    kept: bool = False


NAVIGATION = (
    Entry("/", "Live"),
    Entry("/files", "Files", kept=True),
    Entry("/calls", "Calls"),
    Entry("/sessions", "Sessions", kept=True),
)
"""The pages, in order."""

templates = Jinja2Templates(directory=Path(__file__).parent.parent / "templates")
templates.env.filters["clock"] = clock
templates.env.globals.update(formats=list(exports.FORMATS), kinds=KINDS)


def _shared(request: Request) -> dict[str, object]:
    """What every page knows. `kept`: whether there is a store."""
    kept: bool = request.app.state.kept
    return {
        "navigation": [entry for entry in NAVIGATION if kept or not entry.kept],
        "kept": kept,
        "path": request.url.path,
        "version": __version__,
    }


templates.context_processors.append(_shared)
