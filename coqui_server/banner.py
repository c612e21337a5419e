"""The start-up screen: where the daemon listens, what it loaded, what to try next."""

import os
import shutil
import sys
from pathlib import Path

from websockets.asyncio.server import Server

from coqui_server import __version__
from coqui_server.rtp.listener import Listener
from coqui_server.sockets import Routes
from coqui_server.transcription.service import Service

_SAMPLE = Path("samples", "appointment.wav")


def screen(service: Service, server: Server, routes: Routes, rtp: Listener, source: str) -> str:
    """What `make run` prints; `source` is where the settings came from."""
    host, port = next(iter(server.sockets)).getsockname()[:2]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    engine = service.engine
    speaks = ", ".join(engine.capabilities.languages) or "whatever the model knows"
    paths = "\n".join(f"              ws://{address}{path}" for path in routes)
    return f"""coqui_server {__version__}
  listens at  http://{address}/health
{paths}
  calls       {_calls(rtp)}
  engine      {engine.name}, model {engine.model}, language: {speaks}
  decoders    {service.settings.server.threadpool.count} threads
  ffmpeg      {service.transcoder.program}
  configured  {source}
  try         {_client()} --url ws://{_near(address)} {_SAMPLE if _SAMPLE.exists() else "FILE"}"""


def _calls(rtp: Listener) -> str:
    if rtp.shared is None:
        return "off (rtp.enabled)"
    networks = ", ".join(map(str, rtp.settings.allow))
    return f"rtp://{rtp.settings.host}:{rtp.shared.number}, from {networks}"


def _near(address: str) -> str:
    """An "any" address is one to listen on, not one to call."""
    return address.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")  # noqa: S104


def _client() -> str:
    """The client's command, as it can be typed in another terminal."""
    beside = shutil.which("coqui-client", path=str(Path(sys.executable).parent))
    if shutil.which("coqui-client") or beside is None:
        return "coqui-client"
    return os.path.relpath(beside) if Path(beside).is_relative_to(Path.cwd()) else beside
