"""`coqui_server.rtp.packet`: what is RTP is read, and all else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coqui_server.exceptions import MalformedPacket
from coqui_server.rtp.packet import Packet, ahead, is_rtcp, parse, primary
from tests.rtp.wire import fixed, packet, red, rtp

SOUND = bytes(range(160))
WHOLE = packet(7, 160, SOUND)

packets = some.builds(
    Packet,
    some.integers(0, 127),
    some.booleans(),
    some.integers(0, 2**16 - 1),
    some.integers(0, 2**32 - 1),
    some.integers(0, 2**32 - 1),
    some.binary(max_size=400),
)
extensions = some.tuples(
    some.sampled_from([0xBEDE, 0x1000, 0x100F, 0, 0xFFFF]),
    some.integers(0, 30).flatmap(lambda words: some.binary(min_size=4 * words, max_size=4 * words)),
)


@fixed
@given(
    packets,
    some.lists(some.integers(0, 2**32 - 1), max_size=15),
    some.none() | extensions,
    some.integers(0, 255),
)
def test_what_was_built_is_read(
    made: Packet, csrcs: list[int], extension: tuple[int, bytes] | None, padding: int
) -> None:
    """Every field comes back, whatever else the header has and however the packet is padded."""
    assert parse(rtp(made, csrcs=csrcs, extension=extension, padding=padding)) == made


@fixed
@given(some.binary(max_size=100) | some.binary(max_size=80).map(lambda rest: b"\xbf" + rest))
def test_any_bytes_are_a_packet_or_malformed(datagram: bytes) -> None:
    """Nothing else is raised, and no payload is longer than what came."""
    try:
        read = parse(datagram)
    except MalformedPacket:
        return
    assert datagram[0] >> 6 == 2
    assert len(read.payload) <= len(datagram) - 12
    assert read.payload in datagram


@fixed
@given(packets, some.data())
def test_a_packet_cut_off_in_its_header_is_malformed(made: Packet, data: some.DataObject) -> None:
    """Without all of its fixed header, CSRCs and extension it is refused."""
    header = rtp(made._replace(payload=b""), csrcs=[1] * 5, extension=(0xBEDE, b"\x10\x00\x00\x00"))
    assert parse(header).payload == b""
    with pytest.raises(MalformedPacket):
        parse(header[: data.draw(some.integers(0, len(header) - 1))])


@pytest.mark.parametrize("version", [0, 1, 3])
def test_another_version_is_refused(version: int) -> None:
    """Version 2 alone is RTP."""
    with pytest.raises(MalformedPacket, match="version"):
        parse(rtp(WHOLE, version=version))


def test_stun_and_dtls_are_refused() -> None:
    """What RFC 7983 gives to STUN (0 to 3), DTLS (20 to 63) and others is not RTP."""
    for first in (*range(128), *range(192, 256)):
        with pytest.raises(MalformedPacket):
            parse(bytes([first]) + rtp(WHOLE)[1:])


@pytest.mark.parametrize("padding", [1, 4, 100, 255])
def test_padding_is_not_payload(padding: int) -> None:
    """The last byte says how much to take off, itself with it."""
    assert parse(rtp(WHOLE, padding=padding)).payload == SOUND


def test_a_packet_of_padding_alone_is_empty() -> None:
    """All of the payload may be padding: senders keep a path open with such packets."""
    assert parse(rtp(WHOLE._replace(payload=b""), padding=160)).payload == b""


@pytest.mark.parametrize("last", [0, 161, 255])
def test_padding_that_cannot_be_is_malformed(last: int) -> None:
    """Padding of no length, or of more than the payload, is refused."""
    datagram = bytearray(rtp(WHOLE._replace(payload=SOUND[:-1] + bytes([last]))))
    datagram[0] |= 0x20
    with pytest.raises(MalformedPacket):
        parse(bytes(datagram))


def test_padding_does_not_reach_into_the_header() -> None:
    """A packet without a payload that claims to be padded is refused, not read backwards."""
    datagram = bytearray(rtp(WHOLE._replace(payload=b"", ssrc=4)))
    datagram[0] |= 0x20
    with pytest.raises(MalformedPacket):
        parse(bytes(datagram))


@pytest.mark.parametrize("count", range(16))
def test_csrcs_are_skipped(count: int) -> None:
    """A mixer's up to 15 contributing sources are not sound."""
    assert parse(rtp(WHOLE, csrcs=range(count))).payload == SOUND


