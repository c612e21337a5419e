"""Settings of the speech port, of what all sessions share, and of the log."""

import os
from typing import Annotated, Literal

from pydantic import Field

from coqui_server.config.section import Duration, Section, Size


class HttpSettings(Section):
    host: str = Field("127.0.0.1", min_length=1, description="an address of this machine")
    port: int = Field(5004, ge=0, le=65535, description="a port, 1 to 65535, or 0 for any free one")
    extra_ports: tuple[Annotated[int, Field(ge=0, le=65535)], ...] = Field(
        (), description="more ports to listen on, such as [2700]"
    )


class ThreadpoolSettings(Section):
    count: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=1024,
        description="the number of decoder threads, 1 to 1024",
    )


class WebsocketSettings(Section):
    max_size: Size = Field(2_000_000_000, gt=0, description='a size such as "2 GB", more than 0')
    max_frame: Size = Field(64 * 2**20, gt=0, description='a size such as "64 MiB", more than 0')

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
    idle: Duration = Field(60.0, gt=0, description='a duration such as "60 s", more than 0')
    unread: Duration = Field(10.0, gt=0, description='a duration such as "10 s", more than 0')
    origins: tuple[str, ...] = Field(
        (), description='the web sites whose pages may connect, such as ["https://host"], or ["*"]'
    )
    drain: Duration = Field(10.0, ge=0, description='a duration such as "10 s"')


class LogSettings(Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR"
    )
