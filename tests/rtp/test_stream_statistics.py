"""`coqui_server.rtp.stream`: what it tells of its packets, to people and to their sender."""

import pytest

from coqui_server.media.formats import Format
from coqui_server.rtp.names import Names
from coqui_server.rtp.rtcp import SenderReport
from tests.rtp.played import PACKET, numbers
from tests.rtp.streamed import opened, receive, rest, sent
from tests.rtp.wire import SSRC, key, packet


def test_a_named_codec_explains_a_dynamic_type() -> None:
    """Without it the packets are unknown, and no codec is claimed."""
    dynamic = [(one._replace(payload_type=99), time) for one, time in sent([1, 2])]
    named = opened(dynamic, Names(codec=Format.parse("L16/16000")))
    assert numbers(rest(named)) == [1, 2]
    assert named.statistics()["codec"] == "L16/16000"
    unnamed = opened(dynamic)
    assert rest(unnamed) == []
    assert (unnamed.statistics()["codec"], unnamed.statistics()["unknown"]) == (None, 2)
    mapped = opened(dynamic, codecs={"99": "L16/16000"})
    assert numbers(rest(mapped)) == [1, 2]


def test_statistics() -> None:
    """What a session's end tells of its packets."""
    stream = opened(sent([1, 2, 3]))
    stream.take(100.06)
    receive(stream, [*sent([3], 100.06), *sent([6], 100.10)])
    stream.take(100.20)
    receive(stream, [*sent([5], 100.20), (packet(7, 0, b"\1", payload_type=101), 100.21)])
    stream.cname = "caller@pbx"
    rest(stream)
    told = stream.statistics()
    assert told.pop("jitter_ms") > 0
    assert told == {
        "source": "192.0.2.7:4000",
        "ssrc": "1234abcd",
        "cname": "caller@pbx",
        "codec": "L16/16000",
        "packets": 5,
        "lost": 1,
        "late": 1,
        "duplicates": 1,
        "overrun": 0,
        "unknown": 0,
        "malformed": 1,
        "started": None,
    }


def test_jitter_is_told_in_milliseconds() -> None:
    """Every other packet 10 ms late; keys, whose timestamps stand still, do not count."""
    stream = opened(sent([0, 1]), codecs={"101": "telephone-event/16000"})
    for number in range(2, 250):
        (one, time), *_ = sent([number], 100 + number * 0.02 + number % 2 * 0.01)
        if number % 5 == 4:
            one = packet(number, 77, key(1, 160), payload_type=101)
        stream.receive(one, time)
    assert stream.statistics()["jitter_ms"] == pytest.approx(10, rel=0.35)


def test_the_sources_clock_tells_when_it_began() -> None:
    """A sender report places the first packet in time; a later source's does not move it."""
    stream = opened(sent([1, 2]))
    ntp = round((2_208_988_800 + 1_700_000_000.5) * 2**32)
    stream.reported(SenderReport(SSRC, ntp, PACKET + 8 * 16_000), 108.0)
    assert stream.statistics()["started"] == 1_700_000_000.5 - 8
    stream.resume(sent([3, 4], 120.0, ssrc=2))
    stream.reported(SenderReport(2, ntp + (50 << 32), 3 * PACKET), 120.0)
    assert stream.statistics()["started"] == 1_700_000_000.5 - 8


def test_the_report_to_a_source_is_on_that_source() -> None:
    """After a change of SSRC the loss of the old one is not held against the new."""
    stream = opened(sent([1, 2]))
    receive(stream, sent([5], 100.08))
    assert (stream.report(101.0).ssrc, stream.report(101.0).lost) == (SSRC, 2)
    stream.resume(sent([6, 7], 110.0, sequence=50, ssrc=0xBEEF))
    block = stream.report(111.0)
    assert (block.ssrc, block.lost, block.highest) == (0xBEEF, 0, 57)
