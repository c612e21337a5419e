"""`/ws/v1/speech-to-text`: start, speak, read along, stop."""

import asyncio
from itertools import pairwise
from typing import Any

import av
import pytest
from websockets.asyncio.client import connect

from coqui_server.engines.base import Engine, Options
from coqui_server.media.ffmpeg import find_ffmpeg
from coqui_server.media.samples import Samples
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start
from tests.support.live import Client, Message, Obstacle, client, until

VOICE = clip("appointment.wav")
PATH = "/ws/v1/speech-to-text"


async def session(user: Client, sound: bytes | Samples, size: int = 6400, **start: Any) -> Message:
    """Start, speak, stop; what the server says last."""
    await user.send({"event": "start", **start})
    await user.send_sound(sound, size)
    await user.send({"event": "stop"})
    return await user.until(event="stopped")


async def converted(*arguments: str) -> bytes:
    """The sample, through ffmpeg to raw bytes."""
    process = await asyncio.create_subprocess_exec(
        find_ffmpeg(),
        "-v",
        "error",
        "-i",
        str(VOICE.path),
        *arguments,
        "-",
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out


async def test_partials_finals_utterance_ends_and_stopped(server: Running) -> None:
    """What is said comes while it is said, then settled, then as a whole."""
    async with client(server, PATH) as user:
        await user.send({"event": "start"})
        session_id = (await user.next())["session_id"]
        await user.send_sound(VOICE.pcm[:40_000])
        partial = await user.until(event="transcript")
        assert partial.keys() == {"event", "text", "is_final", "start"}
        assert not partial["is_final"]
        assert spoken(partial["text"]).startswith("your appointment")
        await user.send_sound(VOICE.pcm[40_000:])
        await user.send({"event": "stop"})
        stopped = await user.until(event="stopped")
    assert stopped == {
        "event": "stopped",
        "message": "STT session ended.",
        "session_id": session_id,
        "full_transcription": stopped["full_transcription"],
    }
    assert spoken(stopped["full_transcription"]) == spoken(VOICE.text)
    assert [message["event"] for message in user.received[:1]] == ["started"]
    finals = [message for message in user.received if message.get("is_final")]
    assert " ".join(final["text"] for final in finals) == stopped["full_transcription"]
    assert all(0 <= final["start"] < final["end"] < 5 for final in finals)
    assert all(a["end"] <= b["start"] for a, b in pairwise(finals))
    after = [user.received[user.received.index(final) + 1] for final in finals]
    assert after == [{"event": "utterance_end", "text": ""}] * len(finals)


async def test_a_start_after_a_stop_is_a_new_session(server: Running) -> None:
    """One socket, one session after another, each with its own id, clock and text."""
    async with client(server, PATH) as user:
        first = await session(user, VOICE.pcm)
        second = await session(user, clip("voicemail.wav").pcm)
    assert spoken(first["full_transcription"]) == spoken(VOICE.text)
    assert spoken(second["full_transcription"]) == spoken(clip("voicemail.wav").text)
    assert first["session_id"] != second["session_id"]
    finals = [message["start"] for message in user.received if message.get("is_final")]
    assert finals != sorted(finals)


async def test_nothing_said_is_an_empty_text(server: Running) -> None:
    """A stop right after the start, and a session of silence, are no errors."""
    async with client(server, PATH) as user:
        assert (await session(user, b""))["full_transcription"] == ""
        assert (await session(user, bytes(64_000)))["full_transcription"] == ""
    assert [message["event"] for message in user.received] == ["started", "stopped"] * 2


ENCODINGS: dict[str, tuple[dict[str, object], str]] = {
    "linear16 at 8 kHz": ({"sample_rate": 8000}, "-ar 8000 -f s16le"),
    "linear16 at 44.1 kHz": ({"sample_rate": 44_100}, "-ar 44100 -f s16le"),
    "linear16 at 48 kHz, said as 48000.0": ({"sample_rate": 48_000.0}, "-ar 48000 -f s16le"),
    "linear16 at 192 kHz": (
        {"encoding": "linear16", "sample_rate": 192_000},
        "-ar 192000 -f s16le",
    ),
    "mu-law": ({"encoding": "mulaw"}, "-ar 8000 -f mulaw"),
    "mu-law, its rate said": ({"encoding": "mulaw", "sample_rate": 8000}, "-ar 8000 -f mulaw"),
    "A-law": ({"encoding": "alaw"}, "-ar 8000 -f alaw"),
    "A-law at 16 kHz": ({"encoding": "alaw", "sample_rate": 16_000}, "-ar 16000 -f alaw"),
    "G.722": ({"encoding": "g722"}, "-ar 16000 -c:a g722 -f g722"),
    "GSM": ({"encoding": "gsm"}, "-ar 8000 -c:a libgsm -f gsm"),
    "L16 at 8 kHz": ({"encoding": "L16", "sample_rate": 8000}, "-ar 8000 -f s16be"),
}


@pytest.mark.parametrize("name", ENCODINGS)
async def test_encodings_and_rates(server: Running, name: str) -> None:
    """The same words and times come back whatever the bytes are, cut at odd places."""
    wishes, arguments = ENCODINGS[name]
    sound = await converted(*arguments.split())
    async with client(server, PATH) as user:
        stopped = await session(user, sound, 7777, **wishes)
    assert spoken(stopped["full_transcription"]) == spoken(VOICE.text)
    last = [message for message in user.received if message.get("is_final")][-1]
    assert 3.5 < last["end"] < 4.5


async def test_packets_of_opus(server: Running) -> None:
    """Each message is one packet, as an encoder makes them; a bad one is silence."""
    encoder: Any = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 16_000, "mono", "s16"
    encoder.bit_rate = 24_000
    encoder.open()
    packets: list[bytes] = []
    for start in range(0, len(VOICE.pcm) // 320 * 320, 320):
        frame = av.AudioFrame.from_ndarray(VOICE.pcm[None, start : start + 320], "s16", "mono")
        frame.sample_rate, frame.pts = 16_000, start
        packets += map(bytes, encoder.encode(frame))
    async with client(server, PATH) as user:
        await user.send({"event": "start", "encoding": "opus"})
        for packet in [b"", b"\xff\xff", *packets]:
            await user.socket.send(packet)
        await user.send({"event": "stop"})
        stopped = await user.until(event="stopped")
    assert len(packets) > 200
    assert spoken(stopped["full_transcription"]) == spoken(VOICE.text)


@pytest.mark.parametrize("size", [1, 639, 10_000_000])
async def test_messages_of_any_size(server: Running, size: int) -> None:
    """Samples may be cut in the middle; what is heard is the same."""
    sound = VOICE.pcm[:8_000] if size == 1 else VOICE.pcm
    async with client(server, PATH) as user:
        stopped = await session(user, sound, size)
        whole = await session(user, sound, 32_000)
    assert stopped["full_transcription"] == whole["full_transcription"]
    assert whole["full_transcription"]


async def test_without_interim_there_are_no_partials(server: Running) -> None:
    """A client that wants finals only is spared the rest, and so is the machine."""
    async with client(server, PATH) as user:
        await user.send({"event": "start", "interim": False})
        await user.send_sound(VOICE.pcm[:40_000])
        # The answer to this comes after all sound before it was heard.
        await user.send({"event": "mark"})
        await user.until(event="error")
        await until(lambda: not server.service.health()["decoders"]["running"])
        await user.send_sound(VOICE.pcm[40_000:])
        await user.send({"event": "stop"})
        await user.until(event="stopped")
    transcripts = [message for message in user.received if message["event"] == "transcript"]
    assert transcripts
    assert all(message["is_final"] for message in transcripts)


async def test_words_and_interim_of_a_streaming_engine(start: Start, vosk: Engine) -> None:
    """Words come with times and confidences, and partials while it is said."""
    korean = clip("korean.wav")
    async with start(vosk, "level.max_gain = 0") as server, client(server, PATH) as user:
        await user.send({"event": "start", "words": True, "language": "ko", "engine": "vosk"})
        await user.send_sound(korean.pcm[:40_000])
        await user.until(event="transcript", is_final=False)
        await user.send_sound(korean.pcm[40_000:])
        await user.send({"event": "stop"})
        await user.until(event="stopped")
        final = next(message for message in user.received if message.get("is_final"))
        assert final["text"] == " ".join(word["word"] for word in final["words"]) != ""
        times = [time for word in final["words"] for time in (word["start"], word["end"])]
        assert final["start"] <= times[0]
        assert times == sorted(times)
        assert all(0 <= word["confidence"] <= 1 for word in final["words"])
        partials = [m["text"] for m in user.received if m.get("is_final") is False]
        assert partials
        assert all(a != b for a, b in pairwise(partials))


async def test_words_come_only_when_asked_for(start: Start) -> None:
    """Most clients want the text alone."""
    async with start(Obstacle()) as server, client(server, PATH) as user:
        for wishes in ({"words": True}, {"words": False}, {}):
            user.received.clear()
            await session(user, VOICE.pcm, **wishes)
            finals = [message for message in user.received if message.get("is_final")]
            assert finals
            assert all(("words" in final) == bool(wishes.get("words")) for final in finals)


async def test_phrases_reach_the_engine(start: Start) -> None:
    """A session's list of phrases is its own."""
    engine = Obstacle()
    async with start(engine) as server, client(server, PATH) as user:
        await session(user, VOICE.pcm, interim=False, phrases=["yes", "no"])
        assert set(engine.options) == {Options(phrases=("yes", "no"))}
        engine.options.clear()
        await session(user, VOICE.pcm, interim=False)
        assert set(engine.options) == {Options()}


async def test_terms_reach_the_engine_before_the_configured_ones(start: Start) -> None:
    """A session's terms come first, each once."""
    engine = Obstacle()
    configured = 'text.terms = ["Ana Roe", "Vevay"]'
    async with start(engine, configured) as server, client(server, PATH) as user:
        await session(user, VOICE.pcm, interim=False, terms=["Vevay", " Kwame  Nkosi ", ""])
        assert set(engine.options) == {Options(terms=("Vevay", "Kwame Nkosi", "Ana Roe"))}


@pytest.mark.parametrize(
    "wishes", [{"engine": "moonshine"}, {"language": "en"}, {"language": "en-GB"}]
)
async def test_the_engine_and_language_that_are_there(
    server: Running, wishes: dict[str, Any]
) -> None:
    """A client that asks for what there is gets it."""
    async with client(server, PATH) as user:
        stopped = await session(user, VOICE.pcm, **wishes)
    assert spoken(stopped["full_transcription"]) == spoken(VOICE.text)


async def test_a_client_that_offers_compression(server: Running) -> None:
    """It is not taken up, since sound does not get smaller, and the client goes on without."""
    async with connect(server.url + PATH, compression="deflate") as socket:
        assert socket.request is not None
        assert socket.response is not None
        assert "permessage-deflate" in socket.request.headers["Sec-WebSocket-Extensions"]
        assert "Sec-WebSocket-Extensions" not in socket.response.headers
        stopped = await session(Client(socket), VOICE.pcm)
    assert spoken(stopped["full_transcription"]) == spoken(VOICE.text)


async def test_many_at_once(server: Running) -> None:
    """Ten clients with different sound each get their own words."""
    clips = [VOICE, clip("voicemail.wav")]

    async def one(number: int) -> str:
        async with client(server, PATH) as user:
            stopped = await session(user, clips[number % 2].pcm, interim=False)
            return str(stopped["full_transcription"])

    texts = await asyncio.gather(*map(one, range(10)))
    assert [spoken(text) for text in texts] == [spoken(c.text) for c in clips] * 5
