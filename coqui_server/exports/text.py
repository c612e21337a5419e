"""Plain text: one segment a line, each after its speaker's name, if it has one."""

from coqui_server.exports.document import Document


def write(document: Document) -> bytes:
    """The lines in UTF-8."""
    return "".join(f"{segment.line}\n" for segment in document.segments).encode()
