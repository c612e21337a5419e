"""`client.py` as a process: what it prints, writes and exits with."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from coqui_client.cli import main
from coqui_client.outputs import distinct_names
from coqui_transcript import __version__

pytestmark = pytest.mark.process

COMMAND = Path(__file__).resolve().parents[2] / "client.py"
TSV = "start\tend\ttext\n250\t1250\tAsk not.\n2000\t3500\tЖдём & <gloom>.\n"
unix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs Unix signals or terminals")

Handler = Callable[[ServerConnection], Awaitable[None]]
Start = Callable[..., Awaitable[str]]
Run = Callable[..., Awaitable[Any]]


async def test_text_on_stdout(start: Start, run: Run, replying: Handler, wav: Path) -> None:
    """One file gives its bare transcript; a pipe sees no progress bar."""
    done = await run(wav, "--url", await start(replying))
    assert done.out == "Ask not. Ждём & <gloom>.\n"
    assert (done.code, done.err) == (0, "")


async def test_json_is_the_reply(
    start: Start, run: Run, replying: Handler, wav: Path, reply: dict[str, Any]
) -> None:
    """JSON of one file is the daemon's reply and nothing else."""
    done = await run(wav, "--format", "json", "--url", await start(replying))
    assert json.loads(done.out) == reply


async def test_several_on_stdout(
    start: Start, run: Run, replying: Handler, wav: Path, tmp_path: Path
) -> None:
    """Several files have a header each; a missing one costs a line and exit code 1 only."""
    missing = tmp_path / "missing.wav"
    done = await run(wav, missing, wav, "--format", "tsv", "--url", await start(replying))
    assert done.out == f"== {wav} ==\n{TSV}\n== {wav} ==\n{TSV}"
    assert done.err == f"client.py: {missing}: No such file or directory\n"
    assert done.code == 1


async def test_several_as_json(start: Start, run: Run, replying: Handler, wav: Path) -> None:
    """Several files as JSON are one object per line with the file's name."""
    done = await run(wav, wav, "--format", "json", "--url", await start(replying))
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line["file"] for line in lines] == [str(wav)] * 2
    assert lines[0]["segments"][1]["start"] == 2.0


async def test_folder(start: Start, run: Run, replying: Handler, wav: Path, tmp_path: Path) -> None:
    """With -o every file has its own output; the same stem twice keeps the full names."""
    twin, other = wav.with_suffix(".mp3"), tmp_path / "other.flac"
    twin.touch()
    other.touch()
    folder = tmp_path / "new" / "out"
    files = (wav, twin, other)
    done = await run(*files, "-o", folder, "--format", "vtt", "--url", await start(replying))
    names = ["other.vtt", "talk.mp3.vtt", "talk.wav.vtt"]
    assert sorted(path.name for path in folder.iterdir()) == names
    written = (folder / "other.vtt").read_text(encoding="utf-8")
    assert written.startswith("WEBVTT\n\n00:00:00.250 --> 00:00:01.250\nAsk not.\n\n")
    assert "Ждём &amp; &lt;gloom&gt;." in written
    assert (done.code, done.out, done.err) == (0, "", "")


async def test_folder_is_a_file(run: Run, wav: Path) -> None:
    """An -o that cannot be a folder is wrong usage, found before anything is sent."""
    done = await run(wav, "-o", wav)
    assert done.code == 2
    assert "File exists" in done.err


def test_names_never_meet() -> None:
    """Outputs stay apart for same stems, same names, and a name that is another's stem."""
    paths = ["a.wav", "A.mp3", "b/a.wav", "a.wav.flac", "c.ogg"]
    names = distinct_names([Path(path) for path in paths])
    assert names == ["a.wav", "A.mp3", "a.wav-2", "a.wav-3", "c"]


@pytest.mark.parametrize(
    ("path", "asked"),
    [("", "/api/v1/stt"), ("/", "/api/v1/stt"), ("/other", "/other"), ("?a=b", "/api/v1/stt?a=b")],
)
async def test_path_of_the_url(
    start: Start, replying: Handler, wav: Path, path: str, asked: str
) -> None:
    """A URL without a path gets the protocol's; one with a path keeps it."""
    seen: list[str] = []

    async def handler(socket: ServerConnection) -> None:
        assert socket.request is not None
        seen.append(socket.request.path)
        await replying(socket)

    code = await asyncio.to_thread(main, [str(wav), "--url", await start(handler) + path])
    assert (code, seen) == (0, [asked])


