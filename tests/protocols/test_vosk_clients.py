"""vosk-server's own scripts, and the programs that are made for it: the same bytes in the same
order as they send, and what each of them looks at in the replies."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedOK

from coqui_server.media.ffmpeg import find_ffmpeg
from tests.protocols.test_vosk_protocol import VOICE, at, said
from tests.support.clips import SAMPLES, clip, spoken
from tests.support.daemon import Running, Start
from tests.support.live import Message, Obstacle, client, pieces
from tests.support.plain_websocket import BINARY, CLOSE, PING, PONG, TEXT, PlainClient, frame, plain

SOUND = VOICE.pcm.tobytes()
FIFTH = 6400
"""Bytes of 0.2 s at 16 kHz."""


@asynccontextmanager
async def script(server: Running) -> AsyncIterator[ClientConnection]:
    """A connection as all scripts open it: `websockets.connect`, with all that it offers."""
    async with connect(server.url) as websocket:
        yield websocket


async def lock_step(websocket: ClientConnection, sound: bytes, size: int) -> list[Message]:
    """Each message, and the one reply to it."""
    replies = []
    for piece in pieces(sound, size):
        await websocket.send(piece)
        replies.append(json.loads(await websocket.recv()))
    return replies


async def last(websocket: ClientConnection) -> Message:
    """The end, the reply to it, and nothing more."""
    await websocket.send('{"eof" : 1}')
    reply: Message = json.loads(await websocket.recv())
    with pytest.raises(ConnectionClosedOK):
        await websocket.recv()
    assert websocket.close_code == 1000
    return reply


async def test_test_py(server: Running) -> None:
    """It prints every reply."""
    async with script(server) as websocket:
        await websocket.send('{ "config" : { "sample_rate" : 16000 } }')
        replies = await lock_step(websocket, SOUND, FIFTH)
        end = await last(websocket)
    assert all(reply.keys() in ({"partial"}, {"result", "text"}) for reply in replies)
    assert end.keys() in ({"text"}, {"result", "text"})
    heard = [word["word"] for reply in [*replies, end] for word in reply.get("result", [])]
    assert heard == said([*replies, end]).split()
    assert spoken(said([*replies, end])) == spoken(VOICE.text)


async def test_test_words_py(start: Start) -> None:
    """Phrases and no words: the phrases reach the engine, and no reply has a `result`."""
    engine = Obstacle(text="six seven")
    phrases = ["zero one two three four five", "six seven eight nine oh"]
    async with start(engine) as server, script(server) as websocket:
        indent = " " * 20
        await websocket.send(
            f'{{"config" : \n{indent}{{ "phrase_list" : {json.dumps(phrases)},\n'
            f'{indent}  "sample_rate" : 16000,\n{indent}  "words" : 0}}}}'
        )
        replies = await lock_step(websocket, SOUND, FIFTH)
        replies.append(await last(websocket))
    assert engine.options[-1].phrases == tuple(phrases)
    assert {reply["text"] for reply in replies if "text" in reply} == {"six seven"}
    assert {key for reply in replies for key in reply} == {"partial", "text"}


async def test_test_srt_py(server: Running) -> None:
    """Subtitles of seven words a line, with the times of the first and the last word."""
    sentences = clip("voicemail.wav")
    async with script(server) as websocket:
        await websocket.send('{ "config" : { "sample_rate" : 16000 } }')
        results = await lock_step(websocket, sentences.pcm.tobytes(), FIFTH)
        results.append(await last(websocket))
    words = [result["result"] for result in results if "result" in result]
    lines = [some[at : at + 7] for some in words for at in range(0, len(some), 7)]
    times = [moment for line in lines for moment in (line[0]["start"], line[-1]["end"])]
    assert len(lines) >= 3
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] <= len(sentences.pcm) / 16_000
    content = " ".join(word["word"] for line in lines for word in line)
    assert spoken(content) == spoken(sentences.text)


@pytest.mark.process
async def test_test_ffmpeg_py(server: Running) -> None:
    """Any file, as ffmpeg's pipe gives it: messages of any size up to 8000 bytes."""
    program = await asyncio.create_subprocess_exec(
        find_ffmpeg(),
        *("-nostdin", "-loglevel", "quiet", "-i", str(SAMPLES / "telephone.wav")),
        *("-ar", "16000", "-ac", "1", "-f", "s16le", "-"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert program.stdout
    replies = []
    async with script(server) as websocket:
        await websocket.send('{ "config" : { "sample_rate" : 16000 } }')
        while data := await program.stdout.read(8000):
            replies += await lock_step(websocket, data, len(data))
        replies.append(await last(websocket))
    assert await program.wait() == 0
    assert spoken(said(replies)) == spoken(clip("telephone.wav").text)


async def test_jigasi(server: Running) -> None:
    """Each participant: a rate as Java prints it, half seconds without waiting for replies. A reply
    has `partial`, or else `text`, or Jigasi fails on it."""
    async with script(server) as websocket:
        await websocket.send('{"config" : {"sample_rate" : 48000.0 }}')
        sent = pieces(at(48_000), 48_000)
        for piece in sent:
            await websocket.send(piece)
        await websocket.send('{"eof" : 1}')
        replies = [json.loads(reply) async for reply in websocket]
    assert websocket.close_code == 1000
    assert len(replies) == len(sent) + 1
    assert all(isinstance(reply.get("partial", reply.get("text")), str) for reply in replies)
    assert spoken(said(replies)) == spoken(VOICE.text)


async def test_jigasis_single_requests(server: Running) -> None:
    """All sound in one message, then the end; the connection's close says that all is there."""
    async with script(server) as websocket:
        await websocket.send('{"config" : {"sample_rate" : 48000.0}}')
        await websocket.send(at(48_000))
        await websocket.send('{"eof" : 1}')
        replies = [json.loads(reply) async for reply in websocket]
    assert len(replies) == 2
    assert spoken(said(replies)) == spoken(VOICE.text)


async def test_big_blue_button(server: Running) -> None:
    """mod_audio_fork, on behalf of the transcription controller. The headers are those of
    libwebsockets, with an origin and no port. The end and the close are sent without waiting."""
    request = """
GET / HTTP/1.1
Pragma: no-cache
Cache-Control: no-cache
Host: {host}
Origin: http://{host}
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: {key}
Sec-WebSocket-Protocol: audio.drachtio.org
Sec-WebSocket-Version: 13
"""
    async with client(server, "/ws/events?kind=live") as viewer, plain(server, request) as fork:
        assert "sec-websocket-protocol" not in fork.headers
        fork.send(TEXT, '{"config":{"sample_rate":"16000"}}')
        for piece in pieces(SOUND, 640):
            fork.send(BINARY, piece)
        replies = [json.loads((await fork.next())[1]) for _ in pieces(SOUND, 640)]
        fork.send(TEXT, '{"eof":1}')
        fork.send(CLOSE, (1000).to_bytes(2))
        ended = await viewer.until(event="session_end")
    assert all(reply.keys() & {"text", "partial"} for reply in replies)
    assert "errorCode" not in {key for reply in replies for key in reply}
    finals = " ".join(event["text"] for event in viewer.received if event["event"] == "final")
    assert (spoken(finals), ended["error"]) == (spoken(VOICE.text), None)


KS = """
GET / HTTP/1.1
Host: {host}
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: {key}
Sec-WebSocket-Version: 13
"""


async def fed(module: PlainClient, sound: bytes) -> list[Message]:
    """FreeSWITCH's mod_vosk: 20 ms after 20 ms, a message as soon as there are more than 3200
    bytes. libks reads six bytes of a frame at once."""
    replies, held = [], b""
    for piece in pieces(sound, 320):
        held += piece
        if len(held) > 3200:
            module.send(BINARY, held[:3200])
            held = held[3200:]
            opcode, reply = await module.next(first=6)
            assert opcode == TEXT
            replies.append(json.loads(reply))
    return replies


@pytest.mark.parametrize("masked", [False, True], ids=["vosk-fix", "newer libks"])
async def test_freeswitch(server: Running, masked: bool) -> None:
    """No config, so 8 kHz, and no end: it closes with the code 1, in the older libks without a
    mask, and is gone. What it said is transcribed."""
    async with client(server, "/ws/events?kind=live") as viewer, plain(server, KS) as module:
        replies = await fed(module, at(8000) + bytes(16_000))
        while spoken(said(replies)) != spoken(VOICE.text):
            replies += await fed(module, bytes(6400))
        module.writer.write(frame(CLOSE, (1).to_bytes(2), masked=masked))
        module.writer.close()
        ended = await viewer.until(event="session_end")
    assert ended["error"] is None


async def test_pings_are_long_enough_for_freeswitch(start: Start) -> None:
    """libks reads six bytes before it knows that a frame is a ping, and would hang on a shorter
    one."""
    async with start(Obstacle()) as server, plain(server, KS) as module:
        await fed(module, bytes(6400))
        (connection,) = server.daemon.servers[0].connections
        answered = await connection.ping()
        opcode, payload = await module.next(first=6)
        assert (opcode, len(payload) >= 4) == (PING, True)
        module.send(PONG, payload)
        await answered
        assert connection.ping_timeout is None, "it answers pings only while sound comes"


async def test_asterisk(server: Running) -> None:
    """res_speech_vosk: no config, 3200 bytes a message. It offers a subprotocol, and takes no
    other one and no extension. It leaves after the end without reading."""
    request = """
GET / HTTP/1.1
Sec-WebSocket-Version: 13
Upgrade: websocket
Connection: Upgrade
Host: {host}:{port}
Sec-WebSocket-Key: {key}
Sec-WebSocket-Protocol: ws
"""
    async with client(server, "/ws/events?kind=live") as viewer, plain(server, request) as module:
        assert not {"sec-websocket-protocol", "sec-websocket-extensions"} & module.headers.keys()
        for piece in pieces(at(8000), 3200):
            module.send(BINARY, piece)
            opcode, reply = await module.next()
            assert opcode == TEXT
            assert json.loads(reply).keys() & {"text", "partial"}
        module.send(TEXT, '{"eof" : 1}')
        module.send(CLOSE, (1000).to_bytes(2))
        module.writer.close()
        ended = await viewer.until(event="session_end")
    finals = " ".join(event["text"] for event in viewer.received if event["event"] == "final")
    assert (spoken(finals), ended["error"]) == (spoken(VOICE.text), None)
