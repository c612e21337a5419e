"""The start-up screen: where the daemon listens, what it loaded, what to try next."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from coqui_server import __version__
from coqui_server.config.settings import Settings
from coqui_server.config.store import StoreSettings
from coqui_server.daemon import Daemon
from coqui_server.engines import Status, survey
from coqui_server.engines.base import AnyEngine
from coqui_server.rtp.listener import Listener
from coqui_server.sockets.ports import address_of
from coqui_server.store.database import address

_SAMPLE = Path("samples", "appointment.wav")


def screen(daemon: Daemon, source: str) -> str:
    """What `make run` prints; `source` is where the settings came from."""
    service, rtp = daemon.service, daemon.rtp
    address = address_of(daemon.servers[0])
    pages = f"http://{address_of(daemon.console)}/" if daemon.console else "off (web.enabled)"
    engines = "\n              ".join(map(_engine, service.engines))
    paths = "\n".join(f"              ws://{address}{path}" for path in daemon.routes)
    return f"""coqui_server {__version__}
  console     {pages}{_naming(service.settings)}
  listens at  http://{address}/health
{paths}
  calls       {_calls(rtp)}
  wyoming     {_wyoming(daemon)}
  engine      {engines}
  decoders    {service.settings.server.threadpool.count} threads
  ffmpeg      {service.transcoder.program}
  keeps       {_kept(service.settings.store)}
  configured  {source}
  try         {_client()} --url ws://{_near(address)} {_SAMPLE if _SAMPLE.exists() else "FILE"}"""


def _naming(settings: Settings) -> str:
    """How to name a host that listens on all its addresses."""
    everywhere = {"0.0.0.0", "::"} & {settings.server.http.host, settings.web.host}  # noqa: S104
    if not everywhere or settings.server.hosts:
        return ""
    return """
  names       localhost and the addresses of this machine; server.hosts = ["name"] adds a name"""


def _engine(engine: AnyEngine) -> str:
    languages = engine.capabilities.languages
    speaks = f"{len(languages)} languages" if len(languages) > 5 else ", ".join(languages)
    return f"{engine.name}, model {engine.model}, language: {speaks or 'whatever the model knows'}"


def engine_list(settings: Settings) -> str:
    """What `--list-engines` prints: every engine, and under it what it lacks."""
    return "\n".join(line for status in survey(settings) for line in _about(status))


def _about(status: Status) -> Iterator[str]:
    state = "missing" if status.missing else "enabled" if status.enabled else "ready"
    capabilities = asdict(status.capabilities)
    languages = ", ".join(capabilities.pop("languages")) or "the model's languages"
    gives = ", ".join([languages, *(name for name, can in capabilities.items() if can is True)])
    yield f"{status.name:10} {state:8} {gives}"
    yield from (f"{'':10} {missing}" for missing in status.missing)


def _calls(rtp: Listener) -> str:
    if rtp.shared is None:
        return "off (rtp.enabled)"
    networks = ", ".join(map(str, rtp.settings.allow))
    return f"rtp://{rtp.settings.host}:{rtp.shared.number}, from {networks}"


def _wyoming(daemon: Daemon) -> str:
    if daemon.wyoming is None:
        return "off (wyoming.port)"
    networks = ", ".join(map(str, daemon.settings.wyoming.allow))
    return f"tcp://{address_of(daemon.wyoming)}, from {networks}"


def _kept(store: StoreSettings) -> str:
    return f"sessions in {address(store).database}" if store.enabled else "nothing (store.enabled)"


def _near(address: str) -> str:
    """The address to connect to: an "any" address is only for listening."""
    return address.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")  # noqa: S104


def _client() -> str:
    """The client's command, as it can be typed in another terminal."""
    beside = shutil.which("coqui-client", path=str(Path(sys.executable).parent))
    if shutil.which("coqui-client") or beside is None:
        return "coqui-client"
    return os.path.relpath(beside) if Path(beside).is_relative_to(Path.cwd()) else beside
