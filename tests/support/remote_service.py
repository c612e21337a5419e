"""A paid service's stand-in: an HTTP server that records what it is sent and answers as told."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]

KEY = "sk-secret-8f2c"


@dataclass(frozen=True)
class Request:
    """What came: the head, and the body as JSON, as a form's fields and files, or as it is."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The fields of a multipart or URL-encoded form; a repeated one has all its values."""
        fields: dict[str, str] = {}
        for part in self._parts():
            if part.get_filename() is None:
                name = str(part.get_param("name", header="content-disposition"))
                value = str(part.get_payload())
                fields[name] = f"{fields[name]},{value}" if name in fields else value
        return fields

    @property
    def files(self) -> dict[str, tuple[str | None, str, bytes]]:
        """Name of the part: file name, type, bytes."""
        return {
            str(part.get_param("name", header="content-disposition")): (
                part.get_filename(),
                part.get_content_type(),
                bytes(part.get_payload(decode=True)),
            )
            for part in self._parts()
            if part.get_filename() is not None
        }

    def _parts(self) -> Any:
        head = f"content-type: {self.headers['content-type']}\r\n\r\n".encode()
        return message_from_bytes(head + self.body).get_payload()


@dataclass
class Service:
    """Gives `replies` one after another."""

    replies: list[Reply] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    url: str = ""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0
    most_at_once: int = 0

    @property
    def asked(self) -> list[str]:
        """Method and path of each request."""
        return [f"{request.method} {request.path}" for request in self.requests]

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
                headers = dict(line.split(": ", 1) for line in lines[1:])
                headers = {name.lower(): value for name, value in headers.items()}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                method, path, _ = lines[0].split(" ")
                self.requests.append(Request(method, path, headers, body))
                self.arrived.set()
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                try:
                    await self.replies.pop(0)(writer)
                finally:
                    self.at_once -= 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving() -> AsyncIterator[Service]:
    """A service on a free port."""
    service = Service()
    server = await asyncio.start_server(service.accept, "127.0.0.1", 0)
    service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield service
    finally:
        server.close()
        for task in service.tasks:
            task.cancel()
        await asyncio.gather(*service.tasks, return_exceptions=True)
        await server.wait_closed()


def answer(status: int, body: Any, **headers: str) -> Reply:
    """A reply with JSON, or with the bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = "text/plain" if isinstance(body, bytes) else "application/json"
    lines = [
        f"HTTP/1.1 {status} So",
        f"content-length: {len(content)}",
        f"content-type: {kind}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join([*lines, "\r\n"]).encode() + content)

    return reply


async def hang(writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.Event().wait()


async def cut(writer: asyncio.StreamWriter) -> None:
    """Break the connection in the middle of a reply."""
    writer.write(b"HTTP/1.1 200 So\r\ncontent-length: 100\r\n\r\n{")
    raise ConnectionError


@dataclass
class Pauses:
    """Takes the place of waiting: writes down for how long."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)
