"""Coqui's native library, taken from a wheel of `stt`, for any Python.

`stt` has wheels up to Python 3.10. The library inside does not depend on Python.
"""

import platform
import shutil
import subprocess
import sys
from pathlib import Path

from coqui_server.exceptions import ModelError, ModelUnreachable
from coqui_server.models.store import PARTIAL

NAME = "coqui-runtime"

LIBRARY = Path("stt", "lib", "libstt.so")
"""The library's file in the runtime's folder, the same on every system."""

_PACKAGE = "stt==1.4.0"

_WHEELS = {
    ("Linux", "x86_64"): "manylinux_2_24_x86_64",
    ("Darwin", "x86_64"): "macosx_10_10_universal2",
    ("Darwin", "arm64"): "macosx_10_10_universal2",
    ("Windows", "AMD64"): "win_amd64",
}
"""The platforms with a wheel, by the names of `platform`."""


def install(models: Path) -> Path:
    """Install the library into the folder `models` with pip, unless it is there; give its folder.

    Raises:
        ModelError: there is no build for this machine.
        ModelUnreachable: pip cannot download it now.
    """
    target, partial = models / NAME, models / PARTIAL / NAME
    if target.exists():
        return target
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    wheel = ("--python-version=3.10", "--implementation=cp", "--abi=cp310")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", *wheel, f"--platform={_wheel()}"]
    command += ["--ignore-requires-python"]
    ended = subprocess.run(  # noqa: S603
        [*command, f"--target={partial}", _PACKAGE], stderr=subprocess.PIPE, text=True
    )
    if ended.returncode or not (partial / LIBRARY).is_file():
        last = ended.stderr.strip().rpartition("\n")[2] or f"exit code {ended.returncode}"
        raise ModelUnreachable(f"pip cannot install {_PACKAGE} now ({last})")
    partial.rename(target)
    return target


def _wheel() -> str:
    machine = platform.system(), platform.machine()
    if machine not in _WHEELS:
        known = ", ".join(" ".join(known) for known in _WHEELS)
        raise ModelError(f"Coqui has no library for {' '.join(machine)}, but for {known}")
    return _WHEELS[machine]
