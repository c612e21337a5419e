"""Calls over real sockets: who opens one, what belongs to it, and how it ends."""

import asyncio

import numpy as np
import pytest

from coqui_server.engines.base import Engine
from coqui_server.rtp.switchboard import SILENT
from tests.rtp.sender import calling, hush, mu_law, voice
from tests.rtp.viewer import viewing
from tests.rtp.wire import SSRC, description, goodbye, read_report, sender_report
from tests.support.clips import clip, spoken
from tests.support.daemon import Start

ANNA, CALL_BACK = ("voicemail.wav", 0.0, 3.4), ("voicemail.wav", 3.4)
VOICEMAIL = spoken(clip("voicemail.wav").text)
MONDAY = spoken(clip("appointment.wav").text)
QUIET = "partials.pace = 60 s"


async def test_first_word_and_goodbye(start: Start, moonshine: Engine) -> None:
    """The packets of probation are played, and after BYE the last word is still said."""
    sound = mu_law(voice("appointment.wav"))
    async with start(moonshine) as server, viewing(server, "?kind=rtp") as viewer:
        with calling(server) as (telephone,):
            await telephone.say(sound)
            telephone.socket.send(goodbye(SSRC))
            end = await viewer.until("session_end")
            source = telephone.source
    assert viewer.words() == MONDAY
    assert end["duration"] == len(sound) * 0.02
    assert end["call"] == f"{source}/{SSRC:08x}"
    statistics = end["statistics"]
    assert statistics["ended"] == "the source said goodbye"
    assert (statistics["packets"], statistics["lost"], statistics["late"]) == (len(sound), 0, 0)
    kinds = [event["event"] for event in viewer.events]
    assert kinds[0] == "session_start"
    assert kinds[-3:] == ["final", "utterance_end", "session_end"]


async def test_noise_opens_nothing(start: Start, moonshine: Engine) -> None:
    """A packet alone, two far apart, and all that is no RTP are no call, and get no answer."""
    async with start(moonshine) as server, viewing(server, "?kind=rtp") as viewer:
        with calling(server, 1, 2, 3) as (alone, apart, good):
            alone.send(bytes(160))
            apart.send(bytes(160))
            apart.sequence += 50
            apart.send(bytes(160))
            for datagram in (b"", b"\x80", b"GET / HTTP/1.0\r\n\r\n", b"\x00\x01\x00\x00" * 5):
                alone.socket.send(datagram)
            for ssrc in (1, 2):
                alone.socket.send(sender_report(ssrc, 1 << 32, 0))
                alone.socket.send(description((ssrc, [(1, b"stranger")])) + goodbye(ssrc))
            await good.say(mu_law(voice("appointment.wav")))
            good.socket.send(goodbye(3))
            await viewer.until("session_end")
            for stranger in (alone, apart):
                with pytest.raises(BlockingIOError):
                    stranger.socket.recv(1500)
        assert [start["call"][-8:] for start in viewer.all("session_start")] == ["00000003"]
        assert viewer.words() == MONDAY
        assert server.rtp.drops.total["which was not RTP"] == 4


async def test_another_source_continues_the_call(start: Start, moonshine: Engine) -> None:
    """A new SSRC from the same address, after the old one fell silent, is the same call."""
    async with start(moonshine) as server, viewing(server, "?kind=rtp") as viewer:
        with calling(server) as (telephone,):
            await telephone.say(mu_law(voice(*ANNA)))
            await asyncio.sleep(2 * SILENT)
            telephone.ssrc, telephone.sequence, telephone.timestamp = 77, 100, 0
            await telephone.say(mu_law(voice(*CALL_BACK)))
            telephone.socket.send(goodbye(77))
            end = await viewer.until("session_end")
    assert len(viewer.all("session_start")) == 1
    assert viewer.words() == VOICEMAIL
    assert end["statistics"]["ssrc"] == f"{77:08x}"
    assert end["statistics"]["lost"] == 0


async def test_two_sources_at_once_are_two_calls(start: Start, moonshine: Engine) -> None:
    """Two SSRCs from one address that speak at the same time have a session each."""
    async with start(moonshine) as server, viewing(server, "?kind=rtp") as viewer:
        with calling(server, 1, 2) as (one, other):
            other.socket.close()
            other.socket = one.socket
            await asyncio.gather(
                one.say(mu_law(voice("voicemail.wav")), pace=0.005),
                other.say(mu_law(voice("appointment.wav"), hush(2)), pace=0.005),
            )
            one.socket.send(goodbye(1, 2))
            await viewer.until("session_end", 2)
    words = {end["call"][-1]: viewer.words(call=end["call"]) for end in viewer.all("session_end")}
    assert words == {"1": VOICEMAIL, "2": MONDAY}


async def test_a_taken_ssrc_is_not_let_in(start: Start, moonshine: Engine) -> None:
    """The same SSRC from another port is dropped and counted, and the call goes on unharmed."""
    async with start(moonshine) as server, viewing(server, "?kind=rtp") as viewer:
        with calling(server, SSRC, SSRC) as (first, second):
            first_half, second_half = mu_law(voice(*ANNA)), mu_law(voice(*CALL_BACK))
            await first.say(first_half)
            await second.say(mu_law(voice("appointment.wav")))
            await first.say(second_half)
            first.socket.send(goodbye(SSRC))
            end = await viewer.until("session_end")
        dropped = server.rtp.drops.total["with the SSRC of a stream from another address"]
    assert viewer.words() == VOICEMAIL
    assert end["statistics"]["packets"] == len(first_half) + len(second_half)
    assert dropped == len(mu_law(voice("appointment.wav"))) - 1


