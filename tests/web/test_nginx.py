"""The daemon behind a real nginx: another host, another path, another address."""

import json
import logging
from functools import partial
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from coqui_server.engines.base import AnyEngine
from tests.support.clips import clip, spoken
from tests.support.daemon import Start
from tests.support.nginx import PASSES_ON, SAYS_WHAT_IT_WAS, in_front_of
from tests.web.people import PASSWORD

VOICE = clip("appointment.wav")

VOSK_EN = f"location /voskEN {{{{ proxy_pass http://{{speech}}; {PASSES_ON} }}}}"
"""As BigBlueButton has it: nginx puts its own address into `Host`, and keeps the path."""

TAKEN_AWAY = f"""
location /speech/ {{{{
    proxy_pass http://{{console}}/; {PASSES_ON} {SAYS_WHAT_IT_WAS}
    proxy_set_header X-Forwarded-Proto https;
    proxy_set_header X-Forwarded-Prefix /speech;
}}}}
"""
KEPT = f"""
location /speech/ {{{{
    proxy_pass http://{{console}}; {PASSES_ON} {SAYS_WHAT_IT_WAS}
    proxy_set_header X-Forwarded-Proto https;
}}}}
"""


HEADERS = {
    "Host": "desk.example",
    "Origin": "https://desk.example",
    "X-Forwarded-For": "203.0.113.9",
    "Accept": "text/html",
}
"""Of a browser far away, behind another proxy."""


async def test_bigbluebutton(
    start: Start, moonshine: AnyEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its audio fork sends an origin. A refusal is logged with the setting that lets it in."""
    origin = Origin("http://bbb.example")
    for settings, refused in (
        ("", 'server.origins = ["http://bbb.example"] lets it in'),
        ('server.origins = ["http://bbb.example"]', "below each of server.prefixes"),
    ):
        async with start(moonshine, settings, console=True) as server:
            with in_front_of(server, tmp_path, VOSK_EN) as address:
                with pytest.raises(InvalidStatus):
                    await connect(f"ws://{address}/voskEN", origin=origin)
                assert refused in caplog.text
    settings = 'server { origins = ["http://bbb.example"], prefixes = ["/voskEN"] }'
    async with start(moonshine, settings, console=True) as server:
        with in_front_of(server, tmp_path, VOSK_EN) as address:
            async with connect(f"ws://{address}/voskEN", origin=origin) as socket:
                await socket.send('{"config": {"sample_rate": "16000"}}')
                await socket.send(VOICE.pcm.tobytes())
                await socket.recv()
                await socket.send('{"eof":1}')
                assert spoken(json.loads(await socket.recv())["text"]) == spoken(VOICE.text)


@pytest.mark.parametrize("location", [TAKEN_AWAY, KEPT], ids=["taken away", "kept"])
async def test_the_console_below_a_path(
    start: Start,
    moonshine: AnyEngine,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    location: str,
) -> None:
    """Pages, forms, REST and sockets, over https, with the client's own address in the log."""
    caplog.set_level(logging.INFO)
    settings = """
        auth.required = true
        server { proxies = ["127.0.0.1"], hosts = ["desk.example"], prefixes = ["/speech"] }
    """
    async with start(moonshine, settings, console=True) as server:
        with in_front_of(server, tmp_path, location) as address:
            browser = httpx.AsyncClient(base_url=f"http://{address}/speech", headers=HEADERS)
            async with browser as client:
                sent = await client.get("/account")
                assert sent.headers["location"] == "/speech/sign-in?next=%2Fspeech%2Faccount"
                assert 'action="/speech/sign-up"' in (await client.get("/sign-up")).text
                assert (await client.get("/static/style.css")).status_code == 200
                signed = await client.post("/sign-up", data={"name": "anna", "password": PASSWORD})
                assert (signed.status_code, signed.headers["location"]) == (303, "/speech/")
                cookie = signed.headers["set-cookie"]
                assert "Path=/speech;" in cookie
                assert "Secure" in cookie
                # The client has a cookie for https only, and speaks http with nginx.
                headers = {**HEADERS, "Cookie": cookie.partition(";")[0]}
                page = await client.get("/", headers=headers)
                assert 'href="/speech/sessions"' in page.text
                described = (await client.get("/openapi.json", headers=headers)).json()
                assert described["servers"] == [{"url": "/speech"}]
            host, _, port = address.partition(":")
            # websockets sets `Host` by itself.
            del headers["Host"]
            events = partial(
                connect, "ws://desk.example/speech/ws/events", host=host, port=int(port)
            )
            async with events(additional_headers=headers) as socket:
                await socket.send('{"command": "list_calls"}')
                assert json.loads(await socket.recv()) == {"event": "calls", "calls": []}
            del headers["Cookie"]
            with pytest.raises(InvalidStatus):
                await events(additional_headers=headers)
    assert "203.0.113.9: refused '/ws/events' (401)" in caplog.text
