"""Call control over several servers: whichever is asked, all calls can be reached."""

import asyncio
import builtins
import logging
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Self

from coqui_server.cluster import Cluster
from coqui_server.exceptions import BadCommand, Busy, ClusterFault, NoSuchCall, RequestError
from coqui_server.rtp.calls import Calls
from coqui_server.rtp.control import Call, Control

if TYPE_CHECKING:
    from coqui_server.cluster.peers import Report

_PATIENCE, _LONG_PATIENCE = 5.0, 60.0
"""Seconds to wait for another server; the second, until it has finished the sessions of a call."""

_REFUSALS = {refusal.__name__: refusal for refusal in (BadCommand, Busy, NoSuchCall)}
"""What another server may refuse with."""

_log = logging.getLogger(__name__)


class SharedControl(Control):
    """The commands about the calls of all servers. Use as an async context manager.

    A call that is reserved goes to the server with the most room. While Redis is away, there are
    the calls of this server only.
    """

    def __init__(self, calls: Calls, cluster: Cluster) -> None:
        super().__init__(calls)
        self._name = cluster.name
        self._peers = cluster.peers(self._report)
        self._questions = cluster.questions(self._answer)
        # Legs that were reserved at each server since it was last heard of.
        self._sent: Counter[str] = Counter()
        self._heard = 0

    async def __aenter__(self) -> Self:
        self._parts = AsyncExitStack()
        await self._parts.enter_async_context(self._questions)
        await self._parts.enter_async_context(self._peers)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._parts.aclose()

    async def list(self) -> list[Call]:
        """As `Control.list`; each call has the name of its server as `replica`."""
        return [call for calls in (await self._everywhere()).values() for call in calls]

    async def reserve(self, **wanted: Any) -> Call:
        """As `Control.reserve`.

        Raises:
            Busy: no server has room.
        """
        id = wanted.get("id")
        if id is not None and any(call["id"] == id for call in await self.list()):
            raise BadCommand(f"there is a call {id} already")
        if not self._peers.others:
            return self._own(await self._calls.reserve(**wanted))
        for run in self._by_room():
            try:
                return await self._reserve_at(run, wanted)
            except (Busy, ClusterFault) as fault:
                _log.warning("a call was not reserved at %s: %s", run or self._name, fault)
        raise Busy("no server has room for another call")

    async def release(self, id: str) -> Call:
        """As `Control.release`.

        Raises:
            ClusterFault: its server does not answer.
        """
        for run, calls in (await self._everywhere()).items():
            if any(call["id"] == id for call in calls):
                if run is None:
                    return self._own(await self._calls.release(id))
                asked = await self._ask(run, _LONG_PATIENCE, command="release", id=id)
                return dict(asked["call"])
        raise NoSuchCall(f"there is no call {id}")

    async def name(self, **names: Any) -> None:
        """As `Control.name`: any server may get the stream."""
        self._calls.name(**names)
        await self._ask_all(command="name", names=names)

    async def _everywhere(self) -> Mapping[str | None, builtins.list[Call]]:
        """The calls of each server by its run; those of this one by None."""
        calls: dict[str | None, list[Call]] = {}
        answers = await self._ask_all(command="list")
        calls[None] = [self._own(call) for call in self._calls.list()]
        calls.update({run: answer["calls"] for run, answer in answers.items()})
        return calls

    def _own(self, call: Call) -> Call:
        return {**call, "replica": self._name}

    def _report(self) -> dict[str, Any]:
        """What this server says of itself."""
        return {"name": self._name, **self._calls.room()}

    def _by_room(self) -> builtins.list[str | None]:
        """The servers that have room, the emptiest first; None is this one."""
        if self._heard != self._peers.heard:
            self._heard = self._peers.heard
            self._sent.clear()
        shares: dict[str | None, float] = {None: _share(self._report())}
        for run, about in self._peers.others.items():
            shares[run] = _share(about, self._sent[run])
        return sorted((run for run in shares if shares[run] < 1), key=shares.__getitem__)

    async def _reserve_at(self, run: str | None, wanted: Mapping[str, Any]) -> Call:
        if run is None:
            return self._own(await self._calls.reserve(**wanted))
        answer = await self._ask(run, _PATIENCE, command="reserve", wanted=wanted)
        call: Call = answer["call"]
        self._sent[run] += len(call["legs"])
        return call

    async def _ask_all(self, **question: Any) -> dict[str, dict[str, Any]]:
        """The answers of the other servers, as far as they give one."""
        runs = list(self._peers.others)
        answers = await asyncio.gather(
            *(self._ask(run, _PATIENCE, **question) for run in runs), return_exceptions=True
        )
        found = {}
        for run, answer in zip(runs, answers, strict=True):
            if isinstance(answer, RequestError):
                _log.warning("%s was not asked for its calls: %s", run, answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found[run] = answer
        return found

    async def _ask(self, run: str, patience: float, **question: Any) -> dict[str, Any]:
        answer = await self._questions.ask(run, question, patience)
        if refusal := answer.get("refused"):
            raise _REFUSALS.get(refusal, ClusterFault)(answer["message"])
        return answer

    async def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Answer another server."""
        try:
            match question["command"]:
                case "list":
                    return {"calls": [self._own(call) for call in self._calls.list()]}
                case "reserve":
                    return {"call": self._own(await self._calls.reserve(**question["wanted"]))}
                case "release":
                    return {"call": self._own(await self._calls.release(question["id"]))}
                case "name":
                    self._calls.name(**question["names"])
                    return {}
            raise BadCommand(f"this server does not know {question['command']}")
        except RequestError as refusal:
            return {"refused": type(refusal).__name__, "message": str(refusal)}


def _share(about: "Report", sent: int = 0) -> float:
    """How full a server is: 1 if it takes no more calls."""
    return (about["legs"] + sent) / about["most"] if about["open"] else 1.0
