"""Every path of the socket protocols, and what serves it."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from websockets.asyncio.server import ServerConnection

from coqui_server.principal import Principal
from coqui_server.protocols import events, json_audio, speech_to_text, vosk, whole_file
from coqui_server.rtp.calls import Calls
from coqui_server.transcription.service import Service

Protocol = Callable[[ServerConnection, Principal], Awaitable[None]]
Routes = Mapping[str, Protocol]


def routes(service: Service, calls: Calls) -> Routes:
    """The protocols by their paths."""
    return {
        "/api/v1/stt": partial(whole_file.serve, service=service),
        "/ws/v1/speech-to-text": partial(speech_to_text.serve, service=service),
        "/ws": partial(json_audio.serve, service=service),
        "/": partial(vosk.serve, service=service),
        "/vosk": partial(vosk.serve, service=service),
        "/ws/events": partial(events.serve, hub=service.hub, calls=calls),
    }
