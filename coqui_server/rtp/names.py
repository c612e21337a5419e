"""The names of streams: what the configuration and the operator say about sources to come."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from coqui_server.config.rtp import NamedStreamSettings
from coqui_server.exceptions import Busy
from coqui_server.media.formats import Format

Address = tuple[str, int]
"""Host and port of a sender."""

_LIMIT = 1000
"""Streams that may have names at a time."""


@dataclass(frozen=True)
class Names:
    """What the operator or the signalling said about a stream.

    Attributes:
        codec: the format of payload types that nothing else explains.
        codecs: what single payload types mean, as in the call's SDP. They count more than
            `rtp.codecs`, because each call numbers its own.
    """

    call: str | None = None
    label: str | None = None
    codec: Format | None = None
    codecs: Mapping[int, Format] = field(default_factory=dict)


@dataclass(frozen=True)
class NamedStream:
    """Names for the streams of a source.

    Attributes:
        source: `address` or `address:port`; None for any.
        ssrc: None for any.
    """

    source: str | None
    ssrc: int | None
    names: Names

    def matches(self, address: Address, ssrc: int) -> bool:
        """Whether a stream from this address with this SSRC is meant."""
        sources = (None, address[0], f"{address[0]}:{address[1]}")
        return self.source in sources and self.ssrc in (None, ssrc)


class NamedStreams:
    """The registry of named streams; begins with those of `rtp.streams`."""

    def __init__(self, settings: Iterable[NamedStreamSettings]) -> None:
        self._streams = [
            NamedStream(stream.source, stream.ssrc, Names(stream.call, stream.label, stream.codec))
            for stream in settings
        ]

    def add(self, new: NamedStream) -> None:
        """Name a stream. It replaces an entry with the same source and SSRC, and goes before all
        others: the newest match counts.

        Raises:
            Busy: too many streams have names.
        """
        key = new.source, new.ssrc
        others = [old for old in self._streams if (old.source, old.ssrc) != key]
        if len(others) >= _LIMIT:
            raise Busy(f"{_LIMIT} streams are named already")
        self._streams = [new, *others]

    def find(self, address: Address, ssrc: int) -> Names | None:
        """The names of a stream, if anything was said about it."""
        for stream in self._streams:
            if stream.matches(address, ssrc):
                return stream.names
        return None
