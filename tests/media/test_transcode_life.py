"""`coqui_server.media.transcode` when it is stopped, when ffmpeg hangs, when the source fails."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path

import numpy as np
import psutil
import pytest

from coqui_server.config.audio import FfmpegSettings
from coqui_server.exceptions import TooLarge, TranscodeError
from coqui_server.media.samples import SAMPLE_RATE
from coqui_server.media.transcode import Transcoder
from tests.support.media import Media, wav, wav_header
from tools.sounds import at, white

pytestmark = pytest.mark.process

MINUTE = wav(at(-20, white(60)))


_others: set[int] = set()
"""Processes of other tests, such as a database server that is shared."""


@pytest.fixture(autouse=True)
def others() -> None:
    """Know the processes that run before the test."""
    _others.clear()
    _others.update(children())


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that temporary files go to, for the test to look into."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def children() -> list[int]:
    """The processes that this one has started and not yet seen the end of."""
    found = psutil.Process().children(recursive=True)
    return [child.pid for child in found if child.pid not in _others]


def nothing_left(temporary: Path, *processes: int) -> bool:
    """Whether no process runs or waits to be reaped, and no temporary file is there."""
    gone = not any(psutil.pid_exists(process) for process in processes)
    return gone and not children() and not list(temporary.iterdir())


OPENED = """printf '[info] Output #0, au' >&2; echo >&2"""
HEADER = (
    r"printf '.snd\000\000\000\030\377\377\377\377\000\000\000\003\000\000\076\200\000\000\000\001'"
)


def script(folder: Path, *lines: str, milliseconds: int = 200) -> FfmpegSettings:
    """A program of the test in ffmpeg's place, which leaves its process number in `pid`."""
    program = folder / "program"
    number = f"echo $$ > '{folder}/pid'"
    program.write_text("\n".join(("#!/bin/sh", number, *lines, "")), encoding="utf-8")
    program.chmod(0o755)
    return FfmpegSettings(path=program, timeout=milliseconds)


async def several(*chunks: bytes) -> AsyncGenerator[bytes, None]:
    """These chunks, and the end."""
    for chunk in chunks:
        yield chunk


async def unending(*chunks: bytes) -> AsyncGenerator[bytes, None]:
    """These chunks, and then nothing, for ever: a client that stopped sending."""
    for chunk in chunks:
        yield chunk
    await asyncio.Event().wait()


async def run_out(ffmpeg: FfmpegSettings, chunks: AsyncIterator[bytes]) -> int:
    """How many samples come before the end."""
    return sum(
        [len(pcm) async for pcm in Transcoder(ffmpeg.path, ffmpeg.timeout).transcode(chunks)]
    )


@pytest.mark.parametrize("size", [100, 1_000_000])
async def test_a_program_that_hangs_is_given_up_and_ended(
    tmp_path: Path, temporary: Path, size: int
) -> None:
    """Whether it has taken all its input or none, what makes no progress is ended."""
    hanging = script(tmp_path, "exec sleep 1000")
    with pytest.raises(TranscodeError, match=r"nothing for 0\.2 s"):
        await run_out(hanging, several(wav_header(size) + bytes(size)))
    assert nothing_left(temporary, int((tmp_path / "pid").read_text()))


async def test_a_program_that_hangs_on_a_file_is_ended(
    tmp_path: Path, temporary: Path, media: Media
) -> None:
    """The same for one that reads a temporary file, which goes too."""
    with pytest.raises(TranscodeError):
        await run_out(script(tmp_path, "exec sleep 1000"), several(media.file("m4a")))
    assert nothing_left(temporary, int((tmp_path / "pid").read_text()))


async def test_a_program_that_stops_half_way_is_ended(tmp_path: Path, temporary: Path) -> None:
    """Sound that came before it hung does not hide that it hangs."""
    hanging = script(tmp_path, OPENED, HEADER, "head -c 64000", "exec sleep 1000")
    heard = 0
    with pytest.raises(TranscodeError):
        async for pcm in Transcoder(hanging.path, hanging.timeout).transcode(several(MINUTE)):
            heard += len(pcm)
    assert heard == 32000
    assert nothing_left(temporary, int((tmp_path / "pid").read_text()))


async def test_a_slow_sender_is_not_taken_for_a_hanging_program(tmp_path: Path) -> None:
    """The time limit counts only while there is input that the program could work on."""
    patient = script(tmp_path, OPENED, HEADER, "exec cat", milliseconds=300)

    async def slow() -> AsyncIterator[bytes]:
        yield bytes(5000)
        await asyncio.sleep(0.8)  # longer than the limit: the time is what is tested
        yield bytes(5000)

    assert await run_out(patient, slow()) == 5000


@pytest.mark.parametrize("lines", [("exit 3",), ("kill -9 $$",), ("exec 0<&-", "exit 1")])
async def test_a_program_that_fails_at_once_leaves_nothing(
    tmp_path: Path, temporary: Path, lines: tuple[str, ...]
) -> None:
    """A broken pipe while a large upload is being fed is no error of its own."""
    with pytest.raises(Exception, match="not an audio or video file"):
        await run_out(script(tmp_path, *lines), several(*[MINUTE[:100_000]] * 10))
    assert nothing_left(temporary, int((tmp_path / "pid").read_text()))


