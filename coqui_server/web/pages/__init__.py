"""HTML for people: one file a page, and the templates they share."""

from pathlib import Path
from typing import NamedTuple

from fastapi import Request
from fastapi.templating import Jinja2Templates

from coqui_server import __version__, exports
from coqui_server.exports.document import clock
from coqui_server.principal import Principal
from coqui_server.web.transcripts import KINDS


class Entry(NamedTuple):
    """A page in the navigation.

    Attributes:
        kept: it shows stored rows, and does not exist without a store.
        all: only for principals that see all rows.
        people: only where people have to sign in.
    """

    address: str
    name: str
    kept: bool = False
    all: bool = False
    people: bool = False


NAVIGATION = (
    Entry("/", "Live"),
    Entry("/files", "Files", kept=True),
    Entry("/calls", "Calls", all=True),
    Entry("/sessions", "Sessions", kept=True),
    Entry("/accounts", "Accounts", all=True, people=True),
)
"""The pages, in order."""

templates = Jinja2Templates(directory=Path(__file__).parent.parent / "templates")
templates.env.filters["clock"] = clock
templates.env.globals.update(formats=list(exports.FORMATS), kinds=KINDS)


def root(request: Request) -> str:
    """The path at which a proxy serves the console; "" without one."""
    return str(request.scope.get("root_path", ""))


def path(request: Request) -> str:
    """The path of a request below the root."""
    return request.url.path.removeprefix(root(request))


def _shared(request: Request) -> dict[str, object]:
    """The variables of every page. `kept`: whether there is a store."""
    kept: bool = request.app.state.kept
    # Set by routes that need the principal.
    principal: Principal | None = getattr(request.state, "principal", None)
    everything = principal is None or principal.sees_all
    people = principal is not None and principal.user is not None
    return {
        "navigation": [
            entry
            for entry in NAVIGATION
            if (kept or not entry.kept)
            and (everything or not entry.all)
            and (people or not entry.people)
        ],
        "kept": kept,
        "root": root(request),
        "path": path(request),
        "version": __version__,
        "principal": principal,
        "csrf": getattr(request.state, "csrf", None),
    }


templates.context_processors.append(_shared)
