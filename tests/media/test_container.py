"""`coqui_server.media.container` on heads of real files and on WAV headers gone wrong."""

import re
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as some

from coqui_server.media.container import HEAD, WavTail, needs_seeking
from tests.support.media import Media, wav_header

pytestmark = pytest.mark.process

fixed = settings(derandomize=True, max_examples=100, deadline=None)

SOUND = bytes(range(128, 256)) * 64
LIST = b"LIST\x1a\x00\x00\x00INFOISFT\x0e\x00\x00\x00Lavf60.16.100\x00"
WRONG_LENGTHS = [0, 0x7FFFFFFF, 0x80000000, 0x80000024, 0xFFFFFFFE, 0xFFFFFFFF]


def heard(file: bytes, cuts: list[int]) -> bytes:
    """What is left of a file when its bytes come in slices that end at these places."""
    tail = WavTail.of(file[:HEAD])
    assert tail is not None
    places = [0, *sorted(min(cut, len(file)) for cut in cuts), len(file)]
    return b"".join(tail.cut(file[a:b]) for a, b in pairwise(places))


@pytest.mark.parametrize("name", ["m4a", "m4a faststart", "mp4", "mov", "3gp"])
def test_mp4_and_its_relatives_need_seeking(media: Media, name: str) -> None:
    """Wherever its index stands, such a file may not be read as it comes."""
    assert needs_seeking(media.file(name)[:HEAD])


@pytest.mark.parametrize(
    "name", ["wav 16-bit", "wav mu-law", "mp3", "mp3 with title", "ogg opus", "webm", "flac", "mkv"]
)
def test_other_files_are_read_as_they_come(media: Media, name: str) -> None:
    """Whatever may be read from a pipe is."""
    assert not needs_seeking(media.file(name)[:HEAD])


@pytest.mark.parametrize("head", [b"", b"ftyp", b"RIFF", b"\0\0\0\x18fty"])
def test_a_head_too_short_to_tell_needs_no_seeking(head: bytes) -> None:
    """A handful of bytes is no MP4."""
    assert not needs_seeking(head)


@pytest.mark.parametrize("head", [b"", b"RIFF", b"ID3\x04" + bytes(50), wav_header(9)[:20]])
def test_only_wav_files_have_a_tail(head: bytes) -> None:
    """Anything but a WAV head with its data chunk in it is left alone."""
    assert WavTail.of(head) is None


def test_real_files_are_wav_by_their_head(media: Media) -> None:
    """A WAV of ffmpeg is known, an MP3 of it is not."""
    assert WavTail.of(media.file("wav 16-bit")[:HEAD]) is not None
    assert WavTail.of(media.file("mp3")[:HEAD]) is None


def test_what_ffmpeg_writes_after_the_sound_is_cut_exactly() -> None:
    """A right length is believed, and the chunks after the sound are dropped."""
    file = wav_header(len(SOUND)) + SOUND
    assert heard(file + LIST, []) == file
    assert heard(file + LIST + LIST, []) == file


def test_an_odd_length_has_a_byte_of_padding() -> None:
    """Chunks begin at even places; the padding byte may stay, the chunk after it may not."""
    file = wav_header(len(SOUND) - 1) + SOUND[:-1] + b"\0"
    assert heard(file + LIST, []) == file


def test_chunks_before_the_sound_are_passed_over() -> None:
    """Titles may stand before the sound too, and are part of the header then."""
    file = wav_header(len(SOUND), before=LIST) + SOUND
    assert heard(file + LIST, []) == file


@pytest.mark.parametrize("length", WRONG_LENGTHS)
def test_a_length_that_is_not_known_limits_nothing(length: int) -> None:
    """What a writer puts that cannot know the length is not one."""
    file = wav_header(length) + SOUND
    assert heard(file, []) == file


@pytest.mark.parametrize("more", [1, 2, 1000, 10**6])
def test_a_length_that_is_too_long_loses_nothing(more: int) -> None:
    """A file cut short keeps all the sound it has."""
    file = wav_header(len(SOUND) + more) + SOUND
    assert heard(file, []) == file


@pytest.mark.parametrize("less", [1, 2, 3, 4, 6, 1000, len(SOUND) - 2])
def test_a_length_that_is_too_short_loses_nothing(less: int) -> None:
    """If sound and not a chunk follows the stated length, the sound goes on to the end."""
    file = wav_header(len(SOUND) - less) + SOUND
    assert heard(file, []) == file


@fixed
@given(cuts=some.lists(some.integers(0, 300), max_size=12), tail=some.sampled_from([b"", LIST]))
def test_slices_do_not_matter_for_a_right_length(cuts: list[int], tail: bytes) -> None:
    """However the bytes come, the cut is at the same place."""
    file = wav_header(200) + SOUND[:200]
    assert heard(file + tail, cuts) == file


@fixed
@given(
    cuts=some.lists(some.integers(0, 400), max_size=12),
    stated=some.integers(0, 400),
    sound=some.binary(min_size=8, max_size=300),
)
def test_slices_do_not_matter_for_a_wrong_length(
    cuts: list[int], stated: int, sound: bytes
) -> None:
    """Sound that does not happen to read like a chunk's name is passed whole, however it comes."""
    after = sound[stated + stated % 2 :][:4]
    assume(len(after) in (0, 4) and not re.fullmatch(rb"[\w ]{4}", after))
    file = wav_header(stated) + sound
    assert heard(file, cuts) == file


@fixed
@given(head=some.binary(max_size=200))
def test_any_bytes_after_riff_are_survived(head: bytes) -> None:
    """A broken header is either no WAV or one whose sound ends after the header."""
    tail = WavTail.of(b"RIFF\0\0\0\0WAVE" + head)
    assert tail is None or tail.end is None or tail.end > 20
