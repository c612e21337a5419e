"""`coqui_server.rtp.rtcp`: reports, names and goodbyes are read, and our report can be."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coqui_server.exceptions import MalformedPacket
from coqui_server.rtp.rtcp import Bye, Name, ReportBlock, SenderReport, parse, receiver_report
from tests.rtp.wire import (
    description,
    fixed,
    goodbye,
    read_report,
    rtcp,
    sender_report,
)

CNAME, TOOL, END = 1, 6, 0
bits32 = some.integers(0, 2**32 - 1)


def names(*items: tuple[int, bytes], zeros: int = 0) -> list[str]:
    """The names read of a source that describes itself so."""
    read = parse(description((7, items), zeros=zeros))
    assert all(isinstance(item, Name) and item.ssrc == 7 for item in read)
    return [item.text for item in read if isinstance(item, Name)]


@fixed
@given(bits32, some.integers(0, 2**64 - 1), bits32, some.integers(0, 5))
def test_a_sender_report(ssrc: int, ntp: int, timestamp: int, blocks: int) -> None:
    """One moment by two clocks; what it says of other sources is passed over."""
    assert parse(sender_report(ssrc, ntp, timestamp, blocks)) == [
        SenderReport(ssrc, ntp, timestamp)
    ]


def test_the_time_of_a_sender_report() -> None:
    """NTP counts from 1900 in 2^-32 s; 2208988800 of its seconds were over by 1970."""
    assert SenderReport(1, (2_208_988_800 + 1000) << 32 | 1 << 31, 0).time == 1000.5


def test_a_sender_report_without_its_counts_is_malformed() -> None:
    """A report must be whole even where it says nothing to us."""
    for words in range(6):
        with pytest.raises(MalformedPacket):
            parse(rtcp(200, 0, bytes(4 * words)))


def test_names_of_several_sources() -> None:
    """Each chunk of a description names its own source, padded to 32 bits."""
    chunks = [(ssrc, [(CNAME, b"x" * ssrc), (TOOL, b"any")]) for ssrc in range(1, 9)]
    assert parse(description(*chunks)) == [Name(ssrc, "x" * ssrc) for ssrc in range(1, 9)]


def test_what_is_not_a_cname_is_passed_over() -> None:
    """Names, telephone numbers and private items are not what a call is called."""
    others = [(kind, b"other") for kind in range(2, 9)]
    assert names(*others) == []
    assert names(*others, (CNAME, b"caller@pbx"), *others) == ["caller@pbx"]


@pytest.mark.parametrize("length", range(9))
def test_a_name_of_any_length(length: int) -> None:
    """Wherever the text ends in its 32-bit word, the next chunk is found."""
    chunks = [(1, [(CNAME, b"n" * length)]), (2, [(CNAME, b"next")])]
    assert parse(description(*chunks)) == [Name(1, "n" * length), Name(2, "next")]


def test_a_source_without_items_does_not_hide_the_next() -> None:
    """An empty chunk is its SSRC and four zeros."""
    assert parse(description((1, []), (2, [(CNAME, b"two")]))) == [Name(2, "two")]


def test_more_zeros_than_needed_end_a_description() -> None:
    """Some senders pad by a whole word more."""
    assert names((CNAME, b"name"), zeros=4) == ["name"]


def test_a_name_in_another_alphabet() -> None:
    """UTF-8 is kept, and what is not UTF-8 is replaced rather than refused."""
    assert names((CNAME, "손님@회사".encode())) == ["손님@회사"]
    assert names((CNAME, b"caf\xe9")) == ["caf�"]


def test_control_characters_are_taken_out_of_a_name() -> None:
    """A name goes to logs and terminals: it may not move a cursor or begin a line."""
    assert names((CNAME, b"a\x1b[2J\r\nb\0\x7f")) == ["a[2Jb"]
    assert names((CNAME, "a\u202e\u0085b".encode())) == ["ab"]


def test_an_item_longer_than_its_description_is_malformed() -> None:
    """A name is never half of one."""
    with pytest.raises(MalformedPacket):
        parse(rtcp(202, 1, struct.pack("!IBB", 7, CNAME, 200) + b"only this"[:6]))


def test_a_description_of_more_sources_than_it_has_is_malformed() -> None:
    """The count must fit."""
    datagram = bytearray(description((1, [(CNAME, b"one")])))
    datagram[0] += 1
    with pytest.raises(MalformedPacket):
        parse(bytes(datagram))


@pytest.mark.parametrize("count", range(32))
def test_goodbyes(count: int) -> None:
    """Up to 31 sources end in one packet, with or without a reason."""
    ended = tuple(range(count))
    assert parse(goodbye(*ended)) == [Bye(ended)]
    assert parse(goodbye(*ended, reason=b"hung up")) == [Bye(ended)]


def test_a_goodbye_of_more_sources_than_it_has_is_malformed() -> None:
    """The count must fit."""
    with pytest.raises(MalformedPacket):
        parse(rtcp(203, 2, bytes(4)))


COMPOUND = (
    sender_report(1, 2**40, 160, blocks=2)
    + rtcp(201, 1, bytes(28))
    + description((1, [(CNAME, b"caller"), (TOOL, b"pbx")]), (2, [(CNAME, b"agent")]))
    + rtcp(204, 0, b"\0\0\0\x01qtsi" + bytes(8))
    + rtcp(207, 0, bytes(12))
    + goodbye(1, 2, reason=b"over")
)


def test_a_compound() -> None:
    """All that says something to us is read in order; other kinds are passed over."""
    assert parse(COMPOUND) == [
        SenderReport(1, 2**40, 160),
        Name(1, "caller"),
        Name(2, "agent"),
        Bye((1, 2)),
    ]


def test_the_last_packet_may_be_padded() -> None:
    """Padding is for ciphers that want whole blocks, and is not an item."""
    padded = rtcp(203, 1, struct.pack("!I", 9), padding=8)
    assert parse(sender_report(1, 2, 3) + padded) == [SenderReport(1, 2, 3), Bye((9,))]


def test_a_compound_cut_off_anywhere_is_malformed() -> None:
    """Only where a packet ends may the datagram end."""
    whole = parse(COMPOUND)
    ends = set()
    for length in range(len(COMPOUND)):
        try:
            read = parse(COMPOUND[:length])
        except MalformedPacket:
            continue
        assert read == whole[: len(read)]
        ends.add(length)
    assert len(ends) == 6, "nothing, and after each packet but the last"


@pytest.mark.parametrize("version", [0, 1, 3])
def test_another_version_in_a_compound_is_malformed(version: int) -> None:
    """Every packet of a compound has its version checked."""
    with pytest.raises(MalformedPacket):
        parse(sender_report(1, 2, 3) + rtcp(203, 0, b"", version=version))


kinds = some.sampled_from([200, 201, 202, 203, 204, 192, 223])
bodies = some.binary(max_size=40).map(lambda body: body[: len(body) // 4 * 4])
compounds = some.lists(some.builds(rtcp, kinds, some.integers(0, 31), bodies), max_size=4)


@fixed
@given(some.binary(max_size=60) | compounds.map(b"".join))
def test_any_bytes_are_items_or_malformed(datagram: bytes) -> None:
    """Nothing else is raised, and every name can be printed."""
    try:
        items = parse(datagram)
    except MalformedPacket:
        return
    assert all(item.text.isprintable() for item in items if isinstance(item, Name))


@fixed
@given(
    bits32,
    some.text(max_size=60),
    some.builds(
        ReportBlock,
        ssrc=bits32,
        fraction=some.integers(0, 255),
        lost=some.integers(-(2**23), 2**23 - 1),
        highest=bits32,
        jitter=bits32,
        last_report=bits32,
        delay=bits32,
    ),
)
def test_our_report_is_read_by_others(ssrc: int, name: str, block: ReportBlock) -> None:
    """Field by field, as RFC 3550 lays them out."""
    assert read_report(receiver_report(ssrc, name, block)) == (
        ssrc,
        block.ssrc,
        block.fraction,
        block.lost,
        block.highest >> 16,
        block.highest & 0xFFFF,
        block.jitter,
        block.last_report,
        block.delay,
        name.encode(),
    )


@pytest.mark.parametrize("length", [254, 255, 256, 1000])
def test_a_long_name_of_ours_is_cut(length: int) -> None:
    """An item holds 255 bytes."""
    report = receiver_report(1, "n" * length, ReportBlock(2, 0, 0, 0, 0, 0, 0))
    assert read_report(report).name == b"n" * min(length, 255)


@pytest.mark.parametrize(
    ("lost", "told"), [(-1, -1), (2**23, 2**23 - 1), (10**9, 2**23 - 1), (-(10**9), -(2**23))]
)
def test_a_count_of_lost_packets_that_does_not_fit(lost: int, told: int) -> None:
    """24 bits with a sign: duplicates make it negative, and the ends are kept to."""
    block = ReportBlock(1, 255, lost, -1, 2**32 + 5, 0, 2**32 + 6)
    read = read_report(receiver_report(1, "us", block))
    assert (read.fraction, read.lost) == (255, told)
    assert (read.jitter, read.delay, read.sequence) == (5, 6, 0xFFFF), "the others wrap"
