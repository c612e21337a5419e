"""Calls by ffmpeg and GStreamer: what is said by RTP is what a file in the same codec says."""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from coqui_server.engines.base import Engine
from tests.rtp.programs import ffmpeg, gstreamer, run, running
from tests.rtp.viewer import Message, Viewer, viewing
from tests.rtp.wire import read_report, split
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start, made, send

VOICE = clip("appointment.wav")
SETTINGS = """
    rtp.idle = 1 s
    partials.pace = 60 s
    rtp.codecs { "98" = "L16/16000" }
"""


@dataclass(frozen=True)
class Codec:
    """How ffmpeg makes it for RTP and in a file, and its payload type."""

    encoder: str
    suffix: str
    payload_type: int


CODECS = {
    "PCMU/8000": Codec("-c:a pcm_mulaw -ar 8000", ".wav", 0),
    "PCMA/8000": Codec("-c:a pcm_alaw -ar 8000", ".wav", 8),
    "G722/8000": Codec("-c:a g722 -ar 16000", ".wav", 9),
    "opus/48000/2": Codec("-c:a libopus -ar 48000 -b:a 24k", ".ogg", 97),
    "L16/16000": Codec("-c:a pcm_s16be -ar 16000", ".aiff", 98),
    "L16/44100": Codec("-c:a pcm_s16be -ar 44100", ".aiff", 11),
}
GSTREAMER = {
    "PCMU/8000": "audio/x-raw,rate=8000 ! mulawenc ! rtppcmupay",
    "PCMA/8000": "audio/x-raw,rate=8000 ! alawenc ! rtppcmapay",
    "L16/16000": "audio/x-raw,rate=16000,format=S16BE ! rtpL16pay pt=98",
    "L16/44100": "audio/x-raw,rate=44100,format=S16BE ! rtpL16pay pt=11",
    "opus/48000/2": "audio/x-raw,rate=48000 ! opusenc ! rtpopuspay pt=97",
}
CNAME = "anna@dental.example"
WITH_RTCP = """
    rtpbin name=bin sdes=application/x-rtp-source-sdes,cname=(string)"{cname}"
    {source} ! audio/x-raw,rate=8000 ! mulawenc ! rtppcmupay ssrc={ssrc} ! bin.send_rtp_sink_0
    bin.send_rtp_src_0 ! udpsink host=127.0.0.1 port={port}
    bin.send_rtcp_src_0 ! udpsink host=127.0.0.1 port={relay} sync=false async=false
"""


def sound(path: Path) -> str:
    """GStreamer's way from a WAV file to samples."""
    return f"filesrc location={path} ! wavparse ! audioconvert ! audioresample"


def ssrcs(names: Mapping[str, object]) -> dict[str, int]:
    """A source for each codec."""
    return {name: 1001 + place for place, name in enumerate(names)}


def port_of(server: Running) -> int:
    """The shared port."""
    assert server.rtp.shared is not None
    return server.rtp.shared.number


async def check(server: Running, viewer: Viewer, names: Mapping[str, int], folder: Path) -> None:
    """Each of these sources sent the clip in its codec, whole, and was heard as in a file."""
    await viewer.until("session_end", len(names))
    ends = {end["statistics"]["ssrc"]: end for end in viewer.all("session_end")}
    for name, ssrc in names.items():
        end: Message = ends[f"{ssrc:08x}"]
        codec = CODECS[name]
        data = made(*codec.encoder.split(), source=VOICE.path, suffix=codec.suffix, folder=folder)
        by_file = spoken((await send(server, data)).text)
        assert viewer.words(session=end["session"]) == by_file == spoken(VOICE.text), name
        assert end["statistics"]["codec"] == name
        troubles = ("lost", "late", "duplicates", "overrun", "unknown", "malformed")
        assert {key: end["statistics"][key] for key in troubles} == dict.fromkeys(troubles, 0)
        assert abs(end["duration"] - len(VOICE.pcm) / 16_000) < 0.1, name


