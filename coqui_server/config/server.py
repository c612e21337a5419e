"""Settings of the speech port, of what all sessions share, and of the log."""

import os
from typing import Annotated, Literal

from pydantic import Field, IPvAnyNetwork

from coqui_server.config.section import Duration, Listed, Section, Size

PREFIX = r"(/[\w.~-]+)+"
"""A plain path, without a slash at its end."""


class HttpSettings(Section):
    host: str = Field("127.0.0.1", min_length=1, description="an address of this machine")
    """The address to listen on; 0.0.0.0 for all addresses of this machine."""
    port: int = Field(5004, ge=0, le=65535, description="a port, 1 to 65535, or 0 for any free one")
    """The TCP port of the socket protocols."""
    extra_ports: Annotated[tuple[Annotated[int, Field(ge=0, le=65535)], ...], Listed] = Field(
        (), description="more ports to listen on, such as [2700]"
    )
    """More TCP ports with the same protocols. Clients of vosk-server expect 2700."""


class ThreadpoolSettings(Section):
    count: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=1024,
        description="the number of decoder threads, 1 to 1024",
    )
    """The number of decoder threads. The default is the number of cores."""


class WebsocketSettings(Section):
    max_size: Size = Field(2_000_000_000, gt=0, description='a size such as "2 GB", more than 0')
    """The largest file in one message. A larger one is refused with close code 1009."""
    max_frame: Size = Field(64 * 2**20, gt=0, description='a size such as "64 MiB", more than 0')
    """The largest single frame. A file that is sent in fragments may be larger."""

    @property
    def frame_limit(self) -> int | None:
        """Bytes one frame may have. A file sent in fragments may be larger than this.

        No limit for messages means none for frames: the older server's clients send a whole file
        as one frame, and its "no limit" let them.
        """
        unlimited = self.max_size is None and "max_frame" not in self.model_fields_set
        return None if unlimited else self.max_frame


class ServerSettings(Section):
    http: HttpSettings = HttpSettings()
    threadpool: ThreadpoolSettings = Field(default_factory=ThreadpoolSettings)
    websocket: WebsocketSettings = WebsocketSettings()
    max_sessions: int = Field(64, ge=1, le=100_000, description="a whole number, at least 1")
    """How many sessions may be open. More are refused with close code 1013."""
    idle: Duration = Field(60.0, gt=0, description='a duration such as "60 s", more than 0')
    """A client that sends nothing for this long is disconnected."""
    unread: Duration = Field(10.0, gt=0, description='a duration such as "10 s", more than 0')
    """A client that does not read its messages for this long is disconnected."""
    head: Duration = Field(10.0, gt=0, description='a duration such as "10 s", more than 0')
    """A connection that has not sent the whole head of a request after this long is closed."""
    slow: Duration = Field(60.0, gt=0, description='a duration such as "60 s", more than 0')
    """An upload that brings less than 16 KiB in this long is closed, and a download whose client
    does not read."""
    connections: int = Field(512, ge=1, description="a whole number, at least 1")
    """How many TCP connections one address may have. More are closed at once."""
    origins: Annotated[tuple[str, ...], Listed] = Field(
        (), description='the web sites whose pages may connect, such as ["https://host"], or ["*"]'
    )
    """Web sites whose pages may connect, beside those of this host."""
    hosts: Annotated[tuple[str, ...], Listed] = Field(
        (), description='names and addresses such as ["speech.example"], or ["*"] for all'
    )
    """More names of this host that requests may ask for. Loopback names, the addresses where it
    listens, `web.host` and `rtp.advertise` always may. Others are refused with 421."""
    proxies: Annotated[tuple[IPvAnyNetwork, ...], Listed] = Field(
        (), description='addresses and networks such as ["127.0.0.1", "10.0.0.0/8"]'
    )
    """Reverse proxies whose `X-Forwarded-For`, `-Host`, `-Proto` and `-Prefix` are believed. From
    others these headers are ignored. `server.connections` does not count connections of proxies."""
    prefixes: Annotated[tuple[Annotated[str, Field(pattern=f"^{PREFIX}$")], ...], Listed] = Field(
        (), description='paths such as ["/speech"], without a slash at the end'
    )
    """Paths at which a proxy serves this server, if it passes them on. Each leads to every page
    and every protocol."""
    drain: Duration = Field(10.0, ge=0, description='a duration such as "10 s"')
    """How long a shutdown waits for open sessions to end."""


class LogSettings(Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR"
    )
    """The least important messages that are logged."""
    format: Literal["text", "json"] = Field("text", description="text or json")
    """text: lines for people. json: an object on each line, for programs that gather logs; the
    start-up screen is then one of them."""
