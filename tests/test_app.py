"""The daemon as a process: start-up screen, exit codes, draining."""

import asyncio
import json
import re
import shlex
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

import coqui_server
from coqui_server import app
from coqui_server.exceptions import StoreError
from tests.support.clips import ROOT, clip, spoken
from tools.daemon import Daemon, running

pytestmark = pytest.mark.process

VOICE = clip("appointment.wav")


def start(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the daemon's command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "coqui_server.app", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )


def configured(folder: Path, text: str) -> str:
    """The path of a configuration with this text."""
    path = folder / "x.conf"
    path.write_text(text, encoding="utf-8")
    return str(path)


def get(daemon: Daemon, path: str) -> tuple[int, str, str]:
    """Status, content type and text of a plain GET."""
    url = daemon.url.replace("ws:", "http:") + path
    try:
        with urllib.request.urlopen(url) as response:
            return response.status, response.headers["Content-Type"], response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


def test_version() -> None:
    """`--version` prints the name and version."""
    assert start("--version").stdout == f"coqui_server {coqui_server.__version__}\n"


def test_check_config(tmp_path: Path) -> None:
    """`--check-config` says that a good file is good."""
    path = configured(tmp_path, "engine = moonshine")
    checked = start("--config", path, "--check-config")
    assert (checked.returncode, checked.stdout) == (0, f"{path}: ok\n")


def test_list_engines(tmp_path: Path) -> None:
    """`--list-engines` has a line for each engine, and under it what is missing."""
    listed = start("--config", configured(tmp_path, 'vira.key = ""'), "--list-engines")
    assert listed.returncode == 0
    told = listed.stdout.splitlines()
    assert "moonshine  enabled  en, words, confidence, terms" in told
    whisper = next(number for number, line in enumerate(told) if line.startswith("whisper "))
    assert told[whisper] == "whisper    missing  en, words, confidence, terms"
    assert told[whisper + 1].endswith("; run: python -m coqui_server.models get tiny.en")
    vira = next(number for number, line in enumerate(told) if line.startswith("vira "))
    assert told[vira].split() == ["vira", "missing", "fa"]
    assert told[vira + 1].strip() == "vira.key: not set; run: export VIRA_TOKEN=…"


def test_a_model_that_is_not_used(tmp_path: Path) -> None:
    """The file names a model for another engine than the one it chooses; the log says so."""
    path = configured(tmp_path, "engine = moonshine\ncoqui.model = models/model.tflite")
    checked = start("--config", path, "--check-config")
    assert checked.returncode == 0
    assert "coqui.model is set, but not used: the engine is moonshine" in checked.stderr


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("vad.paddding = 300", "vad.paddding: unknown key; did you mean vad.padding?"),
        ("server.http.port = http", 'server.http.port: found "http", allowed: a port, 1 to 65535'),
        ('moonshine.model = "nowhere"', "moonshine.model: found"),
        ('engine = vira, vira.key = ""', "vira.key: not set; run: export VIRA_TOKEN=…"),
        ('engines.enabled = [eboo], eboo.key = ""', "eboo.key: not set; run: export EBOO_TOKEN=…"),
        ('engine = vosk, vosk.model = "no/such"', 'vosk.model: found "no/such", allowed:'),
        ('ffmpeg.path = "nowhere"', "ffmpeg.path: found"),
        ("server.http.host = 203.0.113.7", 'server.http.host: found "203.0.113.7", allowed:'),
        ("engine = {", "not valid HOCON: "),
    ],
)
def test_unusable_configuration(tmp_path: Path, text: str, problem: str) -> None:
    """One line with file, key, what was found and what is allowed; exit code 2."""
    path = configured(tmp_path, text)
    ended = start("--config", path)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"{path}: {problem}")
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""


def test_port_in_use(tmp_path: Path) -> None:
    """A port that another program has is named, with exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = configured(tmp_path, f"server.http.port = {port}")
        ended = start("--config", path)
    problem = f"found {port}, which is in use on 127.0.0.1; allowed: a free port, or 0 for any"
    assert (ended.returncode, ended.stderr) == (2, f"{path}: server.http.port: {problem}\n")


def test_an_extra_port_in_use(tmp_path: Path) -> None:
    """It is the one that is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = configured(tmp_path, f"server.http {{ port = 0, extra_ports = [{port}] }}")
        ended = start("--config", path)
    assert ended.returncode == 2
    assert f"server.http.extra_ports: found {port}, which is in use" in ended.stderr


def test_a_store_that_fails_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said in one line, with an exit code after which a service manager tries again."""

    async def run(*_: object) -> None:
        raise StoreError("database or disk is full", full=True)

    monkeypatch.setattr(app, "run", run)
    path = configured(tmp_path, "")
    assert app.main(["--config", path]) == 1
    assert capsys.readouterr().err == f"{path}: the store failed: database or disk is full\n"


async def test_extra_ports() -> None:
    """Every path is served on them too, so that Vosk's clients find it on their own port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with running(f"server.http.extra_ports = [{port}]") as daemon:
        for url in (f"ws://127.0.0.1:{port}", daemon.url):
            async with connect(url, compression=None) as client:
                await client.send('{"eof" : 1}')
                assert json.loads(await client.recv()) == {"text": ""}
        assert daemon.stop() == 0


