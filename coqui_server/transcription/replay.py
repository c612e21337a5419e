"""The latest events, for subscribers that were away."""

import json
from collections import deque
from collections.abc import Sequence

from coqui_server.cluster.place import Place
from coqui_server.transcription.messages import Message

_SIZE = 8_000_000
"""Bytes of JSON that are kept: a thousand minutes of one conversation, three of 300 calls."""


class Replay:
    """Keeps the latest events. Partials are not kept: what comes after them replaces them."""

    def __init__(self, size: int = _SIZE) -> None:
        self._most = size
        self._size = 0
        self._kept: deque[tuple[Place, str]] = deque()
        # The event after which all are here; None as long as there was none.
        self._from: Place | None = None

    def begin(self, place: Place) -> None:
        """Keep what comes after this place, and nothing from before."""
        self._from = place
        self._kept.clear()
        self._size = 0

    def forget(self) -> None:
        """Some events are missing: keep what comes after the next one."""
        self.begin(Place(0, -1))
        self._from = None

    def add(self, place: Place, message: Message) -> None:
        """Take the next event."""
        if self._from is None:
            self._from = Place(place.generation, place.number - 1)
        if message["event"] == "partial":
            return
        text = json.dumps(message)
        self._kept.append((place, text))
        self._size += len(text)
        while self._size > self._most:
            self._from, oldest = self._kept.popleft()
            self._size -= len(oldest)

    def since(self, place: Place) -> Sequence[str] | None:
        """The events after this one, as JSON; None if not all of them are here.

        It may be one that has not come yet: another server may be ahead.
        """
        known = self._from and self._from.generation == place.generation and self._from <= place
        return [text for at, text in self._kept if at > place] if known else None
