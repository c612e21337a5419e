"""`/ws/events`: every event of every session as it happens, and the control of calls.

`?kind=`, `?session=` and `?call=` filter. Each event is a JSON object in a text message, as
`transcription.messages` has them, with an `id`. `?from=` that id, a subscriber that was away gets
what came after it. Commands are JSON objects too, and each has one answer:

    {"command": "list_calls"}                                -> {"event": "calls", "calls": [...]}
    {"command": "reserve_call", "id"?, "label"?, "codec"?, "legs"?}  -> {"event": "call", "call"}
    {"command": "release_call", "id"}                        -> {"event": "released", "call"}
    {"command": "name_stream", "source"? or "ssrc"?, "call"?, "label"?, "codec"?}
                                                             -> {"event": "named"}

or `{"event": "error", "message", "code"}`. A `"request"` in a command is given back in its answer.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.frames import CloseCode

from coqui_server.exceptions import BadCommand, BadRequest, Forbidden, RequestError
from coqui_server.principal import Principal, owner_filter
from coqui_server.protocols import inbound
from coqui_server.protocols.live_connection import json_object
from coqui_server.rtp.control import Control
from coqui_server.transcription.hub import Hub, Subscription

_FILTERS = ("kind", "session", "call")
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "list_calls": (),
    "reserve_call": ("id", "label", "codec", "legs"),
    "release_call": ("id",),
    "name_stream": ("source", "ssrc", "call", "label", "codec"),
}
_LARGEST_COMMAND = 64 * 1024


async def serve(
    connection: ServerConnection, principal: Principal, hub: Hub, calls: Control
) -> None:
    """Send events and answer commands until either side is done."""
    assert connection.request is not None
    query = dict(parse_qsl(urlsplit(connection.request.path).query))
    filters = {key: query[key] for key in _FILTERS if key in query}
    try:
        subscription = hub.resumed(filters | owner_filter(principal.scope), query.get("from"))
    except BadRequest as wrong:
        await connection.send(json.dumps(_error(wrong)))
        await connection.close(wrong.close_code)
        return
    with subscription as events:
        sending = asyncio.create_task(_send_events(connection, events))
        answering = asyncio.create_task(_answer(connection, calls if principal.sees_all else None))
        try:
            done, _ = await asyncio.wait((sending, answering), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (sending, answering):
                task.cancel()
            await asyncio.gather(sending, answering, return_exceptions=True)


async def _send_events(connection: ServerConnection, events: Subscription) -> None:
    async for message in events:
        await connection.send(json.dumps(message, ensure_ascii=False))
    await connection.close(CloseCode.GOING_AWAY)


async def _answer(connection: ServerConnection, calls: Control | None) -> None:
    while True:
        try:
            text = await inbound.message(connection, _LARGEST_COMMAND)
        except RequestError as refusal:
            await connection.send(json.dumps(_error(refusal)))
            await connection.close(refusal.close_code)
            return
        # In ASCII: a lone surrogate, which JSON may escape, cannot be sent in any other way.
        await connection.send(json.dumps(await _reply(text, calls)))


async def _reply(text: str | bytes, calls: Control | None) -> dict[str, Any]:
    request: Any = None
    try:
        command = _object(text)
        request = _request(command)
        reply = await _run_command(_name(command), command, calls)
    except RequestError as refusal:
        reply = _error(refusal)
    return {**reply, "request": request} if request is not None else reply


def _object(text: str | bytes) -> dict[str, Any]:
    try:
        return json_object(text)
    except BadRequest as wrong:
        raise BadCommand("a command is a JSON object in a text message") from wrong


def _request(command: dict[str, Any]) -> Any:
    """Remove the client's mark from a command and give it, for the answer."""
    request = command.pop("request", None)
    try:
        # Python reads NaN, and 1e999 as infinity, which in an answer would not be JSON.
        json.dumps(request, allow_nan=False)
    except (ValueError, RecursionError) as wrong:
        raise BadCommand('"request" is a JSON value, without NaN and infinity') from wrong
    return request


def _name(command: dict[str, Any]) -> str:
    """Remove the name from a command and give it; refuse keys that it does not take."""
    name = command.pop("command", None)
    if not isinstance(name, str) or name not in _COMMANDS:
        raise BadCommand(f'"command" is one of {", ".join(_COMMANDS)}')
    if unknown := set(command) - set(_COMMANDS[name]):
        keys = ", ".join(_COMMANDS[name]) or "nothing"
        raise BadCommand(f"{name} takes {keys}, not {', '.join(sorted(unknown))}")
    return name


async def _run_command(name: str, values: dict[str, Any], calls: Control | None) -> dict[str, Any]:
    if calls is None:
        raise Forbidden("only administrators control calls")
    match name:
        case "reserve_call":
            return {"event": "call", "call": await calls.reserve(**values)}
        case "release_call":
            return {"event": "released", "call": await calls.release(values.get("id", ""))}
        case "name_stream":
            await calls.name(**values)
            return {"event": "named"}
    return {"event": "calls", "calls": await calls.list()}


def _error(refusal: RequestError) -> dict[str, Any]:
    return {"event": "error", "message": str(refusal), "code": refusal.code}
