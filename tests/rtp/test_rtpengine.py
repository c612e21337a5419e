"""A call through the real rtpengine, both parties of it transcribed."""

import asyncio
import json
import re
import shutil
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from coqui_server.media.ffmpeg import find_ffmpeg
from examples.rtpengine import ask
from tests.support.clips import ROOT, SAMPLES, clip, spoken
from tools.daemon import running

pytestmark = pytest.mark.process

CALL = "a84b4c76e66710"
SAID = {"alice": "voicemail.wav", "bob": "appointment.wav"}


def free_port() -> int:
    """A UDP port that nobody has now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


@pytest.fixture
async def ng(tmp_path: Path) -> AsyncIterator[socket.socket]:
    """The control socket of an rtpengine that runs for this test."""
    program = shutil.which("rtpengine")
    if program is None:
        pytest.skip("rtpengine is not installed")
    listen, first = free_port(), 30_000 + free_port() % 1000 * 2
    process = await asyncio.create_subprocess_exec(
        program,
        "--config-file=none",
        "--foreground",
        "--table=-1",
        "--log-stderr",
        f"--listen-ng=127.0.0.1:{listen}",
        f"--port-min={first}",
        f"--port-max={first + 60}",
        "--interface=127.0.0.1",
        f"--pidfile={tmp_path / 'pid'}",
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    await process.stderr.readuntil(b"Startup complete")
    log = asyncio.create_task(process.stderr.read())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        control.connect(("127.0.0.1", listen))
        control.settimeout(5)
        yield control
    process.terminate()
    await log
    await process.wait()


def description(port: int) -> str:
    """What a telephone that takes PCMU on this port offers (SDP, RFC 8866)."""
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
    )


def media_port(sdp: str) -> int:
    """The port a description names."""
    (port,) = re.findall(r"^m=audio (\d+)", sdp, re.MULTILINE)
    return int(port)


def establish(ng: socket.socket, ports: dict[str, int]) -> dict[str, int]:
    """A call between the two; where each of them sends its sound."""
    tags = {"from-tag": "alice"}
    offered = ask(ng, "offer", CALL, sdp=description(ports["alice"]), **tags)
    tags["to-tag"] = "bob"
    answered = ask(ng, "answer", CALL, sdp=description(ports["bob"]), **tags)
    return {"alice": media_port(answered["sdp"]), "bob": media_port(offered["sdp"])}


async def test_both_parties_of_a_call_are_transcribed(ng: socket.socket) -> None:
    """Each party's words come with its tag as the label, under the SIP call's own id."""
    local = {"alice": free_port(), "bob": free_port()}
    remote = establish(ng, local)
    control = "{}:{}".format(*ng.getpeername())
    with running("rtp.idle = 1 s") as daemon:
        events = f"{daemon.url}/ws/events"
        async with connect(f"{events}?call={CALL}") as viewer:
            example = [sys.executable, str(ROOT / "examples" / "rtpengine.py"), CALL]
            subscribe = [*example, "--ng", control, "--events", events]
            await asyncio.to_thread(subprocess.run, subscribe, check=True, capture_output=True)
            speaking = [
                await asyncio.create_subprocess_exec(
                    find_ffmpeg(),
                    "-v",
                    "error",
                    "-re",
                    "-i",
                    str(SAMPLES / name),
                    "-c:a",
                    "pcm_mulaw",
                    "-ar",
                    "8000",
                    "-f",
                    "rtp",
                    f"rtp://127.0.0.1:{remote[party]}?localrtpport={local[party]}",
                    stdout=subprocess.DEVNULL,
                )
                for party, name in SAID.items()
            ]
            heard: dict[str, list[str]] = defaultdict(list)
            ended = 0
            async for text in viewer:
                event = json.loads(text)
                if event["event"] == "final":
                    heard[event["label"]].append(event["text"])
                ended += event["event"] == "session_end"
                if ended == len(SAID):
                    break
            assert [await process.wait() for process in speaking] == [0, 0]
    for party, name in SAID.items():
        assert spoken(" ".join(heard[party])) == spoken(clip(name).text)
