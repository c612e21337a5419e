"""JSON, shaped like the reply to a whole file, so that one reader reads both."""

import json

from coqui_server.exports.document import Document
from coqui_transcript.mapping import transcript_to_json


def write(document: Document) -> bytes:
    """The object, indented, in UTF-8. What is not known is left out."""
    fields = {
        "title": document.title,
        "when": document.when.isoformat(),
        "engine": document.engine,
        **transcript_to_json(document.transcript),
    }
    return f"{json.dumps(fields, ensure_ascii=False, indent=2)}\n".encode()
