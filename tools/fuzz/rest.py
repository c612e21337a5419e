"""Requests to every operation of the REST interface, with odd values, bodies and forms."""

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from tools.fuzz.mutation import ODD, mutated, text_of

_FORM = (
    b'--b\r\nContent-Disposition: form-data; name="engine"\r\n\r\nmoonshine\r\n'
    b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n'
    b"Content-Type: audio/wav\r\n\r\nRIFF\x24\x00\x00\x00WAVE\r\n--b--\r\n"
)
_FILES = (b'"files"', b'"file"', b'"audio_file"')
"""The names of the fields with files, of one route or another."""

_FORM_TYPE = "multipart/form-data; boundary=b"
_CLIENTS = 4


@dataclass
class Answers:
    """What the requests were answered.

    Attributes:
        codes: the HTTP status codes.
        failures: requests with an answer that no request should get.
    """

    codes: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


async def ask(console: str, count: int, seed: int) -> Answers:
    """Send so many requests, a few at a time."""
    chance, answers = random.Random(seed), Answers()
    async with httpx.AsyncClient(base_url=console, timeout=120) as client:
        schema = (await client.get("/openapi.json")).json()
        operations = list(_operations(schema))
        coming = iter(range(count))

        async def ask_on() -> None:
            for _ in coming:
                await _request(client, chance.choice(operations), chance, answers)

        async with asyncio.TaskGroup() as clients:
            for _ in range(_CLIENTS):
                clients.create_task(ask_on())
    return answers


@dataclass(frozen=True)
class _Operation:
    """A method of a path, and the names of its query parameters."""

    method: str
    path: str
    parameters: tuple[str, ...]
    streams: bool


def _operations(schema: dict[str, Any]) -> Iterator[_Operation]:
    for path, methods in schema["paths"].items():
        for method, details in methods.items():
            names = [one["name"] for one in details.get("parameters", ()) if one["in"] == "query"]
            streams = "text/event-stream" in json.dumps(details.get("responses", {}))
            yield _Operation(method.upper(), path, tuple(names), streams)


async def _request(
    client: httpx.AsyncClient, operation: _Operation, chance: random.Random, answers: Answers
) -> None:
    path = re.sub(r"\{\w+\}", lambda _: _odd(chance) or "1", operation.path)
    query = "&".join(
        f"{name}={_odd(chance)}" for name in operation.parameters if chance.random() < 0.5
    )
    headers, body = _body(chance) if operation.method in ("POST", "PUT", "PATCH") else ({}, b"")
    request = client.build_request(
        operation.method, f"{path}?{query}", headers=headers, content=body
    )
    told = f"{operation.method} {path}?{query} {headers} {body!r}"[:2000]
    try:
        answer = await client.send(request, stream=True)
        text = b"" if operation.streams else await answer.aread()
        await answer.aclose()
    except httpx.TransportError as error:
        answers.failures.append(f"{error!r} instead of an answer to {told}")
        return
    answers.codes[answer.status_code] += 1
    busy = answer.status_code == 503 and b'"busy"' in text
    if answer.status_code >= 500 and not busy:
        answers.failures.append(f"{answer.status_code} {text[:500]!r} to {told}")


def _odd(chance: random.Random) -> str:
    """A value for an address: odd, or one that may well be there."""
    value = chance.choice((*ODD, 1, "1", "json", "srt", "queued", "a b"))
    return quote(str(value).encode("utf-8", "surrogatepass"), safe="")[:2000]


def _body(chance: random.Random) -> tuple[dict[str, str], bytes]:
    if chance.random() < 0.5:
        form = _FORM.replace(_FILES[0], chance.choice(_FILES))
        body = mutated(form, chance) if chance.random() < 0.9 else form
        kind = mutated(_FORM_TYPE.encode(), chance).decode("latin-1")
        plain = "".join(c for c in kind if " " <= c <= "~").strip()
        return {"Content-Type": chance.choice((_FORM_TYPE, plain))}, body
    values = {"name": "a", "password": "b", "label": "c", "codec": "PCMU/8000", "legs": ["d"]}
    return {"Content-Type": "application/json"}, text_of(values, chance)
