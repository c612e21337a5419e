"""What is said in calls that are hard to follow: keys, holds, other codecs, loss, many at once."""

import asyncio
import tracemalloc
from dataclasses import dataclass, field
from itertools import permutations

import numpy as np
import pytest
import soxr

from coqui_server.engines.base import Engine, Hypothesis, Options, Recognizer
from coqui_server.media.samples import Samples
from tests.rtp.coded import encoded, law
from tests.rtp.proxy import Proxy
from tests.rtp.sender import Telephone, calling, hush, mu_law, voice
from tests.rtp.viewer import viewing
from tests.rtp.wire import SSRC, goodbye, key
from tests.support.clips import clip, spoken
from tests.support.daemon import Start
from tools.sounds import at, tones

QUIET = "partials.pace = 60 s"
"""No partials, where they are not looked at: each costs a decode."""

SENTENCES: dict[str, tuple[str, float, float | None]] = {
    "hello this is anna from the dental office": ("voicemail.wav", 0.0, 3.4),
    "please call me back when you have a moment": ("voicemail.wav", 3.4, None),
    "your appointment is on monday morning": ("appointment.wav", 0.0, 2.35),
    "please bring your insurance card": ("appointment.wav", 2.35, None),
    "tomorrow will be cloudy in the morning with light rain in the afternoon": (
        "weather.flac",
        0.0,
        None,
    ),
}


