"""The handshake of Deepgram's live protocol: its headers and its refusals.

https://developers.deepgram.com/docs/stt-troubleshooting-websocket-data-and-net-errors
"""

from http import HTTPStatus

from websockets.http11 import Response

from coqui_server.engines import Engines
from coqui_server.exceptions import BadRequest
from coqui_server.protocols import json_refusal
from coqui_server.protocols.deepgram_query import Query

_LONGEST = 500
"""Characters of a reason in a header."""


def check(query: str, engines: Engines) -> None:
    """Raises BadRequest for a query with a value that is not taken."""
    asked = Query(query)
    if asked.text("callback"):
        raise BadRequest("there are no callbacks of live results; they come on the connection")
    asked.check(engines)


def complete(id: str, response: Response) -> None:
    """Name the request; give the reason of a refusal as a header and as JSON."""
    response.headers["dg-request-id"] = id
    if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
        return
    reason = json_refusal.reason(response)
    shown = reason.encode("ascii", "replace").decode()[:_LONGEST]
    response.headers["dg-error"] = "".join(c if c.isprintable() else "?" for c in shown)
    code = HTTPStatus(response.status_code).name
    json_refusal.put(response, {"err_code": code, "err_msg": reason, "request_id": id})
