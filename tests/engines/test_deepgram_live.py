"""Deepgram live, against a server that speaks its protocol: breaks, silence, ends, refusals."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest

from coqui_server.engines.base import (
    DEFAULT_OPTIONS,
    Options,
    Stream,
    StreamingService,
    StreamResult,
)
from coqui_server.exceptions import ServiceError
from coqui_server.media.samples import Samples
from coqui_transcript.transcript import Segment, Word
from tests.engines.listening import RATE, Listening, listening, result, word
from tests.support.remote_engines import Make
from tests.support.remote_service import KEY, Pauses


@pytest.fixture
async def remote() -> AsyncIterator[Listening]:
    async with listening() as service:
        yield service


@pytest.fixture
def engine(make: Make, remote: Listening) -> StreamingService:
    """Deepgram at the stand-in."""
    return deepgram(make, remote)


def deepgram(make: Make, remote: Listening, **section: object) -> StreamingService:
    engine = make("deepgram", **{"base_url": remote.url, **section})
    assert isinstance(engine, StreamingService)
    return engine


async def all_of(stream: Stream) -> list[StreamResult]:
    return [heard async for heard in stream]


async def spoken(engine: StreamingService, *pieces: Samples | int) -> list[StreamResult]:
    """All that is heard of a session of sound and of silences that are skipped, in samples."""
    async with engine.connect(DEFAULT_OPTIONS) as stream:
        heard = asyncio.create_task(all_of(stream))
        for piece in pieces:
            if isinstance(piece, int):
                await stream.skip(piece)
                continue
            for start in range(0, len(piece), RATE // 10):
                await stream.send(piece[start : start + RATE // 10])
                # Let the connection work between two pieces, as a live source does.
                await asyncio.sleep(0)
        await stream.finish()
        return await heard


def words(heard: list[StreamResult]) -> list[tuple[str, float, float]]:
    """The words of the finals with their times."""
    return [
        (word.text, round(word.start, 6), round(word.end, 6))
        for piece in heard
        if piece.final
        for word in piece.segment.words
    ]


async def failed(engine: StreamingService, *pieces: Samples) -> ServiceError:
    """What a session fails with, both where it is heard and where it is written."""
    with pytest.raises(ServiceError) as caught:
        await spoken(engine, *pieces or [word(1)])
    assert KEY not in str(caught.value)
    return caught.value


TEN = [word(value) for value in range(1, 11)]
TIMES = [(f"w{n}", (n - 1) / 2, n / 2) for n in range(1, 11)]


async def test_finals_with_words(engine: StreamingService, remote: Listening) -> None:
    """Each final once, in order, to the last word; before it what is believed so far."""
    heard = await spoken(engine, *TEN[:3])
    finals = [piece for piece in heard if piece.final]
    assert finals == [
        StreamResult(
            Segment(
                0.0,
                1.0,
                "w1 w2",
                words=(Word("w1", 0.0, 0.5, 0.9), Word("w2", 0.5, 1.0, 0.9)),
                confidence=0.9,
            ),
            final=True,
        ),
        StreamResult(
            Segment(1.0, 1.5, "w3", words=(Word("w3", 1.0, 1.5, 0.9),), confidence=0.9), final=True
        ),
    ]
    assert "w1" in [piece.segment.text for piece in heard if not piece.final]
    (connection,) = remote.connections
    assert connection.texts == ["CloseStream"]


async def test_what_is_asked_for(make: Make, remote: Listening) -> None:
    """Raw 16 kHz sound, partials, and the ends of utterances; the key is in a header alone."""
    given = {"language": "en", "endpointing": "250 ms", "utterance_end": "1.5 s"}
    await spoken(deepgram(make, remote, **given), word(1))
    (connection,) = remote.connections
    address = urlsplit(connection.request.path)
    assert address.path == "/v1/listen"
    assert {name: value for name, (value,) in parse_qs(address.query).items()} == {
        "model": "nova-3",
        "language": "en",
        "encoding": "linear16",
        "sample_rate": "16000",
        "channels": "1",
        "interim_results": "true",
        "smart_format": "true",
        "endpointing": "250",
        "utterance_end_ms": "1500",
    }
    assert connection.request.headers["authorization"] == f"Token {KEY}"


async def test_a_language_that_is_asked_for(make: Make, remote: Listening) -> None:
    """It counts more than the configured one."""
    engine = deepgram(make, remote, language="en")
    async with engine.connect(Options(language="fa-IR")) as stream:
        heard = asyncio.create_task(all_of(stream))
        await stream.finish()
        await heard
    (connection,) = remote.connections
    assert parse_qs(urlsplit(connection.request.path).query)["language"] == ["fa-IR"]


@pytest.mark.parametrize("breaks", [[2.3], [0.0], [1.0], [2.3, 1.2], [0.2, 0.2, 0.2], [5.0]])
async def test_a_break_loses_and_doubles_nothing(
    engine: StreamingService, remote: Listening, breaks: list[float]
) -> None:
    """What no final covered is sent to the next connection; times are still the session's."""
    remote.breaks = list(breaks)
    assert words(await spoken(engine, *TEN)) == TIMES
    assert len(remote.connections) == len(breaks) + 1


