"""Call control, as gateways use it: the commands about the calls of one server."""

from typing import Any

from coqui_server.rtp.calls import Calls

Call = dict[str, Any]
"""A call as JSON: its id, label, legs and their streams."""


class Control:
    """The commands about the calls of this server. `SharedControl` has those of several."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def list(self) -> list[Call]:
        """All calls, with and without reserved ports."""
        return self._calls.list()

    async def reserve(self, **wanted: Any) -> Call:
        """Reserve ports for a call. Takes and raises what `Calls.reserve` does."""
        return await self._calls.reserve(**wanted)

    async def release(self, id: str) -> Call:
        """End a call. Raises as `Calls.release`."""
        return await self._calls.release(id)

    async def name(self, **names: Any) -> None:
        """Name a stream. Takes and raises what `Calls.name` does."""
        self._calls.name(**names)
