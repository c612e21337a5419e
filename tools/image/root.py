"""A folder as the root of a system of its own: commands are run inside by `unshare` and `chroot`.

Linux only, and only as root.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_INSIDE = 'cd "$0" && exec "$@"'

_READ_ONLY = """
ip link set lo up
mount --bind {root} {root}
mount -o remount,bind,ro {root}
mount -t tmpfs tmpfs {root}/tmp
"""

_KERNEL = """
mount -t proc proc {root}/proc
mount -t tmpfs tmpfs {root}/dev
mkdir -m 1777 {root}/dev/shm
for device in null:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 666 {root}/dev/${{device%:*}} c 1 ${{device#*:}}
done
ln -s /proc/self/fd {root}/dev/fd
"""
"""What any program expects. Nothing of this machine is mounted: a package's scripts may write."""

_CERTIFICATES = "/tmp/certificates.pem"  # of the root, while something runs


@dataclass
class Root:
    """A root file system, and how commands are run in it.

    Attributes:
        user: `uid:gid`.
        folder: where commands begin.
    """

    path: Path
    user: str = "0:0"
    folder: str = "/"
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, command: Sequence[str]) -> None:
        """Run a command that may write and use the network, with the names and certificates of
        this machine.

        Raises:
            CalledProcessError: it failed.
        """
        settings = {name: value for name, value in os.environ.items() if _passed_on(name)}
        lent = {self.path / "etc/resolv.conf": Path("/etc/resolv.conf")}
        if certificates := settings.get("PIP_CERT"):
            lent[self.path / _CERTIFICATES[1:]] = Path(certificates)
            settings["PIP_CERT"] = _CERTIFICATES
        for copy, original in lent.items():
            shutil.copy(original, copy)
        # With processes of its own: a package's scripts may stop services by their names.
        spaces = ["--mount", "--pid", "--fork", "--kill-child"]
        code = self._start(command, spaces, "", settings).wait()
        for copy in lent:
            copy.unlink()
        if code:
            raise subprocess.CalledProcessError(code, command)

    def start_read_only(
        self, command: Sequence[str], bound: dict[str, Path]
    ) -> "subprocess.Popen[bytes]":
        """Start a command that sees no network but its own loopback, and may write to /tmp and to
        what is bound.

        Args:
            bound: folders of this machine, by where they are in the root.
        """
        binds = "".join(f"mount --bind {source} {self.path}{at}\n" for at, source in bound.items())
        return self._start(command, ["--mount", "--net"], _READ_ONLY + binds, {})

    def join(self, running: "subprocess.Popen[bytes]", command: Sequence[str]) -> int:
        """Run a command beside one that was started; its exit code."""
        joined = ["nsenter", f"--target={running.pid}", "--mount", "--net", "--"]
        return subprocess.run(
            [*joined, *self._chroot({}), *command],
            stderr=subprocess.DEVNULL,
            check=False,
        ).returncode

    def _start(
        self, command: Sequence[str], spaces: list[str], mounts: str, settings: dict[str, str]
    ) -> "subprocess.Popen[bytes]":
        # Each step replaces the one before, so that the process is the command in the end.
        script = f'set -e\n{(mounts + _KERNEL).format(root=self.path)}\nexec "$@"'
        outside = ["unshare", *spaces, "sh", "-c", script, "sh"]
        return subprocess.Popen([*outside, *self._chroot(settings), *command])

    def _chroot(self, settings: dict[str, str]) -> list[str]:
        variables = {"PATH": _PATH} | settings | self.environment
        pairs = (f"{name}={value}" for name, value in variables.items())
        into = ["chroot", f"--userspec={self.user}", str(self.path), "env", "-i", *pairs]
        return [*into, "/bin/sh", "-c", _INSIDE, self.folder]


def _passed_on(name: str) -> bool:
    """Settings of this machine that a build needs: of pip and of proxies."""
    return name.startswith("PIP_") or name.lower().endswith("_proxy")
