"""What all remote engines do alike, each against a server that speaks its service's protocol."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from coqui_server.config.settings import Settings
from coqui_server.engines.base import DEFAULT_OPTIONS, RemoteEngine, StreamingService
from coqui_server.exceptions import ConfigError, ServiceError
from tests.engines.replies import replies
from tests.support.remote_engines import Make
from tests.support.remote_service import KEY, Pauses, Service, answer, cut, hang, serving

PCM = np.arange(1600, dtype=np.int16)

SAID = "Hello there."

POLLS = {"scribe": 5.0, "eboo": 3.0}
"""Engines that poll, and how long they wait in between."""


@pytest.fixture(params=["openai", "deepgram", "scribe", "eboo", "vira"])
def name(request: pytest.FixtureRequest) -> str:
    """Each remote engine in turn."""
    return str(request.param)


Made = Callable[..., RemoteEngine]


@pytest.fixture
async def made(name: str, make: Make) -> Made:
    """Makes the engine, with settings of its section."""
    return partial(make, name)


async def text(engine: RemoteEngine) -> str:
    return (await engine.transcribe(PCM, DEFAULT_OPTIONS)).text


async def failure(engine: RemoteEngine) -> ServiceError:
    """What a transcription fails with."""
    with pytest.raises(ServiceError) as caught:
        await text(engine)
    assert caught.value.service == engine.name
    assert KEY not in str(caught.value)
    return caught.value


async def test_a_text(name: str, made: Made, service: Service, pauses: Pauses) -> None:
    """What the service heard, without the spaces around it; polls keep their pace."""
    service.replies = replies(name, f" {SAID}\n")
    assert await text(made()) == SAID
    assert not service.replies
    assert pauses.seconds == ([POLLS[name]] if name in POLLS else [])


async def test_an_empty_text_is_no_error(name: str, made: Made, service: Service) -> None:
    """A service that heard nothing says so with an empty text."""
    service.replies = replies(name, "")
    assert await text(made()) == ""


async def test_what_it_says_of_itself(name: str, made: Made) -> None:
    """The interface is whole, and only one of the services can listen to a session."""
    engine = made(chunk=30_000)
    assert isinstance(engine, RemoteEngine)
    assert isinstance(engine, StreamingService) == (name == "deepgram")
    assert (engine.name, engine.capabilities.longest) == (name, 30.0)
    assert engine.model


@pytest.mark.parametrize("status", [400, 402, 403, 404, 422])
async def test_a_refusal_is_final(
    name: str, made: Made, service: Service, pauses: Pauses, status: int
) -> None:
    """Its reason is told on one line, without the key that it may repeat; nothing is repeated."""
    reason = f"no\ncredit for {KEY}"
    body = {"message": reason, "error": {"message": reason}, "Status": reason, "err_msg": reason}
    service.replies = [answer(status, body)]
    refused = await failure(made())
    assert (refused.status, refused.reason) == (status, "no credit for …")
    assert (len(service.requests), pauses.seconds) == (1, [])


async def test_a_wrong_key_is_not_repeated_to_anyone(
    name: str, made: Made, service: Service
) -> None:
    """Services quote the key, whole or in part, when they refuse it; that is left out."""
    wrong = f"Incorrect API key: ***{KEY[-4:]}"
    service.replies = [answer(401, {"message": wrong, "error": {"message": wrong}})]
    refused = await failure(made())
    assert (refused.status, refused.reason) == (401, "it does not accept the key")
    assert KEY[-4:] not in str(refused)
    assert len(service.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_service_is_left_alone_as_long_as_it_asks(
    name: str, made: Made, service: Service, pauses: Pauses, status: int
) -> None:
    """Retry-After counts; then the same is asked again."""
    busy = answer(status, {}, retry_after="7")
    service.replies = [busy, *replies(name, SAID)]
    assert await text(made()) == SAID
    assert pauses.seconds[0] == 7.0
    assert service.asked[0] == service.asked[1]
    assert service.requests[0].headers == {
        **service.requests[1].headers,
        "content-type": service.requests[0].headers["content-type"],
    }


async def test_a_wait_beyond_the_deadline_is_not_begun(
    name: str, made: Made, service: Service, pauses: Pauses
) -> None:
    """The reason is still that of the service."""
    service.replies = [answer(429, {"message": "slow down"}, retry_after="3600")]
    refused = await failure(made())
    assert (refused.status, pauses.seconds) == (429, [])


async def test_an_error_of_the_service_is_repeated_so_many_times(
    name: str, made: Made, service: Service, pauses: Pauses
) -> None:
    """Ever longer waits, then the last error counts; a reply that is no JSON has no reason."""
    service.replies = [answer(500, b"<html>")] * 3
    broken = await failure(made(retries=2))
    assert (broken.status, broken.reason) == (500, "no reason given")
    first, second = pauses.seconds
    assert 0.5 <= first <= 1 <= second <= 2
    assert len(service.requests) == 3


async def test_a_hang_meets_the_deadline(name: str, made: Made, service: Service) -> None:
    """The deadline is for all of it, and a service that is at work for ever meets it as well."""
    service.replies = [hang]
    late = await failure(made(deadline="100 ms"))
    assert late.reason == "no answer within 0.1 s"
    if name in POLLS:
        service.replies = [*replies(name, SAID)[:2], *replies(name, SAID)[2:3] * 100_000]
        assert (await failure(made(deadline="1 s"))).reason == "no answer within 1 s"
        assert set(service.asked[3:]) == {service.asked[3]}


async def test_a_lost_reply_is_asked_for_again_only_if_it_is_free(
    name: str, made: Made, service: Service
) -> None:
    """Uploads and polls are; what was sent to be transcribed may have been billed already."""
    good = replies(name, SAID)
    if name in POLLS:
        upload, start, *polls = good
        service.replies = [cut, upload, start, cut, *polls]
        assert await text(made()) == SAID
        service.requests.clear()
        service.replies = [upload, cut]
        lost = await failure(made())
        assert len(service.requests) == 2
    else:
        service.replies = [cut]
        lost = await failure(made())
        assert len(service.requests) == 1
    assert lost.status is None
    assert lost.reason.startswith("no reply, ")


async def test_a_service_that_cannot_be_reached_is_tried_again(
    name: str, made: Made, service: Service, pauses: Pauses
) -> None:
    """Nothing was sent, so nothing is billed twice."""
    async with serving() as gone:
        pass
    lost = await failure(made(base_url=gone.url, retries=2))
    assert lost.reason == "no reply, ConnectError"
    assert len(pauses.seconds) == 2


@pytest.mark.parametrize(
    "body", [b"", b"said in secret", b"\xff", b"[" * 100_000, [], {}, {"text": 5}, "said in secret"]
)
async def test_a_reply_that_is_none(name: str, made: Made, service: Service, body: Any) -> None:
    """It is an error, not a text, and what came is not shown: it may be what was said."""
    service.replies = [answer(200, body)]
    malformed = await failure(made())
    assert malformed.reason.startswith("its reply is not ")
    assert "secret" not in str(malformed)
    assert len(service.requests) == 1


async def test_only_so_many_at_once(name: str, made: Made, service: Service) -> None:
    """The others wait for their turn, and their deadline has not begun."""
    engine = made(requests=2, deadline="5 s")
    opened = asyncio.Event()

    async def held(writer: asyncio.StreamWriter) -> None:
        await opened.wait()
        await answer(402, {})(writer)

    service.replies = [held] * 6
    refusals = [asyncio.create_task(failure(engine)) for _ in range(6)]
    while len(service.requests) < 2:
        await asyncio.sleep(0.001)
    opened.set()
    assert [refusal.status for refusal in await asyncio.gather(*refusals)] == [402] * 6
    assert service.most_at_once == 2


async def test_cancelling_gives_the_turn_back(name: str, made: Made, service: Service) -> None:
    """A session that ends early leaves room for the next."""
    engine = made(requests=1)
    service.replies = [hang, *replies(name, SAID)]
    gone = asyncio.create_task(text(engine))
    await service.arrived.wait()
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await text(engine) == SAID


async def test_neither_key_nor_text_is_logged(
    name: str,
    made: Made,
    service: Service,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not even with all libraries at DEBUG; nor does the configuration show the key."""
    caplog.set_level(logging.DEBUG)
    for status in (200, 401, 500):
        service.replies = (
            replies(name, SAID) if status == 200 else [answer(status, {"message": KEY})]
        )
        engine = made(retries=0)
        if status == 200:
            await text(engine)
        else:
            await failure(engine)
    assert caplog.text
    assert KEY not in caplog.text
    assert SAID not in caplog.text
    settings = Settings.model_validate({name: {"key": KEY}})
    assert KEY not in f"{settings!r} {settings} {engine!r}"


