"""`coqui_server.media.codecs`: payloads become the sound they were made of, or silence as long."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from coqui_server.media.codecs import ByteOrder, Decoder, decoder
from coqui_server.media.formats import Format
from tests.rtp.coded import decoded, encoded, gsm, law, likeness, linear, opus, sine, speech
from tests.rtp.wire import fixed
from tests.support.media import SPEECH, spoken
from tools.sounds import at, louder, silence, white

HOST = "<" if sys.byteorder == "little" else ">"


def made(text: str, order: ByteOrder = "detect") -> Decoder:
    """A decoder of this format."""
    found = decoder(Format.parse(text), order)
    assert found is not None
    return found


@pytest.mark.parametrize(("text", "name"), [("PCMU", "pcm_mulaw"), ("PCMA", "pcm_alaw")])
def test_g711_is_decoded_as_ffmpeg_does(text: str, name: str) -> None:
    """All 256 codes, against an independent table."""
    codes = bytes(range(256))
    assert made(text).samples(codes) == 256
    assert np.array_equal(made(text).decode([codes]), decoded(name, [codes], 8000))


@pytest.mark.parametrize("name", SPEECH)
@pytest.mark.parametrize("gain", [0, -40])
@pytest.mark.parametrize("order", ["<", ">"])
def test_the_byte_order_of_speech_is_found(name: str, gain: float, order: str) -> None:
    """From the first packet that is not silent, loud or quiet, nothing is heard wrong."""
    pcm = np.concatenate((silence(0.1), louder(spoken(name)[:32_000], gain)))
    one_by_one = made("L16/16000")
    for payload in linear(pcm, 320, order):
        expected = np.frombuffer(payload, f"{order}i2")
        assert np.array_equal(one_by_one.decode([payload]), expected)
    assert np.array_equal(made("L16/16000").decode(linear(pcm, 320, order)), pcm)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("level", [-90, -70, -40, -20])
def test_the_byte_order_of_noise_is_found(level: float, order: str) -> None:
    """A converter's last bit is enough."""
    noise = at(level, white(0.02))
    assert np.any(noise)
    assert np.array_equal(made("L16/16000").decode(linear(noise, 320, order)), noise)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_byte_order_that_was_found_is_kept(order: str) -> None:
    """Noise at full scale, which is as rough in either, does not shake it."""
    found, noise = made("L16/16000"), at(-5, white(1))
    found.decode(linear(speech(16_000), 320, order))
    for payload in linear(noise, 320, order):
        assert np.array_equal(found.decode([payload]), np.frombuffer(payload, f"{order}i2"))


def test_a_byte_order_that_cannot_be_told_is_the_networks() -> None:
    """One sample alone says nothing of it."""
    assert made("L16/16000").decode([b"\x01\x00"]).tolist() == [256]


@pytest.mark.parametrize(("setting", "order"), [("network", ">"), ("host", HOST)])
def test_a_byte_order_that_is_set_is_not_guessed(setting: ByteOrder, order: str) -> None:
    """What the operator says counts, though it sounds wrong."""
    pcm = speech(8000)
    given_order, other = linear(pcm, 160, order), linear(pcm, 160, "<" if order == ">" else ">")
    assert np.array_equal(made("L16/8000", setting).decode(given_order), pcm)
    assert np.array_equal(made("L16/8000", setting).decode(other), pcm.byteswap())


def test_two_channels_are_mixed() -> None:
    """Each sample is the mean of its two; full scale in both does not overflow."""
    left, right = sine(500, 44_100, 0.1), sine(800, 44_100, 0.1, 32767)
    stereo = made("L16/44100/2", "network")
    payload = np.stack((left, right), axis=1).astype(">i2").tobytes()
    assert stereo.samples(payload) == 4410
    mixed = stereo.decode([payload])
    assert np.abs(mixed - (left.astype(float) + right) / 2).max() < 1
    for peak in (-32768, 32767):
        assert stereo.decode([np.full(4, peak, ">i2").tobytes()]).tolist() == [peak, peak]