@dataclass
class Overheard(Proxy):
    """The default engine, and all sound that reached it."""

    sound: list[Samples] = field(default_factory=list)

    def open(self, options: Options) -> Recognizer:
        return _Overhearing(self.engine.open(options), self.sound)

    def tone(self, *hertz: float) -> float:
        """The largest share of a 20 ms frame's power that is these tones."""
        whole = np.concatenate(self.sound).astype(np.float64)
        frames = whole[: len(whole) // 320 * 320].reshape(-1, 320)
        times = np.arange(320) / 16_000
        power = sum(
            np.abs(frames @ np.exp(-2j * np.pi * frequency * times)) ** 2 for frequency in hertz
        )
        return float(np.max(2 * power / 320 / (np.sum(frames**2, axis=1) + 1e3)))


@dataclass
class _Overhearing:
    recognizer: Recognizer
    sound: list[Samples]

    def feed(self, pcm: Samples) -> None:
        self.sound.append(pcm)
        self.recognizer.feed(pcm)

    def partial(self) -> Hypothesis:
        return self.recognizer.partial()

    def finish(self) -> Hypothesis:
        return self.recognizer.finish()


async def press_five(telephone: Telephone, tone: list[bytes], *, told: bool) -> None:
    """Send the tone of a key, and the events that go with it if it is told."""
    pressed = telephone.timestamp % 2**32

    async def tell(duration: int, *, end: bool = False) -> None:
        if told:
            telephone.payload_type = 101
            telephone.send(key(5, duration, end=end), timestamp=pressed)
            telephone.payload_type = 0

    for place, payload in enumerate(tone):
        await tell(160 * place + 160)
        telephone.send(payload)
    for _ in range(3):
        await tell(160 * len(tone), end=True)


@pytest.mark.parametrize("told", [True, False], ids=["events", "no events"])
async def test_a_key_is_not_speech(start: Start, moonshine: Engine, told: bool) -> None:
    """Key 5 comes as one event, and its tone does not reach the recogniser; untold, it does."""
    engine = Overheard(moonshine)
    tone: Samples = soxr.resample(at(-12, tones(0.3, 770, 1336)), 16_000, 8000)
    async with start(engine, QUIET) as server, viewing(server, "?kind=rtp") as viewer:
        with calling(server) as (telephone,):
            before = mu_law(voice("appointment.wav", 0.0, 2.35))
            await telephone.say(before)
            await press_five(telephone, law(tone), told=told)
            await telephone.say(mu_law(voice("appointment.wav", 2.35)))
            telephone.socket.send(goodbye(SSRC))
            await viewer.until("session_end")
    if told:
        (pressed,) = viewer.all("dtmf")
        assert pressed["digit"] == "5"
        # The resampler holds back some 60 ms.
        assert abs(pressed["start"] - len(before) * 0.02) < 0.1
        assert viewer.words() == spoken(clip("appointment.wav").text)
        assert engine.tone(770, 1336) < 0.8
    else:
        assert viewer.all("dtmf") == []
        assert engine.tone(770, 1336) > 0.95


async def test_an_hour_on_hold(
    start: Start, moonshine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an hour without packets the call goes on an hour later, at no cost in memory."""
    loop, hold = asyncio.get_running_loop(), [0.0]
    really = loop.time
    monkeypatch.setattr(loop, "time", lambda: really() + hold[0])
    settings = f"{QUIET}, rtp.idle = 2 hours"
    async with start(moonshine, settings) as server, viewing(server) as viewer:
        with calling(server) as (telephone,):
            sound = mu_law(voice("voicemail.wav"))
            await telephone.say(sound[:170])
            await telephone.taken(3.4)
            tracemalloc.start()
            hold[0] = 3600.0
            telephone.timestamp += 3600 * 8000
            await telephone.say(sound[170:])
            telephone.socket.send(goodbye(SSRC))
            end = await viewer.until("session_end")
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
    first, second = viewer.all("final")
    assert first["end"] < 4
    assert 3603 < second["start"] < second["end"] < 3607
    assert viewer.words() == spoken(clip("voicemail.wav").text)
    assert abs(end["duration"] - 3600 - len(sound) * 0.02) < 0.1
    assert peak < 20e6, "an hour of samples is 115 MB"


async def test_the_payload_type_changes(start: Start, moonshine: Engine) -> None:
    """Another codec and another packet length in mid-call are decoded from their first packet."""
    a_law = law(voice("appointment.wav", 0.0, 2.35), "alaw", 30)
    wide: Samples = soxr.resample(voice("weather.flac"), 8000, 16_000)
    async with start(moonshine, QUIET) as server, viewing(server, "?kind=rtp") as viewer:
        with calling(server) as (telephone,):
            await telephone.say(mu_law(voice("voicemail.wav")))
            telephone.payload_type = 8
            await telephone.say(a_law, ticks=240)
            await telephone.taken(8)
            telephone.payload_type = 9
            await telephone.say(encoded("g722", wide, 16_000))
            telephone.socket.send(goodbye(SSRC))
            end = await viewer.until("session_end")
    first, last = (spoken(clip(name).text) for name in ("voicemail.wav", "weather.flac"))
    assert viewer.words() == f"{first} your appointment is on monday morning {last}"
    assert end["statistics"]["codec"] == "G722/8000"
    assert (end["statistics"]["lost"], end["statistics"]["malformed"]) == (0, 0)


def said(one: str, other: str) -> list[bytes]:
    """Two of the sentences, with a pause between them."""
    return mu_law(voice(*SENTENCES[one]), hush(0.5), voice(*SENTENCES[other]))


async def test_twenty_calls_do_not_mix(start: Start, moonshine: Engine) -> None:
    """Each of twenty calls at once says another two sentences, and is heard to say just those."""
    pairs = {100 + place: pair for place, pair in enumerate(permutations(SENTENCES, 2))}
    # On a busy machine this process, which is sender and server, may be away for half a second.
    settings = f"{QUIET}, rtp.jitter = 1 s"
    async with start(moonshine, settings) as server, viewing(server, "?kind=rtp") as viewer:
        with calling(server, *pairs) as telephones:
            await asyncio.gather(*(each.say(said(*pairs[each.ssrc])) for each in telephones))
            for telephone in telephones:
                telephone.socket.send(goodbye(telephone.ssrc))
            await viewer.until("session_end", len(pairs))
    heard = {
        int(end["statistics"]["ssrc"], 16): viewer.words(session=end["session"])
        for end in viewer.all("session_end")
    }
    assert heard == {ssrc: " ".join(pair) for ssrc, pair in pairs.items()}
