"""A flood of random and broken datagrams beside a good call; `tools.fuzz` does it at length."""

import asyncio
import logging
from itertools import islice

import psutil
import pytest

from coqui_server.engines.base import Engine
from coqui_server.rtp import switchboard
from tests.rtp.sender import calling, mu_law, voice
from tests.rtp.viewer import Viewer, viewing
from tests.rtp.wire import SSRC, goodbye
from tests.support.clips import clip, spoken
from tests.support.daemon import Start
from tools.fuzz.datagrams import datagrams

COUNT = 50_000
CALLS = 3
SETTINGS = f"rtp.max_calls = {CALLS}, rtp.jitter = 1 s, partials.pace = 60 s"
MEGABYTE = 2**20


async def ended(viewer: Viewer, ssrc: int) -> str:
    """The session of a source, once it has ended."""
    while True:
        for end in viewer.all("session_end"):
            if end["statistics"]["ssrc"] == f"{ssrc:08x}":
                return str(end["session"])
        await viewer.read()


async def test_a_good_call_in_a_flood(
    start: Start, moonshine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is raised, the good call says all its words, and no table or memory grows."""
    caplog.set_level(logging.INFO)
    sound, memory = mu_law(voice("voicemail.wav")), []
    flood, batch = islice(datagrams(5), COUNT), COUNT // len(sound) + 2
    async with start(moonshine, SETTINGS) as server, viewing(server) as viewer:
        with calling(server) as (good,), calling(server, *range(4)) as strangers:
            await good.say(sound[:2])
            await good.taken(0)
            for payload in sound[2:]:
                good.send(payload)
                for number, datagram in enumerate(islice(flood, batch)):
                    strangers[number % len(strangers)].socket.send(datagram)
                    if number % 32 == 31:
                        await asyncio.sleep(0)
                memory.append(psutil.Process().memory_info().rss)
            good.socket.send(goodbye(SSRC))
            session = await ended(viewer, SSRC)
        assert next(flood, None) is None, "all of them were sent"
        assert server.rtp.shared is not None
        board = server.rtp.shared.switchboard
        assert board.candidates <= switchboard.CANDIDATES
        assert len(list(board)) <= len(list(server.rtp)) <= CALLS
        assert len(server.rtp.drops.total) < 200
        dropped = sum(server.rtp.drops.total.values())
    assert viewer.words(session=session) == spoken(clip("voicemail.wav").text)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert dropped > COUNT / 4
    assert len(caplog.messages) < COUNT / 50, "one line for a reason, and a few for each call"
    assert max(memory) - memory[len(memory) // 2] < 30 * MEGABYTE
