"""The values of the commands about calls, checked. No I/O."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from coqui_server.exceptions import BadCommand
from coqui_server.media.formats import Format
from coqui_server.rtp.names import Names

MOST_LEGS = 8
_LONGEST_NAME = 200
_PAYLOAD_TYPES = {str(number): number for number in range(128)}
_LEG = ("label", "codec", "codecs")


def legs(wanted: Any, every: Names) -> list[Names]:
    """What is known of each leg of a call.

    Args:
        wanted: how many legs there are, or for each its name or an object with `label`, `codec`
            and `codecs`.
        every: what holds for each leg that says nothing else.

    Raises:
        BadCommand: it has another form.
    """
    if isinstance(wanted, int) and not isinstance(wanted, bool) and 1 <= wanted <= MOST_LEGS:
        return [every] * wanted
    if isinstance(wanted, list) and 1 <= len(wanted) <= MOST_LEGS:
        return [_leg(one, every) for one in wanted]
    raise BadCommand(f"legs is a number from 1 to {MOST_LEGS}, or a list of so many names")


def text(name: str, value: Any) -> str | None:
    """A short printable text, or None.

    Raises:
        BadCommand: it is something else.
    """
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME or not value.isprintable():
        raise BadCommand(f"{name} is a printable text of 1 to {_LONGEST_NAME} characters")
    return value


def format(value: Any) -> Format | None:
    """A codec as in SDP, or None.

    Raises:
        BadCommand: it is something else.
    """
    try:
        return Format.parse(value) if value is not None else None
    except (ValueError, AttributeError, TypeError) as wrong:
        raise BadCommand(f"codec: {wrong}") from wrong


def _leg(wanted: Any, every: Names) -> Names:
    if not isinstance(wanted, dict):
        return replace(every, label=text("a leg's name", wanted))
    if unknown := set(wanted) - set(_LEG):
        raise BadCommand(f"a leg takes {', '.join(_LEG)}, not {', '.join(sorted(unknown))}")
    return replace(
        every,
        label=text("label", wanted.get("label")),
        codec=format(wanted.get("codec")) or every.codec,
        codecs=_codecs(wanted.get("codecs")),
    )


def _codecs(value: Any) -> Mapping[int, Format]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not value.keys() <= _PAYLOAD_TYPES.keys():
        raise BadCommand('codecs is an object such as {"111": "opus/48000/2"}; types: 0 to 127')
    return {_PAYLOAD_TYPES[number]: _known(codec) for number, codec in value.items()}


def _known(codec: Any) -> Format:
    if (known := format(codec)) is None:
        raise BadCommand("codec: null is not an encoding")
    return known
