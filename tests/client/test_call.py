"""`client.py --rtp` against a stand-in for the daemon: real UDP, real events, real ffmpeg."""

import asyncio
import json
import os
import re
import signal
import struct
import sys
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import psutil
import pytest
from websockets.asyncio.server import ServerConnection, broadcast, serve

from coqui_client import call
from coqui_client.cli import main
from coqui_client.connection import events_url
from coqui_client.exceptions import LostError
from coqui_client.progress import Progress
from coqui_client.sound import frames
from tests.support.client import command, ffmpeg
from tests.support.daemon import children

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"
unix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs Unix signals or terminals")
LONG = SAMPLES / "telephone.wav"
HINT = "look at its rtp.enabled, rtp.port, rtp.allow and rtp.max_calls"

Run = Callable[..., Awaitable[Any]]


class Daemon(asyncio.DatagramProtocol):
    """Takes RTP on a port of its own and tells of it, as the daemon would.

    Attributes:
        rtp, rtcp: the datagrams, in the order they came; `first` is set by the first of them.
        asked: the path of the last request for events.
        at_first, at_bye: what to tell when a call begins and ends: `event` and its fields.
    """

    def __init__(self) -> None:
        self.rtp: list[bytes] = []
        self.rtcp: list[bytes] = []
        self.first = asyncio.Event()
        self.asked = ""
        self.at_first: list[dict[str, Any]] = [{"event": "session_start", "engine": "test"}]
        self.at_bye: list[dict[str, Any]] = [
            {"event": "final", "text": "Thank you.", "start": 0.25, "end": 1.0},
            {"event": "final", "text": "Hold <on>.", "start": 1.0, "end": 1.5},
            {"event": "session_end", "duration": 2.0, "error": None, "statistics": {"lost": 0}},
        ]
        self.sockets: set[ServerConnection] = set()
        self.port = self.events_port = 0

    @property
    def options(self) -> list[str]:
        """What the command needs to find us."""
        return ["--rtp", f"127.0.0.1:{self.port}", "--url", f"ws://127.0.0.1:{self.events_port}"]

    @property
    def payload(self) -> bytes:
        return b"".join(packet[12:] for packet in self.rtp)

    async def serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.asked = socket.request.path
        self.sockets.add(socket)
        await socket.wait_closed()
        self.sockets.discard(socket)

    def tell(self, events: list[dict[str, Any]], ssrc: int) -> None:
        for event in events:
            told = {"session": "1", "kind": "rtp", "call": f"127.0.0.1:40000/{ssrc:08x}", **event}
            broadcast(self.sockets, json.dumps({"label": None, **told}))

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if 192 <= data[1] <= 223:
            self.rtcp.append(data)
            if data[-7] == 203:
                self.tell(self.at_bye, int.from_bytes(data[-4:]))
            return
        self.rtp.append(data)
        if data[1] & 0x80:
            self.tell(self.at_first, int.from_bytes(data[8:12]))
        self.first.set()


@pytest.fixture
async def daemon() -> AsyncIterator[Daemon]:
    """A stand-in that listens on 127.0.0.1."""
    loop = asyncio.get_running_loop()
    line, daemon = await loop.create_datagram_endpoint(Daemon, local_addr=("127.0.0.1", 0))
    daemon.port = line.get_extra_info("sockname")[1]
    async with serve(daemon.serve, "127.0.0.1", 0, close_timeout=0.2) as server:
        daemon.events_port = next(iter(server.sockets)).getsockname()[1]
        yield daemon
    line.close()


def mulaw(path: Path) -> bytes:
    """What is to be sent of a file: its sound, filled up to whole packets, and 1 s of silence."""
    sound = ffmpeg("-i", path, "-f", "mulaw", "-ar", 8000, "-ac", 1, "pipe:1")
    return sound + b"\xff" * (-len(sound) % 160 + 8000)


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little silence after the file."""
    monkeypatch.setattr(call, "SILENCE_SECONDS", 0.02)


@pytest.fixture
def impatient(hurry: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Little patience, too, with a daemon that says nothing."""
    monkeypatch.setattr(call, "GRACE_SECONDS", 0.05)
    monkeypatch.setattr(call, "PATIENCE_SECONDS", 0.05)


async def test_call(daemon: Daemon, run: Run, tmp_path: Path) -> None:
    """The file's mu-law arrives in order, a second of silence follows, the text is printed."""
    clip = tmp_path / "Anruf é.flac"
    ffmpeg("-t", 1, "-i", SAMPLES / "weather.flac", clip)
    done = await run(clip, *daemon.options)
    assert (done.code, done.out, done.err) == (0, "Thank you. Hold <on>.\n", "")
    assert daemon.asked == "/ws/events?kind=rtp"
    assert daemon.payload == mulaw(clip)
    count = len(daemon.rtp)
    headers = [struct.unpack_from("!BBHII", packet) for packet in daemon.rtp]
    _, _, sequence, timestamp, ssrc = headers[0]
    assert headers == [
        (0x80, 0 if n else 0x80, (sequence + n) % 2**16, (timestamp + 160 * n) % 2**32, ssrc)
        for n in range(count)
    ]


