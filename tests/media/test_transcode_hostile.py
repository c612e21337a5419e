"""Uploads that name other files: `coqui_server.media.transcode` must read only the upload."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from coqui_server.config.audio import FfmpegSettings
from coqui_server.exceptions import NotAudio
from coqui_server.media.samples import Samples
from coqui_server.media.transcode import Transcoder
from tests.support.media import Media, wav

pytestmark = pytest.mark.process

PLAYLIST = """#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:10
#EXT-X-MEDIA-SEQUENCE:0
#EXTINF:10.0,
{url}
#EXT-X-ENDLIST
"""
MASTER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=128000
{url}
"""
SCRIPT = "ffconcat version 1.0\nfile {url}\n"
DASH = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT3S"
 profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="audio/mp4">
<Representation id="1" bandwidth="1"><BaseURL>{url}</BaseURL></Representation>
</AdaptationSet></Period></MPD>
"""
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n"


class Listener:
    """A server on this machine that remembers whether anybody came."""

    def __init__(self) -> None:
        self.visits = 0
        self.port = 0

    async def visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        writer.write(b"HTTP/1.0 404 Not Found\r\n\r\n")
        writer.close()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    """A server that none of these uploads may reach."""
    listener = Listener()
    async with await asyncio.start_server(listener.visited, "127.0.0.1", 0) as server:
        listener.port = server.sockets[0].getsockname()[1]
        yield listener


@pytest.fixture
def secret(tmp_path: Path, media: Media) -> Path:
    """A sound file on the server that no upload may make heard."""
    path = tmp_path / "secret.wav"
    path.write_bytes(wav(media.pcm))
    return path


async def refused(ffmpeg: FfmpegSettings, upload: str) -> list[Samples]:
    """The sound that came of an upload before it was refused."""

    async def chunks() -> AsyncIterator[bytes]:
        yield upload.encode()

    blocks: list[Samples] = []
    with pytest.raises(NotAudio):
        async for pcm in Transcoder(ffmpeg.path, ffmpeg.timeout).transcode(chunks()):
            blocks += [pcm]
    return blocks


@pytest.mark.parametrize("form", [PLAYLIST, MASTER, SCRIPT, DASH])
@pytest.mark.parametrize("scheme", ["http", "tcp", "concat:http"])
async def test_no_upload_makes_ffmpeg_open_a_url(
    ffmpeg: FfmpegSettings, listener: Listener, form: str, scheme: str
) -> None:
    """Playlists and scripts that name a URL are refused, and nobody calls there."""
    url = f"{scheme}://127.0.0.1:{listener.port}/sound.mp3"
    assert await refused(ffmpeg, form.format(url=url)) == []
    assert listener.visits == 0


async def test_a_session_description_opens_no_port(
    ffmpeg: FfmpegSettings, listener: Listener
) -> None:
    """An SDP file, which tells a player where to listen for RTP, is refused."""
    assert await refused(ffmpeg, SDP.format(port=listener.port)) == []


@pytest.mark.parametrize("form", [PLAYLIST, MASTER, SCRIPT, DASH])
@pytest.mark.parametrize("way", ["file://{}", "{}", "subfile,,start,0,end,9,,:{}"])
async def test_no_upload_makes_another_file_heard(
    ffmpeg: FfmpegSettings, secret: Path, form: str, way: str
) -> None:
    """Playlists and scripts that name a file of the server are refused without a sound."""
    assert await refused(ffmpeg, form.format(url=way.format(secret))) == []


async def test_a_script_may_not_name_a_file_beside_it(
    ffmpeg: FfmpegSettings, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain name, which ffmpeg calls safe, is no way to a file of the working directory."""
    monkeypatch.chdir(secret.parent)
    assert await refused(ffmpeg, SCRIPT.format(url=secret.name)) == []


@pytest.mark.parametrize("disguise", ["<!--free-->", "<!--ftyp-->"])
async def test_a_manifest_dressed_as_an_mp4_is_not_read_as_a_manifest(
    ffmpeg: FfmpegSettings, tmp_path: Path, media: Media, disguise: str
) -> None:
    """What is put in a temporary file, where `file:` may be opened, is read as MP4 only."""
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(media.file("m4a faststart"))
    manifest = DASH.partition("\n")[2].format(url=f"file:{secret}")
    assert await refused(ffmpeg, disguise + manifest) == []


async def test_an_mp4_may_not_point_at_another_file(
    ffmpeg: FfmpegSettings, secret: Path, media: Media
) -> None:
    """A data reference to a file elsewhere is not followed."""
    file = media.file("m4a faststart")
    place = file.index(b"url \0\0\0\1")
    outside = file[:place] + b"url \0\0\0\0" + file[place + 8 :]
    pcm = [p async for p in Transcoder(ffmpeg.path, ffmpeg.timeout).transcode(_whole(outside))]
    assert len(np.concatenate(pcm)) > 0, "the sound in the upload itself is still found"


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data
