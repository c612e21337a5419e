"""Does the steps of a Dockerfile, each stage in a fresh Debian that debootstrap makes."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.daemon import ROOT
from tools.image.dockerfile import Instruction, copied, stages
from tools.image.root import Root

DOCKERFILE = ROOT / "deploy" / "Dockerfile"

_IMAGE = "debian:trixie-slim"
_SUITE = "trixie"


@dataclass
class Image:
    """What the instructions of a stage made.

    Attributes:
        volumes: folders that are writable.
        entry: the command of a container, the entry point with its arguments.
        health: the command of the health check.
    """

    root: Root
    volumes: list[str] = field(default_factory=list)
    entry: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)


def build(folder: Path) -> dict[str, Image]:
    """Do the steps of all stages; the last one, which has no name, is the image."""
    made: dict[str, Image] = {}
    for stage in stages(DOCKERFILE.read_text(encoding="utf-8")):
        base = made[stage.base].root.path if stage.base in made else _debian(stage.base, folder)
        image = Image(Root(folder / (stage.name or "image")))
        _copy(base, image.root.path)
        for instruction in stage.instructions:
            print(f"{stage.name or 'image'}: {instruction.name} {instruction.text}", flush=True)
            _do(instruction, image, made)
        made[stage.name] = image
    return made


def _debian(image: str, folder: Path) -> Path:
    """A fresh Debian, as small as the slim image."""
    if image != _IMAGE:
        raise SystemExit(f"the image begins with {image}, and this check with {_IMAGE}")
    root = folder / "debian"
    if not root.exists():
        unfinished = folder / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        command = ["debootstrap", "--variant=minbase", _SUITE, str(unfinished)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        unfinished.rename(root)
    return root


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def _do(instruction: Instruction, image: Image, made: Mapping[str, Image]) -> None:
    match instruction.name:
        case "RUN":
            image.root.run(instruction.command)
        case "COPY":
            _copy_in(instruction, image.root, made)
        case "ENV" | "ARG":
            pairs = (word.partition("=") for word in instruction.words)
            image.root.environment.update({name: value for name, _, value in pairs})
        case "USER":
            image.root.user = instruction.text
        case "WORKDIR":
            image.root.folder = instruction.text
            _at(image.root, instruction.text).mkdir(parents=True, exist_ok=True)
        case "VOLUME":
            image.volumes.append(instruction.text)
        case "ENTRYPOINT" | "CMD":
            image.entry += instruction.command
        case "HEALTHCHECK":
            image.health = Instruction("CMD", {}, instruction.text.partition("CMD ")[2]).command
        case "LABEL" | "EXPOSE":
            pass
        case unknown:
            raise SystemExit(f"{unknown} is not known here")


def _at(root: Root, place: str) -> Path:
    """A place in the root, from the folder where commands begin."""
    return root.path / str(Path(root.folder) / place).lstrip("/")


def _copy_in(instruction: Instruction, root: Root, made: Mapping[str, Image]) -> None:
    *sources, target = instruction.words
    if stage := instruction.options.get("from"):
        _copy(_at(made[stage].root, sources[0]), _at(root, target))
        return
    ignored = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text(encoding="utf-8")
    for source in sources:
        found = [path for each in ROOT.glob(source) for path in _files(each, target)]
        names = copied(ignored, [str(path.relative_to(ROOT)) for path, _ in found])
        if not names:
            raise SystemExit(f"COPY {source}: the context has no such file")
        for path, place in found:
            if str(path.relative_to(ROOT)) in names:
                copy = _at(root, place)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copy)


def _files(source: Path, target: str) -> Iterator[tuple[Path, str]]:
    """The files that a source stands for, and where each goes: what is in a folder goes into the
    target, and so does a file if the target ends with a slash."""
    if source.is_dir():
        for path in source.rglob("*"):
            if path.is_file():
                yield path, f"{target}/{path.relative_to(source)}"
    else:
        yield source, f"{target}{source.name}" if target.endswith("/") else target
