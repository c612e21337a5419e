"""What a Dockerfile says: stages of instructions, and which files of a folder it may copy."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
        name: such as `RUN`, in capitals.
        options: such as `{"from": "build"}` of `--from=build`.
        text: the rest, on one line, with variables as they are written.
    """

    name: str
    options: dict[str, str]
    text: str

    @property
    def command(self) -> list[str]:
        """The rest as the words of a command: a JSON list, or a line for a shell."""
        if self.text.startswith("["):
            words: list[str] = json.loads(self.text)
            return words
        return ["/bin/sh", "-c", self.text]

    @property
    def words(self) -> list[str]:
        """The rest, split as a shell splits it."""
        return shlex.split(self.text)


@dataclass(frozen=True)
class Stage:
    """What begins with a FROM: a name, an image or an earlier stage, and what is done to it."""

    name: str
    base: str
    instructions: tuple[Instruction, ...]


def stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile, in their order."""
    found: list[Stage] = []
    for instruction in instructions(text):
        if instruction.name == "FROM":
            base, *name = re.split(r"\s+AS\s+", instruction.text, flags=re.I)
            found.append(Stage(name[0] if name else "", base, ()))
        elif found:
            last = found[-1]
            found[-1] = Stage(last.name, last.base, (*last.instructions, instruction))
    return found


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions, without comments, each on one line."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            options = dict(re.findall(r"--(\S+?)=(\S+)", _head(rest)))
            yield Instruction(name.upper(), options, rest[len(_head(rest)) :].strip())


def _head(rest: str) -> str:
    """The options at the beginning."""
    found = re.match(r"(\s*--\S+=\S+\s+)*", rest)
    return found[0] if found else ""


def copied(ignored: str, names: list[str]) -> list[str]:
    """Which of these files of the context reach the builder, by its .dockerignore: the last line
    that fits decides, and `!` lets in what was left out before."""
    return [name for name in names if not _left_out(ignored, Path(name))]


def _left_out(ignored: str, path: Path) -> bool:
    out = False
    for line in ignored.splitlines():
        pattern = line.removeprefix("!")
        if not line.startswith("#") and any(_fits(each, pattern) for each in (path, *path.parents)):
            out = not line.startswith("!")
    return out


def _fits(path: Path, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch(path.name, pattern.removeprefix("**/"))
    return len(path.parts) == len(Path(pattern).parts) and fnmatch(str(path), pattern)
