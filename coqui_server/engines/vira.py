"""Vira, also called Avanegar (Persian): one request with the file, answered with the text.

There is no public reference. This follows several independent clients.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

from coqui_server.config.settings import Settings
from coqui_server.engines.base import Capabilities, Hypothesis, Options
from coqui_server.engines.remote import Pause, Rest, Turns, at_path, missing
from coqui_server.exceptions import ConfigError
from coqui_server.media import wav
from coqui_server.media.samples import Samples

_ANSWER = ("data", "data", "aiResponse")


def capabilities(settings: Settings) -> Capabilities:
    """What is known about the service: it gives a text."""
    return Capabilities(languages=("fa",), longest=settings.vira.chunk)


def check(settings: Settings) -> Iterator[ConfigError]:
    """What is missing, without asking the service."""
    return missing("vira", settings.vira, "VIRA_TOKEN")


def load(settings: Settings) -> "Vira":
    """The engine. Nothing is sent until there is something to transcribe.

    Raises:
        ConfigError: the key is missing.
    """
    for problem in check(settings):
        raise problem
    return Vira(settings)


class Vira:
    """The service with one token."""

    name = "vira"

    def __init__(self, settings: Settings, pause: Pause = asyncio.sleep) -> None:
        self._settings = settings.vira
        # Clients of other servers ask for a model "default" and mean that of the daemon.
        self.model = f"avanegar-{self._settings.model}"
        self.capabilities = capabilities(settings)
        assert self._settings.key is not None
        headers = {
            "gateway-token": self._settings.key.get_secret_value(),
            "accept": "application/json",
        }
        self._rest = Rest("vira", self._settings, _reason, headers)
        self._turns = Turns("vira", self._settings, pause)

    async def transcribe(self, pcm: Samples, options: Options) -> Hypothesis:
        file = wav.encode(pcm)
        async with self._turns.next() as turn:
            return Hypothesis(self._text(await turn.ask(lambda: self._request(file))))

    async def close(self) -> None:
        await self._rest.close()

    async def _request(self, file: bytes) -> dict[str, Any]:
        # Word times can be asked for, but the shape they come in is not known.
        fields = {
            "model": self._settings.model,
            "numSpeakers": "0",
            "srt": "false",
            "timestamp": "false",
            "diarize": "false",
            "punctuation": "true",
            "spokenPunctuation": "false",
            "inverseNormalizer": "false",
        }
        part = {"audio": ("speech.wav", file, "audio/wav")}
        return await self._rest.json("POST", "/request", data=fields, files=part)

    def _text(self, reply: dict[str, Any]) -> str:
        if isinstance(text := at_path(reply, *_ANSWER, "result", "text"), str):
            return text.strip()
        # One client has seen replies that promise the text for later; where it comes is not known.
        if (status := at_path(reply, "data", "status")) in ("pending", "processing", "queued"):
            raise self._rest.refusal(f"the answer is {status}; a shorter vira.chunk may help")
        if reason := _reason(reply):
            raise self._rest.refusal(reason)
        raise self._rest.malformed("an answer with a text")


def _reason(reply: Any) -> str | None:
    """The message of a failure, at any of the places where clients have found one."""
    checks = at_path(reply, "data", "additionalInfo", "additionalInfo", "validationResults")
    if isinstance(checks, list) and {"field": "duration", "passed": False} in checks:
        return "the sound is too long; lower vira.chunk"
    for path in ((*_ANSWER, "message"), ("data", "message"), ("message",)):
        if isinstance(reason := at_path(reply, *path), str):
            return reason
    return None
