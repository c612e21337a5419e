"""`python -m coqui_server.models`, against publishers on the loopback."""

import io
import json
import zipfile
from hashlib import md5, sha256
from pathlib import Path

import google_crc32c
import huggingface_hub.constants as hub
import pytest
import vosk

from coqui_server.engines.moonshine import packaged_model
from coqui_server.exceptions import ModelError
from coqui_server.models import catalogue, runtime
from coqui_server.models.__main__ import main
from tests.models.publisher import Publisher

NAME = "vosk-model-small-xx-0.1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`models.path` of a configuration in the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "application.conf").write_text("models.path = kept\n")
    return tmp_path / "kept"


@pytest.fixture
def on_vosks_list(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    """Vosk's site with one model, and one that is obsolete."""
    archive = zipped({f"{NAME}/am/final.mdl": b"model", f"{NAME}/README": b"read"})
    listed = [
        {
            "name": NAME,
            "lang_text": "Xx",
            "size_text": "1 KiB",
            "obsolete": "false",
            "url": f"{publisher.url}/{NAME}.zip",
            "size": len(archive),
            "md5": md5(archive).hexdigest(),
        },
        {"name": "vosk-model-old-0.1", "obsolete": "true"},
    ]
    publisher.files[f"/{NAME}.zip"] = archive
    publisher.files["/model-list.json"] = json.dumps(listed).encode()
    monkeypatch.setattr(vosk, "MODEL_LIST_URL", f"{publisher.url}/model-list.json")
    return publisher


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip archive of these files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def files(folder: Path) -> dict[str, bytes]:
    """All files under a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_vosk_model(
    on_vosks_list: Publisher, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its name it is fetched and unpacked, found, and removed again."""
    assert main(["get", NAME]) == 0
    assert files(folder) == {f"{NAME}/am/final.mdl": b"model", f"{NAME}/README": b"read"}
    assert main(["path", NAME]) == 0
    assert capsys.readouterr().out == f"{folder / NAME}\n" * 2
    assert main(["remove", NAME]) == 0
    assert files(folder) == {}
    assert main(["path", NAME]) == 1
    assert capsys.readouterr().err == f'"{NAME}" is not in {folder}, which has nothing\n'


def test_the_list(
    on_vosks_list: Publisher, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has what is here, what we know, and what Vosk lists, but for what is obsolete."""
    main(["get", NAME])
    capsys.readouterr()
    assert main(["list"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"in {folder}: {NAME}"
    assert "for moonshine: tiny-en, base-en" in told
    assert told[-1] == f"for vosk: {NAME} (Xx, 1 KiB)"
    assert not any("vosk-model-old" in line for line in told)


def test_another_archive_than_listed(
    on_vosks_list: Publisher, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that has not the listed checksum is not unpacked."""
    archive = bytearray(on_vosks_list.files[f"/{NAME}.zip"])
    archive[40] ^= 1
    on_vosks_list.files[f"/{NAME}.zip"] = bytes(archive)
    assert main(["get", NAME]) == 1
    assert "its md5 is" in capsys.readouterr().err
    assert files(folder) == {}


def test_offline(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says so, and where models are put by hand."""
    monkeypatch.setattr(vosk, "MODEL_LIST_URL", "http://127.0.0.1:9/model-list.json")
    assert main(["get", NAME]) == 1
    told = capsys.readouterr().err
    assert "http://127.0.0.1:9/model-list.json cannot be downloaded now" in told
    assert told.endswith(f"; without a network, put it into {folder} by hand\n")
    assert told.count("\n") == 1


def test_a_name_nobody_knows(
    on_vosks_list: Publisher, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said which there are."""
    assert main(["get", "tinny.en"]) == 1
    told = capsys.readouterr().err
    assert told.startswith('no model is called "tinny.en"; there are tiny-en, base-en, tiny.en, ')
    assert told.count("\n") == 1


def test_a_whisper_model(
    publisher: Publisher, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub's list gives names, sizes and checksums; what the engine does not use stays there."""
    parts = {"config.json": b"{}", "model.bin": b"m" * 50_000, "vocabulary.txt": b"words"}
    digest = sha256(parts["model.bin"]).hexdigest()
    listed = [{"rfilename": name, "size": len(data)} for name, data in parts.items()]
    listed[1]["lfs"] = {"sha256": digest, "size": 50_000}
    listed.append({"rfilename": "README.md", "size": 7})
    repository = "Systran/faster-whisper-tiny.en"
    publisher.files = {f"/{repository}/resolve/abc/{name}": data for name, data in parts.items()}
    asked = f"/api/models/{repository}?blobs=true"
    publisher.files[asked] = json.dumps({"sha": "abc", "siblings": listed}).encode()
    monkeypatch.setattr(hub, "ENDPOINT", publisher.url)
    publisher.cuts = [10**6, 10**6, 20_000]
    assert main(["get", "tiny.en"]) == 0
    assert files(folder) == {f"tiny.en/{name}": data for name, data in parts.items()}
    assert publisher.starts == [None, None, None, "bytes=20000-", None]


def test_moonshines_models() -> None:
    """What its library says of the files of a model is true of those that come in its package."""
    (encoder, decoder, tokens) = catalogue.find("tiny-en").files
    for file in (encoder, decoder, tokens):
        data = (packaged_model() / file.name).read_bytes()
        assert file.size == len(data)
        assert file.checksum == google_crc32c.Checksum(data).hexdigest().decode()
        assert file.url.endswith(f"/{file.name}")
    assert {file.name for file in catalogue.find("base-en").files} == {
        path.name for path in packaged_model().iterdir()
    }


@pytest.mark.parametrize(
    ("address", "published", "kept"),
    [
        ("/a/model.tflite", b"TFL3", {"model.tflite": b"TFL3"}),
        ("/words.scorer?x=1", b"TRIE", {"words.scorer": b"TRIE"}),
        ("/any.zip", zipped({"any/x": b"x"}), {"any/x": b"x"}),
        ("/flat.zip", zipped({"x": b"x", "y": b"y"}), {"flat/x": b"x", "flat/y": b"y"}),
        ("/evil.zip", zipped({"../x": b"x", "/y": b"y"}), {"evil/x": b"x", "evil/y": b"y"}),
    ],
)
def test_an_address(
    publisher: Publisher, folder: Path, address: str, published: bytes, kept: dict[str, bytes]
) -> None:
    """A file is kept under its name, an archive unpacked, and nothing is written elsewhere."""
    publisher.files[address] = published
    assert main(["get", f"{publisher.url}{address}"]) == 0
    assert files(folder.parent) == {
        "application.conf": b"models.path = kept\n",
        **{f"kept/{name}": data for name, data in kept.items()},
    }


def test_an_archive_that_is_none(
    publisher: Publisher, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page that says something else in an archive's place is not kept."""
    publisher.files["/any.zip"] = b"<html>"
    assert main(["get", f"{publisher.url}/any.zip"]) == 1
    assert "any.zip is not a zip archive" in capsys.readouterr().err
    assert files(folder) == {}


@pytest.mark.parametrize("address", ["ftp://host/x.zip", "http://host/", "http://host/.."])
def test_an_address_of_no_file(
    folder: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is refused before anybody is asked."""
    assert main(["get", address]) == 1
    assert f"{address} is not the address of a file" in capsys.readouterr().err


def test_only_models_are_removed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither what is outside of the folder nor another file in it."""
    folder.mkdir()
    (folder / "README.md").touch()
    for name in ("..", ".", "README.md", "../application.conf"):
        assert main(["remove", name]) == 1
    assert set(files(folder.parent)) == {"application.conf", "kept/README.md"}


def test_a_wrong_configuration(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named like the daemon names it, with the same exit code."""
    Path("application.conf").write_text("models.pathh = kept")
    assert main(["list"]) == 2
    assert capsys.readouterr().err.startswith("application.conf: models.pathh: unknown key")


@pytest.mark.process
def test_coquis_library(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """pip gets it for any Python, once."""
    assert main(["install", "coqui-runtime"]) == 0
    assert capsys.readouterr().out == f"{folder / 'coqui-runtime'}\n"
    library = folder / "coqui-runtime" / "stt" / "lib" / "libstt.so"
    assert library.stat().st_size > 10**6
    written = library.stat().st_ctime_ns
    assert main(["install", "coqui-runtime"]) == 0
    assert library.stat().st_ctime_ns == written


def test_a_machine_without_coquis_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said for which there is one."""
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(ModelError, match=r"no library for \w+ riscv64, but for Linux x86_64, "):
        runtime.install(tmp_path)
    assert list(tmp_path.glob("coqui-runtime")) == []