def test_start_up_screen(tmp_path: Path) -> None:
    """One screenful: addresses, engine and model, threads, ffmpeg, and a command that works."""
    configuration = "web.port = 0\nserver { http.port = 0, threadpool.count = 3 }"
    process = subprocess.Popen(
        [sys.executable, "-m", "coqui_server.app", "--config", configured(tmp_path, configuration)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or "  try " not in lines[-1]:
        lines.append(process.stdout.readline())
    shown = "".join(lines)
    command = shlex.split(lines[-1])[1:]
    said = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout
    process.send_signal(signal.SIGTERM)
    assert (process.communicate()[0], process.returncode) == ("", 0)
    assert len(lines) < 20
    assert re.search(r"ws://127\.0\.0\.1:\d+/api/v1/stt\n", shown)
    assert re.search(r"engine +moonshine, model tiny-en, language: en\n", shown)
    assert re.search(r"decoders +3 threads\n", shown)
    assert spoken(said) == spoken(VOICE.text)


def test_plain_http() -> None:
    """GET / greets, /health is JSON, and another path is told what there is."""
    with running() as daemon:
        assert get(daemon, "/")[::2] == (200, "Welcome to coqui_server\n")
        status, kind, text = get(daemon, "/health")
        health = json.loads(text)
        assert (status, kind, health["status"]) == (200, "application/json", "ok")
        assert (health["engine"], health["model"]) == ("moonshine", "tiny-en")
        assert health["version"] == coqui_server.__version__
        assert get(daemon, "/nothing")[0] == 404
        assert "/api/v1/stt" in get(daemon, "/nothing")[2]
        assert get(daemon, "/api/v1/stt")[0] == 426
        assert daemon.stop() == 0


async def test_a_peer_that_speaks_no_http() -> None:
    """Junk on the port is no traceback in the log, and the next client is answered."""
    with running() as daemon:
        host, port = daemon.url.removeprefix("ws://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"\x16\x03\x01 hello\r\n\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        assert get(daemon, "/")[0] == 200
        assert daemon.stop() == 0
        log = daemon.log.read_text()
    assert "Traceback" not in log


async def test_a_signal_lets_open_sessions_finish() -> None:
    """After SIGTERM a file half-way gets its transcript, a new client none; the exit code is 0."""
    data = VOICE.path.read_bytes()
    go_on = asyncio.Event()

    async def halves() -> AsyncIterator[bytes]:
        yield data[: len(data) // 2]
        await go_on.wait()
        yield data[len(data) // 2 :]

    with running() as daemon:
        async with connect(f"{daemon.url}/api/v1/stt", compression=None) as client:
            sending = asyncio.create_task(client.send(halves()))
            while not json.loads(get(daemon, "/health")[2])["sessions"]["file"]:
                pass
            daemon.process.send_signal(signal.SIGTERM)
            while "shutting down" not in daemon.log.read_text():
                await asyncio.sleep(0.01)
            with pytest.raises(OSError, match=r"refused|failed"):
                await connect(daemon.url)
            go_on.set()
            await sending
            reply = json.loads(await client.recv())
        assert spoken(reply["text"]) == spoken(VOICE.text)
        assert daemon.process.wait(30) == 0


async def test_the_drain_has_an_end() -> None:
    """A client that never ends its message is told, and closed with 1001 after `server.drain`."""
    with running("server.drain = 100 ms") as daemon:
        async with connect(f"{daemon.url}/api/v1/stt", compression=None) as client:
            daemon.process.send_signal(signal.SIGTERM)
            assert json.loads(await client.recv())["code"] == "going_away"
            with pytest.raises(ConnectionClosed):
                await client.recv()
            assert client.close_code == 1001
        assert daemon.process.wait(30) == 0


@pytest.mark.parametrize(
    ("path", "start"),
    [("/ws/v1/speech-to-text", {"event": "start"}), ("/vosk", {"config": {"sample_rate": 16000}})],
)
async def test_a_live_client_gets_its_last_words(path: str, start: dict[str, Any]) -> None:
    """One that would go on is told what it has said until now, then closed with 1001."""
    with running("server.drain = 100 ms") as daemon:
        async with connect(f"{daemon.url}{path}", compression=None) as client:
            await client.send(json.dumps(start))
            await client.send(VOICE.pcm.tobytes())
            while not json.loads(get(daemon, "/health")[2])["sessions"]["live"]:
                pass
            daemon.process.send_signal(signal.SIGTERM)
            told = [json.loads(message) async for message in client]
            assert client.close_code == 1001
        assert daemon.process.wait(30) == 0
    finals = (message for message in told if message.get("is_final", True))
    said = " ".join(final.get("text", "") for final in finals)
    assert spoken(said) == spoken(VOICE.text)
