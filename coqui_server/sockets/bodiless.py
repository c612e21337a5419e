"""Requests without their bodies, for one of which websockets closes a connection without a word.

RFC 9112 section 6.3: a body is announced by `Content-Length` or `Transfer-Encoding`.
"""

import re

_LARGEST = 64 * 1024
"""Bytes of a head. A larger one is passed on as it is."""

_END = b"\r\n\r\n"
_BODY = re.compile(rb"\r\n(content-length|transfer-encoding|expect)[ \t]*:[^\r\n]*", re.IGNORECASE)
_HANDSHAKE = b"GET "


class Bodiless:
    """The bytes that a client sends, without the body of a first request that is no handshake."""

    def __init__(self) -> None:
        # None once it is passed on.
        self._head: bytes | None = b""
        self._dropping = False

    def push(self, data: bytes) -> bytes:
        """Take the next bytes; give those that are to be read."""
        if self._head is None:
            return b"" if self._dropping else data
        self._head = head = self._head + data
        end = head.find(_END, 0, _LARGEST)
        if head.startswith(_HANDSHAKE) or end < 0 < len(head) - _LARGEST:
            self._head = None
            return head
        if end < 0:
            return b""
        self._head, self._dropping = None, True
        return _BODY.sub(b"", head[:end]) + _END
