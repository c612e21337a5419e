"""Every path of the socket protocols, and what serves it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Response

from coqui_server.principal import Principal
from coqui_server.protocols import (
    deepgram_handshake,
    deepgram_listen,
    events,
    json_audio,
    openai_handshake,
    openai_realtime,
    speech_to_text,
    vosk,
    whole_file,
)
from coqui_server.rtp.control import Control
from coqui_server.transcription.service import Service

Protocol = Callable[[ServerConnection, Principal], Awaitable[None]]


@dataclass(frozen=True)
class Handshake:
    """What a vendor's clients expect before the first message.

    Attributes:
        check: raises RequestError for a query that is to be refused with an HTTP status.
        complete: changes the answer, also a refusal, given the connection's id.
    """

    check: Callable[[str], None]
    complete: Callable[[str, Response], None]


@dataclass(frozen=True)
class Route:
    """A path's protocol; `handshake` is None for those whose refusals come as messages."""

    serve: Protocol
    handshake: Handshake | None = None


Routes = Mapping[str, Route]


def routes(service: Service, calls: Control) -> Routes:
    """The protocols by their paths."""
    return {
        "/api/v1/stt": Route(partial(whole_file.serve, service=service)),
        "/ws/v1/speech-to-text": Route(partial(speech_to_text.serve, service=service)),
        "/ws": Route(partial(json_audio.serve, service=service)),
        "/": Route(partial(vosk.serve, service=service)),
        "/vosk": Route(partial(vosk.serve, service=service)),
        "/ws/events": Route(partial(events.serve, hub=service.hub, calls=calls)),
        "/v1/listen": Route(
            partial(deepgram_listen.serve, service=service),
            Handshake(
                partial(deepgram_handshake.check, engines=service.engines),
                deepgram_handshake.complete,
            ),
        ),
        "/v1/realtime": Route(
            partial(openai_realtime.serve, service=service),
            Handshake(partial(openai_handshake.check, service=service), openai_handshake.complete),
        ),
    }
