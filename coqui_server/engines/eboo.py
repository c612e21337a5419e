"""EBOO (Persian): upload, start, and poll until it is done.

There is no public reference. This follows several independent clients: one address for all
commands, the token in each body, errors in the body with any HTTP status.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

from coqui_server.config.settings import Settings
from coqui_server.engines.base import Capabilities, Hypothesis, Options
from coqui_server.engines.remote import Pause, Rest, Turn, Turns, at_path, missing
from coqui_server.exceptions import ConfigError, ServiceError
from coqui_server.media import wav
from coqui_server.media.samples import Samples

_PATH = "/api/ocr/getway"

_FAILURES = {
    "FileCorrupted",
    "NoEnoughCredit",
    "UploadFailed",
    "UnkwonURL",
    "UnknowMethod",
    "404",
    "TokenNotFound",
    "MethodNotAllowed",
    "FileDeletedFromServer",
    "ConvertError",
    "IPError",
    "ConvertFailed",
    "500",
}
"""Values of `Status` that clients take for a failure, in the service's spelling. The values while
it is working are not known, so any other value counts as that."""

_PASSING = "500"


def capabilities(settings: Settings) -> Capabilities:
    """What is known about the service: it gives a text."""
    return Capabilities(languages=(settings.eboo.language,), longest=settings.eboo.chunk)


def check(settings: Settings) -> Iterator[ConfigError]:
    """What is missing, without asking the service."""
    return missing("eboo", settings.eboo, "EBOO_TOKEN")


def load(settings: Settings) -> "Eboo":
    """The engine. Nothing is sent until there is something to transcribe.

    Raises:
        ConfigError: the key is missing.
    """
    for problem in check(settings):
        raise problem
    return Eboo(settings)


class Eboo:
    """The service with one token."""

    name = "eboo"
    model = "convert"

    def __init__(self, settings: Settings, pause: Pause = asyncio.sleep) -> None:
        self._settings = settings.eboo
        self.capabilities = capabilities(settings)
        self._rest = Rest("eboo", self._settings, _status, {})
        self._turns = Turns("eboo", self._settings, pause)

    async def transcribe(self, pcm: Samples, options: Options) -> Hypothesis:
        file = wav.encode(pcm)
        async with self._turns.next() as turn:
            token = await turn.ask(lambda: self._upload(file))
            start = {"filetoken": token, "language": self._settings.language}
            await turn.ask(lambda: self._command("convert", json=start))
            return Hypothesis(await self._text(turn, token))

    async def close(self) -> None:
        await self._rest.close()

    async def _upload(self, file: bytes) -> str:
        reply = await self._command(
            "addfile", files={"filehandle": ("speech.wav", file, "audio/wav")}, repeatable=True
        )
        # One client also accepts it in lower case.
        token = reply.get("FileToken") or reply.get("filetoken")
        if not isinstance(token, str) or not token:
            raise self._rest.malformed("a FileToken")
        return token

    async def _text(self, turn: Turn, token: str) -> str:
        asked = {"filetoken": token}
        while True:
            reply = await turn.ask(
                lambda: self._command("checkconvert", json=asked, repeatable=True)
            )
            text = reply.get("Output")
            # One client waits for this status, another for any text; either is accepted.
            if isinstance(text, str) and (text or reply.get("Status") == "ConvertFinished"):
                return text.strip()
            if reply.get("Status") == "ConvertFinished":
                raise self._rest.malformed("an Output")
            await turn.pause(self._settings.poll)

    async def _command(self, name: str, **content: Any) -> dict[str, Any]:
        """Uploads are forms; clients send the other commands as JSON."""
        assert self._settings.key is not None
        fields = {"token": self._settings.key.get_secret_value(), "command": name}
        if "json" in content:
            content["json"] = {**fields, **content["json"]}
        else:
            content["data"] = fields
        reply = await self._rest.json("POST", _PATH, **content)
        if failure := self._failure(reply):
            raise failure
        return reply

    def _failure(self, reply: dict[str, Any]) -> ServiceError | None:
        status = str(reply.get("Status"))
        if status not in _FAILURES:
            return None
        return self._rest.refusal(_status(reply), retryable=status == _PASSING)


def _status(reply: Any) -> str | None:
    words = (at_path(reply, "Status"), at_path(reply, "Error"))
    return ": ".join(str(word) for word in words if word) or None
