"""The log on standard error: lines for people, or a JSON object on each line for programs."""

import json
import logging
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

Format = Literal["text", "json"]

QUIET_LIBRARIES = (
    # A line for each connection; we log sessions.
    "websockets",
    "uvicorn",
    # Each request with its whole address, which may contain a password or a token.
    "httpx",
    "httpx2",
    # Each table of each font in a PDF.
    "fontTools",
    # The kind of database, at each start.
    "alembic",
    # Each time that a worker looks for files.
    "celery.app.trace",
    "celery.worker.strategy",
)
"""Libraries that log too much at INFO, or secrets."""

_PLACEHOLDER = re.compile(r"%%|(?:\b(session|call|job|request) )?%[-#0 +]*[\d.]*[a-zA-Z]")
"""A place in a message that takes an argument, and the word before it if that names a subject."""


def to_stderr(level: str, format: Format) -> None:
    """Write the messages of this level and above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JsonLines() if format == "json" else text)
    logging.basicConfig(level=level, handlers=[handler])
    for library in QUIET_LIBRARIES:
        logging.getLogger(library).setLevel(max(logging.WARNING, logging.root.level))


class JsonLines(logging.Formatter):
    """A message as one line: `time` (ISO 8601, UTC), `level`, `logger`, `message`, and `exception`
    where there is one.

    What a message says of a session, call, job or request ("session %s: ...") is a field as well.
    """

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        entry = {
            "time": time,
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **dict(_subjects(record)),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def _subjects(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    """What the message is about, by the words before its placeholders."""
    if not isinstance(record.args, tuple):
        return
    found = [each for each in _PLACEHOLDER.finditer(str(record.msg)) if each[0] != "%%"]
    for placeholder, value in zip(found, record.args, strict=False):
        if placeholder[1]:
            yield placeholder[1], value
