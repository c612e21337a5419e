"""Settings of telephone calls: RTP ports, formats, known streams and the webhook."""

from ipaddress import ip_network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, IPvAnyNetwork, model_validator

from coqui_server.config.section import ADDRESS, Duration, Key, Section, unquoted
from coqui_server.media import formats


def _encoding(value: Any) -> Any:
    return formats.Format.parse(value) if isinstance(value, str) else value


def _range(value: Any) -> Any:
    """ "40000-40999" as (40000, 40999)."""
    if isinstance(value, str):
        first, _, last = value.partition("-")
        return int(first), int(last or first)
    return value


def _ascending(value: tuple[int, int]) -> tuple[int, int]:
    if not 1024 <= value[0] < value[1] <= 65535:
        raise ValueError(value)
    return value


Encoding = Annotated[formats.Format, BeforeValidator(_encoding)]
PayloadType = Annotated[int, Field(ge=0, le=127)]
Ports = Annotated[tuple[int, int], BeforeValidator(_range), AfterValidator(_ascending)]


class WebhookSettings(Section):
    """Where finals and the ends of calls are posted to."""

    url: str | None = Field(
        None, pattern=ADDRESS, description="an address such as https://host/path"
    )
    secret: Key = Field(None, description="what to sign with")
    timeout: Duration = Field(10.0, gt=0, description='a duration such as "10 s", more than 0')
    retries: int = Field(5, ge=0, le=20, description="a whole number, 0 to 20")
    queue: int = Field(1000, ge=1, le=1_000_000, description="a whole number, at least 1")

    @model_validator(mode="before")
    @classmethod
    def _only_an_address(cls, data: Any) -> Any:
        return {"url": data} if isinstance(data, str) else data


class NamedStreamSettings(Section):
    """A stream that is known before it comes: its source or SSRC, and its names."""

    source: str | None = None
    ssrc: int | None = Field(None, ge=0, lt=2**32)
    call: str | None = Field(None, min_length=1)
    label: str | None = Field(None, min_length=1)
    codec: Encoding | None = None

    @model_validator(mode="after")
    def _matches_something(self) -> "NamedStreamSettings":
        if self.source is None and self.ssrc is None:
            raise ValueError("source or ssrc")
        return self


class RtpSettings(Section):
    enabled: bool = Field(True, description="true or false")
    host: str = Field("127.0.0.1", min_length=1, description="an address of this machine")
    port: int = Field(5004, ge=0, le=65534, description="a port, 1 to 65534, or 0 for any free one")
    advertise: str | None = Field(
        None, min_length=1, description="the address that gateways are told to send calls to"
    )
    ports: Ports = Field(
        (40000, 40999), description='the ports calls are reserved on, such as "40000-40999"'
    )
    allow: tuple[IPvAnyNetwork, ...] = Field(
        (ip_network("127.0.0.0/8"),),
        description='the networks that may send, such as ["127.0.0.0/8", "10.1.0.0/16"]',
    )
    jitter: Duration = Field(0.06, ge=0, le=1, description='a duration, "0 ms" to "1 s"')
    idle: Duration = Field(10.0, ge=0.5, description='a duration such as "10 s", at least 500 ms')
    max_calls: int = Field(50, ge=1, le=100_000, description="a whole number, at least 1")
    codecs: Annotated[dict[PayloadType, Encoding], BeforeValidator(unquoted)] = Field(
        {}, description=f"payload types, 0 to 127, with {formats.ALLOWED}"
    )
    byte_order: Literal["detect", "network", "host"] = Field(
        "detect", description="detect, network or host, the byte order of L16"
    )
    streams: tuple[NamedStreamSettings, ...] = Field(
        (),
        description="a list of { source = address or address:port, ssrc = number (one of the two), "
        "call, label, codec }",
    )
    webhook: WebhookSettings = Field(
        WebhookSettings(), description="an address, or { url, secret, timeout, retries, queue }"
    )
