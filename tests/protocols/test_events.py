"""`/ws/events`: what viewers see, and what is no command."""

import asyncio

from coqui_server.engines.base import Engine
from tests.support.clips import clip
from tests.support.daemon import Start
from tests.support.live import client

VOICE = clip("appointment.wav")


async def test_several_viewers_of_one_session(start: Start, moonshine: Engine) -> None:
    """Each sees all events of the session it asked for, partials too, and of no other."""
    async with (
        start(moonshine) as server,
        client(server, "/ws/v1/speech-to-text") as user,
        client(server, "/ws/v1/speech-to-text") as other,
    ):
        await user.send({"event": "start"})
        session = (await user.next())["session_id"]
        path = f"/ws/events?session={session}"
        async with client(server, path) as first, client(server, path) as second:
            # An answer shows that a viewer is there.
            for viewer in (first, second):
                await viewer.send({"command": "list_calls"})
                await viewer.next()
            await user.send_sound(VOICE.pcm[:40_000])
            await user.until(event="transcript")
            await other.send({"event": "start"})
            await other.send_sound(VOICE.pcm)
            await user.send_sound(VOICE.pcm[40_000:])
            for talker in (user, other):
                await talker.send({"event": "stop"})
                await talker.until(event="stopped")
            await asyncio.gather(*(v.until(event="session_end") for v in (first, second)))
    assert first.received == second.received
    assert {message["session"] for message in first.received[1:]} == {session}
    seen = [
        message["text"] for message in first.received if message["event"] in ("partial", "final")
    ]
    assert seen == [
        message["text"] for message in user.received if message["event"] == "transcript"
    ]


async def test_what_is_no_command(start: Start, moonshine: Engine) -> None:
    """Each has an error, and the viewer goes on."""
    wrong: list[str | bytes] = [
        "",
        "x",
        "[]",
        "{}",
        '{"command": 5}',
        '{"command": ["list_calls"]}',
        "[" * 60_000,
        '{"command": "list_calls", "\\ud800": 1}',
        '{"command": "list_calls", "speed": 1}',
        b"\xff\xfe\x00",
        b'{"command": "\\ud800"}',
        '{"command": "list_calls", "request": NaN}',
        '{"command": "list_calls", "request": [1e999]}',
    ]
    async with start(moonshine) as server, client(server, "/ws/events") as viewer:
        for text in wrong:
            await viewer.socket.send(text)
            error = await viewer.next()
            assert (error["event"], error["code"]) == ("error", "bad_command"), text
        await viewer.send({"command": "list_calls", "request": 7})
        assert await viewer.next() == {"event": "calls", "calls": [], "request": 7}
