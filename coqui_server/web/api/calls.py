"""`/api/calls`: the control of calls, as on the events socket."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT

from coqui_server.rtp.calls import MOST_LEGS, Calls

Legs = Annotated[
    int | list[str], Field(description=f"how many, up to {MOST_LEGS}, or what each is called")
]


class Reservation(BaseModel):
    """A call that is to get ports of its own."""

    id: str | None = Field(None, description="one is made up if there is none")
    label: str | None = None
    codec: str | None = Field(None, description="of dynamic payload types, such as opus/48000/2")
    legs: Legs = 1


class Name(BaseModel):
    """What a stream is called, and by what it is known: `source`, `ssrc` or both."""

    source: str | None = Field(None, description="an address, or address:port")
    ssrc: int | None = None
    call: str | None = None
    label: str | None = None
    codec: str | None = None


def router(calls: Calls) -> APIRouter:
    """What gateways ask."""
    routes = APIRouter(prefix="/api/calls", tags=["calls"])

    @routes.get("")
    async def show() -> list[dict[str, Any]]:
        """All calls, with their legs and what came on them."""
        return calls.list()

    @routes.post("", status_code=HTTP_201_CREATED)
    async def reserve(wanted: Reservation) -> dict[str, Any]:
        """Give a call ports of its own, one for each leg."""
        return await calls.reserve(**wanted.model_dump())

    @routes.post("/streams", status_code=HTTP_204_NO_CONTENT)
    async def name(stream: Name) -> None:
        """Say what a stream is called, before it comes or while it is there."""
        calls.name(**stream.model_dump())

    # The id of a call that came by itself has a slash in it.
    @routes.delete("/{id:path}")
    async def release(id: str) -> dict[str, Any]:
        """End a call: its sessions are finished, its ports freed. The call as it was."""
        return await calls.release(id)

    return routes
