"""The events of one telephone call, collected into one transcript."""

from collections.abc import Mapping
from typing import Any

from coqui_client.exceptions import RefusedError
from coqui_client.reply import Reply, checked, decoded

_ENVELOPE = frozenset({"event", "session", "kind", "call", "label"})
"""The fields that every event has."""

_FAILED = "call_failed"


class CallTranscript:
    """The transcript of one call.

    Args:
        ssrc: the call's RTP source; the daemon's call id ends with its hexadecimal digits.

    Attributes:
        began: there was an event of this call.
        latest: the text of the last partial or final.
    """

    def __init__(self, ssrc: int) -> None:
        self.began = False
        self.latest = ""
        self._suffix = f"/{ssrc:08x}"
        self._reply: dict[str, Any] = {}
        self._finals: list[dict[str, Any]] = []
        self._end: Mapping[str, Any] | None = None
        self._missed = 0

    @property
    def ended(self) -> bool:
        """Whether there are no more events."""
        return self._end is not None

    def take(self, message: str | bytes) -> bool:
        """Take the next event; return whether it is one of this call.

        Raises:
            ReplyError: it is no JSON object.
        """
        event = decoded(message)
        if event.get("event") == "missed":
            # They may be of any call.
            self._missed += _whole(event.get("count"))
        if not str(event.get("call")).endswith(self._suffix):
            return False
        self._record(event)
        return True

    def reply(self) -> Reply:
        """The finals as one reply, shaped like the one to a whole file.

        It also has `call`, `label` and `statistics`, and `missed`: the number of events that the
        daemon left out, if any. Call it when the call has `ended`.

        Raises:
            RefusedError: the daemon says that the call failed.
            ReplyError: an event is not of the shape the protocol gives.
        """
        end = self._end or {}
        if error := end.get("error"):
            raise RefusedError(" ".join(str(error).split()), _FAILED)
        fields = {
            "text": " ".join(str(final.get("text", "")) for final in self._finals),
            "duration": end.get("duration"),
            **self._reply,
            "segments": self._finals,
            "statistics": end.get("statistics"),
        }
        return checked({**fields, "missed": self._missed} if self._missed else fields)

    def _record(self, event: Mapping[str, Any]) -> None:
        self.began = True
        kind = event.get("event")
        for key in ("engine", "session", "call", "label"):
            if key in event:
                self._reply[key] = event[key]
        if kind == "final":
            self._finals.append({key: event[key] for key in event if key not in _ENVELOPE})
        if kind in ("partial", "final"):
            self.latest = str(event.get("text", ""))
        if kind == "session_end":
            self._end = event


def _whole(count: object) -> int:
    # At least one was missed, even if the count is not a number.
    return count if isinstance(count, int) else 1