async def test_ffmpeg(start: Start, moonshine: Engine, tmp_path: Path) -> None:
    """Six calls at once at real pace, each in another codec, that say goodbye."""
    names = ssrcs(CODECS)
    async with start(moonshine, SETTINGS) as server, viewing(server, "?kind=rtp") as viewer:
        senders = [
            run(
                ffmpeg(),
                "-v",
                "error",
                "-re",
                "-i",
                str(VOICE.path),
                *codec.encoder.split(),
                "-f",
                "rtp",
                "-rtpflags",
                "send_bye",
                "-ssrc",
                str(names[name]),
                "-payload_type",
                str(codec.payload_type),
                f"rtp://127.0.0.1:{port_of(server)}",
            )
            for name, codec in CODECS.items()
        ]
        await asyncio.gather(*senders)
        await check(server, viewer, names, tmp_path)
    reasons = {end["statistics"]["ended"] for end in viewer.all("session_end")}
    assert reasons == {"the source said goodbye"}


async def test_gstreamer(start: Start, moonshine: Engine, tmp_path: Path) -> None:
    """Five calls at once at real pace, without RTCP, that just stop."""
    launch, names = gstreamer("rtppcmupay", "opusenc"), ssrcs(GSTREAMER)
    async with start(moonshine, SETTINGS) as server, viewing(server, "?kind=rtp") as viewer:
        senders = [
            run(
                launch,
                "-q",
                *sound(VOICE.path).split(),
                "!",
                *payloader.split(),
                f"ssrc={names[name]}",
                "!",
                "udpsink",
                "host=127.0.0.1",
                f"port={port_of(server)}",
            )
            for name, payloader in GSTREAMER.items()
        ]
        await asyncio.gather(*senders)
        await check(server, viewer, names, tmp_path)
    assert {end["statistics"]["ended"] for end in viewer.all("session_end")} == {"no packets"}


async def relay(theirs: socket.socket, port: int, compounds: list[bytes]) -> bytes:
    """Pass RTCP on to the port after the RTP port; what they sent, and the first report on it."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.setblocking(False)
        ours.connect(("127.0.0.1", port + 1))
        report = asyncio.create_task(loop.sock_recv(ours, 1500))
        while not compounds or not any(part[1] == 203 for part in split(compounds[-1])):
            compounds.append(await loop.sock_recv(theirs, 1500))
            ours.send(compounds[-1])
        return await report


async def test_gstreamer_with_rtcp(start: Start, moonshine: Engine, tmp_path: Path) -> None:
    """Its CNAME becomes the label, its reports are answered on its RTCP port, its BYE ends it."""
    launch, compounds = gstreamer("rtppcmupay", "rtpbin"), list[bytes]()
    async with start(moonshine, "rtp.idle = 60 s") as server, viewing(server) as viewer:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as theirs:
            theirs.setblocking(False)
            theirs.bind(("127.0.0.1", 0))
            port, source = port_of(server), sound(VOICE.path)
            values = {"cname": CNAME, "source": source, "ssrc": 1001, "port": port}
            pipeline = WITH_RTCP.format(**values, relay=theirs.getsockname()[1])
            # On a busy machine GStreamer 1.22 sometimes hangs after its BYE.
            async with running(launch, "-q", *pipeline.split()):
                report = await relay(theirs, port, compounds)
        await check(server, viewer, {"PCMU/8000": 1001}, tmp_path)
    end = viewer.all("session_end")[0]
    assert end["label"] == end["statistics"]["cname"] == CNAME
    assert end["statistics"]["ended"] == "the source said goodbye"
    assert viewer.all("final")[-1]["label"] == CNAME
    read = read_report(report)
    assert (read.about, read.fraction, read.lost) == (1001, 0, 0)
    assert read.last_report == int.from_bytes(compounds[0][10:14])
