"""A bad network: packets lost, late and out of order cost words in proportion, and no more."""

import asyncio
import random

import jiwer
import pytest

from coqui_server.engines.base import Engine
from tests.rtp.sender import Telephone, calling, mu_law, voice
from tests.rtp.viewer import Message, Viewer, viewing
from tests.rtp.wire import goodbye, packet, rtp
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start

CLIPS = {
    1: "voicemail.wav",
    2: "appointment.wav",
    3: "telephone.wav",
    4: "weather.flac",
}
LOSS = 0.05
JITTER = 0.04
FRAME = 0.02


def through_the_network(payloads: list[bytes], chance: random.Random) -> list[tuple[float, int]]:
    """When each packet arrives, in the order of arrival; those that are lost are not there.

    The last two are never lost, or nobody could know that anything was.
    """
    arrivals = [
        (number * FRAME + chance.uniform(0, JITTER), number)
        for number in range(len(payloads))
        if chance.random() >= LOSS or number >= len(payloads) - 2
    ]
    return sorted(arrivals)


async def say_badly(telephone: Telephone, payloads: list[bytes], chance: random.Random) -> int:
    """Send at real pace through the network; how many packets were lost."""
    arrivals = through_the_network(payloads, chance)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for due, number in arrivals:
        await asyncio.sleep(began + due - loop.time())
        sent = packet(number, number * 160, payloads[number], ssrc=telephone.ssrc)
        telephone.socket.send(rtp(sent))
    return len(payloads) - len(arrivals)


async def heard(server: Running, viewer: Viewer, *, badly: bool) -> tuple[dict[int, Message], int]:
    """All clips as calls at once: their last events, and how many packets were lost."""
    chance = random.Random(20)
    before = len(viewer.all("session_end"))
    with calling(server, *CLIPS) as telephones:
        sounds = [mu_law(voice(CLIPS[telephone.ssrc])) for telephone in telephones]
        if badly:
            lost = await asyncio.gather(
                *(say_badly(*pair, chance) for pair in zip(telephones, sounds, strict=True))
            )
        else:
            await asyncio.gather(
                *(telephone.say(it) for telephone, it in zip(telephones, sounds, strict=True))
            )
            lost = []
        for telephone in telephones:
            telephone.socket.send(goodbye(telephone.ssrc))
        await viewer.until("session_end", before + len(CLIPS))
    ends = viewer.all("session_end")[before:]
    return {int(end["statistics"]["ssrc"], 16): end for end in ends}, sum(lost)


async def test_words_lost_stay_in_proportion(
    start: Start, moonshine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """5 % lost at random, 40 ms of jitter, out of order: at most three times as many words."""
    async with start(moonshine, "partials.pace = 60 s") as server, viewing(server) as viewer:
        clean, _ = await heard(server, viewer, badly=False)
        bad, lost = await heard(server, viewer, badly=True)
    reference = [viewer.words(session=clean[ssrc]["session"]) for ssrc in CLIPS]
    hypothesis = [viewer.words(session=bad[ssrc]["session"]) for ssrc in CLIPS]
    rate = jiwer.wer(reference, hypothesis)
    statistics = [bad[ssrc]["statistics"] for ssrc in CLIPS]
    jitter = [entry["jitter_ms"] for entry in statistics]
    with capsys.disabled():
        figures = f"{rate:.1%} against the clean run, {lost} packets lost, jitter {jitter} ms"
        print(f"\nWER {figures}")  # noqa: T201
    assert reference == [spoken(clip(name).text) for name in CLIPS.values()]
    assert rate <= 3 * LOSS
    assert sum(entry["lost"] for entry in statistics) == lost > 0
    assert sum(entry["overrun"] + entry["duplicates"] for entry in statistics) == 0
    assert all(abs(bad[ssrc]["duration"] - clean[ssrc]["duration"]) < 0.1 for ssrc in CLIPS)
