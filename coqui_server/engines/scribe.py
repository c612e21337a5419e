"""Scribe, ElevenLabs' recogniser, through MetisAI: upload, start a task, poll until it is done.

There is no public reference. This follows independent clients; only one is known for Scribe itself.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

from coqui_server.config.settings import Settings
from coqui_server.engines.base import Capabilities, Hypothesis, Options
from coqui_server.engines.remote import Pause, Rest, Turn, Turns, at_path, missing
from coqui_server.exceptions import ConfigError
from coqui_server.media import wav
from coqui_server.media.samples import Samples


def capabilities(settings: Settings) -> Capabilities:
    """What is known about the service: it gives a text."""
    return Capabilities(longest=settings.scribe.chunk)


def check(settings: Settings) -> Iterator[ConfigError]:
    """What is missing, without asking the service."""
    return missing("scribe", settings.scribe, "SCRIBE_TOKEN")


def load(settings: Settings) -> "Scribe":
    """The engine. Nothing is sent until there is something to transcribe.

    Raises:
        ConfigError: the key is missing.
    """
    for problem in check(settings):
        raise problem
    return Scribe(settings)


class Scribe:
    """The service with one key."""

    name = "scribe"

    def __init__(self, settings: Settings, pause: Pause = asyncio.sleep) -> None:
        self._settings = settings.scribe
        self.model = self._settings.model
        self.capabilities = capabilities(settings)
        assert self._settings.key is not None
        key = self._settings.key.get_secret_value()
        self._rest = Rest("scribe", self._settings, _reason, {"Authorization": f"Bearer {key}"})
        self._turns = Turns("scribe", self._settings, pause)

    async def transcribe(self, pcm: Samples, options: Options) -> Hypothesis:
        file = wav.encode(pcm)
        async with self._turns.next() as turn:
            address = await turn.ask(lambda: self._upload(file))
            task = await turn.ask(lambda: self._start(address, options))
            return Hypothesis(await self._text(turn, await self._done(turn, task)))

    async def close(self) -> None:
        await self._rest.close()

    async def _upload(self, file: bytes) -> str:
        part = {"files": ("speech.wav", file, "audio/wav")}
        reply = await self._rest.json("POST", "/api/v1/storage", files=part, repeatable=True)
        match reply.get("files"):
            case [{"url": str(address)}, *_]:
                return address
        raise self._rest.malformed("the address of the upload")

    async def _start(self, address: str, options: Options) -> str:
        # Which name the address has is only known of whisper-1 on the same route, and whether a
        # language is passed on is not known at all.
        arguments = {self._settings.argument: address}
        if language := options.language or self._settings.language:
            arguments["language"] = language
        model = {"name": self._settings.provider, "model": self._settings.model}
        task = {"model": model, "operation": "STT", "args": arguments}
        match await self._rest.json("POST", "/api/v2/generate", json=task):
            case {"id": str(id) | int(id)}:
                return str(id)
        raise self._rest.malformed("a task with an id")

    async def _done(self, turn: Turn, task: str) -> dict[str, Any]:
        path = f"/api/v2/generate/{task}"
        while True:
            reply = await turn.ask(lambda: self._rest.json("GET", path, repeatable=True))
            match reply.get("status"):
                case "COMPLETED":
                    return reply
                case "ERROR" | "CANCELLED":
                    raise self._rest.refusal(_reason(reply))
            # QUEUE, WAITING, RUNNING; whether there are more is not known.
            await turn.pause(self._settings.poll)

    async def _text(self, turn: Turn, reply: dict[str, Any]) -> str:
        generations = reply.get("generations")
        made = generations[0] if isinstance(generations, list) and generations else None
        texts = [text for key in ("content", "text") if isinstance(text := at_path(made, key), str)]
        address = at_path(made, "url")
        if not any(texts) and isinstance(address, str) and address:
            texts = [await turn.ask(lambda: self._rest.text(address))]
        if texts:
            return max(texts, key=len).strip()
        raise self._rest.malformed("a finished task with its text")


def _reason(reply: Any) -> str | None:
    """The message of a failure. Its place in a refusal is not known; these are usual ones."""
    for path in (("error", "message"), ("error",), ("message",)):
        if isinstance(reason := at_path(reply, *path), str):
            return reason
    return None
