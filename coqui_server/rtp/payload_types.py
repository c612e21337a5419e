"""What the payload types of one source mean."""

import logging
from collections.abc import Mapping

from coqui_server.media.formats import Format, meaning

_log = logging.getLogger(__name__)


class PayloadTypes:
    """The meaning of each payload type is that of its first payload: a later one may be cut short.

    What nobody explained is assumed, and logged once.

    Args:
        mapped, named: as `meaning` has them.
    """

    def __init__(self, ssrc: int, mapped: Mapping[int, Format], named: Format | None) -> None:
        self._ssrc = ssrc
        self._mapped = mapped
        self._named = named
        self._known: dict[int, Format | None] = {}

    def format(self, payload_type: int, payload: bytes) -> Format | None:
        """The format of a payload; None if it is not known."""
        if payload_type not in self._known:
            format = meaning(payload_type, payload, mapped=self._mapped, named=self._named)
            self._known[payload_type] = format
            if format and format.assumed:
                text = "SSRC %08x: payload type %d is not in rtp.codecs; it is taken for %s"
                _log.info(text, self._ssrc, payload_type, format)
        return self._known[payload_type]
