"""vosk-server's protocol: what each message means. `test_vosk_clients.py` has its clients."""

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import soxr

from coqui_server.engines.base import DEFAULT_OPTIONS, Engine
from coqui_server.media.samples import Samples
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start
from tests.support.live import Client, Message, Obstacle, client, pieces

VOICE = clip("appointment.wav")
KOREAN = clip("korean.wav").pcm[:64_000]
SILENCE = np.zeros(8000, np.int16)


def at(rate: int, pcm: Samples = VOICE.pcm) -> bytes:
    """The sample at another rate."""
    sound: Samples = soxr.resample(pcm, 16_000, rate)
    return sound.tobytes()


def said(replies: list[Message]) -> str:
    """All finals' text."""
    return " ".join(reply["text"] for reply in replies if reply.get("text"))


async def lock_step(user: Client, sound: bytes, size: int) -> list[Message]:
    """One reply awaited for each message, as all of Vosk's own samples do."""
    replies = []
    for piece in pieces(sound, size):
        await user.socket.send(piece)
        replies.append(await user.next())
    return replies


async def test_partials_and_finals_where_they_fall(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reply tells what its chunk came to, as vosk-server's does: the text so far while somebody
    speaks, the result once the sentence is over, then an empty partial until the next one."""
    # However slow the machine: each reply is waited for.
    monkeypatch.setattr("coqui_server.protocols.vosk._AHEAD", -1e9)
    sentences = clip("voicemail.wav")
    async with client(server, "/") as user:
        await user.send({"config": {"sample_rate": 16000}})
        replies = await lock_step(user, sentences.pcm.tobytes() + bytes(32_000), 8000)
        await user.send({"eof": 1})
        await user.closed()
    assert user.received[-1] == {"text": ""}
    kinds = "".join(
        "F" if "text" in reply else "p" if reply["partial"] else "." for reply in replies
    )
    assert re.fullmatch(r"\.+p{4,}F\.+p{2,}F\.+", kinds), kinds
    first, second = (reply["text"] for reply in replies if "text" in reply)
    assert spoken(first).startswith("hello")
    assert spoken(second).startswith("please call")
    assert spoken(f"{first} {second}") == spoken(sentences.text)
    last_partial = replies[kinds.index("F") - 1]["partial"]
    assert spoken(first).startswith(spoken(last_partial).split()[0])


@pytest.mark.parametrize("eof", ['{"eof" : 1}', '{"eof":1}', '{ "eof": 1 }', '{"eof": true}'])
async def test_eof_before_sound(server: Running, eof: str) -> None:
    """It is an empty text, with a config or without."""
    for config in (None, '{"config": {}}'):
        async with client(server, "/") as user:
            if config:
                await user.socket.send(config)
            await user.socket.send(eof)
            assert await user.closed() == (1000, "")
        assert user.received == [{"text": ""}]


async def test_reset(server: Running) -> None:
    """It is answered by what was said so far, and the stream goes on."""
    async with client(server, "/") as user:
        await user.send({"config": {"sample_rate": 16000}})
        await user.send({"reset": 1})
        assert await user.next() == {"text": ""}
        for _ in range(2):
            user.received.clear()
            await lock_step(user, VOICE.pcm.tobytes(), 32_000)
            await user.send({"reset": 1})
            await user.next()
            assert spoken(said(user.received)) == spoken(VOICE.text)
        await user.send({"eof": 1})
        await user.closed()
    assert user.received[-1] == {"text": ""}


async def test_a_late_config_and_unknown_keys(server: Running) -> None:
    """A config has no reply, not even a late one, which changes nothing; what it has that we do
    not know is passed over."""
    async with client(server, "/") as user:
        await user.send({"config": {"sample_rate": 16000, "spk": "x", "grammar": 5}, "more": 1})
        await user.send({"config": {"words": False}})
        await user.send_sound(VOICE.pcm[:30_000])
        await user.send({"config": {"sample_rate": 8000}})
        await user.send_sound(VOICE.pcm[30_000:])
        await user.send({"eof": 1})
        await user.closed()
    assert len(user.received) == len(pieces(VOICE.pcm[:30_000].tobytes(), 6400)) + len(
        pieces(VOICE.pcm[30_000:].tobytes(), 6400)
    ) + len(["eof"])
    assert spoken(said(user.received)) == spoken(VOICE.text)


@pytest.mark.parametrize("model", ["moonshine", "tiny-en", None])
async def test_the_model_by_its_name(server: Running, model: str | None) -> None:
    """A client that names the model that runs here gets it."""
    async with client(server, "/") as user:
        await user.send({"config": {"sample_rate": 16000, "model": model}})
        await user.send_sound(VOICE.pcm)
        await user.send({"eof": 1})
        assert (await user.closed())[0] == 1000
    assert spoken(said(user.received)) == spoken(VOICE.text)


CONFIGS: dict[str, list[Any]] = {
    "model": ["vosk-model", "/etc", "./x", 5, ["tiny-en"]],
    "sample_rate": ["x", None, 0, -8000, 4e5, 8000.5, float("nan"), [], True, 10**400],
    "max_alternatives": ["x", None, [], {}],
    "phrase_list": ["yes", [1], {}, None],
}
WRONG: list[tuple[str, str]] = [
    *((json.dumps({"config": {key: v}}), key) for key, values in CONFIGS.items() for v in values),
    *((f'{{"config": {value}}}', "config") for value in ("5", "[]", '"x"', "null")),
    *((text, "JSON object") for text in ("", "eof", "[]", "5", "[" * 100_000)),
    *((text, "JSON object") for text in ('{"\\ud800": 1}', '{"config": {"model": "\\ud800"}}')),
    ('{"start": 1}', "a config, a reset or an eof"),
]


async def test_what_is_refused(server: Running) -> None:
    """There is no message for errors in this protocol: the close's reason says what is wrong."""
    for message, hint in WRONG:
        async with client(server, "/") as user:
            await user.socket.send(message)
            # A rate is looked at when sound comes.
            await user.socket.send(b"ab")
            code, reason = await user.closed()
        assert (code, user.received) == (1008, []), message
        assert hint in str(reason), message


async def test_more_than_max_sessions(start: Start, moonshine: Engine) -> None:
    """The reason of the close says it, with 1013."""
    async with (
        start(moonshine, "server.max_sessions = 1") as server,
        client(server, "/") as first,
        client(server, "/") as second,
    ):
        await lock_step(first, bytes(3200), 3200)
        await second.socket.send(bytes(3200))
        assert await second.closed() == (1013, "all 1 sessions are taken; try again later")


@pytest.mark.parametrize("config", [{}, {"words": False}, {"max_alternatives": 2}])
async def test_two_quotes_touch_in_empty_results_only(
    start: Start, config: Mapping[str, object]
) -> None:
    """FreeSWITCH takes a reply with `""` for an empty one, so what is said may not have it."""
    engine = Obstacle(text='she said "hello"')
    async with start(engine) as server, client(server, "/") as user:
        await user.send({"config": {"sample_rate": 16000, **config}})
        await user.send_sound(VOICE.pcm.tobytes() + bytes(64_000))
        await user.send({"eof": 1})
        raw = [str(text) async for text in user.socket]
    full = [text for text in raw if "hello" in text]
    assert full
    assert not [text for text in full if '""' in text]
    assert all('""' in text for text in raw if text not in full)


async def test_an_engine_failure(start: Start) -> None:
    """It is our fault: 1011, with as much of the reason as a close holds."""
    async with start(Obstacle(fails=True)) as server, client(server, "/") as user:
        await user.send({"config": {"sample_rate": 16000}})
        await user.send_sound(VOICE.pcm.tobytes() + bytes(64_000))
        await user.send({"eof": 1})
        assert await user.closed() == (1011, "the recogniser obstacle failed")


async def test_words_are_those_of_the_library(start: Start, vosk: Engine) -> None:
    """`result` has each word with conf, start and end on the stream's clock, as Vosk has it."""
    async with (
        start(vosk, "level.max_gain = 0") as server,
        client(server, "/ws/events?kind=live") as viewer,
        client(server, "/") as user,
    ):
        await user.send({"config": {"sample_rate": 16000, "model": vosk.model}})
        await user.send_sound(SILENCE.tobytes() + KOREAN.tobytes())
        await user.send({"eof": 1})
        assert (await user.closed())[0] == 1000
        final = await viewer.until(event="final")
    (result,) = [reply for reply in user.received if reply.get("text")]
    cut = np.concatenate((SILENCE, KOREAN))
    recognizer = vosk.open(DEFAULT_OPTIONS)
    recognizer.feed(cut[round(final["start"] * 16_000) : round(final["end"] * 16_000)])
    direct = recognizer.finish()
    assert result["text"] == direct.text != ""
    assert [list(word) for word in result["result"]] == [["conf", "end", "start", "word"]] * len(
        direct.words
    )
    for word, own in zip(result["result"], direct.words, strict=True):
        assert (word["word"], word["conf"]) == (own.text, own.confidence)
        assert word["start"] == pytest.approx(final["start"] + own.start, abs=1e-5)
        assert word["end"] == pytest.approx(final["start"] + own.end, abs=1e-5)


async def test_alternatives(start: Start, vosk: Engine) -> None:
    """With max_alternatives other readings come best first, the best with its words; empty ones
    have Vosk's own shape."""
    async with start(vosk) as server, client(server, "/") as user:
        await user.send({"config": {"sample_rate": 16000, "max_alternatives": 3}})
        await user.send({"reset": 1})
        assert await user.next() == {"alternatives": [{"confidence": 1.0, "text": ""}]}
        await user.send_sound(KOREAN)
        await user.send({"eof": 1})
        await user.closed()
    (full,) = [reply["alternatives"] for reply in user.received[1:] if "alternatives" in reply]
    assert 1 < len(full) <= 3
    assert full[0]["text"] == " ".join(word["word"] for word in full[0]["result"]) != ""
    assert [set(word) for word in full[0]["result"]] == [{"start", "end", "word"}] * len(
        full[0]["result"]
    )
    scores = [reading["confidence"] for reading in full]
    assert scores == sorted(scores, reverse=True)


async def test_each_result_has_its_alternatives(
    start: Start, vosk: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sound at file speed has a result for each utterance, and so other readings of each."""
    monkeypatch.setattr("coqui_server.protocols.vosk._AHEAD", -1e9)
    async with start(vosk) as server, client(server, "/") as user:
        await user.send({"config": {"sample_rate": 16000, "max_alternatives": 3}})
        for _ in range(2):
            await lock_step(user, KOREAN.tobytes() + bytes(32_000), 8000)
        await user.send({"eof": 1})
        await user.closed()
    *results, rest = [reply["alternatives"] for reply in user.received if "alternatives" in reply]
    assert len(results) == 2
    assert all(1 < len(readings) <= 3 and readings[0]["text"] for readings in results)
    assert rest == [{"confidence": 1.0, "text": ""}]


async def test_a_refused_client_that_goes_on_sending_is_closed_properly(server: Running) -> None:
    """All it has sent is read, also what is not text, so that its answer to the close is found."""
    async with client(server, "/vosk") as user:
        (connection,) = server.daemon.servers[0].connections
        await user.socket.send("no config")
        for _ in range(50):
            await user.socket.send(b"\xff", text=True)
        assert (await user.closed())[0] == 1008
        await connection.wait_closed()
    assert connection.close_code == 1008, "not 1006, which is a close without an answer"
