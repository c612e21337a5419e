"""Downloads one file by HTTP: resumed, checked, and moved to its place only when complete."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx
from tqdm import tqdm

from coqui_server.exceptions import ModelError, ModelUnreachable

_TIMEOUT = 30.0
"""Seconds without a byte, after which a connection is given up."""


@dataclass(frozen=True)
class File:
    """A file to download, and what its publisher says about it.

    Attributes:
        name: of the file on our disk.
        size: bytes, if that is published.
        checksum: hexadecimal, by `method`, if it is published.
    """

    name: str
    url: str
    size: int | None = None
    checksum: str | None = None
    method: Literal["md5", "sha256", "crc32c"] = "sha256"


def download(file: File, folder: Path) -> None:
    """Download the file into the folder, and resume an earlier attempt.

    Raises:
        ModelUnreachable: it cannot be downloaded now.
        ModelError: it is not what its publisher says.
    """
    path, part = folder / file.name, folder / f"{file.name}.part"
    if path.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    _fetch(file, part)
    problem = _wrong(file, part)
    _mark(part).unlink(missing_ok=True)
    if problem:
        part.unlink()
        raise ModelError(f"{file.url} is not what its publisher says: {problem}; try again")
    part.rename(path)


def _fetch(file: File, part: Path) -> None:
    """Download all of it; resume after a break, as long as each connection brings more bytes."""
    while True:
        before = _size(part)
        try:
            return _continue(file, part)
        except httpx.HTTPError as broken:
            if _size(part) <= before:
                raise unreachable(file.url, broken) from broken


def _continue(file: File, part: Path) -> None:
    """Request the bytes after those that are there (RFC 9110 section 14).

    With `If-Range` a server sends the whole file if it has changed. Without content coding, in
    which byte positions would differ.
    """
    headers = {"Accept-Encoding": "identity"}
    if part.exists() and _mark(part).exists():
        headers |= {"Range": f"bytes={_size(part)}-", "If-Range": _mark(part).read_text()}
    with httpx.stream(
        "GET", file.url, headers=headers, timeout=_TIMEOUT, follow_redirects=True
    ) as reply:
        if reply.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            # There are no further bytes: the file is complete.
            return
        reply.raise_for_status()
        rest = reply.status_code == httpx.codes.PARTIAL_CONTENT
        _remember(reply, part)
        with (
            part.open("ab" if rest else "wb") as out,
            tqdm(
                desc=file.name,
                initial=out.tell(),
                total=file.size,
                unit="B",
                unit_scale=True,
                disable=None,
            ) as bar,
        ):
            for block in reply.iter_bytes():
                bar.update(out.write(block))


def _remember(reply: httpx.Response, part: Path) -> None:
    """Store the validator of this version of the file, if the server gives one that `If-Range` may
    have: not a weak ETag."""
    etag = reply.headers.get("ETag", "W/")
    mark = reply.headers.get("Last-Modified") if etag.startswith("W/") else etag
    if mark:
        _mark(part).write_text(mark)
    else:
        _mark(part).unlink(missing_ok=True)


def _wrong(file: File, part: Path) -> str | None:
    if file.size not in (None, _size(part)):
        return f"{_size(part)} bytes, not {file.size}"
    if file.checksum and (found := _digest(part, file.method)) != file.checksum:
        return f"its {file.method} is {found}, not {file.checksum}"
    return None


def _digest(path: Path, method: str) -> str:
    with path.open("rb") as data:
        if method != "crc32c":
            return hashlib.file_digest(data, method).hexdigest()
        # Moonshine's checksums; the package comes with its library.
        import google_crc32c

        checksum = google_crc32c.Checksum()
        while block := data.read(2**20):
            checksum.update(block)
        return str(checksum.hexdigest(), "ascii")


def unreachable(url: str, error: httpx.HTTPError) -> ModelUnreachable:
    """The error for an address that does not answer as it should."""
    reason = str(error).partition("\n")[0] or type(error).__name__
    return ModelUnreachable(f"{url} cannot be downloaded now ({reason})")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _mark(part: Path) -> Path:
    return part.with_name(f"{part.name}.version")