async def test_a_break_in_the_middle_sends_only_the_rest_again(
    engine: StreamingService, remote: Listening
) -> None:
    """The second connection hears nothing that was settled on the first."""
    remote.breaks = [3.2]
    async with engine.connect(DEFAULT_OPTIONS) as stream:
        results = aiter(stream)
        for piece in TEN[:6]:
            await stream.send(piece)
        heard: list[StreamResult] = []
        while sum(piece.final for piece in heard) < 3:
            heard.append(await anext(results))
        for piece in TEN[6:]:
            await stream.send(piece)
        await stream.finish()
        heard += [piece async for piece in results]
    first, second = remote.connections
    assert len(second.sound) == 2 * 2 * RATE
    assert first.sound[: 6 * RATE] + second.sound == b"".join(word.tobytes() for word in TEN)
    assert words(heard) == TIMES


async def test_skipped_silence_counts(engine: StreamingService, remote: Listening) -> None:
    """It is not sent, and what is said after it has its time all the same, also after a break."""
    remote.breaks = [1.2]
    heard = words(await spoken(engine, word(1, 1), 30 * RATE, word(2, 1)))
    assert heard == [("w1", 0.0, 1.0), ("w2", 31.0, 32.0)]


async def test_silence_is_kept_alive(
    engine: StreamingService, remote: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While no sound comes the service is told so, on the same connection."""
    monkeypatch.setattr("coqui_server.engines.deepgram_live._KEEP_ALIVE", 0.01)
    async with engine.connect(DEFAULT_OPTIONS) as stream:
        heard = asyncio.create_task(all_of(stream))
        await stream.send(word(1))
        while not remote.connections or remote.connections[0].texts.count("KeepAlive") < 3:
            await asyncio.sleep(0.001)
        await stream.send(word(2))
        await stream.finish()
        assert words(await heard) == TIMES[:2]
    assert len(remote.connections) == 1


async def test_pauses(engine: StreamingService, remote: Listening) -> None:
    """A silence after speech, found either way, is a pause; times are the session's."""
    remote.replies = [json.dumps({"type": "UtteranceEnd", "channel": [0], "last_word_end": 0.4})]
    heard = await spoken(engine, word(1, 1), word(0, 1))
    assert [
        (piece.segment.text, piece.segment.end, piece.pause) for piece in heard if piece.final
    ] == [
        ("", 0.4, True),
        ("w1", 1.0, False),
        ("", 2.0, True),
        ("", 2.0, True),
    ]


@pytest.mark.parametrize("status", [400, 401, 402, 403])
async def test_a_refused_connection_is_not_tried_again(
    engine: StreamingService, remote: Listening, status: int
) -> None:
    """Wrong keys and empty accounts do not get better."""
    remote.refusals = [status]
    refused = await failed(engine)
    assert refused.status == status
    assert len(remote.connections) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_service_is_tried_again(
    engine: StreamingService, remote: Listening, pauses: Pauses, status: int
) -> None:
    """After ever longer waits; the sound is kept meanwhile."""
    remote.refusals = [status] * 2
    assert words(await spoken(engine, *TEN)) == TIMES
    first, second = pauses.seconds
    assert 0.5 <= first <= 1 <= second <= 2


async def test_a_service_that_always_breaks_is_given_up(
    make: Make, remote: Listening, pauses: Pauses
) -> None:
    """So many times without a final in between, for each connection may be billed."""
    remote.breaks = [0.1] * 10
    broken = await failed(deepgram(make, remote, retries=2))
    assert broken.reason == "the connection broke"
    assert (len(remote.connections), len(pauses.seconds)) == (3, 2)


async def test_a_service_that_is_not_there(make: Make, remote: Listening) -> None:
    """No connection can be opened."""
    gone = deepgram(make, remote, base_url="http://127.0.0.1:9", retries=1)
    assert (await failed(gone)).reason == "no reply, ConnectionRefusedError"


async def test_sound_that_is_refused(engine: StreamingService, remote: Listening) -> None:
    """The reason of a close for policy is told, and the same sound is not sent again."""
    remote.replies = [1008]
    assert (await failed(engine)).reason == "it closed the connection, 1008 DATA-0000"
    assert len(remote.connections) == 1


@pytest.mark.parametrize("code", [1000, 1011])
async def test_a_service_that_hangs_up_is_called_again(
    engine: StreamingService, remote: Listening, code: int
) -> None:
    """Also when it does so politely: nobody had said that this was the end."""
    remote.replies = [code]
    assert words(await spoken(engine, *TEN)) == TIMES
    assert len(remote.connections) == 2


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("said in secret", "its reply is not a transcription"),
        (
            '{"type": "Results", "start": 0, "duration": 1, "channel": {"alternatives": []}}',
            "its reply is not a transcription",
        ),
        ('{"type": "Results", "start": 0, "duration": 1}', "its reply is not a transcription"),
        ('{"type": "Error", "variant": "S", "description": "bad message"}', "bad message"),
    ],
)
async def test_a_reply_that_is_none(
    engine: StreamingService, remote: Listening, reply: str, reason: str
) -> None:
    """It ends the session with an error; what came is not shown."""
    remote.replies = [reply]
    assert (await failed(engine)).reason == reason


