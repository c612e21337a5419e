"""Downloads from a real server that breaks off, changes its mind, and lies."""

from hashlib import md5, sha256
from pathlib import Path

import numpy as np
import pytest

from coqui_server.exceptions import ModelError, ModelUnreachable
from coqui_server.models.download import File, download
from tests.models.publisher import Publisher

DATA = np.random.default_rng(5).bytes(300_000)


@pytest.fixture
def file(publisher: Publisher) -> File:
    """A file that is published with its size and its SHA-256."""
    publisher.files["/m/model.bin"] = DATA
    url = f"{publisher.url}/m/model.bin"
    return File("model.bin", url, len(DATA), sha256(DATA).hexdigest())


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_fetched_once(publisher: Publisher, file: File, tmp_path: Path) -> None:
    """It is what was published; what is there is not asked for again."""
    download(file, tmp_path / "new")
    download(file, tmp_path / "new")
    assert (tmp_path / "new" / "model.bin").read_bytes() == DATA
    assert names(tmp_path / "new") == ["model.bin"]
    assert publisher.starts == [None]


def test_broken_connections(publisher: Publisher, file: File, tmp_path: Path) -> None:
    """Each further request asks for what is missing, and no more."""
    publisher.cuts = [100_000, 50_000]
    download(file, tmp_path)
    assert (tmp_path / "model.bin").read_bytes() == DATA
    assert publisher.starts == [None, "bytes=100000-", "bytes=150000-"]


def test_a_later_try_goes_on(publisher: Publisher, file: File, tmp_path: Path) -> None:
    """A connection that brings nothing ends the try; the next begins where that one ended."""
    publisher.cuts = [100_000, 0]
    with pytest.raises(ModelUnreachable, match=r"model\.bin cannot be downloaded now \("):
        download(file, tmp_path)
    assert "model.bin" not in names(tmp_path)
    download(file, tmp_path)
    assert (tmp_path / "model.bin").read_bytes() == DATA
    assert publisher.starts[-1] == "bytes=100000-"


def test_another_file_by_now(publisher: Publisher, file: File, tmp_path: Path) -> None:
    """Half of an older file is not joined to half of a newer one."""
    publisher.files["/m/model.bin"] = bytes(300_000)
    publisher.cuts = [100_000, 0]
    with pytest.raises(ModelUnreachable):
        download(file, tmp_path)
    publisher.files["/m/model.bin"] = DATA
    download(file, tmp_path)
    assert (tmp_path / "model.bin").read_bytes() == DATA


@pytest.mark.parametrize("lacking", ["ranges", "marks"])
def test_a_server_that_cannot_go_on(
    publisher: Publisher, file: File, tmp_path: Path, lacking: str
) -> None:
    """Where parts cannot be had, or not surely of the same file, it begins again."""
    setattr(publisher, lacking, False)
    publisher.cuts = [100_000]
    download(file, tmp_path)
    assert (tmp_path / "model.bin").read_bytes() == DATA
    assert len(publisher.asked) == 2


def test_broken_off_behind_the_last_byte(publisher: Publisher, file: File, tmp_path: Path) -> None:
    """All bytes are there already: the server has no more, and they are checked."""
    publisher.cuts = [100_000, 0]
    with pytest.raises(ModelUnreachable):
        download(file, tmp_path)
    (tmp_path / "model.bin.part").write_bytes(DATA)
    download(file, tmp_path)
    assert (tmp_path / "model.bin").read_bytes() == DATA
    assert publisher.starts[-1] == "bytes=300000-"


def test_a_wrong_size(publisher: Publisher, file: File, tmp_path: Path) -> None:
    """A file that is shorter than its publisher says is not kept."""
    publisher.files["/m/model.bin"] = DATA[:-1]
    with pytest.raises(ModelError, match="299999 bytes, not 300000; try again"):
        download(file, tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("method", "checksum"),
    [
        ("md5", md5(DATA).hexdigest()),
        ("sha256", sha256(DATA).hexdigest()),
        # RFC 3720 section B.4: the CRC32C of 32 bytes of zeros.
        ("crc32c", "8a9136aa"),
    ],
)
def test_checksums(publisher: Publisher, tmp_path: Path, method: "str", checksum: str) -> None:
    """What has the published checksum is kept, what has another is not."""
    url = f"{publisher.url}/m/model.bin"
    right = bytes(32) if method == "crc32c" else DATA
    publisher.files["/m/model.bin"] = right
    file = File("model.bin", url, None, checksum, method)  # type: ignore[arg-type]
    download(file, tmp_path / "right")
    publisher.files["/m/model.bin"] = right[:-1] + b"x"
    with pytest.raises(ModelError, match=f"its {method} is .*, not {checksum}"):
        download(file, tmp_path / "wrong")
    assert names(tmp_path / "wrong") == []


def test_nothing_there(publisher: Publisher, tmp_path: Path) -> None:
    """A refusal and a host that does not answer are said with the address."""
    with pytest.raises(ModelUnreachable, match=r"/absent cannot be downloaded now .*404"):
        download(File("absent", f"{publisher.url}/absent"), tmp_path)
    with pytest.raises(ModelUnreachable, match="9/x cannot be downloaded now"):
        download(File("x", "http://127.0.0.1:9/x"), tmp_path)
    assert names(tmp_path) == []
