"""The start-up screen: where the daemon listens, what it loaded, what to try next."""

import os
import shutil
import sys
from pathlib import Path

from websockets.asyncio.server import Server

from coqui_server import __version__, sockets
from coqui_server.transcription.service import Service

_SAMPLE = Path("samples", "appointment.wav")


def screen(service: Service, server: Server, source: str) -> str:
    """What `make run` prints; `source` is where the settings came from."""
    host, port = next(iter(server.sockets)).getsockname()[:2]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    engine = service.engine
    speaks = ", ".join(engine.capabilities.languages) or "whatever the model knows"
    routes = "\n".join(f"              ws://{address}{path}" for path in sockets.ROUTES)
    return f"""coqui_server {__version__}
  listens at  http://{address}/health
{routes}
  engine      {engine.name}, model {engine.model}, language: {speaks}
  decoders    {service.settings.server.threadpool.count} threads
  ffmpeg      {service.transcoder.program}
  configured  {source}
  try         {_client()} --url ws://{_near(address)} {_SAMPLE if _SAMPLE.exists() else "FILE"}"""


def _near(address: str) -> str:
    """An "any" address is one to listen on, not one to call."""
    return address.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")  # noqa: S104


def _client() -> str:
    """The client's command, as it can be typed in another terminal."""
    beside = shutil.which("coqui-client", path=str(Path(sys.executable).parent))
    if shutil.which("coqui-client") or beside is None:
        return "coqui-client"
    return os.path.relpath(beside) if Path(beside).is_relative_to(Path.cwd()) else beside
