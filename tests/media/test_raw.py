"""Raw sound to samples: bytes that are cut anywhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from coqui_server.exceptions import BadRequest
from coqui_server.media.raw import Interleaved, RawFormat, RawFrames, RawSound
from coqui_server.media.samples import Samples

NO_FILE = b"\x55" * 12
"""No kind of file begins so."""


def samples(encoding: str, pieces: list[bytes]) -> Samples:
    """All that comes out."""
    sound = RawSound(RawFormat.of(encoding))
    blocks = [pcm for piece in pieces for pcm in sound.push(piece)]
    return np.concatenate([*blocks, sound.flush()])


@pytest.mark.parametrize(
    ("encoding", "each"),
    [
        ("linear16", 2),
        ("L16", 2),
        ("linear32", 4),
        ("u8", 1),
        ("s24le", 3),
        ("s32le", 4),
        ("mulaw", 1),
        ("alaw", 1),
        ("g722", 1),
        ("gsm", 33),
    ],
)
@given(data=some.binary(max_size=1000).map(NO_FILE.__add__), cut=some.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_bytes_may_be_cut_anywhere(encoding: str, each: int, data: bytes, cut: int) -> None:
    """The samples are the same as those of all bytes at once; an incomplete frame has none."""
    cut_in_two = samples(encoding, [data[:cut], data[cut:]])
    assert np.array_equal(cut_in_two, samples(encoding, [data]))
    assert bool(len(cut_in_two)) == (len(data) >= each)


def test_frames_of_g729() -> None:
    """Ten bytes are 10 ms (ITU-T G.729), also when they come one by one."""
    data = bytes(range(100))
    whole = samples("g729", [data])
    assert len(whole) == 1600
    assert np.array_equal(whole, samples("g729", [bytes([byte]) for byte in data]))


def test_long_frames_are_kept_together_in_large_messages() -> None:
    """A message is decoded in pieces, whose length is no multiple of a frame's."""
    data = np.random.default_rng(5).bytes(33 * 2000)
    assert len(samples("gsm", [data])) == 2000 * 320


@pytest.mark.parametrize(
    ("name", "rate", "form"),
    [
        ("PCMU", None, RawFormat("mulaw", 8000)),
        ("PCMA", 16_000, RawFormat("alaw", 16_000)),
        ("L16", None, RawFormat("L16", 16_000)),
        ("linear16", 44_100.0, RawFormat("linear16", 44_100)),
        ("GSM", None, RawFormat("gsm", 8000)),
        ("G729", None, RawFormat("g729", 8000)),
        ("G722", 8000, RawFormat("g722", 16_000)),
        ("opus", 16_000, RawFormat("opus", 48_000)),
    ],
)
def test_names_and_rates(name: str, rate: float | None, form: RawFormat) -> None:
    """Names of cloud APIs and of RTP mean the same; codecs with one rate keep it."""
    assert RawFormat.of(name, rate) == form


@pytest.mark.parametrize("rate", [0, -8000, 7999, 8000.5, True, "8000", float("nan"), 10**30])
def test_rates_that_are_none(rate: object) -> None:
    """They are refused."""
    with pytest.raises(BadRequest, match="sample_rate is a whole number"):
        RawFormat.of("linear16", rate)


@given(data=some.binary(max_size=200), cut=some.integers(0, 200))
def test_channels_are_taken_apart(data: bytes, cut: int) -> None:
    """Sample by sample, wherever the bytes are cut; an incomplete moment waits for its rest."""
    interleaved = Interleaved(RawFormat("linear16", 16_000, 3))
    parts = [interleaved.push(data[:cut]), interleaved.push(data[cut:])]
    whole = len(data) // 6 * 6
    for channel in range(3):
        expected = b"".join(data[at : at + 2] for at in range(2 * channel, whole, 6))
        assert b"".join(part[channel] for part in parts) == expected


def test_frames_have_all_channels() -> None:
    """Each channel is what it is by itself."""
    left, right = np.arange(8000, dtype="<i2"), np.arange(8000, dtype="<i2")[::-1]
    both = np.stack([left, right], axis=1).tobytes()
    sound = RawFrames(RawFormat("linear16", 16_000, 2))
    frames = np.concatenate([*sound.push(both), sound.flush()])
    assert np.array_equal(frames, np.stack([left, right], axis=1))


def test_only_samples_by_themselves_have_several_channels() -> None:
    """Codecs with frames have one."""
    assert RawFormat.of("mulaw", None, 2).channels == 2
    with pytest.raises(BadRequest, match="g722 has one channel"):
        RawFormat.of("g722", None, 2)


def test_floating_point() -> None:
    """-1 to 1 is full scale; what is beyond is cut off, what is no number is silent."""
    data = np.array([0, 0.5, -1, 2, np.nan, np.inf], "<f4").tobytes()
    assert samples("linear32", [data]).tolist() == [0, 16_384, -32_767, 32_767, 0, 0]


@pytest.mark.parametrize(
    ("encoding", "kind"), [("u8", "u1"), ("s24le", "<i4"), ("s32le", "<i4"), ("linear16", "<i2")]
)
def test_integers_of_any_width(encoding: str, kind: str) -> None:
    """The upper 16 bits of each sample; bytes have no sign, and silence in their middle."""
    wanted = np.array([0, 1, -1, 256, -32_768, 32_512], np.int16)
    match encoding:
        case "u8":
            data, wanted = ((wanted >> 8) + 128).astype(kind).tobytes(), wanted >> 8 << 8
        case "s24le":
            whole = wanted.astype(kind)[:, None] << 8
            data = whole.view(np.uint8)[:, :3].tobytes()
        case "s32le":
            data = (wanted.astype(kind) << 16 | 77).tobytes()
        case _:
            data = wanted.tobytes()
    assert samples(encoding, [data]).tolist() == wanted.tolist()
