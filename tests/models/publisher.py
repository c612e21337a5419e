"""A web site that publishes files, and can be told to behave badly."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Publisher:
    """What is published, and how the server is to behave.

    Attributes:
        files: their bytes by path.
        cuts: for each of the next answers, after how many bytes of it the connection is closed.
        ranges: whether parts may be asked for.
        marks: whether files have an ETag.
        asked: path and headers of each request so far.
    """

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    marks: bool = True
    asked: list[tuple[str, Message]] = field(default_factory=list)

    @property
    def starts(self) -> list[str | None]:
        """What each request asked for with `Range`."""
        return [headers["Range"] for _, headers in self.asked]


@contextmanager
def publishing() -> Iterator[Publisher]:
    """A running publisher on a free port of the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.asked.append((self.path, self.headers))
            if (data := publisher.files.get(self.path)) is None:
                return self.send_error(404)
            etag = f'"{sha256(data).hexdigest()}"'
            wanted, start = self.headers["Range"], 0
            if publisher.ranges and wanted and self.headers["If-Range"] == etag:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(data):
                    return self.send_error(416)
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            else:
                self.send_response(200)
            if publisher.marks:
                self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            cut = publisher.cuts.pop(0) if publisher.cuts else len(data)
            self.wfile.write(data[start:][:cut])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        publisher = Publisher(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield publisher
        finally:
            server.shutdown()
            thread.join()
