"""What clients were told, to be compared with what is stored."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

_PAGE = 200


@dataclass
class Ledger:
    """What clients were told, and during which event.

    Attributes:
        event: what happens now.
        finals: the event during which each final of a session came: by the session's id, its start
            and its text.
        files: the event during which each file was handed in, by its name.
        refusals: clients that were told that something went wrong, by event and code.
    """

    event: str = "calm"
    finals: dict[tuple[str, float, str], str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    refusals: Counter[tuple[str, str]] = field(default_factory=Counter)

    def final(self, session: str, message: dict[str, Any]) -> None:
        """A client was told a final."""
        self.finals[session, message["start"], message["text"]] = self.event

    def file(self, name: str) -> None:
        """A file is in the queue."""
        self.files[name] = self.event

    def refused(self, code: str) -> None:
        """A client was told why it is not served."""
        self.refusals[self.event, code] += 1


@dataclass
class Losses:
    """By event, what is not stored exactly once."""

    lost: Counter[str] = field(default_factory=Counter)
    doubled: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)
    running: int = 0


async def compare(ledger: Ledger, console: str) -> Losses:
    """Look for everything in the ledger by REST."""
    losses = Losses()
    async with httpx.AsyncClient(base_url=console, timeout=60) as client:
        for session in {session for session, _, _ in ledger.finals}:
            stored = await _segments(client, session)
            told = {key: event for key, event in ledger.finals.items() if key[0] == session}
            for (_, start, text), event in told.items():
                times = stored[start, text]
                losses.lost[event] += not times
                losses.doubled[event] += times > 1
        files, sessions = await _all(client, "/api/files"), await _all(client, "/api/sessions/")
        finished = Counter(one["label"] for one in sessions if one["state"] == "finished")
        failed = {file["name"] for file in files if file["state"] == "failed" and file["error"]}
        for name, event in ledger.files.items():
            losses.files[event] += finished[name] != (0 if name in failed else 1)
            ledger.refusals[event, "failed file"] += name in failed
        health = (await client.get("/health")).raise_for_status().json()
        losses.running = sum(health["sessions"].values())
    return losses


async def _segments(client: httpx.AsyncClient, session: str) -> Counter[tuple[float, str]]:
    answer = await client.get(f"/api/sessions/{session}")
    segments = answer.json()["segments"] if answer.is_success else []
    return Counter((segment["start"], segment["text"]) for segment in segments)


async def _all(client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    """Everything in a list that is given in pages."""
    found: list[dict[str, Any]] = []
    while True:
        query = {"limit": _PAGE, "offset": len(found)}
        page = (await client.get(path, params=query)).raise_for_status().json()
        rows = page if isinstance(page, list) else page["sessions"]
        if not rows:
            return found
        found += rows