@pytest.mark.parametrize(("text", "size"), [("L16/8000", 2), ("L16/48000/2", 4)])
def test_part_of_a_sample_is_not_sound(text: str, size: int) -> None:
    """Odd bytes at a payload's end are left out, and do not shift the next payload."""
    payload = np.array([1000, 1010], ">i2").tobytes()
    short = made(text, "network")
    assert short.samples(payload * 2 + b"\x7f") == 8 // size
    expected = short.decode([payload * 2])
    assert np.array_equal(short.decode([payload + b"\x7f", payload + b"\x7f"]), expected)


def test_g722_is_twice_as_many_samples_as_bytes() -> None:
    """Its sound is 16 kHz, and in time."""
    wide = speech(16_000)
    payloads = encoded("g722", wide, 16_000)
    wideband = made("G722")
    assert [wideband.samples(payload) for payload in payloads] == [320] * len(payloads)
    heard = wideband.decode(payloads)
    assert len(heard) == len(wide)
    assert likeness(heard, wide, 40) > 0.98


@pytest.mark.process
def test_gsm_is_heard() -> None:
    """33 bytes are 160 samples, and several frames may be in a payload."""
    narrow = speech(8000)
    frames = gsm(narrow)
    pairs = [b"".join(frames[place : place + 2]) for place in range(0, len(frames), 2)]
    assert [made("GSM").samples(pair) for pair in pairs] == [320] * len(pairs)
    heard = made("GSM").decode(pairs)
    assert len(heard) == 160 * len(frames)
    assert likeness(heard, narrow, 160) > 0.85