async def test_messages_of_tomorrow_are_passed_over(
    engine: StreamingService, remote: Listening
) -> None:
    """The service may say more than is known here."""
    remote.replies = ['{"type": "Weather"}', "[]", "5", '{"type": "SpeechStarted", "timestamp": 0}']
    assert words(await spoken(engine, *TEN)) == TIMES


async def test_a_deaf_service_slows_the_source_down_and_is_given_up(
    make: Make, remote: Listening
) -> None:
    """No more is kept than `unanswered`; the deadline is for an answer."""
    remote.deaf = True
    engine = deepgram(make, remote, unanswered="10 s", deadline="100 ms")
    async with engine.connect(DEFAULT_OPTIONS) as stream:
        for _ in range(10):
            await stream.send(word(1, 1))
        with pytest.raises(ServiceError, match=r"no answer to 10 s of sound within 0\.1 s"):
            await stream.send(word(1, 1))


async def test_an_end_that_is_not_answered(make: Make, remote: Listening) -> None:
    """A session does not hang at its end."""
    remote.deaf = True
    assert (await failed(deepgram(make, remote, deadline="100 ms"))).reason == "no end within 0.1 s"


async def test_leaving_early_leaves_nothing_behind(
    engine: StreamingService, remote: Listening
) -> None:
    """A session that is aborted closes its connection and ends its tasks."""
    before = asyncio.all_tasks()
    async with engine.connect(DEFAULT_OPTIONS) as stream:
        await stream.send(word(1))
        while not remote.connections:
            await asyncio.sleep(0.001)
    while len(asyncio.all_tasks()) > len(before):
        await asyncio.sleep(0.001)


async def test_neither_key_nor_text_is_logged(
    engine: StreamingService, remote: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    """The handshake is, with all libraries at DEBUG, but without the key; sound and text are not
    at INFO."""
    caplog.set_level(logging.DEBUG)
    remote.breaks = [0.5]
    await spoken(engine, word(1))
    assert "Authorization" in caplog.text
    clients = [r for r in caplog.records if r.name != "websockets.server"]
    assert KEY not in "".join(record.getMessage() for record in clients)
    assert "w1" not in "".join(
        record.getMessage() for record in caplog.records if record.levelno >= logging.INFO
    )


def test_the_stand_in_hears_words() -> None:
    """A run of one number is a word, and silence is none."""
    said = json.loads(result(word(3, 1), 0, RATE, final=True))
    assert said["channel"]["alternatives"][0]["transcript"] == "w3"
    silent = json.loads(result(word(0, 1), 0, RATE, final=True))
    assert silent["channel"]["alternatives"][0]["words"] == []
