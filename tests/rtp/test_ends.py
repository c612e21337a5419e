"""Calls that end otherwise than by their source: shutdown, and an engine that fails."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest

from coqui_server.engines.base import Engine, Options, Recognizer
from coqui_server.rtp.names import NamedStream, Names
from tests.rtp.proxy import Proxy
from tests.rtp.sender import calling, hush, mu_law, voice
from tests.rtp.viewer import viewing
from tests.rtp.wire import SSRC, goodbye
from tests.support.clips import clip, spoken
from tests.support.daemon import Start

QUIET = "partials.pace = 60 s"
MONDAY = spoken(clip("appointment.wav").text)


@dataclass
class FailsFirst(Proxy):
    """The default engine, but for the first utterance it is given."""

    utterances: Iterator[int] = field(default_factory=count)

    def open(self, options: Options) -> Recognizer:
        if next(self.utterances) == 0:
            raise MemoryError("the first is too much")
        return self.engine.open(options)


async def test_shutdown_in_mid_word(start: Start, moonshine: Engine) -> None:
    """What was said when the daemon shuts down still comes, then nothing is let in."""
    async with start(moonshine) as server, viewing(server) as viewer:
        with calling(server) as (telephone,):
            await telephone.say(mu_law(voice("voicemail.wav", 0.0, 2.2)))
            await telephone.taken(2.1)
            assert viewer.all("final") == []
            server.service.drain()
            await server.rtp.drain()
            await server.service.drained()
            server.service.hub.close()
            end = await viewer.until("session_end")
            with pytest.raises(ConnectionRefusedError):
                for _ in range(2):
                    telephone.send(bytes(160))
    assert viewer.words().startswith("hello this is anna from")
    assert (end["statistics"]["ended"], end["error"]) == ("ended here", None)


async def test_cancelled_in_mid_word(start: Start, moonshine: Engine) -> None:
    """Without time to finish a call is aborted, says so, and leaves no task behind."""
    async with start(moonshine) as server, viewing(server) as viewer:
        with calling(server) as (telephone,):
            await telephone.say(mu_law(voice("voicemail.wav", 0.0, 2.2)))
            await telephone.taken(2.1)
            await server.rtp.__aexit__(None, None, None)
            end = await viewer.until("session_end")
        assert end["error"] == "cancelled"
        assert list(server.rtp) == []
        await server.service.drained()
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert names == {asyncio.current_task().get_name()}  # type: ignore[union-attr]


async def test_a_failure_is_of_one_call(
    start: Start, moonshine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """An engine that fails ends that call's session with the reason, and no other call's."""
    engine = FailsFirst(moonshine)
    async with start(engine, QUIET) as server, viewing(server) as viewer:
        with calling(server, 1, 2) as (unlucky, lucky):
            await lucky.say(mu_law(hush(0.2)))
            await lucky.taken(0.1)
            await unlucky.say(mu_law(voice("appointment.wav", 0.0, 2.2)))
            unlucky.socket.send(goodbye(1))
            failed = await viewer.until("session_end")
            await lucky.say(mu_law(voice("appointment.wav")))
            lucky.socket.send(goodbye(2))
            good = await viewer.until("session_end", 2)
    assert failed["call"].endswith("00000001")
    assert failed["error"] == "the recogniser moonshine failed"
    assert failed["statistics"]["packets"] == 110
    assert (good["error"], viewer.words()) == (None, MONDAY)
    assert [line for line in caplog.messages if "ended early" in line]


async def test_the_next_call_from_a_port(start: Start, moonshine: Engine) -> None:
    """A new call from an address whose call has just said goodbye is heard from its first word."""
    async with start(moonshine, QUIET) as server, viewing(server) as viewer:
        with calling(server) as (telephone,):
            await telephone.say(mu_law(voice("voicemail.wav")))
            telephone.socket.send(goodbye(SSRC))
            telephone.ssrc, telephone.sequence = 2, 1
            await telephone.say(mu_law(voice("appointment.wav")))
            telephone.socket.send(goodbye(2))
            await viewer.until("session_end", 2)
    # The first to begin need not be the first to end: it has more to decode.
    first, second = (start["session"] for start in viewer.all("session_start"))
    assert viewer.words(session=first) == spoken(clip("voicemail.wav").text)
    assert viewer.words(session=second) == MONDAY


async def test_a_late_loop_cuts_no_word(start: Start, moonshine: Engine) -> None:
    """What waits in the kernel while the loop is busy is no pause of the speaker."""
    sound = mu_law(voice("appointment.wav", 0.0, 2.35))
    async with start(moonshine, QUIET) as server, viewing(server, "?call=c") as viewer:
        server.rtp.admission.named.add(NamedStream(None, SSRC, Names(call="c")))
        with calling(server, SSRC, 2) as (telephone, other):
            await telephone.say(sound[:70])
            await telephone.taken(1.2)
            # Now another call's packets come first, and the loop is away for a second.
            for payload in mu_law(hush(30)):
                other.send(payload)
            for payload in sound[70:]:
                telephone.send(payload)
            time.sleep(1)  # noqa: ASYNC251
            await telephone.taken(2.2)
            telephone.socket.send(goodbye(SSRC))
            await viewer.until("session_end")
    assert [final["text"] for final in viewer.all("final")] == [
        "Your appointment is on Monday morning."
    ]
