"""RTP payload formats: an encoding, its clock rate and its channels.

Written as in SDP's `a=rtpmap` (RFC 8866 section 6.6): `opus/48000/2`, `L16/16000`, `PCMU`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

_MAPPING = re.compile(r"([a-z0-9-]+)(?:/([1-9][0-9]{3,5}))?(?:/([1-8]))?", re.IGNORECASE)

_CLOCKS = {
    "PCMU": 8000,
    "PCMA": 8000,
    "G722": 8000,
    "GSM": 8000,
    "G729": 8000,
    "L16": None,
    "opus": 48000,
    "CN": 8000,
    "telephone-event": 8000,
    "red": 8000,
}
"""Every known encoding and its usual clock rate, in hertz. G.722's clock is 8 kHz though its sound
is 16 kHz (RFC 3551 section 4.5.2), Opus's is 48 kHz whatever its sound (RFC 7587 section 4.1)."""

ALLOWED = "an encoding as in SDP, such as opus/48000/2 or L16/16000; encodings: " + ", ".join(
    _CLOCKS
)


@dataclass(frozen=True)
class Format:
    """An encoding.

    Attributes:
        clock: the RTP timestamp's rate in hertz.
        assumed: nobody said so; a payload looked like it.
    """

    encoding: str
    clock: int
    channels: int = 1
    assumed: bool = field(default=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> "Format":
        """Read `encoding[/clock[/channels]]`.

        Raises:
            ValueError: it does not have that form, or the encoding is not known.
        """
        found = _MAPPING.fullmatch(text.strip())
        names = {name.lower(): name for name in _CLOCKS}
        name = names.get(found[1].lower()) if found else None
        if found is None or name is None:
            raise ValueError(f"{text!r} is not {ALLOWED}")
        clock = int(found[2]) if found[2] else _CLOCKS[name]
        if clock is None:
            raise ValueError(f"{text!r} needs a rate, such as {name}/16000")
        return cls(name, clock, int(found[3] or 1))

    def __str__(self) -> str:
        channels = f"/{self.channels}" if self.channels > 1 else ""
        return f"{self.encoding}/{self.clock}{channels}"


DYNAMIC = 96
"""Payload types from here on are dynamic: agreed out of band (RFC 3551 section 3)."""

STATIC: Mapping[int, Format] = {
    number: Format.parse(text)
    for number, text in {
        0: "PCMU",
        3: "GSM",
        8: "PCMA",
        9: "G722",
        10: "L16/8000",
        11: "L16/8000",
        13: "CN",
        18: "G729",
        19: "CN",
        96: "L16/192000",
        101: "telephone-event",
        107: "opus/48000/2",
        118: "L16/16000",
        121: "telephone-event",
        122: "L16/12000",
        123: "L16/24000",
        124: "L16/32000",
        125: "L16/44100",
        126: "L16/48000",
        127: "L16/96000",
    }.items()
}
"""Asterisk's table (main/rtp_engine.c). It differs from RFC 3551 in 10 and 11, which are 44.1 kHz
there."""


_FRAMES, _SHORT_FRAMES = 200, 50
"""Packets of L16 have multiples of 5 ms, or as much as fits into one: more than 20 ms then."""

_EVENT = 4
"""Bytes of an RFC 4733 event, and of no frame of sound."""

_KEYS = 16
_RESERVED = 0x40


def meaning(
    payload_type: int,
    payload: bytes | None = None,
    *,
    mapped: Mapping[int, Format],
    named: Format | None,
) -> Format | None:
    """The format of a payload type; None if it is not known.

    `mapped`, from the configuration, counts first. `named`, the format of one stream, counts for
    dynamic types, and for the rate of L16 with a static type, because senders differ there. A type
    that neither explains is Asterisk's if a `payload` fits, or what the payload looks like.
    """
    static = STATIC.get(payload_type)
    if payload is not None and (static is None or static.encoding == "L16"):
        static = _fitting(payload_type, static, payload)
    if payload_type in mapped:
        return mapped[payload_type]
    if named is None or (static and static.encoding == "telephone-event"):
        return static
    both_linear = static is not None and named.encoding == static.encoding == "L16"
    return named if payload_type >= DYNAMIC or both_linear else static


def _fitting(payload_type: int, linear: Format | None, payload: bytes) -> Format | None:
    """What a payload looks like whose type Asterisk uses for `linear`, or for nothing."""
    if payload_type < DYNAMIC:
        return linear and (linear if _whole(payload, linear) else _CD[payload_type])
    if len(payload) == _EVENT and payload[0] < _KEYS and not payload[1] & _RESERVED:
        return _ASSUMED_KEYS
    if linear and (_whole(payload, linear) or _filled(payload, linear)):
        return replace(linear, assumed=True)
    return _ASSUMED_OPUS if payload else None


def _whole(payload: bytes, linear: Format) -> bool:
    samples, odd = divmod(len(payload), 2)
    return not odd and samples * _FRAMES % linear.clock == 0


def _filled(payload: bytes, linear: Format) -> bool:
    samples, odd = divmod(len(payload), 2)
    return not odd and samples * _SHORT_FRAMES > linear.clock


_ASSUMED_KEYS = Format("telephone-event", 8000, assumed=True)
_ASSUMED_OPUS = Format("opus", 48_000, 2, assumed=True)

_CD = {10: Format("L16", 44_100, 2, assumed=True), 11: Format("L16", 44_100, assumed=True)}
"""Their meaning in RFC 3551 section 6."""
