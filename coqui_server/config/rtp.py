"""Settings of telephone calls: RTP ports, formats, known streams and the webhook."""

from ipaddress import ip_network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, IPvAnyNetwork, model_validator

from coqui_server.config.section import ADDRESS, Duration, Key, Listed, Section, unquoted
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
    """Finals and the ends of calls are posted to this address; null switches the webhook off."""
    secret: Key = Field(None, description="what to sign with")
    """The key that each message is signed with, such as `whsec_…`."""
    timeout: Duration = Field(10.0, gt=0, description='a duration such as "10 s", more than 0')
    """How long one attempt may take."""
    retries: int = Field(5, ge=0, le=20, description="a whole number, 0 to 20")
    """How often a message is sent again after a failure."""
    queue: int = Field(1000, ge=1, le=1_000_000, description="a whole number, at least 1")
    """How many messages may wait. When there are more, the new ones are dropped."""

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
    """Calls are accepted."""
    host: str = Field("127.0.0.1", min_length=1, description="an address of this machine")
    """The address to receive calls on; 0.0.0.0 for all addresses of this machine."""
    port: int = Field(5004, ge=0, le=65534, description="a port, 1 to 65534, or 0 for any free one")
    """The UDP port for RTP. RTCP is taken on the same port and on the next one."""
    advertise: str | None = Field(
        None, min_length=1, description="the address that gateways are told to send calls to"
    )
    """The address that gateways are told to send to; null is `rtp.host`."""
    ports: Ports = Field(
        (40000, 40999), description='the ports calls are reserved on, such as "40000-40999"'
    )
    """The UDP ports for calls that have ports of their own."""
    allow: Annotated[tuple[IPvAnyNetwork, ...], Listed] = Field(
        (ip_network("127.0.0.0/8"),),
        description='the networks that may send, such as ["127.0.0.0/8", "10.1.0.0/16"]',
    )
    """The networks that may send. Packets from others are dropped."""
    jitter: Duration = Field(0.06, ge=0, le=1, description='a duration, "0 ms" to "1 s"')
    """How long a missing packet is waited for. The wait grows on a bad line."""
    idle: Duration = Field(10.0, ge=0.5, description='a duration such as "10 s", at least 500 ms')
    """A call without packets for this long is over."""
    abandoned: Duration = Field(
        30.0, ge=0.5, description='a duration such as "30 s", at least 500 ms'
    )
    """The ports of a reserved call are free again so long after its last stream has ended."""
    max_calls: int = Field(50, ge=1, le=100_000, description="a whole number, at least 1")
    """How many streams may be open at once."""
    codecs: Annotated[dict[PayloadType, Encoding], BeforeValidator(unquoted)] = Field(
        {}, description=f"payload types, 0 to 127, with {formats.ALLOWED}"
    )
    """Codecs of payload types that are not in RFC 3551 or used by Asterisk."""
    byte_order: Literal["detect", "network", "host"] = Field(
        "detect", description="detect, network or host, the byte order of L16"
    )
    """The byte order of L16. Some senders use their machine's instead of the network's."""
    streams: tuple[NamedStreamSettings, ...] = Field(
        (),
        description="a list of { source = address or address:port, ssrc = number (one of the two), "
        "call, label, codec }",
    )
    """Streams that are known before they come, with the names of their call and leg."""
    webhook: WebhookSettings = Field(
        WebhookSettings(), description="an address, or { url, secret, timeout, retries, queue }"
    )
    """Where finals and the ends of calls are posted to."""
