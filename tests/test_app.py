"""The command: what it prints, its exit codes, and the daemon as a process that is told to end."""

import asyncio
import json
import logging
import re
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidMessage

import coqui_server
from coqui_server import app, logs
from coqui_server.exceptions import StoreError
from tests.support.clips import ROOT, clip, spoken
from tools.daemon import running

pytestmark = pytest.mark.process

VOICE = clip("appointment.wav")
PORTS = "server.http.port = 0, rtp.port = 0, web.port = 0"
NO_MODEL = "engine = vira, vira.key = x"
"""An engine that is loaded in no time."""

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Runs the command in this process; gives its exit code, output and errors."""
    levels = {name: logging.getLogger(name).level for name in logs.QUIET_LIBRARIES}

    def run(*arguments: str) -> tuple[int, str, str]:
        code = app.main(arguments)
        return code, *capsys.readouterr()

    yield run
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def configured(folder: Path, text: str) -> str:
    """The path of a configuration with this text."""
    path = folder / "x.conf"
    path.write_text(text, encoding="utf-8")
    return str(path)


def sessions(url: str) -> dict[str, int]:
    """How many are open, as `/health` says."""
    with urllib.request.urlopen(f"{url.replace('ws:', 'http:')}/health") as response:
        counted: dict[str, int] = json.load(response)["sessions"]
    return counted


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints the name and version."""
    with pytest.raises(SystemExit) as ended:
        app.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"coqui_server {coqui_server.__version__}\n"


def test_check_config(command: Command, tmp_path: Path) -> None:
    """`--check-config` says that a good file is good."""
    path = configured(tmp_path, "engine = moonshine")
    assert command("--config", path, "--check-config")[:2] == (0, f"{path}: ok\n")


def test_list_engines(command: Command, tmp_path: Path) -> None:
    """`--list-engines` has a line for each engine, and under it what is missing."""
    code, out, _ = command("--config", configured(tmp_path, 'vira.key = ""'), "--list-engines")
    assert code == 0
    told = out.splitlines()
    assert "moonshine  enabled  en, words, confidence, terms" in told
    whisper = next(number for number, line in enumerate(told) if line.startswith("whisper "))
    assert told[whisper] == "whisper    missing  en, words, confidence, terms"
    assert told[whisper + 1].endswith("; run: python -m coqui_server.models get tiny.en")
    vira = next(number for number, line in enumerate(told) if line.startswith("vira "))
    assert told[vira].split() == ["vira", "missing", "fa"]
    assert told[vira + 1].strip() == "vira.key: not set; run: export VIRA_TOKEN=…"


def test_a_model_that_is_not_used(
    command: Command, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The file names a model for another engine than the one it chooses; the log says so."""
    path = configured(tmp_path, f"{NO_MODEL}, coqui.model = models/model.tflite")
    assert command("--config", path, "--check-config")[0] == 0
    assert "coqui.model is set, but not used: the engine is vira" in caplog.text


def test_the_process_of_an_unusable_configuration(tmp_path: Path) -> None:
    """One line, no traceback and no log, and exit code 2."""
    path = configured(tmp_path, "vad.paddding = 300")
    ended = subprocess.run(
        [sys.executable, "-m", "coqui_server.app", "--config", path],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    problem = "vad.paddding: unknown key; did you mean vad.padding?"
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"{path}: {problem}")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("server.http.port = http", 'server.http.port: found "http", allowed: a port, 1 to 65535'),
        ('moonshine.model = "nowhere"', "moonshine.model: found"),
        ('engine = vira, vira.key = ""', "vira.key: not set; run: export VIRA_TOKEN=…"),
        ('engines.enabled = [eboo], eboo.key = ""', "eboo.key: not set; run: export EBOO_TOKEN=…"),
        ('engine = vosk, vosk.model = "no/such"', 'vosk.model: found "no/such", allowed:'),
        (f'{NO_MODEL}, ffmpeg.path = "nowhere"', "ffmpeg.path: found"),
        (
            f"{NO_MODEL}, {PORTS}, server.http.host = 203.0.113.7",
            'server.http.host: found "203.0.113.7", allowed:',
        ),
        ("engine = {", "not valid HOCON: "),
    ],
)
def test_unusable_configuration(
    command: Command,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    text: str,
    problem: str,
) -> None:
    """One line with file, key, what was found and what is allowed; exit code 2."""
    path = configured(tmp_path, text)
    code, out, err = command("--config", path)
    assert (code, out, caplog.text) == (2, "", "")
    assert err.startswith(f"{path}: {problem}")
    assert err.count("\n") == 1


@pytest.mark.parametrize("key", ["port = {}", "extra_ports = [{}]"])
def test_port_in_use(command: Command, tmp_path: Path, key: str) -> None:
    """A port that another program has is named, with exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = f"{NO_MODEL}, {PORTS}, server.http.{key.format(port)}"
        path = configured(tmp_path, text)
        ended = command("--config", path)
    problem = f"found {port}, which is in use on 127.0.0.1; allowed: a free port, or 0 for any"
    assert ended == (2, "", f"{path}: server.http.{key.split()[0]}: {problem}\n")


def test_a_store_that_fails_at_the_start(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said in one line, with an exit code after which a service manager tries again."""

    async def run(*_: object) -> None:
        raise StoreError("database or disk is full", full=True)

    monkeypatch.setattr(app, "run", run)
    path = configured(tmp_path, "")
    told = f"{path}: the store failed: database or disk is full\n"
    assert command("--config", path) == (1, "", told)


def test_without_a_console_and_open_to_others(
    command: Command,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`web.enabled = false` opens no port. The log warns of addresses that others can reach."""
    at_once = asyncio.Event()
    at_once.set()
    monkeypatch.setattr(app, "_signalled", lambda: at_once)
    open_to_all = "web { enabled = false, host = 0.0.0.0 }, server.http.host = 0.0.0.0"
    code, out, _ = command("--config", configured(tmp_path, f"{NO_MODEL}, {PORTS}, {open_to_all}"))
    assert code == 0
    assert "  console     off (web.enabled)\n" in out
    warning = "everybody who reaches it may use it without signing in"
    assert f"server.http.host is 0.0.0.0: {warning}" in caplog.text
    assert "web.host" not in caplog.text


def test_start_up_screen(tmp_path: Path) -> None:
    """One screenful: addresses, engine and model, threads, ffmpeg, and a command that works."""
    configuration = f"{PORTS}, server.threadpool.count = 3"
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
        assert lines[-1]
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
            while not sessions(daemon.url)["file"]:
                pass
            daemon.process.send_signal(signal.SIGTERM)
            while "shutting down" not in daemon.log.read_text():
                await asyncio.sleep(0.01)
            # The log is written just before the port is closed.
            with pytest.raises((OSError, InvalidMessage)):
                await connect(daemon.url)
            go_on.set()
            await sending
            reply = json.loads(await client.recv())
        assert spoken(reply["text"]) == spoken(VOICE.text)
        assert daemon.process.wait(30) == 0
