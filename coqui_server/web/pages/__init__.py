"""HTML for people: one file a page, and the templates they share."""

from pathlib import Path

from fastapi import Request
from fastapi.templating import Jinja2Templates

from coqui_server import __version__, exports
from coqui_server.exports.document import clock
from coqui_server.web.transcripts import KINDS

NAVIGATION = (("/", "Live"), ("/sessions", "Sessions"))
"""The pages, in the order of the navigation."""

templates = Jinja2Templates(directory=Path(__file__).parent.parent / "templates")
templates.env.filters["clock"] = clock
templates.env.globals.update(formats=list(exports.FORMATS), kinds=KINDS)


def _shared(request: Request) -> dict[str, object]:
    return {
        **{"navigation": NAVIGATION, "path": request.url.path, "version": __version__},
        # Set where the route asked who it is.
        "asker": getattr(request.state, "asker", None),
        "csrf": getattr(request.state, "csrf", None),
    }


templates.context_processors.append(_shared)
