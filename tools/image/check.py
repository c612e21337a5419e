"""`make image-check`: builds the image of deploy/Dockerfile without a container engine, and tries
it.

As the image's user, without a network, with a read-only root and nothing but the volume and /tmp to
write to:

1. the demo runs inside: the samples as files, and one as a call;
2. the entry point serves until the health check succeeds, and ends with code 0 after SIGTERM.

At last every package in the image must be there for arm64, too. It needs root, debootstrap, a
package index and 3 GB of disk, and takes some minutes.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.daemon import ROOT
from tools.image.build import Image, build

_PATIENCE = 120.0
"""Seconds until the health check must have succeeded."""

_NOT_IN_THE_IMAGE = ("tools", "samples")
_WRITES_NOWHERE_ELSE = "test $(id -u) = 10001 && touch /tmp/a ./a && ! touch /etc/a /opt/a /usr/a"

_ARM = ("manylinux2014_aarch64", *(f"manylinux_2_{minor}_aarch64" for minor in range(17, 42)))


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the image and try it, without an engine.")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "image-check")
    folder = parser.parse_args().folder.resolve()
    if os.geteuid() != 0:
        raise SystemExit("only root may do this: it mounts and changes roots")
    folder.mkdir(parents=True, exist_ok=True)
    made = build(folder)
    image = made[""]
    size = subprocess.run(["du", "-sm", image.root.path], capture_output=True, check=True).stdout
    print(f"the image has {size.split()[0].decode()} MB")
    with _volumes(image) as bound:
        assert image.root.start_read_only(["sh", "-c", _WRITES_NOWHERE_ELSE], bound).wait() == 0
        _demo(image, bound)
        _serves(image, bound)
    _is_there_for_arm(made["build"])
    print("the image is good")
    return 0


@contextmanager
def _volumes(image: Image) -> Iterator[dict[str, Path]]:
    """Empty folders of the image's user, by where the image has its volumes."""
    user, group = map(int, image.root.user.split(":"))
    with tempfile.TemporaryDirectory() as folder:
        bound = {}
        for number, volume in enumerate(image.volumes):
            bound[volume] = Path(folder) / str(number)
            bound[volume].mkdir()
            shutil.chown(bound[volume], user, group)
        Path(folder).chmod(0o755)
        yield bound


def _demo(image: Image, bound: dict[str, Path]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in _NOT_IN_THE_IMAGE:
            shutil.copytree(ROOT / name, Path(folder) / name)
        shutil.copy(ROOT / "client.py", folder)
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        command = ["sh", "-c", "cd /mnt && exec python3 -m tools.demo"]
        ended = image.root.start_read_only(command, {**bound, "/mnt": Path(folder)}).wait()
        assert ended == 0, f"the demo ended with {ended}"


def _serves(image: Image, bound: dict[str, Path]) -> None:
    serving = image.root.start_read_only(image.entry, bound)
    try:
        begin = time.monotonic()
        while image.root.join(serving, image.health):
            assert serving.poll() is None, f"the entry point ended with {serving.returncode}"
            assert time.monotonic() < begin + _PATIENCE, "it does not become healthy"
            time.sleep(0.5)
        print(f"healthy after {time.monotonic() - begin:.1f} s", flush=True)
        serving.terminate()
        assert serving.wait(60) == 0, f"it ended with {serving.returncode} after SIGTERM"
    finally:
        serving.kill()
        serving.wait()


def _is_there_for_arm(image: Image) -> None:
    """Ask the index for each package of the image, in its version, for the other platform."""
    python = next((image.root.path / "opt/coqui_server/lib").glob("python*"))
    listing = [sys.executable, "-m", "pip", "list", "--format=freeze", "--path"]
    found = subprocess.run(
        [*listing, str(python / "site-packages")], capture_output=True, check=True, text=True
    )
    pins = [line for line in found.stdout.split() if not line.startswith("coqui-server=")]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--no-deps"]
    for platform in _ARM:
        command += ["--platform", platform]
    version = python.name.removeprefix("python")
    command += ["--python-version", version, "--implementation", "cp", "--target", "nowhere"]
    subprocess.run([*command, *pins], check=True)
    print(f"{len(pins)} packages are there for arm64")


if __name__ == "__main__":
    sys.exit(main())
