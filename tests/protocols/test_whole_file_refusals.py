"""`/api/v1/stt`: bad input, limits, and clients that go away."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from coqui_server.engines.base import Engine
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start, answer_to, children, made, send

VOICE = clip("appointment.wav")


@pytest.fixture
async def server(start: Start, moonshine: Engine) -> AsyncIterator[Running]:
    """A server with a small limit, so that it can be passed."""
    async with start(moonshine, "server.websocket.max_size = 8 MiB") as running:
        yield running
        assert running.service.health()["sessions"] == {"file": 0, "live": 0, "rtp": 0}
        assert not children()


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so; the test's own time limit is the only clock."""
    while not condition():
        await asyncio.sleep(0.01)


async def test_empty_message(server: Running) -> None:
    """Nothing at all is not audio."""
    assert (await send(server, b"")).error == ("empty", 1003)


async def test_text_message(server: Running) -> None:
    """A text message is told to be binary."""
    assert (await send(server, '{"event": "start"}')).error == ("not_binary", 1003)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [10, 5000, 300_000])
async def test_random_bytes(server: Running, seed: int, size: int) -> None:
    """Noise that is no file at all is refused, not transcribed."""
    data = np.random.default_rng(seed).bytes(size)
    assert (await send(server, data)).error == ("not_audio", 1003)


async def test_plain_text_file(server: Running) -> None:
    """A text file is no audio file."""
    assert (await send(server, b"Dear customer,\n" * 1000)).error == ("not_audio", 1003)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
async def test_image(server: Running, tmp_path: Path, suffix: str) -> None:
    """A picture has no sound."""
    picture = "-f lavfi -i testsrc=s=320x240:d=1 -map 1:v -frames:v 1"
    data = made(*picture.split(), source=VOICE.path, suffix=suffix, folder=tmp_path)
    assert (await send(server, data)).error == ("no_audio", 1003)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
async def test_video_without_sound(server: Running, tmp_path: Path, suffix: str) -> None:
    """A silent film is told that it has no audio track."""
    film = "-f lavfi -i testsrc=s=64x64:d=1 -map 1:v -c:v mpeg4"
    data = made(*film.split(), source=VOICE.path, suffix=suffix, folder=tmp_path)
    assert (await send(server, data)).error == ("no_audio", 1003)


