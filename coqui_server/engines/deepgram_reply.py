"""The parts of Deepgram's replies that its prerecorded and its live service share. No I/O."""

from typing import Any

from pydantic import BaseModel

from coqui_server.exceptions import ServiceError
from coqui_transcript.transcript import Word


def reading(alternative: Any) -> tuple[str, tuple[Word, ...], float | None]:
    """Text, words with the service's times, and confidence of one alternative.

    Raises:
        ServiceError: it is not of the documented shape.
    """
    try:
        words = tuple(
            Word(
                str(word.get("punctuated_word") or word["word"]),
                float(word["start"]),
                float(word["end"]),
                word.get("confidence"),
            )
            for word in alternative.get("words") or ()
        )
        text = alternative["transcript"]
    except (AttributeError, KeyError, TypeError, ValueError) as wrong:
        raise malformed() from wrong
    if not isinstance(text, str):
        raise malformed()
    return text.strip(), words, alternative.get("confidence")


def plain(reply: Any) -> Any:
    """One of the SDK's models as JSON objects. The SDK does not check what it builds them from."""
    return reply.model_dump(warnings=False) if isinstance(reply, BaseModel) else reply


def malformed() -> ServiceError:
    """The error for a reply of another shape. Its text may be a transcript, so it is not shown."""
    return ServiceError("deepgram", "its reply is not a transcription")