async def test_refusal_goes_on_with_the_rest(
    start: Start, run: Run, replying: Handler, huge: Path, wav: Path
) -> None:
    """A file refused halfway is one line on stderr, and the next file is still done."""
    count = 0

    async def handler(socket: ServerConnection) -> None:
        nonlocal count
        count += 1
        if count > 1:
            await replying(socket)
            return
        await anext(aiter(socket.recv_streaming()))
        await socket.send(json.dumps({"message": "not an audio file", "code": "not_audio"}))
        await socket.close(1003)

    done = await run(huge, wav, "--url", await start(handler))
    assert done.err == f"client.py: {huge}: not an audio file\n"
    assert done.out == f"== {wav} ==\nAsk not. Ждём & <gloom>.\n"
    assert done.code == 1


async def test_busy_without_retries(start: Start, run: Run, wav: Path) -> None:
    """With --retries 0 a busy daemon is asked once."""
    asked = 0

    async def handler(socket: ServerConnection) -> None:
        nonlocal asked
        asked += 1
        await socket.send(json.dumps({"message": "16 sessions are open", "code": "busy"}))
        await socket.close(1013)

    done = await run(wav, "--retries", 0, "--url", await start(handler))
    assert (done.code, asked) == (1, 1)
    assert done.err == f"client.py: {wav}: 16 sessions are open\n"


async def test_no_server(run: Run, wav: Path, unused_tcp_port: int) -> None:
    """Without a server one line says where it was looked for and how to start it."""
    url = f"ws://127.0.0.1:{unused_tcp_port}"
    done = await run(wav, wav, "--url", url)
    assert done.code == 3
    assert len(done.err.splitlines()) == 1
    assert f"no server answers at {url}/api/v1/stt " in done.err
    assert done.err.endswith("start the daemon with: python -m coqui_server.app\n")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a.wav", "--format", "doc"],
        ["a.wav", "--retries", "-1"],
        ["a.wav", "--url", "127.0.0.1:5004"],
        ["a.wav", "--url", "http://127.0.0.1:5004"],
        ["a.wav", "--url", "ws://127.0.0.1:port"],
    ],
)
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong arguments exit with 2 and argparse's usage."""
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert capsys.readouterr().err.startswith("usage: ")


async def test_proxy_is_not_for_this_machine(
    start: Start, run: Run, replying: Handler, wav: Path, unused_tcp_port: int
) -> None:
    """A proxy of the environment is not asked for a daemon on this machine."""
    proxy = f"http://127.0.0.1:{unused_tcp_port}"
    environment = {**os.environ, "https_proxy": proxy, "no_proxy": ""}
    done = await run(wav, "--url", await start(replying), env=environment)
    assert (done.code, done.err) == (0, "")


async def test_pipe_closed_early(start: Start, run: Run, replying: Handler, wav: Path) -> None:
    """A reader that is gone, like `head`, ends the command without a traceback."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = await run(wav, "--url", await start(replying), stdout=writer)
    finally:
        os.close(writer)
    assert (done.code, done.err) == (1, "")


@unix_only
@pytest.mark.parametrize("during", ["upload", "wait"])
async def test_interrupt(start: Start, wav: Path, huge: Path, during: str) -> None:
    """Ctrl-C exits with 130 and no traceback, also from a daemon that reads no further."""
    reached = asyncio.Event()

    async def handler(socket: ServerConnection) -> None:
        if during == "wait":
            await socket.recv()
        else:
            await anext(aiter(socket.recv_streaming()))
        reached.set()
        await socket.wait_closed()

    url = await start(handler)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        COMMAND,
        wav if during == "wait" else huge,
        "--url",
        url,
        stderr=asyncio.subprocess.PIPE,
    )
    await reached.wait()
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert (process.returncode, err) == (130, b"client.py: interrupted\n")


@unix_only
async def test_progress_on_a_terminal(start: Start, run: Run, wav: Path) -> None:
    """A terminal sees the bytes, then the wait; the transcript is on stdout alone."""
    master, slave = os.openpty()
    seen = bytearray()
    waiting = asyncio.Event()

    def read() -> None:
        seen.extend(os.read(master, 4096))
        if b"transcribing" in seen:
            waiting.set()

    async def handler(socket: ServerConnection) -> None:
        await socket.recv()
        await waiting.wait()
        await socket.send('{"text": "done", "duration": 1, "segments": []}')

    asyncio.get_running_loop().add_reader(master, read)
    try:
        done = await run(wav, "--url", await start(handler), stderr=slave)
    finally:
        asyncio.get_running_loop().remove_reader(master)
        os.close(master)
        os.close(slave)
    assert (done.code, done.out) == (0, "done\n")
    assert re.search(rb"talk\.wav: +\d+%.*/320k", seen)
    assert b"talk.wav: transcribing, 0 s" in seen


async def test_version(run: Run) -> None:
    """The client says its version, which is that of the distribution, and sends nothing."""
    done = await run("--version")
    assert (done.code, done.out) == (0, f"coqui_client {__version__}\n")
