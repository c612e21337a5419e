"""The parts of the daemon that the console uses."""

from dataclasses import dataclass

from coqui_server.auth.access import Access
from coqui_server.jobs.queue import Queue
from coqui_server.rtp.control import Control
from coqui_server.rtp.listener import Listener
from coqui_server.store import Store
from coqui_server.transcription.service import Service
from coqui_server.web.callbacks import Callbacks


@dataclass(frozen=True)
class Parts:
    """The parts that pages and routes use. `store` and `queue` are None where nothing is stored."""

    service: Service
    rtp: Listener
    calls: Control
    store: Store | None
    queue: Queue | None
    access: Access
    callbacks: Callbacks
