"""Whether all bytes of a file have come, by its own marks."""

import pytest

from coqui_server.media.completeness import completeness


def page(flags: int, size: int = 100) -> bytes:
    """An Ogg page."""
    return b"OggS\0" + bytes([flags]) + bytes(20 + size)


def mp3(size: int, tag: int = 0) -> bytes:
    """An MP3 whose Xing header states its size, after a tag."""
    id3 = b"ID3\x04\0\0\0\0" + bytes((tag >> 7, tag & 0x7F)) + bytes(tag) if tag else b""
    xing = b"Xing\0\0\0\x03" + bytes(4) + size.to_bytes(4, "big")
    frame = b"\xff\xfb\x90\x00" + bytes(32) + xing
    return id3 + frame + bytes(size - len(frame))


@pytest.mark.parametrize("whole", [page(2) + page(0) + page(4), mp3(10_000), mp3(10_000, tag=200)])
def test_a_whole_file_and_its_half(whole: bytes) -> None:
    """The end of the whole is seen, however the bytes come; that of the half is missing."""
    for part, cut_off in ((whole, False), (whole[: len(whole) // 2], True)):
        follower = completeness(whole[:4096])
        assert follower is not None
        for start in range(0, len(part), 33):
            follower.feed(part[start : start + 33])
        assert follower.cut_off == cut_off


@pytest.mark.parametrize("head", [b"", b"RIFF", b"fLaC", b"\xff\xfb" + bytes(300), b"ID3\x04"])
def test_what_does_not_tell(head: bytes) -> None:
    """Most formats say nothing in their first bytes."""
    assert completeness(head) is None
