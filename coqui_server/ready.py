"""The ready file: where the daemon listens, for programs that start it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coqui_server import __version__
from coqui_server.daemon import Daemon
from coqui_server.exceptions import ConfigError
from coqui_server.sockets.ports import address_of


@contextmanager
def announced(daemon: Daemon, path: Path | None) -> Iterator[None]:
    """Write the ready file for the time of the block; nothing without a path.

    It is complete as soon as it exists, since it gets its name last.

    Raises:
        ConfigError: it cannot be written.
    """
    if path is None:
        yield
        return
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(json.dumps(addresses(daemon)), encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise ConfigError("", f"the ready file cannot be written: {error}") from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def addresses(daemon: Daemon) -> dict[str, Any]:
    """What the ready file says: `pid`, `version`, `speech` (a `ws://` address for each port), and
    `console`, `wyoming` and `rtp`, which are null where they are switched off."""
    rtp = daemon.rtp
    return {
        "pid": os.getpid(),
        "version": __version__,
        "speech": [f"ws://{address_of(server)}" for server in daemon.servers],
        "console": f"http://{address_of(daemon.console)}" if daemon.console else None,
        "wyoming": address_of(daemon.wyoming) if daemon.wyoming else None,
        "rtp": f"{rtp.settings.host}:{rtp.shared.number}" if rtp.shared else None,
    }
