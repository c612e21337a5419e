"""`/api/calls`: the control of calls, as on the events socket."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT

from coqui_server.rtp.commands import MOST_LEGS
from coqui_server.rtp.control import Control

Legs = Annotated[
    int | list[str | dict[str, Any]],
    Field(
        description=f"how many, up to {MOST_LEGS}; or for each its name, or an object with label, "
        "codec and codecs, such as {'label': 'caller', 'codecs': {'111': 'opus/48000/2'}}"
    ),
]


class Reservation(BaseModel):
    """A call to reserve ports for."""

    id: str | None = Field(None, description="one is made up if there is none")
    label: str | None = None
    codec: str | None = Field(None, description="of dynamic payload types, such as opus/48000/2")
    legs: Legs = 1


class Name(BaseModel):
    """The names of a stream, which is known by `source`, `ssrc` or both."""

    source: str | None = Field(None, description="an address, or address:port")
    ssrc: int | None = None
    call: str | None = None
    label: str | None = None
    codec: str | None = None


def router(calls: Control) -> APIRouter:
    """The routes for gateways."""
    routes = APIRouter(prefix="/api/calls", tags=["calls"])

    @routes.get("")
    async def show() -> list[dict[str, Any]]:
        """All calls, with their legs and packet counters."""
        return await calls.list()

    @routes.post("", status_code=HTTP_201_CREATED)
    async def reserve(reservation: Reservation) -> dict[str, Any]:
        """Reserve a port for each leg of a call."""
        return await calls.reserve(**reservation.model_dump())

    @routes.post("/streams", status_code=HTTP_204_NO_CONTENT)
    async def name(stream: Name) -> None:
        """Name a stream, before it comes or while it is there."""
        await calls.name(**stream.model_dump())

    # The id of a call without a reservation contains a slash.
    @routes.delete("/{id:path}")
    async def release(id: str) -> dict[str, Any]:
        """End a call: finish its sessions, free its ports, and return it."""
        return await calls.release(id)

    return routes
