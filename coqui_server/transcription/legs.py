"""Listening to a file: to its channels together, or to each by itself, in the order of speech."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from math import inf

from coqui_server.exceptions import ServerFault
from coqui_server.media.samples import Samples
from coqui_server.transcription.channels import Leg, Sounds
from coqui_server.transcription.gated import GatedListening
from coqui_server.transcription.order import Order
from coqui_server.transcription.reporter import Report, Reported, Reporter


class LegsListening:
    """One `GatedListening` for each leg. All are written in step, and decode side by side.

    A leg costs what a file of its own does. Its utterances are held here while another leg may have
    an earlier one, so that finals come in the order in which people began to speak.

    Args:
        gated: makes the listening of a leg, which reports to what it is given.
    """

    utterances = ()

    def __init__(
        self, gated: Callable[[Report | None], GatedListening], reporter: Reporter
    ) -> None:
        self._gated = gated
        self._reporter = reporter
        self._legs: dict[Leg | None, GatedListening] = {None: gated(None)}
        self._ended: list[GatedListening] = []
        self._samples = 0
        self._order = Order()
        self._fault: ServerFault | None = None
        # Several legs may have something to report at the same time.
        self._reporting = asyncio.Lock()

    @property
    def failure(self) -> ServerFault | None:
        return next((leg.failure for leg in self._all() if leg.failure), self._fault)

    @property
    def final_seconds(self) -> float:
        return sum(leg.final_seconds for leg in self._all())

    @property
    def partial_seconds(self) -> float:
        return sum(leg.partial_seconds for leg in self._all())

    async def start(self) -> None:
        await self._legs[None].start()

    async def write(self, pcm: Samples) -> None:
        await self.hear({None: pcm})

    async def hear(self, sounds: Sounds) -> None:
        """Take the next samples, as many of each leg. Legs that are not among them are over; others
        begin here."""
        if sounds.keys() != self._legs.keys():
            await self._change(sounds)
        for leg, pcm in sounds.items():
            await self._legs[leg].write(pcm)
        self._samples += len(next(iter(sounds.values())))
        await self._report_in_order()

    async def skip(self, samples: int) -> None:
        for leg in self._legs.values():
            await leg.skip(samples)
        self._samples += samples
        await self._report_in_order()

    async def catch_up(self) -> None:
        for leg in self._legs.values():
            await leg.catch_up()

    async def settle(self) -> None:
        for leg in self._legs.values():
            await leg.settle()
        await self._report_in_order()

    async def finish(self) -> None:
        await asyncio.gather(*(leg.finish() for leg in self._legs.values()))
        await self._report_in_order(over=True)

    async def close(self) -> None:
        for leg in self._all():
            await leg.close()

    async def _change(self, sounds: Sounds) -> None:
        await self.finish()
        self._ended += self._legs.values()
        self._legs = {leg: self._gated(self._report_of(leg)) for leg in sounds}
        for listening in self._legs.values():
            await listening.start()
            await listening.skip(self._samples)

    def _report_of(self, leg: Leg | None) -> Report | None:
        if leg is None:
            return None
        channel, name = leg.channel, leg.name

        async def report(said: Reported) -> None:
            segments = [replace(one, channel=channel, speaker=name) for one in said.segments]
            self._order.add(replace(said, segments=tuple(segments)))
            await self._report_in_order()

        return report

    async def _report_in_order(self, *, over: bool = False) -> None:
        """Report what no leg can precede any more. After a failure, only forget it."""
        async with self._reporting:
            earliest = inf if over else min(leg.earliest for leg in self._legs.values())
            for utterance in self._order.take(earliest):
                try:
                    if self.failure is None:
                        await self._reporter.utterance(utterance)
                except ServerFault as fault:
                    self._fault = fault

    def _all(self) -> Iterator[GatedListening]:
        return chain(self._ended, self._legs.values())
