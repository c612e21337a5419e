"""Files in a bucket of Amazon S3, or of a store with the same interface.

https://s3fs.readthedocs.io/en/latest/ (fsspec, asynchronous use)
"""

import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import fsspec
from aiohttp import ClientError
from botocore.exceptions import BotoCoreError

from coqui_server.exceptions import StoreError
from coqui_server.store.database import faults

_PART = 8 * 2**20
"""Bytes of one request: what is held in memory, and waits for the loop, while a file is sent."""

_AT_ONCE = 2
"""Requests at a time for one file that is sent."""

_CONNECT, _READ = 5.0, 30.0
"""Seconds until a request is tried again, without a connection and without an answer."""

_ATTEMPTS, _RESUMED = 5, 3
"""Attempts at each request, with pauses of up to 20 s that botocore chooses; and how often a file
that is read goes on where it broke off."""


class Bucket:
    """The names of one folder in a bucket, `s3://bucket/folder`.

    Keys, region and profile come from where all programs have them: the environment, or
    `~/.aws` (https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html).
    """

    def __init__(self, system: Any, folder: str) -> None:
        self._system = system
        self._folder = folder.removeprefix("s3://").rstrip("/")

    def within(self, folder: str) -> "Bucket":
        """A folder in this one."""
        return Bucket(self._system, f"{self._folder}/{folder}")

    async def put(self, source: Path, name: str) -> None:
        with _reached():
            await self._system._put_file(
                str(source), self._key(name), chunksize=_PART, max_concurrency=_AT_ONCE
            )
        with faults():
            source.unlink()

    @asynccontextmanager
    async def local(self, name: str) -> AsyncIterator[Path]:
        with tempfile.TemporaryDirectory(prefix="coqui_server_") as folder:
            path = Path(folder) / name
            with _reached():
                await self._system._get_file(self._key(name), str(path), max_concurrency=1)
            yield path

    async def size(self, name: str) -> int:
        with _reached():
            try:
                return int((await self._system._info(self._key(name)))["size"])
            except FileNotFoundError:
                return 0

    async def read(self, name: str, start: int, end: int) -> bytes:
        with _reached():
            data: bytes = await self._system._cat_file(self._key(name), start=start, end=end)
            return data

    async def remove(self, names: Iterable[str]) -> None:
        for name in names:
            with _reached():
                await self._system._rm_file(self._key(name))

    def _key(self, name: str) -> str:
        return f"{self._folder}/{name}"


@asynccontextmanager
async def opened(address: str, endpoint: str | None) -> AsyncIterator[Bucket]:
    """A bucket, which need not be reached yet.

    Args:
        address: `s3://bucket/folder`.
        endpoint: the address of the service; None for Amazon's.
    """
    retries = {"mode": "standard", "total_max_attempts": _ATTEMPTS}
    system = fsspec.filesystem(
        "s3",
        asynchronous=True,
        skip_instance_cache=True,
        use_listings_cache=False,
        endpoint_url=endpoint,
        config_kwargs={"connect_timeout": _CONNECT, "read_timeout": _READ, "retries": retries},
    )
    system.retries = _RESUMED
    session = await system.set_session()
    try:
        yield Bucket(system, address)
    finally:
        await session.close()


@contextmanager
def _reached() -> Iterator[None]:
    """Turn the errors of a bucket into `StoreError`."""
    try:
        with faults():
            yield
    except (BotoCoreError, ClientError) as error:
        raise StoreError(f"the bucket cannot be reached: {type(error).__name__}") from error