async def test_reports(
    daemon: Daemon, clip: Path, hurry: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reports at real pace follow the first packet and then every so many; BYE ends."""
    monkeypatch.setattr(call, "_FRAMES_PER_REPORT", 10)
    assert await command(clip, *daemon.options) == 0
    ssrc = daemon.rtp[0][8:12]
    # A sender report is 28 bytes: version, kind, 6 words, ssrc; the count of packets is its 6th.
    assert [data[:8] for data in daemon.rtcp] == [b"\x80\xc8\x00\x06" + ssrc] * 4
    counts = [int.from_bytes(data[20:24]) for data in daemon.rtcp]
    assert counts == [1, 11, 21, len(daemon.rtp)]
    assert int.from_bytes(daemon.rtcp[-1][24:28]) == len(daemon.payload)
    assert all(data[32:46] == ssrc + b"\x01\x08clip.wav" for data in daemon.rtcp)
    assert [b"\x81\xcb\x00\x01" + ssrc in data for data in daemon.rtcp] == [False] * 3 + [True]
    # By the sender's two clocks, it took as long as the sound lasts.
    (begun,) = struct.unpack_from("!I", daemon.rtp[0], 4)
    ((ntp, rtp), (last_ntp, last_rtp)) = (
        struct.unpack_from("!QI", data, 8) for data in (daemon.rtcp[0], daemon.rtcp[-1])
    )
    assert (last_rtp - begun) % 2**32 >= 160 * (len(daemon.rtp) - 1)
    assert (last_ntp - ntp) / 2**32 == pytest.approx((last_rtp - rtp) % 2**32 / 8000, abs=0.05)


async def test_json(
    daemon: Daemon, clip: Path, hurry: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """JSON is shaped like a whole file's reply, with the call and its statistics."""
    assert await command(clip, "--format", "json", *daemon.options) == 0
    reply = json.loads(capsys.readouterr().out)
    assert reply["text"] == "Thank you. Hold <on>."
    assert [part["start"] for part in reply["segments"]] == [0.25, 1.0]
    assert reply["call"].endswith(f"/{daemon.rtp[0][8:12].hex()}")
    assert reply["statistics"] == {"lost": 0}


async def test_several_to_a_folder(
    daemon: Daemon, clip: Path, hurry: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files are sent one after the other, each a call of its own; a bad one costs one line."""
    text = tmp_path / "notes.txt"
    text.write_text("This is no sound.")
    files, folder = (clip, text, clip), tmp_path / "out"
    assert await command(*files, "--format", "vtt", "-o", folder, *daemon.options) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["clip.wav-2.vtt", "clip.wav.vtt"]
    written = (folder / "clip.wav.vtt").read_text()
    assert "00:00:01.000 --> 00:00:01.500\nHold &lt;on&gt;.\n" in written
    told = capsys.readouterr().err
    assert f"{text}: ffmpeg cannot read it: Invalid data found when processing input\n" in told
    assert len(told.splitlines()) == 1
    # Two calls, not three: what has no sound is not called.
    assert sum(packet[1] >> 7 for packet in daemon.rtp) == 2
    assert len({packet[8:12] for packet in daemon.rtp}) == 2


async def test_other_calls_are_not_ours(
    daemon: Daemon, clip: Path, hurry: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """What others say, and the end of their calls, is nothing to us."""
    other = {"call": "127.0.0.1:40002/no"}
    daemon.at_first += [
        {"event": "final", "text": "Not this.", "start": 0, "end": 1, **other},
        {"event": "session_end", "duration": 1, "error": "nor this", **other},
    ]
    assert await command(clip, *daemon.options) == 0
    assert capsys.readouterr().out == "Thank you. Hold <on>.\n"


async def test_missed_events(
    daemon: Daemon, clip: Path, hurry: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Events the daemon left out are told, beside a transcript that may have gaps."""
    daemon.at_first.append({"event": "missed", "count": 7, "call": None})
    assert await command(clip, *daemon.options) == 1
    seen = capsys.readouterr()
    assert seen.out == "Thank you. Hold <on>.\n"
    assert seen.err.endswith(f"{clip}: 7 events were missed; there may be gaps\n")


async def test_failed_call(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    """An error at the end of the call is told in the daemon's words, at once, and BYE is said."""
    daemon.at_first.append({"event": "session_end", "duration": 0, "error": "the engine failed"})
    assert await command(LONG, *daemon.options) == 1
    seen = capsys.readouterr()
    assert (seen.out, len(seen.err.splitlines())) == ("", 1)
    assert seen.err.endswith(f"{LONG}: the engine failed\n")
    assert len(daemon.payload) < len(mulaw(LONG))
    assert daemon.rtcp[-1][-7] == 203


async def test_call_ended_by_the_daemon(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    """A call that ends well but before the file is no transcript of the file."""
    daemon.at_first.append({"event": "session_end", "duration": 0.0, "error": None})
    assert await command(LONG, *daemon.options) == 1
    assert "the daemon ended the call after 0 s, before the file did" in capsys.readouterr().err


async def test_unheard(
    daemon: Daemon, clip: Path, impatient: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """A daemon that tells nothing of the call is one line with what to look at."""
    daemon.at_first, daemon.at_bye = [], []
    assert await command(clip, *daemon.options) == 1
    address = f"127.0.0.1:{daemon.port}"
    wanted = f"{clip}: the daemon heard no call from us at {address}; {HINT}\n"
    assert capsys.readouterr().err.endswith(wanted)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a system that tells of closed ports")
async def test_closed_port(
    daemon: Daemon, unused_udp_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A port where nobody listens is found out at once, not at the end of the file."""
    options = [*daemon.options, "--rtp", f"127.0.0.1:{unused_udp_port}"]
    assert await command(LONG, *options) == 1
    told = capsys.readouterr().err
    assert f"at 127.0.0.1:{unused_udp_port} (Connection refused); {HINT}" in told
    assert daemon.rtp == []


async def test_silent_daemon(daemon: Daemon, clip: Path, impatient: None) -> None:
    """A daemon that has heard the call and never ends it is given up."""
    daemon.at_bye = []
    address, url = call.Address("127.0.0.1", daemon.port), f"ws://127.0.0.1:{daemon.events_port}"
    with pytest.raises(LostError, match="has sent no event of the call for"):
        await call.transcribe(clip, address, url, Progress("clip", visible=False))


@pytest.mark.parametrize(("reason", "told"), [("", "(code 1001)"), ("going", "(going)")])
async def test_events_end(
    daemon: Daemon,
    clip: Path,
    hurry: None,
    capsys: pytest.CaptureFixture[str],
    reason: str,
    told: str,
) -> None:
    """A daemon that shuts down in the middle ends the call, with BYE."""
    calling = asyncio.create_task(command(clip, *daemon.options))
    await daemon.first.wait()
    (socket,) = daemon.sockets
    await socket.close(1001, reason)
    assert await calling == 1
    wanted = f"the daemon closed the connection to its events {told}\n"
    assert capsys.readouterr().err.endswith(wanted)
    assert daemon.rtcp[-1][-7] == 203


async def test_events_cut(
    daemon: Daemon, clip: Path, hurry: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Events that break off without a word are lost."""
    calling = asyncio.create_task(command(clip, *daemon.options))
    await daemon.first.wait()
    for socket in daemon.sockets:
        socket.transport.abort()
    assert await calling == 1
    assert "the connection to the daemon's events was lost" in capsys.readouterr().err


async def test_events_that_are_none(
    daemon: Daemon, clip: Path, hurry: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Something else than the daemon at --url is told so."""
    calling = asyncio.create_task(command(clip, *daemon.options))
    await daemon.first.wait()
    broadcast(daemon.sockets, "hello")
    assert await calling == 1
    assert "is not JSON; is this the transcription daemon?" in capsys.readouterr().err


async def test_no_server(run: Run, clip: Path, unused_tcp_port: int) -> None:
    """Without a daemon one line says where its events were looked for, and nothing is sent."""
    url = f"ws://127.0.0.1:{unused_tcp_port}"
    done = await run(clip, clip, "--rtp", "127.0.0.1", "--url", url)
    assert done.code == 3
    assert len(done.err.splitlines()) == 1
    assert f"no server answers at {url}/ws/events?kind=rtp (" in done.err


async def test_missing_file(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is not there is told in the system's words."""
    path = tmp_path / "missing.wav"
    assert await command(path, *daemon.options) == 1
    assert capsys.readouterr().err.endswith(f"{path}: No such file or directory\n")


async def test_video_without_sound(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file without an audio track is told so."""
    path = tmp_path / "silent.mkv"
    ffmpeg("-f", "lavfi", "-i", "color=size=16x16:duration=0.1", path)
    assert await command(path, *daemon.options) == 1
    assert capsys.readouterr().err.endswith(f"{path}: the file holds no audio track\n")


async def test_file_of_no_length(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file whose track is empty has no sound, and is not called."""
    path = tmp_path / "empty.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
    assert await command(path, *daemon.options) == 1
    assert capsys.readouterr().err.endswith(f"{path}: the file holds no sound\n")
    assert daemon.rtp == daemon.rtcp == []


async def test_no_ffmpeg(
    daemon: Daemon, clip: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An ffmpeg that cannot be run is one line."""
    monkeypatch.setattr("coqui_client.sound.find_ffmpeg", lambda: str(clip))
    assert await command(clip, *daemon.options) == 1
    assert f"{clip}: ffmpeg could not be started: " in capsys.readouterr().err


async def test_unknown_host(daemon: Daemon, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that no one knows is told with the address that has it."""
    assert await command(clip, *daemon.options, "--rtp", "nobody.invalid") == 1
    assert f"{clip}: nothing can be sent to nobody.invalid:5004: " in capsys.readouterr().err


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """Two minutes: more than pipes hold, so that ffmpeg is still there when they are full."""
    path = tmp_path / "endless.wav"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=120", path)
    return path


async def test_sound_left_early(endless: Path) -> None:
    """Who stops listening to a file leaves no ffmpeg behind."""
    async with aclosing(frames(endless)) as sound:
        assert len(await anext(sound)) == 160
        assert len(children()) == 1
    assert children() == []


@unix_only
async def test_progress(daemon: Daemon, clip: Path, run: Run) -> None:
    """A terminal sees the seconds go by and the last words heard, cleaned of what it would obey."""
    daemon.at_first.append(
        {"event": "partial", "text": f"{'so ' * 20}Thank\x1b[2J\n you", "start": 0}
    )
    master, slave = os.openpty()
    seen = bytearray()
    asyncio.get_running_loop().add_reader(master, lambda: seen.extend(os.read(master, 4096)))
    try:
        done = await run(clip, *daemon.options, stderr=slave)
    finally:
        asyncio.get_running_loop().remove_reader(master)
        os.close(master)
        os.close(slave)
    assert done.out == "Thank you. Hold <on>.\n"
    assert re.search(rb"clip\.wav: calling, [12] s, (so )+Thank\[2J you", seen)


@unix_only
async def test_interrupt(daemon: Daemon, endless: Path) -> None:
    """Ctrl-C in the middle says BYE, leaves no ffmpeg behind and exits with 130."""
    daemon.at_bye = []
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "client.py"),
        str(endless),
        *daemon.options,
        stderr=asyncio.subprocess.PIPE,
    )
    await daemon.first.wait()
    (child,) = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert (process.returncode, err) == (130, b"client.py: interrupted\n")
    assert daemon.rtcp[-1][-7] == 203
    assert len(daemon.payload) < len(mulaw(endless))
    assert not child.is_running()


@pytest.mark.parametrize(
    ("url", "events"),
    [
        ("ws://h:1/api/v1/stt", "ws://h:1/ws/events?kind=rtp"),
        ("wss://h/stt/api/v1/stt", "wss://h/stt/ws/events?kind=rtp"),
        ("ws://h/api/v1/stt?a=b", "ws://h/ws/events?a=b&kind=rtp"),
        ("ws://h/other", "ws://h/other?kind=rtp"),
    ],
)
def test_events_url(url: str, events: str) -> None:
    """The events are where the whole-file protocol is, under their own path."""
    assert events_url(url) == events


@pytest.mark.parametrize(
    ("text", "host", "port", "shown"),
    [
        ("pbx", "pbx", 5004, "pbx:5004"),
        ("10.0.0.1:40000", "10.0.0.1", 40000, "10.0.0.1:40000"),
        ("[::1]", "::1", 5004, "[::1]:5004"),
        ("[::1]:9", "::1", 9, "[::1]:9"),
    ],
)
def test_address(
    text: str, host: str, port: int, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The port may be left out, and IPv6 has brackets."""
    asked: list[call.Address] = []

    async def transcribe(path: Path, address: call.Address, *_: object) -> None:
        asked.append(address)
        raise LostError("enough")

    monkeypatch.setattr(call, "transcribe", transcribe)
    assert main(["a.wav", "--rtp", text]) == 1
    assert asked == [call.Address(host, port)]
    assert str(asked[0]) == shown


@pytest.mark.parametrize(
    "text", ["", ":5004", "::1", "h:0", "h:65536", "h:x", "h/path", "u@h", "[::1"]
)
def test_address_usage(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An address that is none is wrong usage."""
    with pytest.raises(SystemExit) as left:
        main(["a.wav", "--rtp", text])
    assert left.value.code == 2
    assert "is not like host, host:port or [address]:port" in capsys.readouterr().err