def test_what_is_missing_is_named_with_the_command(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a key an engine is not loaded; the environment's is taken unless the file has one."""
    module = import_module(f"coqui_server.engines.{name}")
    variable = {"openai": "OPENAI_API_KEY", "deepgram": "DEEPGRAM_API_KEY"}.get(
        name, f"{name.upper()}_TOKEN"
    )
    monkeypatch.delenv(variable, raising=False)
    (problem,) = module.check(Settings())
    assert str(problem) == f"{name}.key: not set; run: export {variable}=…"
    with pytest.raises(ConfigError, match=f"run: export {variable}"):
        module.load(Settings())
    monkeypatch.setenv(variable, "from-environment")
    assert not list(module.check(Settings()))
    assert module.load(Settings()).name == name
    for unusable in ("two words", "line\r\nend", "schlüssel"):
        monkeypatch.setenv(variable, unusable)
        (problem,) = module.check(Settings())
        assert str(problem).startswith(f"{name}.key: has ")
        assert unusable not in str(problem)
    monkeypatch.setenv(variable, "")
    for address in ("http://host:99999", "http://host:port"):
        given = Settings.model_validate({name: {"key": KEY, "base_url": address}})
        (problem,) = module.check(given)
        assert str(problem) == f"{name}.base_url: not an address that can be asked"
