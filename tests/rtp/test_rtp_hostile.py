"""A flood of random and broken datagrams beside a good call, as `tools.fuzz_rtp` at length."""

import asyncio
import logging
import socket
import time
from itertools import islice

import psutil
import pytest

from coqui_server.engines.base import Engine
from tests.conftest import clip, spoken
from tests.protocols.conftest import Start
from tests.rtp.sender import calling, mu_law, voice
from tests.rtp.viewer import viewing
from tests.rtp.wire import SSRC, goodbye
from tools.hostile import datagrams

COUNT = 50_000
SETTINGS = """
    rtp.max_calls = 8
    partials.pace = 60 s
"""


async def test_a_good_call_in_a_flood(
    start: Start, moonshine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is raised, the good call says all its words, and no table or memory grows."""
    caplog.set_level(logging.INFO)
    async with start(moonshine, SETTINGS) as server, viewing(server) as viewer:
        with calling(server) as (good,), calling(server, *range(4)) as strangers:
            sound = mu_law(voice("voicemail.wav"))
            flood = islice(datagrams(5), COUNT)
            t=time.time()
            for place, payload in enumerate(sound):
                good.send(payload)
                for number, datagram in enumerate(islice(flood, COUNT // len(sound) + 1)):
                    strangers[number % 4].socket.send(datagram)
                    if number % 32 == 31:
                        await asyncio.sleep(0)
                await asyncio.sleep(0)
                if place % 32 == 0: print(place, psutil.Process().memory_info().rss>>20, len(list(server.rtp)), time.time()-t)
            good.socket.send(goodbye(SSRC))
            end = await viewer.until("session_end", label=None)
            while not [e for e in viewer.all("session_end") if e["statistics"].get("ssrc") == f"{SSRC:08x}"]:
                await viewer.read()
        print(time.time()-t, server.rtp.drops.total)
        print(len(server.rtp.shared.switchboard._candidates), len(viewer.all("session_start")))
        print([e for e in viewer.all("session_end")][-3:])
        print(viewer.all("final"))
