"""A daemon of the protocol's shape on a real socket, and the command as a real process."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests.support.client import Finished, Handler, Run, Start, ffmpeg
from tests.support.clips import ROOT, SAMPLES


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Half a second of a sample, and a bit: its last packet is not full."""
    path = tmp_path / "clip.wav"
    ffmpeg("-ss", 0.5, "-t", 0.51, "-i", SAMPLES / "voicemail.wav", path)
    return path


@pytest.fixture
def reply() -> dict[str, Any]:
    """A successful reply of two segments, the first with words."""
    words = [
        {"word": "Ask", "start": 0.25, "end": 0.5, "confidence": 0.9},
        {"word": "not", "start": 0.5, "end": 1.25, "confidence": 0.8},
    ]
    return {
        "text": "Ask not. Ждём & <gloom>.",
        "time": 0.5,
        "duration": 4.0,
        "engine": "test",
        "session": "7e1a0f3e-0000-4000-8000-000000000000",
        "segments": [
            {"start": 0.25, "end": 1.25, "text": "Ask not.", "words": words, "confidence": 0.85},
            {"start": 2.0, "end": 3.5, "text": "Ждём & <gloom>."},
        ],
    }


@pytest.fixture
def replying(reply: dict[str, Any]) -> Handler:
    """A daemon that transcribes everything as `reply`."""

    async def handler(socket: ServerConnection) -> None:
        async for _ in socket.recv_streaming():
            pass
        await socket.send(json.dumps(reply))

    return handler


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts a daemon with a handler and options of `serve`; gives its URL without a path."""
    async with AsyncExitStack() as servers:

        async def start(handler: Handler, **options: Any) -> str:
            options = {"compression": None, "max_size": None, "close_timeout": 0.2, **options}
            server = await servers.enter_async_context(serve(handler, "127.0.0.1", 0, **options))
            return f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"

        yield start


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    """A file of five fragments and a bit; nothing in these tests listens to it."""
    path = tmp_path / "talk.wav"
    path.write_bytes(bytes(range(256)) * 1281)
    return path


@pytest.fixture
def huge(tmp_path: Path) -> Path:
    """A file of 1 GiB that takes no room on the disk: more than sockets buffer by far."""
    path = tmp_path / "huge.wav"
    with path.open("wb") as file:
        file.truncate(2**30)
    return path


@pytest.fixture
def run() -> Run:
    """Runs `client.py` with arguments to its end."""

    async def run(*arguments: object, **options: Any) -> Finished:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "client.py"),
            *map(str, arguments),
            **{"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE, **options},
        )
        out, err = await process.communicate()
        assert process.returncode is not None
        return Finished(process.returncode, (out or b"").decode(), (err or b"").decode())

    return run
