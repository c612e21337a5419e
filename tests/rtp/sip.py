"""The least of SIP (RFC 3261) that takes calls: each gets a port of the daemon's for its sound."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from tests.rtp.viewer import Viewer

_COPIED = r"(?im)^(?:via|from|call-id|cseq|record-route):.*$"


class Answerer(asyncio.DatagramProtocol):
    """Answers every call with a port that is reserved under its Call-ID, and releases it at BYE.

    Attributes:
        address: `host:port` to call.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._requests: asyncio.Queue[tuple[str, tuple[str, int]]] = asyncio.Queue()
        self._answered: dict[str, str] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.address = "{}:{}".format(*transport.get_extra_info("sockname"))

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._requests.put_nowait((data.decode(), addr))

    async def answer(self) -> None:
        """Answer whatever comes."""
        while True:
            request, address = await self._requests.get()
            match request.split(maxsplit=1)[0]:
                case "INVITE":
                    # It is sent again if the answer takes half a second (section 17.1.1.1).
                    call = _header("call-id", request)
                    if call not in self._answered:
                        self._answered[call] = await self._reserved(request)
                    self._reply(request, address, self._answered[call])
                case "BYE":
                    self._reply(request, address)
                    # Of one that is sent again the answer is that there is no such call.
                    await self._viewer.ask("release_call", id=_header("call-id", request))

    async def _reserved(self, request: str) -> str:
        """A description of where the sound goes, in the codecs that were offered."""
        caller = re.search(r"sip:([^@]+)@", _header("from", request))
        label = caller[1] if caller else None
        call = _header("call-id", request)
        leg = (await self._viewer.ask("reserve_call", id=call, label=label))["call"]["legs"][0]
        offered = re.search(r"m=audio \d+ (.*)", request)
        maps = re.findall(r"a=(?:rtpmap|fmtp):.*", request)
        assert offered
        lines = (
            "v=0",
            f"o=- 1 1 IN IP4 {leg['host']}",
            "s=-",
            f"c=IN IP4 {leg['host']}",
            "t=0 0",
            f"m=audio {leg['port']} {offered[1].strip()}",
            *map(str.strip, maps),
            "a=recvonly",
        )
        return "".join(f"{line}\r\n" for line in lines)

    def _reply(self, request: str, address: tuple[str, int], body: str = "") -> None:
        tagged = _header("to", request)
        tagged += "" if "tag=" in tagged else ";tag=answerer"
        kind = ["Content-Type: application/sdp"] if body else []
        lines = (
            "SIP/2.0 200 OK",
            *map(str.strip, re.findall(_COPIED, request)),
            f"To: {tagged}",
            f"Contact: <sip:answerer@{self.address}>",
            *kind,
            f"Content-Length: {len(body)}",
            "",
            body,
        )
        self._transport.sendto("\r\n".join(lines).encode(), address)


@asynccontextmanager
async def answering(viewer: Viewer) -> AsyncIterator[Answerer]:
    """An answerer on a free port, which commands by a viewer of its own."""
    transport, answerer = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Answerer(viewer), local_addr=("127.0.0.1", 0)
    )
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(answerer.answer())
            yield answerer
            task.cancel()
    finally:
        transport.close()


def _header(name: str, message: str) -> str:
    found = re.search(rf"(?im)^{name}:(.*)$", message)
    assert found
    return found[1].strip()
