"""What was said on a live connection, gathered into one transcript."""

from typing import Any

from coqui_client.dialects import Ended, Event, Final, Partial
from coqui_client.reply import Reply, checked


class Said:
    """One live session.

    A final of a protocol that tells no times is given those of the sound that had been sent when
    it was first hinted at and when it came: late by as much as the daemon is.

    Attributes:
        ended: there is no more to come.
    """

    def __init__(self) -> None:
        self.ended = False
        self._finals: list[dict[str, Any]] = []
        self._reply: dict[str, Any] = {}
        # Seconds: when the utterance was first hinted at, and when the last one came.
        self._hinted: float | None = None
        self._told = 0.0

    def __bool__(self) -> bool:
        return bool(self._finals)

    def take(self, event: Event, sent: float) -> None:
        """Take the next event, which came after `sent` seconds of sound."""
        match event:
            case Partial(text):
                if text and self._hinted is None:
                    self._hinted = sent
            case Final(said):
                start = self._told if self._hinted is None else self._hinted
                self._finals.append({"start": round(start, 3), "end": round(sent, 3), **said})
                self._hinted, self._told = None, sent
            case Ended(reply):
                self._reply.update(reply)
                self.ended = True

    def reply(self, duration: float, incomplete: str | None = None) -> Reply:
        """The finals as one reply, shaped like the one to a whole file.

        Args:
            duration: seconds of sound that were sent.
            incomplete: why the rest is missing, if it is; the reply says so too.

        Raises:
            ReplyError: an event is not of the shape the protocol gives.
        """
        fields = {
            "text": " ".join(str(final.get("text", "")) for final in self._finals),
            "duration": round(duration, 3),
            **self._reply,
            "segments": self._finals,
        }
        return checked({**fields, "incomplete": incomplete} if incomplete else fields)
