"""`/health` and `/metrics`."""

import asyncio

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from coqui_server.engines.base import AnyEngine
from coqui_server.engines.doubt import doubting, second_opinion
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start, all_closed, send
from tests.support.live import Obstacle, client
from tests.support.media import wav
from tools.sounds import LIVELY, at

VOICE = clip("appointment.wav")
SILENCE = np.zeros(16000, np.int16)


async def metrics(web: httpx.AsyncClient) -> dict[tuple[str, str], float]:
    """Values by name and kind, "" for those without one."""
    answer = await web.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name, sample.labels.get("kind", "")): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_health(server: Running, web: httpx.AsyncClient) -> None:
    """Status, engine, what is open by kind and how busy the decoders are."""
    async with client(server, "/ws/v1/speech-to-text") as speaker:
        await speaker.send({"event": "start"})
        await speaker.until(event="started")
        health = (await web.get("/health")).json()
    assert (health["status"], health["engine"]) == ("ok", "moonshine")
    assert health["sessions"] == {"file": 0, "live": 1, "rtp": 0}
    assert health["decoders"]["threads"] == 2
    assert health["decoders"]["overloaded"] is False


async def test_a_balancer_is_told_where_there_is_room(start: Start) -> None:
    """On both ports, while the server is full and while it ends. It lives all the time."""
    full = "server.max_sessions = 1"
    async with start(Obstacle(), full, console=True) as server, httpx.AsyncClient() as web:
        ports = [server.console, server.url.replace("ws://", "http://")]

        async def told(path: str) -> list[tuple[int, str]]:
            answers = [await web.get(f"{port}/health/{path}") for port in ports]
            return [(answer.status_code, answer.json()["status"]) for answer in answers]

        assert await told("ready") == [(200, "ready")] * 2
        async with client(server, "/ws/v1/speech-to-text") as speaker:
            await speaker.send({"event": "start"})
            await speaker.until(event="started")
            assert await told("ready") == [(503, "busy")] * 2
            assert await told("live") == [(200, "ok")] * 2
        await all_closed(server)
        assert await told("ready") == [(200, "ready")] * 2
        server.service.drain()
        assert await told("ready") == [(503, "busy")] * 2


async def test_metrics_add_up_what_sessions_came_to(
    server: Running, web: httpx.AsyncClient
) -> None:
    """Sound, words and decoding of those that are over, and of those that are open."""
    nothing = await metrics(web)
    assert nothing["coqui_sessions_total", "file"] == 0
    assert nothing["process_resident_memory_bytes", ""] > 10_000_000
    answer = await send(server, VOICE.path.read_bytes())
    async with client(server, "/ws/v1/speech-to-text") as speaker:
        await speaker.send({"event": "start"})
        await speaker.send_sound(np.concatenate((VOICE.pcm, SILENCE)))
        await speaker.until(event="transcript", is_final=True)
        now = await metrics(web)
        await speaker.send({"event": "stop"})
        await speaker.until(event="stopped")
    assert now["coqui_sessions_open", "live"] == 1
    assert now["coqui_sessions_open", "file"] == 0
    assert now["coqui_sessions_total", "file"] == now["coqui_sessions_total", "live"] == 1
    assert now["coqui_sound_seconds_total", "file"] == pytest.approx(answer.reply["duration"], 0.01)
    assert now["coqui_words_total", "file"] == len(spoken(answer.text).split())
    assert now["coqui_utterances_total", "file"] == len(answer.reply["segments"])
    assert now["coqui_decoding_seconds_total", "file"] == pytest.approx(
        answer.reply["time"], abs=0.001
    )
    assert now["coqui_utterances_total", "live"] >= 1
    after = await metrics(web)
    assert after["coqui_sessions_open", "live"] == 0
    assert after["coqui_words_total", "live"] == len(VOICE.text.split())


async def test_metrics_count_refusals(start: Start, moonshine: AnyEngine) -> None:
    """A session there is no room for is counted by its kind."""
    async with (
        start(moonshine, "server.max_sessions = 1", console=True) as server,
        server.http() as web,
        client(server, "/ws/v1/speech-to-text") as speaker,
    ):
        await speaker.send({"event": "start"})
        await speaker.until(event="started")
        refused = await send(server, VOICE.path.read_bytes())
        assert refused.error == ("busy", 1013)
        now = await metrics(web)
    assert now["coqui_sessions_refused_total", "file"] == 1
    assert now["coqui_sessions_refused_total", "live"] == 0
    assert now["coqui_sessions_limit", ""] == 1


async def test_words_that_were_dropped_are_counted(start: Start, moonshine: AnyEngine) -> None:
    """What was heard in ringing is in the session's statistics and in the metrics, and in no
    text."""
    engine = doubting(moonshine, second_opinion(0.1), 0.1)
    async with (
        start(engine, console=True) as server,
        server.http() as web,
    ):
        answer = await send(server, wav(at(-25, LIVELY["european ring-back"](10))))
        assert answer.text == ""
        kept = (await web.get(f"/api/sessions/{answer.reply['session']}")).json()
        now = await metrics(web)
    assert kept["statistics"]["dropped_utterances"] >= 1
    assert now["coqui_words_dropped_total", "file"] == kept["statistics"]["dropped_words"] >= 1
    assert now["coqui_words_total", "file"] == 0


async def test_metrics_have_no_labels_without_bound(
    server: Running, web: httpx.AsyncClient
) -> None:
    """Ten sessions make no series more than none."""
    before = set(await metrics(web))
    await asyncio.gather(*(send(server, VOICE.path.read_bytes()) for _ in range(3)))
    assert set(await metrics(web)) == before
