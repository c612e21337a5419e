"""JSON, shaped like the reply to a whole file, so that what reads the one reads the other."""

import json
from dataclasses import asdict
from typing import Any

from coqui_server.exports.document import Document, Segment


def write(document: Document) -> bytes:
    """The object, indented, in UTF-8. What is not known is left out."""
    reply = {
        "title": document.title,
        "when": document.when.isoformat(),
        "engine": document.engine,
        "duration": document.duration,
        "text": " ".join(segment.text for segment in document.segments),
        "segments": [_segment(segment) for segment in document.segments],
    }
    return f"{json.dumps(reply, ensure_ascii=False, indent=2)}\n".encode()


def _segment(segment: Segment) -> dict[str, Any]:
    words = [_known({"word": word.text, **asdict(word), "text": None}) for word in segment.words]
    return _known({**asdict(segment), "words": words or None})


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
