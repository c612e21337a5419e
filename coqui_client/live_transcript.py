"""The events of a live session, collected into one transcript."""

from typing import Any

from coqui_client.live_protocols import Corrected, Ended, Event, Final, Partial
from coqui_client.reply import Reply, checked


class LiveTranscript:
    """The transcript of one live session.

    Some protocols give no times. Their finals get the seconds of sound sent at their first partial
    and at the final, so these times are late by the daemon's delay.

    Attributes:
        ended: there are no more events.
    """

    def __init__(self) -> None:
        self.ended = False
        self._finals: list[dict[str, Any]] = []
        self._reply: dict[str, Any] = {}
        # Seconds of sound sent at the first partial of the utterance, and at the last final.
        self._first_partial: float | None = None
        self._last_final = 0.0

    def __bool__(self) -> bool:
        return bool(self._finals)

    def take(self, event: Event, sent: float) -> None:
        """Take the next event, which came after `sent` seconds of sound."""
        match event:
            case Partial(text):
                if text and self._first_partial is None:
                    self._first_partial = sent
            case Final(fields):
                start = self._last_final if self._first_partial is None else self._first_partial
                self._finals.append({"start": round(start, 3), "end": round(sent, 3), **fields})
                self._first_partial, self._last_final = None, sent
            case Corrected(speakers):
                for number in speakers.keys() & range(len(self._finals)):
                    self._finals[number]["speaker"] = speakers[number]
            case Ended(reply):
                self._reply.update(reply)
                self.ended = True

    def reply(self, duration: float, incomplete: str | None = None) -> Reply:
        """The finals as one reply, shaped like the one to a whole file.

        Args:
            duration: seconds of sound that were sent.
            incomplete: why the rest is missing, if it is; it goes into the reply.

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