@pytest.mark.parametrize(
    "extension",
    [
        (0xBEDE, b""),
        (0xBEDE, b"\x10\xff\x32\x01\x02\x03\x00\x00"),
        (0x1000, b"\x01\x00\x05\x02\xaa\xbb\x00\x00"),
        (0x0000, bytes(400)),
    ],
    ids=["empty", "one-byte items", "two-byte items", "long"],
)
def test_header_extensions_are_skipped(extension: tuple[int, bytes]) -> None:
    """RFC 8285's two forms and any other are passed over by their length."""
    assert parse(rtp(WHOLE, extension=extension)) == WHOLE
    assert parse(rtp(WHOLE, extension=extension, csrcs=[1, 2], padding=4)) == WHOLE


def test_an_extension_longer_than_its_packet_is_malformed() -> None:
    """A length that points past the end is refused."""
    datagram = bytearray(rtp(WHOLE, extension=(0xBEDE, b"")))
    datagram[14:16] = b"\xff\xff"
    with pytest.raises(MalformedPacket):
        parse(bytes(datagram))


@pytest.mark.parametrize("payload_type", [0, 8, 96, 127])
def test_the_marker_is_not_of_the_payload_type(payload_type: int) -> None:
    """The second byte's highest bit is the marker, and the type is the rest."""
    for marker in (False, True):
        read = parse(rtp(packet(1, payload_type=payload_type, marker=marker)))
        assert (read.payload_type, read.marker) == (payload_type, marker)


def test_rtcp_is_told_by_its_second_byte() -> None:
    """192 to 223 is RTCP (RFC 5761), which is RTP's types 64 to 95 with the marker."""
    found = [second for second in range(256) if is_rtcp(bytes([0x80, second]) + bytes(10))]
    assert found == list(range(192, 224))
    assert not is_rtcp(rtp(WHOLE))
    assert is_rtcp(b"\xbf\xc8")


@pytest.mark.parametrize("datagram", [b"", b"\x80", b"\x40\xc8", b"\x00\xc8", b"\xc0\xc8"])
def test_what_is_not_version_2_is_no_rtcp(datagram: bytes) -> None:
    """A short datagram, or one of another version, is not RTCP either."""
    assert not is_rtcp(datagram)


@fixed
@given(some.integers(0, 2**16 - 1), some.integers(-(2**15), 2**15 - 1))
def test_ahead_is_the_way_on_a_circle(old: int, way: int) -> None:
    """From one number to another, the shorter way round; half of it counts as behind."""
    assert ahead((old + way) % 2**16, old, 2**16) == way


def test_ahead_wraps() -> None:
    """Both counters go on after their last number."""
    assert ahead(0, 65535, 2**16) == 1
    assert ahead(65535, 0, 2**16) == -1
    assert ahead(100, 2**32 - 60, 2**32) == 160
    assert ahead(2**32 - 60, 100, 2**32) == -160
    assert ahead(5, 5, 2**16) == 0


blocks = some.lists(
    some.tuples(some.integers(0, 127), some.integers(0, 2**14 - 1), some.binary(max_size=1023)),
    max_size=4,
)


@fixed
@given(some.integers(0, 127), some.binary(max_size=300), blocks)
def test_the_newest_block_of_a_redundant_packet(
    kind: int, payload: bytes, older: list[tuple[int, int, bytes]]
) -> None:
    """RFC 2198: older blocks are skipped by their lengths, and the rest is the primary."""
    assert primary(red((kind, payload), *older)) == (kind, payload)


def test_the_longest_blocks_are_skipped() -> None:
    """A block's length has ten bits."""
    longest = [(0, 2**14 - 1, bytes([n]) * 1023) for n in range(3)]
    assert primary(red((8, SOUND), *longest)) == (8, SOUND)


@fixed
@given(some.binary(max_size=60))
def test_any_redundant_payload_is_read_or_malformed(payload: bytes) -> None:
    """Nothing else is raised, and what is read is the payload's end."""
    try:
        kind, inner = primary(payload)
    except MalformedPacket:
        return
    assert kind < 128
    assert payload.endswith(inner)
    assert len(inner) < len(payload)


@pytest.mark.parametrize(
    "payload",
    [b"", b"\x80", b"\x80\x00\x00\x04", b"\x80\x00\x00\x04\x00", b"\x80\x00\x00\x04\x00abc"],
)
def test_redundant_blocks_longer_than_their_packet_are_malformed(payload: bytes) -> None:
    """A block that is not there is not made up of what is."""
    with pytest.raises(MalformedPacket):
        primary(payload)
