"""A form with one file and the options of its transcription, for answers in the same request."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request

from coqui_server.config.text import LONGEST_LIST
from coqui_server.exceptions import BadRequest, TooLarge
from coqui_server.principal import Principal
from coqui_server.store import uploads
from coqui_server.store.uploads import Upload
from coqui_server.transcription.service import Service
from coqui_server.web import bodies, multipart

Receive = Callable[[], AbstractAsyncContextManager[Upload]]

Fields = Mapping[str, tuple[str, ...]]
"""The values of each field, in their order."""

_MOST_VALUES = 64
_LONGEST_VALUE = 4000
"""Bytes; a prompt is the longest of them, but for a list of terms."""


@dataclass(frozen=True)
class OneFile:
    """A file that has come.

    Attributes:
        path: where it is.
        name: for people.
        fields: the fields that were asked for; `name[]` counts as `name`.
        others: the names of the first 64 other fields.
        owner: the user who sent it.
    """

    path: Path
    name: str
    fields: Fields
    others: frozenset[str]
    owner: str | None

    def value(self, name: str) -> str | None:
        """The last value of a field; None without one, or if it is empty."""
        return self.fields.get(name, ("",))[-1] or None

    def chunks(self) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Its bytes."""
        return aclosing(uploads.read(self.path))


class Reception:
    """Takes the files of requests.

    Args:
        receive: makes a file on the disk to be written into.
    """

    def __init__(self, service: Service, receive: Receive) -> None:
        self._service = service
        self._receive = receive

    @asynccontextmanager
    async def file(
        self, request: Request, principal: Principal, name: str, wanted: Collection[str]
    ) -> AsyncIterator[OneFile]:
        """The file of a form, which may stand before, between or after the fields. It is gone at
        the end of the block.

        Args:
            name: of the file's field.
            wanted: the names of the fields that are kept. Others are passed over, whatever their
                size, because clients send what only their own service knows.

        Raises:
            BadRequest: it is no form, it is cut off, or has not one such file.
            TooLarge: the file, or a field, is too large.
            NotAudio: the file is empty.
            Idle, GoingAway: as `bodies.form`.
            StoreError: the disk refused.
        """
        async with AsyncExitStack() as stack:
            reading = _Reading(name, wanted, self._receive, stack)
            async with bodies.form(request, self._service) as parts:
                async for event in parts:
                    await reading.take(event)
                whole = await reading.whole(principal.user)
            yield whole


class _Reading:
    def __init__(
        self, file: str, wanted: Collection[str], receive: Receive, stack: AsyncExitStack
    ) -> None:
        self._file = file
        self._wanted = wanted
        self._receive = receive
        self._stack = stack
        self._name = ""
        self._upload: Upload | None = None
        self._writing = False
        self._field: str | None = None
        self._values: list[tuple[str, bytearray]] = []
        self._others: set[str] = set()

    async def take(self, event: multipart.Event) -> None:
        if isinstance(event, bytes):
            await self._write(event)
            return
        self._writing, self._field = False, None
        name = event.name.removesuffix("[]")
        if name == self._file:
            await self._begin(event)
        elif name in self._wanted:
            if len(self._values) >= _MOST_VALUES:
                raise TooLarge(f"the form has more than {_MOST_VALUES} fields")
            self._field = name
            self._values.append((name, bytearray()))
        elif len(self._others) < _MOST_VALUES:
            self._others.add(name)

    async def _begin(self, part: multipart.Part) -> None:
        if self._upload:
            raise BadRequest("send one file")
        # Without a name too: some clients leave it out.
        self._name = bodies.shown_name(part.filename or "")
        self._upload = await self._stack.enter_async_context(self._receive())
        self._writing = True

    async def _write(self, data: bytes) -> None:
        if self._writing:
            assert self._upload
            await self._upload.write(data)
        elif self._field:
            value = self._values[-1][1]
            value += data
            longest = LONGEST_LIST if self._field == "terms" else _LONGEST_VALUE
            if len(value) > longest:
                raise TooLarge(f"{self._field} may have {longest} bytes")

    async def whole(self, owner: str | None) -> OneFile:
        if not self._upload:
            raise BadRequest(f'the form has no file "{self._file}"')
        fields: dict[str, tuple[str, ...]] = {}
        for name, value in self._values:
            text = value.decode("utf-8", "replace")
            fields[name] = (*fields.get(name, ()), text)
        path, others = await self._upload.whole(), frozenset(self._others)
        return OneFile(path, self._name, fields, others, owner)


def form_schema(file: str, *fields: str) -> dict[str, Any]:
    """The description of such a form for the API reference (OpenAPI, "Request Body Object")."""
    texts = {name: {"type": "string"} for name in fields}
    properties = {file: {"type": "string", "format": "binary"}, **texts}
    schema = {"type": "object", "required": [file], "properties": properties}
    content = {"multipart/form-data": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}