async def test_truncated_mp3(server: Running, tmp_path: Path) -> None:
    """Of an MP3 that breaks off, what is there is transcribed."""
    data = made("-b:a", "64k", source=VOICE.path, suffix=".mp3", folder=tmp_path)
    answer = await send(server, data[: len(data) // 2])
    assert answer.code == 1000
    assert spoken(VOICE.text).startswith(spoken(answer.text).rsplit(" ", 1)[0])
    assert len(spoken(answer.text).split()) >= 3


async def test_truncated_m4a(server: Running, tmp_path: Path) -> None:
    """An M4A that lost the index at its end cannot be read."""
    data = made("-c:a", "aac", source=VOICE.path, suffix=".m4a", folder=tmp_path)
    assert (await send(server, data[: len(data) // 2])).error == ("not_audio", 1003)


async def test_message_over_the_limit_in_one_frame(server: Running) -> None:
    """A message larger than `max_size` is told the limit."""
    answer = await send(server, bytes(9 * 2**20))
    assert answer.error == ("too_large", 1009)
    assert str(8 * 2**20) in answer.reply["message"]


async def test_message_over_the_limit_in_fragments(server: Running) -> None:
    """The same in fragments: the refusal comes before the end, and the sender gets to read it."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield VOICE.path.read_bytes()[:44]
        while True:
            sent += 65536
            yield bytes(65536)

    async with server.connect() as socket:
        sending = asyncio.create_task(socket.send(endless()))
        answer = await answer_to(socket)
        await asyncio.gather(sending, return_exceptions=True)
    assert answer.error == ("too_large", 1009)
    assert sent > 8 * 2**20


async def test_frame_over_the_limit(start: Start, moonshine: Engine) -> None:
    """A frame larger than `max_frame` is refused before it is read, with the reason."""
    async with start(moonshine, "server.websocket.max_frame = 64 KiB") as server:
        assert (await send(server, bytes(65537))).error == ("too_large", 1009)


async def test_sound_over_the_limit(start: Start, moonshine: Engine, tmp_path: Path) -> None:
    """A small file that unpacks to more sound than fits is stopped at `audio.max_duration`."""
    silence = "-af volume=0,apad=whole_dur=90"
    data = made(*silence.split(), source=VOICE.path, suffix=".flac", folder=tmp_path)
    async with start(moonshine, "audio.max_duration = 1 minute") as server:
        answer = await send(server, data)
        assert answer.error == ("too_large", 1009)
        assert "60 s" in answer.reply["message"]


async def test_a_client_that_stops_sending(start: Start, moonshine: Engine) -> None:
    """A half-sent message is let go after `server.idle`."""
    async with start(moonshine, "server.idle = 50 ms") as server, server.connect() as socket:
        assert (await answer_to(socket)).error == ("idle", 1008)


async def half_sent() -> AsyncIterator[bytes]:
    """A minute of sound, and then nothing for ever."""
    yield VOICE.path.read_bytes()[:44]
    for _ in range(60):
        yield bytes(32_000)
    await asyncio.Event().wait()


async def test_a_client_that_vanishes_while_sending(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """Its ffmpeg is gone at once, its session is closed, and the log says so."""
    caplog.set_level(logging.INFO)
    async with server.connect() as socket:
        sending = asyncio.create_task(socket.send(half_sent()))
        await until(children)
        socket.transport.abort()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    await until(lambda: not children())
    await until(lambda: not server.service.health()["sessions"]["file"])
    await until(lambda: "the client went away" in caplog.text)
    assert "ended early" in caplog.text


async def test_a_client_that_vanishes_while_an_m4a_is_kept(server: Running, tmp_path: Path) -> None:
    """Its temporary file is gone at once."""
    data = made("-c:a", "aac", source=VOICE.path, suffix=".m4a", folder=tmp_path)
    temporary = tmp_path / "temporary"

    async def beginning() -> AsyncIterator[bytes]:
        yield data[:8000]
        yield data[8000:9000]
        await asyncio.Event().wait()

    async with server.connect() as socket:
        sending = asyncio.create_task(socket.send(beginning()))
        await until(lambda: list(temporary.iterdir()))
        socket.transport.abort()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    async with asyncio.timeout(10):
        await until(lambda: not list(temporary.iterdir()))


async def test_a_client_that_vanishes_while_its_file_is_decoded(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody waits for the transcript any more, so its decoding stops."""
    caplog.set_level(logging.INFO)
    header = bytearray(VOICE.path.read_bytes()[:44])
    header[40:44] = bytes(4)
    data = bytes(header) + VOICE.pcm.tobytes() * 40
    async with server.connect() as socket:
        await socket.send(data)
        await until(lambda: server.service.health()["decoders"]["running"])
        socket.transport.abort()
    async with asyncio.timeout(1):
        await until(lambda: not children())
        await until(lambda: not server.service.health()["sessions"]["file"])
    assert "ended early" in caplog.text


async def test_ffmpeg_cannot_be_started(start: Start, moonshine: Engine, tmp_path: Path) -> None:
    """A broken ffmpeg is our fault, and said to be."""
    broken = tmp_path / "ffmpeg"
    broken.write_text("not a program")
    async with start(moonshine, f'ffmpeg.path = "{broken}"') as server:
        assert (await send(server, VOICE.path.read_bytes())).error == ("transcode_failed", 1011)


@pytest.mark.skipif(sys.platform == "win32", reason="a script is not a program on Windows")
async def test_ffmpeg_hangs(start: Start, moonshine: Engine, tmp_path: Path) -> None:
    """An ffmpeg that gives nothing is ended after `ffmpeg.timeout`."""
    stuck = tmp_path / "ffmpeg"
    stuck.write_text("#!/bin/sh\nexec sleep 1000\n")
    stuck.chmod(0o755)
    async with start(moonshine, f'ffmpeg {{ path = "{stuck}", timeout = 100 ms }}') as server:
        answer = await send(server, VOICE.path.read_bytes())
        assert answer.error == ("transcode_failed", 1011)


_PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n"
HOSTILE = {
    "playlist of a URL": f"{_PLAYLIST}{{url}}/a.ts\n#EXT-X-ENDLIST\n",
    "playlist of a file": f"{_PLAYLIST}file://{{file}}\n#EXT-X-ENDLIST\n",
    "concat script of a file": "ffconcat version 1.0\nfile '{file}'\n",
    "concat script of a URL": "ffconcat version 1.0\nfile '{url}/a.wav'\n",
    "session description": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\n"
    "c=IN IP4 127.0.0.1\nm=audio {port} RTP/AVP 0\n",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_upload_reads_nothing_else(server: Running, name: str) -> None:
    """A file that names others gets neither a URL fetched nor a local file read."""
    fetched: list[bytes] = []

    async def trap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fetched.append(await reader.read(100))
        writer.close()

    listener = await asyncio.start_server(trap, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    names = {"url": f"http://127.0.0.1:{port}", "file": VOICE.path, "port": port}
    answer = await send(server, HOSTILE[name].format(**names).encode())
    listener.close()
    await listener.wait_closed()
    assert answer.error == ("not_audio", 1003)
    assert not fetched


async def test_the_server_goes_on_after_a_refusal(server: Running) -> None:
    """Each refusal is one session's; the next client is served."""
    with pytest.raises(ConnectionClosed):
        async with server.connect() as socket:
            await socket.send(b"junk")
            while True:
                await socket.recv()
    assert spoken((await send(server, VOICE.path.read_bytes())).text) == spoken(VOICE.text)
