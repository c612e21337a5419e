"""Live clients that send nothing for a while: muted, on hold, or gone without a word."""

from typing import Any

import pytest

from coqui_server.engines.base import Engine
from tests.support.clips import clip, spoken
from tests.support.daemon import Start, all_closed
from tests.support.live import Client, Message, client, pieces, until

VOICE = clip("appointment.wav")
HALF = VOICE.pcm[:38_400]
"""2.4 s, which end in the middle of the sentence."""

WORDS = "your appointment is on monday morning"

LIVE: dict[str, tuple[Message | None, Message]] = {
    "/ws/v1/speech-to-text": ({"event": "start"}, {"event": "stop"}),
    "/ws": (None, {"type": "stop"}),
    "/vosk": ({"config": {"sample_rate": 16000}}, {"eof": 1}),
}
"""The paths of the live protocols, and how a client begins and ends there."""


def finals(messages: list[dict[str, Any]]) -> str:
    """The text of all finals, in any of the protocols."""
    return " ".join(
        message["text"]
        for message in messages
        if message.get("text")
        and message.get("is_final", True)
        and message.get("type") != "partial"
    )


async def begin(user: Client, path: str) -> None:
    """Open the session."""
    first, _ = LIVE[path]
    if first:
        await user.send(first)


@pytest.mark.parametrize("path", LIVE)
async def test_a_client_that_answers_pings_may_be_silent(
    start: Start, moonshine: Engine, path: str
) -> None:
    """It is not cut off after `server.idle`, and is understood when it speaks again."""
    async with start(moonshine, "server.idle = 300 ms") as server, client(server, path) as user:
        pongs = user.pongs()
        await begin(user, path)
        await user.send_sound(bytes(6400))
        await until(lambda: len(pongs) > 6)
        await user.send_sound(VOICE.pcm)
        await user.send(LIVE[path][1])
        while WORDS not in spoken(finals(user.received)):
            await user.next()


@pytest.mark.parametrize("path", LIVE)
async def test_a_dead_client_is_let_go_with_its_last_words(
    start: Start, moonshine: Engine, path: str
) -> None:
    """No message and no pong for `server.idle`: its text is finished, then it is closed."""
    async with start(moonshine, "server.idle = 300 ms") as server:
        async with client(server, path) as user:
            user.answer_no_pings()
            await begin(user, path)
            await user.send_sound(HALF)
            code, _ = await user.closed()
        assert code == 1008
        assert spoken(finals(user.received)).startswith("your appointment is on")
        await all_closed(server)


@pytest.mark.parametrize("path", LIVE)
async def test_an_utterance_ends_when_no_sound_comes(
    start: Start, moonshine: Engine, path: str
) -> None:
    """A client that stops in mid-sentence has its final without sending anything more, and what it
    says after that is another utterance."""
    async with (
        start(moonshine, "vad.stall = 100 ms") as server,
        client(server, "/ws/events?kind=live") as viewer,
        client(server, path) as user,
    ):
        await begin(user, path)
        await user.send_sound(HALF)
        while not finals(user.received):
            await user.next()
        assert spoken(finals(user.received)).startswith("your appointment is on")
        final = await viewer.until(event="final")
        assert 2.0 < final["end"] <= 2.4
        end = await viewer.until(event="utterance_end")
        assert end["end"] == final["end"]
        user.received.clear()
        await user.send_sound(VOICE.pcm)
        await user.send(LIVE[path][1])
        while "card" not in spoken(finals(user.received)):
            await user.next()
        assert WORDS in spoken(finals(user.received))


async def test_vosk_has_one_reply_for_each_message(start: Start, moonshine: Engine) -> None:
    """A result that came while the client was silent is the reply to its next message: a client in
    lock-step reads its last result after eof."""
    async with start(moonshine, "vad.stall = 100 ms") as server, client(server, "/vosk") as user:
        await user.send({"config": {"sample_rate": 16000}})
        parts = pieces(HALF.tobytes(), 6400)
        for part in parts:
            await user.socket.send(part)
            await user.next()
        assert await user.next() == user.received[-1]
        assert spoken(finals(user.received)).startswith("your appointment is on")
        for _ in range(3):
            await user.socket.send(bytes(3200))
        await user.send({"eof": 1})
        assert await user.closed() == (1000, "")
    assert len(user.received) == len(parts) + 3 + len(["eof"])
    assert user.received[-1] == {"text": ""}
