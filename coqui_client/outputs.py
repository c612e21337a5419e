"""Where transcripts go: standard output, or one file each in a folder."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from coqui_client import formats
from coqui_client.reply import Reply


class StandardOutput:
    """Transcripts one after the other on stdout.

    One file is written bare. Of several, each has a line `== name ==` before it and an empty one
    between, except in JSON, which is then one object per line with the name as `file`.

    Args:
        form: one of `formats.EXTENSIONS`.
        several: whether more than one file was asked for.
    """

    def __init__(self, form: str, several: bool) -> None:
        self._form = form
        self._several = several
        self._first = True

    def write(self, index: int, path: Path, reply: Reply) -> None:
        """Write the transcript of `path` and flush.

        Raises:
            OSError: stdout takes no more.
        """
        sys.stdout.write(self._block(path, reply))
        # So that a reader of the pipe has each transcript when it is done, not at the end.
        sys.stdout.flush()
        self._first = False

    def _block(self, path: Path, reply: Reply) -> str:
        if not self._several:
            return formats.render(reply, self._form)
        if self._form == "json":
            return formats.json_line(reply, str(path))
        gap = "" if self._first else "\n"
        return f"{gap}== {path} ==\n{formats.render(reply, self._form)}"


class Folder:
    """Transcripts as files of a folder, which is made if it is missing.

    Args:
        folder: where to write.
        form: one of `formats.EXTENSIONS`.
        paths: all the input files, to tell those with the same stem apart.

    Raises:
        OSError: the folder cannot be made.
    """

    def __init__(self, folder: Path, form: str, paths: Sequence[Path]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._form = form
        extension = formats.EXTENSIONS[form]
        self._targets = [folder / f"{name}.{extension}" for name in distinct_names(paths)]

    def write(self, index: int, path: Path, reply: Reply) -> None:
        """Write the transcript of input number `index` (from 0), in UTF-8.

        Raises:
            OSError: the file cannot be written.
        """
        # A lone surrogate, which JSON can carry, has no UTF-8.
        with self._targets[index].open(
            "w", encoding="utf-8", errors="backslashreplace", newline="\n"
        ) as file:
            file.write(formats.render(reply, self._form))


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """A name for each path, no two alike: its stem, else its full name, else that and a number.

    Names that differ only in case count as alike, as they do on Windows and macOS.
    """
    stems = Counter(path.stem.casefold() for path in paths)
    taken: set[str] = set()
    names = []
    for path in paths:
        preferred = path.stem if stems[path.stem.casefold()] == 1 else path.name
        name, number = preferred, 1
        while name.casefold() in taken:
            number += 1
            name = f"{preferred}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names
