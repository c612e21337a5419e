"""`/health` and below it: what monitors and balancers are told, on every port."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from coqui_server.exceptions import Busy
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.service import Service

Answer = tuple[HTTPStatus, dict[str, Any]]


def _health(service: Service) -> Answer:
    """State, engines, open sessions by kind, and how busy the decoders are."""
    return HTTPStatus.OK, service.health()


def _live(_: Service) -> Answer:
    """The process works; a supervisor need not start it again."""
    return HTTPStatus.OK, {"status": "ok"}


def _ready(service: Service) -> Answer:
    """Whether a live session could be opened; if not, 503 with the reason, so that a balancer sends
    clients elsewhere."""
    try:
        service.check_room(SessionRequest("live"))
    except Busy as full:
        return HTTPStatus.SERVICE_UNAVAILABLE, {"status": "busy", "reason": str(full)}
    return HTTPStatus.OK, {"status": "ready"}


ANSWERS: Mapping[str, Callable[[Service], Answer]] = {
    "/health": _health,
    "/health/live": _live,
    "/health/ready": _ready,
}
"""What answers at each path."""
