"""Conversations with a running daemon over its sockets."""

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import islice

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tools.fuzz.messages import Message, Protocol, conversations

_CLIENTS = 8
_PATIENCE = 120.0
"""Seconds for the end of one conversation, on a machine that does other things too."""

_PAUSE = 0.2
"""Seconds after a refusal for want of room."""

_CODES = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1013}
"""Close codes that a daemon in good health may give (RFC 6455 section 7.4.1, not 1006 and 1011)."""


@dataclass
class Talk:
    """What came of the conversations.

    Attributes:
        messages: that were sent.
        codes: how the conversations ended, or were refused.
        failures: what no client should get.
    """

    messages: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def refuse(self, status: int) -> None:
        """A handshake was refused; only for want of room is right."""
        self.codes[status] += 1
        if status != HTTPStatus.SERVICE_UNAVAILABLE:
            self.failures.append(f"a handshake was refused with {status}")


async def talk(url: str, protocol: Protocol, count: int, seed: int) -> Talk:
    """Send at least so many messages, over a few connections at a time."""
    result = Talk()
    chance = random.Random(seed)
    coming = conversations(protocol, chance)

    async def client() -> None:
        while result.messages < count and not result.failures:
            messages = next(coming)
            leave = chance.random() < 0.2
            try:
                await _converse(f"{url}{protocol.path}", protocol, messages, result, leave)
                result.messages += len(messages)
            except InvalidStatus as refusal:
                result.refuse(refusal.response.status_code)
                await asyncio.sleep(_PAUSE)

    async with asyncio.TaskGroup() as clients:
        for _ in islice(range(count), _CLIENTS):
            clients.create_task(client())
    return result


async def _converse(
    address: str, protocol: Protocol, messages: list[Message], result: Talk, leave: bool
) -> None:
    """One conversation, which ends as its protocol has it, or by leaving without a word."""
    async with connect(address, compression=None, max_size=None) as socket:
        reading = asyncio.create_task(_read(socket, protocol, result))
        try:
            async with asyncio.timeout(_PATIENCE):
                try:
                    for message in messages:
                        await socket.send(message.data, text=message.text)
                    if leave:
                        socket.transport.abort()
                    elif protocol.last:
                        await socket.send(json.dumps(protocol.last))
                        await reading
                except ConnectionClosed:
                    pass
                if protocol.last or leave or not protocol.commands:
                    await reading
                await socket.close()
                await reading
        except TimeoutError:
            result.failures.append(f"no end came after {messages!r}"[:2000])
            reading.cancel()
    code = socket.close_code
    result.codes[code or 0] += 1
    if not leave and code not in _CODES:
        result.failures.append(f"closed with {code} after {messages!r}"[:2000])


async def _read(socket: ClientConnection, protocol: Protocol, result: Talk) -> None:
    """Every reply is a JSON object, until the last one or the close."""
    try:
        while True:
            reply = await socket.recv()
            try:
                values = json.loads(reply, parse_constant=_no_number)
                if not isinstance(values, dict):
                    raise ValueError("no object")
            except ValueError as wrong:
                result.failures.append(f"{reply!r} is no reply: {wrong}"[:2000])
                return
            if protocol.answered and protocol.answered(values):
                return
    except ConnectionClosed:
        pass


def _no_number(text: str) -> None:
    """NaN and the infinities are not JSON (RFC 8259 section 6)."""
    raise ValueError(text)
