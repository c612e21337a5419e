"""Calls by SIP telephones: sipp and baresip call an answerer that gives them ports of ours."""

import asyncio
from pathlib import Path

from coqui_server.engines.base import Engine
from tests.rtp.programs import mu_law, program, run, started
from tests.rtp.sip import answering
from tests.rtp.viewer import Viewer, viewing
from tests.support.clips import Clip, clip, spoken
from tests.support.daemon import Running, Start, made, send

SILENCE_FIRST = ("-af", "adelay=1500")
"""Time to press a key in, before there is anything it could be pressed over."""

BARESIP = """
sip_listen 127.0.0.1:0
audio_source aufile,{sound}
audio_player aufile,{folder}/heard.wav
module_path {modules}
module gsm.so
module aufile.so
module stdio.so
module_tmp account.so
module_app menu.so
"""
ACCOUNT = "<sip:carol@127.0.0.1>;regint=0;audio_codecs=gsm\n"

INVITE = """
      INVITE sip:us@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:dave@[local_ip]:[local_port]>;tag=[call_number]
      To: <sip:us@[remote_ip]:[remote_port]>
      Call-ID: [call_id]
      CSeq: 1 INVITE
      Contact: sip:dave@[local_ip]:[local_port]
      Max-Forwards: 70
      Content-Type: application/sdp
      Content-Length: [len]

      v=0
      o=dave 1 1 IN IP[local_ip_type] [local_ip]
      s=-
      c=IN IP[media_ip_type] [media_ip]
      t=0 0
      m=audio [media_port] RTP/AVP 0
      a=rtpmap:0 PCMU/8000
"""
LATER = """
      {method} sip:us@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:dave@[local_ip]:[local_port]>;tag=[call_number]
      To: <sip:us@[remote_ip]:[remote_port]>[peer_tag_param]
      Call-ID: [call_id]
      CSeq: {number} {method}
      Max-Forwards: 70
      Content-Length: 0
"""
SCENARIO = f"""<?xml version="1.0" encoding="ISO-8859-1" ?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="plays a file">
  <send retrans="500"><![CDATA[{INVITE}]]></send>
  <recv response="200"/>
  <send><![CDATA[{LATER.format(method="ACK", number=1)}]]></send>
  <nop><action><exec rtp_stream="sound.ulaw,1,0"/></action></nop>
  <pause milliseconds="{{milliseconds}}"/>
  <send retrans="500"><![CDATA[{LATER.format(method="BYE", number=2)}]]></send>
  <recv response="200"/>
</scenario>
"""


async def sipp(address: str, said: Clip, folder: Path) -> None:
    """A call by sipp, in mu-law, that ends when the clip does."""
    sound = mu_law(said.path, folder)
    (folder / "sound.ulaw").write_bytes(sound)
    milliseconds = len(sound) // 8 + 500
    (folder / "call.xml").write_text(SCENARIO.replace("{milliseconds}", str(milliseconds)))
    call = (program("sipp"), address, "-sf", "call.xml", "-i", "127.0.0.1", "-m", "1", "-nostdin")
    await run(*call, folder=folder)


async def baresip(address: str, said: Clip, folder: Path, viewer: Viewer) -> None:
    """A call by baresip, in GSM, with two keys pressed in the silence before the clip."""
    sound = folder / "made.wav"
    made(*SILENCE_FIRST, "-ar", "8000", source=said.path, suffix=".wav", folder=folder)
    path = program("baresip")
    modules = Path(path).parent.parent / "lib" / "baresip" / "modules"
    config = BARESIP.format(sound=sound, folder=folder, modules=modules)
    (folder / "config").write_text(config)
    (folder / "accounts").write_text(ACCOUNT)
    call = (path, "-4", "-f", str(folder), "-e", f"d sip:us@{address}", "-t", "30")
    telephone = await started(*call)
    assert telephone.stdin
    await viewer.until("session_start", label="carol")
    telephone.stdin.write(b"5#")
    await viewer.until("session_end", label="carol")
    telephone.terminate()
    await telephone.communicate()


async def by_file(server: Running, said: Clip, folder: Path, *codec: str) -> str:
    """The words of a clip by the whole-file protocol."""
    data = made(*codec, source=said.path, suffix=".wav", folder=folder)
    return spoken((await send(server, data)).text)


async def test_sip_telephones(start: Start, moonshine: Engine, tmp_path: Path) -> None:
    """Two SIP calls at once, PCMU by sipp and GSM with keys by baresip, say what files say."""
    program("sipp")
    program("baresip")
    said = {"dave": clip("telephone.wav"), "carol": clip("appointment.wav")}
    for name in said:
        (tmp_path / name).mkdir()
    async with start(moonshine) as server, viewing(server) as viewer, viewing(server) as control:
        async with answering(control) as answerer:
            await asyncio.gather(
                sipp(answerer.address, said["dave"], tmp_path / "dave"),
                baresip(answerer.address, said["carol"], tmp_path / "carol", viewer),
            )
            await viewer.until("session_end", 2)
        assert (await control.ask("list_calls"))["calls"] == []
        codecs = {"dave": ("-c:a", "pcm_mulaw"), "carol": ("-c:a", "libgsm_ms")}
        for name, codec in codecs.items():
            words = await by_file(server, said[name], tmp_path, "-ar", "8000", *codec)
            assert viewer.words(label=name) == words == spoken(said[name].text)
    ends = {end["label"]: end["statistics"] for end in viewer.all("session_end")}
    assert {name: end["codec"] for name, end in ends.items()} == {
        "dave": "PCMU/8000",
        "carol": "GSM/8000",
    }
    assert [key["digit"] for key in viewer.all("dtmf", label="carol")] == ["5", "#"]
    assert all(end["lost"] == end["unknown"] == end["malformed"] == 0 for end in ends.values())