async def test_closing_early_ends_the_process(ffmpeg: FfmpegSettings, temporary: Path) -> None:
    """When `aclose` returns after the first block, ffmpeg is gone."""
    sound = Transcoder(ffmpeg.path, ffmpeg.timeout).transcode(several(MINUTE))
    assert len(await anext(sound)) > 0
    running = children()
    assert len(running) == 1
    await sound.aclose()
    assert nothing_left(temporary, *running)


async def test_closing_early_removes_the_temporary_file(
    ffmpeg: FfmpegSettings, temporary: Path, media: Media
) -> None:
    """An MP4 is in a temporary file while it is read, and not after."""
    sound = Transcoder(ffmpeg.path, ffmpeg.timeout).transcode(several(media.file("m4a")))
    await anext(sound)
    running = children()
    assert [path.name for path in temporary.rglob("upload")] == ["upload"]
    await sound.aclose()
    assert nothing_left(temporary, *running)


async def test_reading_to_the_end_removes_the_temporary_file(
    ffmpeg: FfmpegSettings, temporary: Path, media: Media
) -> None:
    """The ordinary end leaves no more than an early one."""
    assert await run_out(ffmpeg, several(media.file("mp4"))) > 2.9 * SAMPLE_RATE
    assert nothing_left(temporary)


async def test_cancelling_ends_the_process(ffmpeg: FfmpegSettings, temporary: Path) -> None:
    """A task that waits for more sound is cancelled: ffmpeg is gone with it."""
    heard = asyncio.Event()

    async def listen() -> None:
        async with aclosing(
            Transcoder(ffmpeg.path, ffmpeg.timeout).transcode(unending(MINUTE))
        ) as sound:
            async for _ in sound:
                heard.set()

    task = asyncio.create_task(listen())
    await heard.wait()
    running = children()
    assert len(running) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert nothing_left(temporary, *running)


async def test_cancelling_an_upload_removes_the_temporary_file(
    ffmpeg: FfmpegSettings, temporary: Path, media: Media
) -> None:
    """Cancelled while an MP4 is still coming in, nothing of it stays."""
    stored = asyncio.Event()

    async def upload() -> AsyncIterator[bytes]:
        yield media.file("m4a")
        yield b"more"
        stored.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(run_out(ffmpeg, upload()))
    await stored.wait()
    assert len(list(temporary.rglob("upload"))) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert nothing_left(temporary)


@pytest.mark.parametrize("name", ["wav", "m4a"])
async def test_an_error_of_the_source_comes_through(
    ffmpeg: FfmpegSettings, temporary: Path, media: Media, name: str
) -> None:
    """What the uploader raises is raised, as it is, and nothing is left behind."""
    begun = MINUTE[:200_000] if name == "wav" else media.file("m4a")

    async def upload() -> AsyncIterator[bytes]:
        yield begun
        raise TooLarge("a limit was passed")

    with pytest.raises(TooLarge, match="a limit was passed"):
        await run_out(ffmpeg, upload())
    assert nothing_left(temporary)


async def test_many_at_once_do_not_mix(ffmpeg: FfmpegSettings, temporary: Path) -> None:
    """Each of several files gets its own sound back."""
    sounds = [at(-20, white(0.5 + n / 4, seed=n)) for n in range(6)]

    async def one(n: int) -> bool:
        chunks = Transcoder(ffmpeg.path, ffmpeg.timeout).transcode(several(wav(sounds[n])))
        whole = np.concatenate([frames async for frames in chunks])
        return np.array_equal(whole[:, 0], sounds[n])

    assert all(await asyncio.gather(*(one(n) for n in range(6))))
    assert nothing_left(temporary)


async def test_no_descriptor_stays_open(ffmpeg: FfmpegSettings, media: Media) -> None:
    """Pipes and files are closed, after a full read and after an early end."""
    await run_out(ffmpeg, several(media.file("m4a")))
    before = psutil.Process().num_fds()
    for _ in range(5):
        await run_out(ffmpeg, several(media.file("m4a")))
        sound = Transcoder(ffmpeg.path, ffmpeg.timeout).transcode(several(MINUTE))
        await anext(sound)
        await sound.aclose()
    assert psutil.Process().num_fds() <= before


async def test_cancelled_twice(ffmpeg: FfmpegSettings, temporary: Path) -> None:
    """A shutdown that comes while a client's departure is dealt with leaves no process either."""
    for waits in range(8):
        begun = asyncio.Event()

        async def listen(begun: asyncio.Event = begun) -> None:
            async with aclosing(
                Transcoder(ffmpeg.path, ffmpeg.timeout).transcode(unending(MINUTE))
            ) as sound:
                async for _ in sound:
                    begun.set()
                    await asyncio.Event().wait()

        listening = asyncio.create_task(listen())
        await begun.wait()
        listening.cancel()
        for _ in range(waits):
            await asyncio.sleep(0)
        listening.cancel()
        await asyncio.wait((listening,))
        assert listening.cancelled()
        assert nothing_left(temporary)