async def test_an_encrypted_call(
    start: Start, moonshine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """It has no text, and the session and the log say why, once."""
    noise = np.random.default_rng(1)
    async with start(moonshine) as server, viewing(server, "?kind=rtp") as viewer:
        with calling(server) as (telephone,):
            await telephone.say([noise.bytes(170) for _ in range(200)])
            telephone.socket.send(goodbye(SSRC))
            end = await viewer.until("session_end")
    assert viewer.all("final") == []
    assert [warning["code"] for warning in end["warnings"]] == ["encrypted"]
    assert caplog.text.count("encrypted: the packets") == 1


async def test_rtcp_on_the_next_port(start: Start, moonshine: Engine) -> None:
    """Name and BYE are taken on port+1, and the report goes back from there with its fields."""
    sound = mu_law(voice("appointment.wav"))
    async with start(moonshine) as server, viewing(server, "?kind=rtp") as viewer:
        with calling(server) as (telephone,):
            with calling(server, port=telephone.port + 1) as (control,):
                await telephone.say(sound[:50])
                telephone.sequence, telephone.timestamp = 65_560, telephone.timestamp + 1600
                await telephone.say(sound[60:])
                await telephone.taken(len(sound) * 0.02)
                ntp = 0x11112222_33334444
                control.socket.send(sender_report(SSRC, ntp, 0))
                control.socket.send(description((SSRC, [(1, b"Anna")])))
                report = await asyncio.get_running_loop().sock_recv(control.socket, 1500)
                control.socket.send(sender_report(SSRC, ntp, 0))
                control.socket.send(goodbye(SSRC))
                end = await viewer.until("session_end")
                with pytest.raises(BlockingIOError):
                    control.socket.recv(1500)
            with pytest.raises(BlockingIOError):
                telephone.socket.recv(1500)
    assert (end["label"], end["statistics"]["cname"]) == ("Anna", "Anna")
    read = read_report(report)
    assert (read.about, read.lost, read.fraction) == (SSRC, 10, 10 * 256 // len(sound))
    assert (read.cycles, read.sequence) == divmod(65_500 + len(sound) - 1, 65_536)
    assert read.last_report == 0x22223333
    assert read.delay < 65_536
    assert read.name == b"coqui_server"


async def test_silence_ends_the_call(start: Start, moonshine: Engine) -> None:
    """Without packets a call is over after `rtp.idle`, and all of it was said before."""
    async with start(moonshine, "rtp.idle = 1 s") as server, viewing(server) as viewer:
        with calling(server) as (telephone,):
            await telephone.say(mu_law(voice("appointment.wav")))
            final = await viewer.until("final")
            assert telephone.leg is not None, "the final came before the end of the call"
            end = await viewer.until("session_end")
    assert spoken(final["text"]) in MONDAY
    assert viewer.words() == MONDAY
    assert end["statistics"]["ended"] == "no packets"
    assert end["error"] is None


async def test_strangers_are_not_let_in(
    start: Start, moonshine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever is not in `rtp.allow` opens nothing, and thousands of packets make one line."""
    count = 5000
    settings = 'rtp.allow = ["10.0.0.0/8"]'
    async with start(moonshine, settings) as server, viewing(server, "?kind=rtp") as viewer:
        with calling(server) as (stranger,):
            await stranger.say([bytes(160)] * count)
            stranger.socket.send(sender_report(SSRC, 1 << 32, 0))
            while sum(server.rtp.drops.total.values()) < count + 1:
                await asyncio.sleep(0)
            with pytest.raises(BlockingIOError):
                stranger.socket.recv(1500)
        assert server.rtp.drops.total == {"whose sender is not in rtp.allow": count + 1}
        assert list(server.rtp) == []
    assert viewer.events == []
    lines = [line for line in caplog.messages if line.startswith("rtp: dropped")]
    assert len(lines) == 1
    assert "rtp.allow" in lines[0]


async def test_no_more_than_max_calls(
    start: Start, moonshine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """Beyond `rtp.max_calls` a call is not taken, with a line that says so, until one has ended."""
    sound = mu_law(voice("appointment.wav"))
    async with start(moonshine, "rtp.max_calls = 2") as server, viewing(server) as viewer:
        with calling(server, 1, 2, 3) as (first, second, third):
            for telephone in (first, second):
                telephone.send(sound[0])
                telephone.send(sound[1])
                await viewer.until("session_start", telephone.ssrc)
            await third.say(mu_law(hush(1)))
            while not server.rtp.drops.total["beyond the 2 calls of rtp.max_calls"]:
                await asyncio.sleep(0)
            await second.say(sound[2:])
            second.socket.send(goodbye(2))
            await viewer.until("session_end")
            assert len(viewer.all("session_start")) == 2
            await third.say(sound)
            third.socket.send(goodbye(3))
            end = await viewer.until("session_end", 2)
    assert [viewer.words(session=end["session"]) for end in viewer.all("session_end")] == [
        MONDAY
    ] * 2
    assert end["call"].endswith("00000003")
    assert len([line for line in caplog.messages if "rtp.max_calls" in line]) == 1
