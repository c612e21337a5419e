"""`coqui_server.media.formats`: payload types mean what was agreed, or what Asterisk means."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coqui_server.media.codecs import decoder
from coqui_server.media.formats import STATIC, Format, meaning
from tests.rtp.wire import fixed

OPUS = Format("opus", 48_000, 2)
ENCODINGS = ("PCMU", "PCMA", "G722", "GSM", "G729", "L16", "opus", "CN", "telephone-event", "red")


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ("opus/48000/2", OPUS),
        (" OPUS/48000/2 ", OPUS),
        ("L16/16000", Format("L16", 16_000)),
        ("l16/44100/2", Format("L16", 44_100, 2)),
        ("PCMU", Format("PCMU", 8000)),
        ("pcma/8000", Format("PCMA", 8000)),
        ("G722/8000/1", Format("G722", 8000)),
        ("G722/16000", Format("G722", 16_000)),
        ("Telephone-Event/48000", Format("telephone-event", 48_000)),
        ("L16/192000", Format("L16", 192_000)),
    ],
)
def test_what_sdp_writes(text: str, format: Format) -> None:
    """Encoding, clock and channels, in capitals or not; what is left out is usual."""
    assert Format.parse(text) == format


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "opus/",
        "opus/48000/",
        "opus/48000/2/1",
        "opus 48000",
        "a=rtpmap:96 opus",
        "iLBC",
        "speex/8000",
        "H264/90000",
        "opus/-1",
        "opus/48k",
        "opus/48000/0",
        "opus/48000/9",
        "L16/0000",
        "L16/000000",
        "L16/08000",
        "L16/100",
        "L16/1000000",
        "L16/٨٠٠٠",
    ],
)
def test_what_is_no_format_is_refused(text: str) -> None:
    """Another form, another encoding or a clock that cannot be; the message lists what can."""
    with pytest.raises(ValueError, match=r"such as opus/48000/2 or L16/16000"):
        Format.parse(text)


def test_linear_samples_need_a_rate() -> None:
    """There is no usual one."""
    with pytest.raises(ValueError, match="'L16' needs a rate, such as L16/16000"):
        Format.parse("L16")


@fixed
@given(
    some.builds(
        Format, some.sampled_from(ENCODINGS), some.integers(1000, 192_000), some.integers(1, 8)
    )
)
def test_a_format_is_written_as_it_is_read(format: Format) -> None:
    """Statistics show a codec in the form that the configuration takes."""
    assert Format.parse(str(format)) == format


@pytest.mark.parametrize(
    ("payload_type", "text"),
    [
        (0, "PCMU/8000"),
        (3, "GSM/8000"),
        (8, "PCMA/8000"),
        (9, "G722/8000"),
        (18, "G729/8000"),
        (10, "L16/8000"),
        (11, "L16/8000"),
        (118, "L16/16000"),
        (122, "L16/12000"),
        (123, "L16/24000"),
        (124, "L16/32000"),
        (125, "L16/44100"),
        (126, "L16/48000"),
        (127, "L16/96000"),
        (96, "L16/192000"),
        (107, "opus/48000/2"),
        (13, "CN/8000"),
        (19, "CN/8000"),
        (101, "telephone-event/8000"),
        (121, "telephone-event/8000"),
    ],
)
def test_asterisks_payload_types(payload_type: int, text: str) -> None:
    """Its static table counts where nothing was agreed."""
    assert str(meaning(payload_type, mapped={}, named=None)) == text


def test_other_types_mean_nothing() -> None:
    """A type that nobody explained is not guessed at."""
    unknown = [number for number in range(128) if meaning(number, mapped={}, named=None) is None]
    assert len(unknown) == 128 - len(STATIC)
    assert {1, 4, 5, 12, 14, 97, 111} <= set(unknown)


def test_all_that_is_sound_has_a_decoder() -> None:
    """And comfort noise, keys and envelopes have none."""
    for payload_type, format in STATIC.items():
        sound = format.encoding not in ("CN", "telephone-event")
        assert (decoder(format, "detect") is not None) == sound, payload_type
    assert decoder(Format.parse("red"), "detect") is None


def test_the_configurations_map_goes_first() -> None:
    """It explains unknown types, and changes known ones, whatever a stream is said to be."""
    mapped = {96: OPUS, 0: Format.parse("PCMA"), 101: OPUS}
    for payload_type in mapped:
        assert (
            meaning(payload_type, mapped=mapped, named=Format.parse("G722")) == mapped[payload_type]
        )
    assert meaning(97, mapped=mapped, named=None) is None
    assert meaning(8, mapped=mapped, named=None) == Format.parse("PCMA")


def test_a_streams_own_codec_explains_the_dynamic_types() -> None:
    """Those of 96 and up, but not the keys, and not the static types, which say it themselves."""
    for payload_type in range(128):
        static = STATIC.get(payload_type)
        if payload_type >= 96 and payload_type not in (101, 121):
            assert meaning(payload_type, mapped={}, named=OPUS) == OPUS
        else:
            assert meaning(payload_type, mapped={}, named=OPUS) == static


@pytest.mark.parametrize("payload_type", [10, 11, 118, 125])
def test_a_streams_own_rate_of_linear_samples(payload_type: int) -> None:
    """10 and 11 are 44.1 kHz in RFC 3551 and 8 kHz in Asterisk; what was said decides."""
    said = Format.parse("L16/44100/2")
    assert meaning(payload_type, mapped={}, named=said) == said


@pytest.mark.parametrize(
    ("payload_type", "payload", "expected"),
    [
        (118, bytes(640), "L16/16000"),
        (118, bytes(1388), "L16/16000"),
        (118, bytes(61), "opus/48000/2"),
        (118, bytes(150), "opus/48000/2"),
        (96, bytes(80), "opus/48000/2"),
        (122, b"\x05\x0a\x00\xa0", "telephone-event/8000"),
        (96, b"\x0b\x8a\x03\x20", "telephone-event/8000"),
        (11, bytes(320), "L16/8000"),
        (11, bytes(1388), "L16/44100"),
        (10, bytes(1384), "L16/44100/2"),
        (0, bytes(4), "PCMU/8000"),
    ],
)
def test_a_payload_that_nobody_explained(payload_type: int, payload: bytes, expected: str) -> None:
    """Asterisk's numbers are used for other formats, too: the payload shows which."""
    assert str(meaning(payload_type, payload, mapped={}, named=None)) == expected


def test_an_explained_type_is_not_guessed_at() -> None:
    """Whatever its payload looks like."""
    linear = Format.parse("L16/16000")
    assert meaning(118, bytes(61), mapped={118: linear}, named=None) == linear
    assert meaning(118, bytes(61), mapped={}, named=linear) == linear
