"""`client.py --live` and `--mic` with the real daemon, and with stand-ins that misbehave."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from websockets.asyncio.server import ServerConnection

from coqui_client import live, microphone, retry
from coqui_client.cli import main
from coqui_client.connection import located
from coqui_client.exceptions import BusyError, LostError
from coqui_client.live import Source, paced
from coqui_client.live_protocols import LIVE_PROTOCOLS
from coqui_client.progress import Progress
from coqui_client.reply import Reply
from coqui_client.sound import LIVE, frames
from coqui_server.engines.base import Engine
from coqui_server.transcription.request import SessionRequest
from tests.support.client import command, ffmpeg
from tests.support.clips import ROOT, SAMPLES, spoken
from tests.support.clips import clip as sample
from tests.support.daemon import Running, children, starter
from tests.support.daemon import Start as StartDaemon

pytestmark = pytest.mark.process

VOICEMAIL = sample("voicemail.wav")
unix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs Unix signals or terminals")

Handler = Callable[[ServerConnection], Awaitable[None]]
Start = Callable[..., Awaitable[str]]
Run = Callable[..., Awaitable[Any]]


class Display:
    """Keeps what it is told.

    Attributes:
        finals: the texts that stay.
        at: seconds of sound, and what to do when they are sent.
    """

    interim = True

    def __init__(self) -> None:
        self.finals: list[str] = []
        self.seconds = 0.0
        self.at: tuple[float, Callable[[], None]] | None = None

    def listening(self) -> None:
        pass

    def sent(self, count: float) -> None:
        self.seconds += count
        if self.at and self.seconds >= self.at[0]:
            _, act = self.at
            self.at = None
            act()

    def heard(self, text: str, *, final: bool = False) -> None:
        if final:
            self.finals.append(text)


def hasty(path: Path, endless: bool = False) -> Source:
    """The sound of a file as fast as the daemon takes it."""
    return Source(lambda: frames(path, LIVE), endless=endless)


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StartDaemon:
    """Starts the real daemon; this folder's `start` is for stand-ins."""
    # Partials however busy the machine: without the pause that follows a slow preview.
    monkeypatch.setattr("coqui_server.transcription.decoding._PREVIEW_SHARE", 0)
    return starter(tmp_path)


@pytest.fixture
async def server(daemon: StartDaemon, moonshine: Engine) -> AsyncIterator[Running]:
    """The real daemon with room for one session."""
    async with daemon(moonshine, "server.max_sessions = 1") as running:
        yield running


async def transcribe(
    url: str, protocol: str, display: Display, source: Source | None = None
) -> Reply:
    """What the protocol called `protocol` makes of a sample."""
    one = LIVE_PROTOCOLS[protocol]
    return await live.transcribe(
        source or hasty(VOICEMAIL.path), located(f"{url}/api/v1/stt", one.path), one, display
    )


@pytest.mark.parametrize("protocol", LIVE_PROTOCOLS)
async def test_words(server: Running, protocol: str) -> None:
    """Every protocol brings the words, as finals and as a transcript with times in order."""
    display = Display()
    reply = await transcribe(server.url, protocol, display)
    assert (
        spoken(reply.transcript.text) == spoken(" ".join(display.finals)) == spoken(VOICEMAIL.text)
    )
    assert reply.transcript.duration == pytest.approx(len(VOICEMAIL.pcm) / 16_000, abs=0.11)
    times = [time for part in reply.transcript.segments for time in (part.start, part.end)]
    assert times == sorted(times)
    assert server.service.health()["sessions"]["live"] == 0


@pytest.mark.parametrize("protocol", LIVE_PROTOCOLS)
async def test_busy(server: Running, protocol: str) -> None:
    """A daemon without room is told from one that fails, whichever way the protocol says it."""
    async with server.service.session(SessionRequest("live")):
        with pytest.raises(BusyError, match="all 1 sessions are taken"):
            await transcribe(server.url, protocol, Display())


