"""The command-line client in this process or its own, and the daemons it is tested against."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from websockets.asyncio.server import ServerConnection

from coqui_client.cli import main
from coqui_client.sound import find_ffmpeg

Handler = Callable[[ServerConnection], Awaitable[None]]
Start = Callable[..., Awaitable[str]]


class Finished(NamedTuple):
    """What the command left: exit code and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Awaitable[Finished]]


def ffmpeg(*arguments: object) -> bytes:
    """Run ffmpeg with these arguments; what it wrote to stdout."""
    command = [find_ffmpeg(), "-nostdin", "-loglevel", "error", *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


async def command(*arguments: object) -> int:
    """The command in this process, where its constants can be changed; its exit code."""
    return await asyncio.to_thread(main, [str(argument) for argument in arguments])