@pytest.mark.parametrize(
    ("text", "length", "samples"),
    [
        *(("GSM", length, length // 33 * 160) for length in (0, 32, 33, 65, 66, 99)),
        *(("G729", length, length // 10 * 80) for length in (0, 2, 9, 10, 12, 20, 22, 60)),
        *(("G722", length, 2 * length) for length in (0, 1, 80, 160)),
        *(("PCMU", length, length) for length in (0, 1, 80, 240)),
    ],
)
def test_how_long_a_payload_is(text: str, length: int, samples: int) -> None:
    """Its length tells, before and after decoding; a silence descriptor is no sound."""
    payload = np.random.default_rng(length).bytes(length)
    assert made(text).samples(payload) == samples
    assert len(made(text).decode([payload])) == samples


def test_g729_is_decoded_frame_by_frame() -> None:
    """FFmpeg takes frames of 10 bytes; the descriptor after the last is not one."""
    frames = [np.random.default_rng(seed).bytes(10) for seed in range(20)]
    heard = made("G729").decode([b"".join(frames[:7]), b"".join(frames[7:]) + b"\x12\x34"])
    assert np.array_equal(heard, decoded("g729", frames, 8000))
    assert np.any(heard)


OPUS = [
    (rate, milliseconds, {"application": application, "b": bits})
    for rate in (8000, 16_000, 24_000, 48_000)
    for milliseconds in (2.5, 5, 10, 20, 40, 60, 120)
    for application, bits in (("voip", "12000"), ("voip", "32000"), ("lowdelay", "64000"))
]


def test_opus_tells_its_duration() -> None:
    """Every band, mode and duration that libopus makes, against what it makes of it again."""
    configurations = set()
    for rate, milliseconds, options in OPUS:
        pcm = speech(rate, 0.5)
        packets = opus(pcm, rate, milliseconds, **options)
        assert {made("opus/48000/2").samples(packet) for packet in packets} == {milliseconds * 48}
        assert len(decoded("libopus", packets, 48_000)) == milliseconds * 48 * len(packets)
        configurations |= {(packet[0] >> 3, packet[0] & 3) for packet in packets}
    assert {mode for mode, _ in configurations} >= {*range(4), *range(8, 32)} - {18, 22}
    assert {count for _, count in configurations} == {0, 1, 2, 3}


def test_opus_of_several_frames_is_all_heard() -> None:
    """Two frames in a packet, or six, sound as they do in packets of their own."""
    pcm = speech(48_000, 1.2)
    single = opus(pcm, 48_000, 20, vbr="off")
    apart = made("opus/48000/2").decode(single)
    assert likeness(apart, pcm, 400) > 0.9
    for count in (2, 3, 6):
        # RFC 6716 section 3.2.5: code 3, frames of one length.
        packets = [
            bytes([single[n][0] | 3, count]) + b"".join(p[1:] for p in single[n : n + count])
            for n in range(0, len(single), count)
        ]
        padded = [bytes([p[0], 0x40 | count, 3]) + p[2:] + bytes(3) for p in packets]
        for together in (packets, padded):
            assert {made("opus").samples(packet) for packet in together} == {960 * count}
            assert np.array_equal(made("opus").decode(together), apart)


@pytest.mark.parametrize(
    ("bad", "samples"),
    [
        (b"\x79\x01\x02\x03", 2 * 960),
        (b"\x7a\xf0\x10short", 2 * 960),
        (b"\x7b\x83\xf0", 3 * 960),
        (b"\x7b\x3f", 5760),
        (b"\x7b\x00rest", 0),
        (b"\x7b", 0),
    ],
    ids=["odd halves", "length beyond", "cut off", "too many", "none", "no count"],
)
def test_opus_that_cannot_be_decoded_is_silence(bad: bytes, samples: int) -> None:
    """As long as it says it is; the packets after it sound as if it had not been."""
    packets = opus(speech(48_000), 48_000)
    coded = made("opus/48000/2")
    assert coded.samples(bad) == samples
    before, silent = coded.decode(packets[:10]), coded.decode([bad, bad])
    assert silent.tolist() == [0] * 2 * samples
    after = coded.decode(packets[10:])
    assert np.array_equal(np.concatenate((before, after)), made("opus/48000").decode(packets))


ALL = ["PCMU", "PCMA", "L16/16000", "L16/44100/2", "G722", "GSM", "G729", "opus/48000/2"]


@pytest.mark.parametrize("text", ALL)
def test_an_empty_payload_is_no_sound(text: str) -> None:
    """It is nothing, alone and among others, and does not end the stream."""
    empty, full = made(text), opus(speech(48_000), 48_000)[5] * 4
    assert empty.samples(b"") == 0
    assert len(empty.decode([])) == len(empty.decode([b"", b""])) == 0
    assert len(empty.decode([b"", full, b""])) == len(empty.decode([full])) == empty.samples(full)


@pytest.mark.parametrize("text", ALL)
@fixed
@given(some.lists(some.binary(max_size=70), max_size=6))
def test_any_bytes_are_as_long_as_they_say(text: str, payloads: list[bytes]) -> None:
    """Noise from the network makes no error and no sound of another length."""
    noise = made(text)
    pcm = noise.decode(payloads)
    assert pcm.dtype == np.int16
    assert len(pcm) == sum(map(noise.samples, payloads))


@pytest.mark.parametrize(
    ("text", "payloads"),
    [
        ("PCMU", law(speech(8000), "mulaw")),
        ("PCMA", law(speech(8000), "alaw")),
        ("G722", encoded("g722", speech(16_000), 16_000)),
        ("opus/48000/2", opus(speech(48_000), 48_000)),
    ],
)
def test_batches_do_not_matter(text: str, payloads: list[bytes]) -> None:
    """One by one or all at once, the same sound comes out."""
    one_by_one = made(text)
    apart = np.concatenate([one_by_one.decode([payload]) for payload in payloads])
    assert np.array_equal(made(text).decode(payloads), apart)
    assert len(apart) == 2 * one_by_one.rate