async def test_busy_then_free(
    server: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that found no room is sent again from its beginning."""
    room = contextlib.AsyncExitStack()
    await room.enter_async_context(server.service.session(SessionRequest("live")))
    loop = asyncio.get_running_loop()

    async def pause(retry: int, progress: Progress) -> None:
        # The command runs in a thread of its own, with a loop of its own.
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(room.aclose(), loop))

    monkeypatch.setattr(retry, "_pause", pause)
    monkeypatch.setattr(live, "paced", lambda pieces: pieces)
    assert await command(VOICEMAIL.path, "--live", "--url", server.url) == 0
    assert spoken(capsys.readouterr().out) == spoken(VOICEMAIL.text)


async def test_recordings_in_json(
    server: Running, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --live, --protocol json sends the file whole; a refusal is one line."""
    readme = SAMPLES / "README.md"
    options = ("--protocol", "json", "--url", server.url)
    assert await command(VOICEMAIL.path, readme, *options, "--format", "json") == 1
    seen = capsys.readouterr()
    assert spoken(json.loads(seen.out)["text"]) == spoken(VOICEMAIL.text)
    assert seen.err.endswith(f"{readme}: not an audio or video file that ffmpeg can read\n")
    async with server.service.session(SessionRequest("file")):
        assert await command(VOICEMAIL.path, *options, "--retries", 0) == 1
    assert "all 1 sessions are taken" in capsys.readouterr().err


async def test_process(server: Running, run: Run, tmp_path: Path) -> None:
    """A pipe gets the finals, a line each, and nothing else."""
    first = tmp_path / "first.wav"
    ffmpeg("-t", 3.4, "-i", VOICEMAIL.path, first)
    done = await run(first, "--live", "--url", server.url)
    assert (done.code, done.err) == (0, "")
    assert spoken(done.out) == "hello this is anna from the dental office"
    assert done.out.count("\n") == 1


MICROPHONE = """
import sys
from coqui_client import cli, microphone
path = sys.argv.pop()
microphone.sources = lambda *_: [["-f", "no such device", "-i", path],
                                 ["-re", "-i", path, "-af", "apad"]]
sys.exit(cli.main(sys.argv[1:]))
"""


@unix_only
async def test_microphone(server: Running, tmp_path: Path) -> None:
    """What is said is printed when it is said; Ctrl-C is a good end."""
    first = tmp_path / "first.wav"
    ffmpeg("-t", 3.4, "-i", VOICEMAIL.path, first)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        MICROPHONE,
        "--mic",
        "--url",
        server.url,
        str(first),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    assert spoken(line) == "hello this is anna from the dental office"
    (child,) = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert (process.returncode, out, err) == (0, b"", b"")
    assert not child.is_running()


@unix_only
async def test_interrupted_in_mid_sentence(server: Running) -> None:
    """What was said before Ctrl-C still comes, and the next Ctrl-C is an ordinary one again."""
    usual = signal.getsignal(signal.SIGINT)
    display = Display()
    display.at = (2.0, lambda: signal.raise_signal(signal.SIGINT))
    reply = await transcribe(server.url, "native", display, hasty(VOICEMAIL.path, endless=True))
    assert signal.getsignal(signal.SIGINT) is usual
    assert reply.transcript.duration < 6
    assert spoken(reply.transcript.text).startswith("hello this is anna")
    assert "incomplete" not in reply.fields


async def test_interrupted_while_nothing_comes(start: Start) -> None:
    """A microphone that gives nothing can be left, too."""
    gone = asyncio.Event()

    async def mute() -> AsyncGenerator[bytes, None]:
        try:
            signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()
            yield b""
        finally:
            gone.set()

    url = await start(telling())
    reply = await transcribe(url, "native", Display(), Source(mute, endless=True))
    assert (reply.transcript.text, reply.transcript.duration) == ("", 0)
    assert gone.is_set()


PARTIAL = {"event": "transcript", "is_final": False, "text": "Ask", "start": 0.1}
FINAL = {"event": "transcript", "is_final": True, "text": "Ask not.", "start": 0.1, "end": 0.4}
STOPPED = {"event": "stopped", "session_id": "7e"}


def telling(*early: dict[str, Any], late: dict[str, Any] = STOPPED) -> Handler:
    """A stand-in that tells `early` when a session starts, and `late` when it stops."""

    async def handler(socket: ServerConnection) -> None:
        async for message in socket:
            if isinstance(message, str):
                stop = json.loads(message)["event"] == "stop"
                for event in (late,) if stop else early:
                    await socket.send(json.dumps(event))

    return handler


async def test_outputs(start: Start, clip: Path, tmp_path: Path) -> None:
    """Formats with times get the whole transcript at the end."""
    url = await start(telling(PARTIAL, FINAL))
    assert await command(clip, "--live", "--format", "tsv", "-o", tmp_path, "--url", url) == 0
    assert (tmp_path / "clip.tsv").read_text() == "start\tend\ttext\n100\t400\tAsk not.\n"


async def test_several(start: Start, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Several files have a header each."""
    url = await start(telling(PARTIAL, FINAL))
    assert await command(clip, clip, "--live", "--url", url) == 0
    block = f"== {clip} ==\nAsk not.\n"
    assert capsys.readouterr().out == f"{block}\n{block}"


@unix_only
async def test_terminal(start: Start, run: Run, clip: Path) -> None:
    """A terminal sees partials in grey, each in the place of the one before, and the final."""
    master, slave = os.openpty()
    seen = bytearray()
    asyncio.get_running_loop().add_reader(master, lambda: seen.extend(os.read(master, 4096)))
    url = await start(telling(PARTIAL, FINAL, PARTIAL))
    environment = {**os.environ, "TERM": "xterm"}
    try:
        done = await run(clip, "--live", "--url", url, stdout=slave, env=environment)
    finally:
        asyncio.get_running_loop().remove_reader(master)
        os.close(slave)
        os.close(master)
    grey = b"\x1b[90m%s\x1b[0m\r\x1b[K"
    wanted = grey % b"(listening)" + grey % b"Ask" + b"Ask not.\r\n" + grey % b"Ask"
    assert (done.code, bytes(seen)) == (0, wanted)


async def test_failure_after_words(
    start: Start, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was said before a failure is written, and the failure is told."""
    error = {"event": "error", "message": "the engine failed", "code": "engine_failed"}
    url = await start(telling(FINAL, late=error))
    options = ("--live", "--format", "json", "-o", tmp_path, "--url", url)
    assert await command(clip, *options) == 1
    assert capsys.readouterr().err.endswith(f"{clip}: the engine failed\n")
    reply = json.loads((tmp_path / "clip.json").read_text())
    assert (reply["text"], reply["incomplete"]) == ("Ask not.", "the engine failed")


async def test_ended_by_the_daemon(start: Start) -> None:
    """A session that ends before the sound is no transcript of it, and the sound is let go."""
    url = await start(telling(STOPPED))
    with pytest.raises(LostError, match=r"the daemon ended the session after \d s"):
        await transcribe(url, "native", Display(), live.of_file(VOICEMAIL.path))
    assert children() == []


async def test_closed_by_the_daemon(start: Start, clip: Path) -> None:
    """vosk-server's way to end is only one after we have ended."""

    async def handler(socket: ServerConnection) -> None:
        await socket.recv()

    url = await start(handler)
    with pytest.raises(LostError, match=r"closed the connection \(1000\)"):
        await transcribe(url, "vosk", Display(), live.of_file(clip))


async def test_no_end(start: Start, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that never ends the session is given up."""
    monkeypatch.setattr(live, "PATIENCE_SECONDS", 0.05)
    url = await start(telling(late=PARTIAL))
    with pytest.raises(LostError, match="the daemon did not end the session"):
        await transcribe(url, "native", Display(), hasty(clip))


async def test_reader_gone(start: Start, run: Run, clip: Path) -> None:
    """A reader that is gone, like `head`, ends the command without a traceback."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        url = await start(telling(FINAL))
        done = await run(clip, "--live", "--url", url, stdout=writer)
    finally:
        os.close(writer)
    assert (done.code, done.err) == (1, "")


async def test_no_sound(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that ffmpeg cannot read, or that is not there, costs one line."""
    url, readme = await start(telling()), SAMPLES / "README.md"
    assert await command(readme, "missing.wav", "--live", "--url", url) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert f"{readme}: ffmpeg cannot read it: " in first
    assert second.endswith("missing.wav: No such file or directory")


async def test_no_microphone(
    start: Start, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """When no way leads to a microphone, all that were tried are told."""
    tried = [["-f", "first", "-i", "x"], ["-f", "second", "-i", "x"]]
    monkeypatch.setattr(microphone, "sources", lambda *_: tried)
    assert await command("--mic", "--url", await start(telling())) == 1
    told = capsys.readouterr().err
    assert "microphone: first: ffmpeg cannot read it: " in told
    assert "; second: ffmpeg cannot read it: " in told
    assert len(told.splitlines()) == 1


async def test_no_server(
    clip: Path, unused_tcp_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one line names the address of the protocol."""
    url = f"ws://127.0.0.1:{unused_tcp_port}"
    for options, path in (
        (("--live",), "/ws/v1/speech-to-text"),
        (("--live", "--protocol", "vosk"), "/vosk"),
        (("--protocol", "json"), "/ws"),
    ):
        assert await command(clip, *options, "--url", url) == 3
        assert f"no server answers at {url}{path} (" in capsys.readouterr().err


async def test_pace() -> None:
    """No message is sent before its time, counted from the first."""

    async def pieces() -> AsyncGenerator[bytes, None]:
        for _ in range(4):
            yield LIVE.silence

    clock = asyncio.get_running_loop().time
    times = [clock() async for _ in paced(pieces())]
    # The loop wakes up to its clock's resolution early.
    assert all(time - times[0] >= 0.1 * n - 0.01 for n, time in enumerate(times))


@pytest.mark.parametrize(
    ("platform", "name", "devices"),
    [
        ("linux", "", [("pulse", "default"), ("alsa", "default")]),
        ("linux", "hw:1", [("pulse", "hw:1"), ("alsa", "hw:1")]),
        ("darwin", "", [("avfoundation", ":default")]),
        ("darwin", "Desk", [("avfoundation", ":Desk")]),
        ("win32", "Desk", [("dshow", "audio=Desk")]),
    ],
)
def test_devices(platform: str, name: str, devices: list[tuple[str, str]]) -> None:
    """Each system's devices, the best first."""
    found = microphone.sources(platform, name)
    assert [(source[1], source[-1]) for source in found] == devices
    assert all(source[0] == "-f" and source[-2] == "-i" for source in found)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--live"], "required: FILE, or --mic"),
        (["a.wav", "--live", "--mic"], "not allowed with argument --live"),
        (["a.wav", "--live", "--rtp", "h"], "not allowed with argument --live"),
        (["a.wav", "--mic=x"], "argument --mic: not allowed with FILE"),
        (["a.wav", "--rtp", "h", "--protocol", "native"], "not allowed with argument --rtp"),
        (["a.wav", "--live", "--protocol", "file"], "file is for whole files"),
        (["a.wav", "--protocol", "native"], "native needs --live or --mic"),
        (["a.wav", "--protocol", "vosk"], "vosk needs --live or --mic"),
        (["a.wav", "--protocol", "morse"], "invalid choice: 'morse'"),
    ],
)
def test_usage(arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What makes no sense together is wrong usage."""
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert problem in capsys.readouterr().err


def test_microphone_on_windows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Windows has no default device; how to list them is told."""
    monkeypatch.setattr("coqui_client.arguments.sys.platform", "win32")
    with pytest.raises(SystemExit) as left:
        main(["--mic"])
    assert left.value.code == 2
    assert "-list_devices true" in capsys.readouterr().err
