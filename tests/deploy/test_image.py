"""The Dockerfile: valid, not root, with all that it copies. `make image-check` does its steps."""

import subprocess
from pathlib import Path

import pytest

from tests.support.clips import ROOT
from tools.image.dockerfile import Instruction, copied, instructions, stages

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
IGNORED = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text(encoding="utf-8")


def test_the_linter_has_nothing_to_say(tool: dict[str, Path]) -> None:
    """hadolint, with ShellCheck for what is run."""
    linted = subprocess.run([tool["hadolint"], DOCKERFILE], capture_output=True, text=True)
    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_image_is_small_and_not_root() -> None:
    """It has what the build made, and no tools to build; it says how it is and runs as a number,
    which Kubernetes can tell from root."""
    *_, image = stages(DOCKERFILE.read_text(encoding="utf-8"))
    said = {instruction.name: instruction for instruction in image.instructions}
    assert said["USER"].text == "10001:10001"
    assert said["ENTRYPOINT"].command == ["coqui-server"]
    assert "python3" in said["HEALTHCHECK"].text
    assert image.base == "python"
    assert not [each for each in image.instructions if "apt-get" in each.text]


def test_what_is_copied_is_in_the_context_and_nothing_else() -> None:
    """Git's files, so that no model and no recording of a developer gets into an image."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    names = copied(IGNORED, tracked.stdout.splitlines())
    sources = {
        word
        for stage in stages(DOCKERFILE.read_text(encoding="utf-8"))
        for instruction in stage.instructions
        if instruction.name == "COPY" and "from" not in instruction.options
        for word in instruction.words[:-1]
    }
    fits = {name: [each for each in sources if _is_in(Path(name), each)] for name in names}
    assert all(fits.values()), [name for name, found in fits.items() if not found]
    assert {each for found in fits.values() for each in found} == sources


def _is_in(path: Path, source: str) -> bool:
    return path.is_relative_to(source) or path.match(source)


def test_a_dockerfile_is_read() -> None:
    """Stages, options, continued lines, comments in between, and both forms of commands."""
    build, image = stages(
        "# first\nFROM debian AS build\nRUN a \\\n# why\n  && b\n"
        'FROM build\nCOPY --from=build /a /b\nCMD ["x", "y z"]\n'
    )
    assert (build.name, build.base, image.name, image.base) == ("build", "debian", "", "build")
    assert build.instructions[0].command == ["/bin/sh", "-c", "a    && b"]
    copy, command = image.instructions
    assert (copy.options, copy.words) == ({"from": "build"}, ["/a", "/b"])
    assert command.command == ["x", "y z"]
    assert list(instructions("USER  1:1")) == [Instruction("USER", {}, "1:1")]


@pytest.mark.parametrize(
    ("name", "kept"),
    [("a/b.py", True), ("a/c/__pycache__/d", False), ("b/a.py", False), ("r-1.txt", True)],
)
def test_the_last_line_that_fits_decides(name: str, kept: bool) -> None:
    """As .dockerignore is read."""
    assert copied("*\n!a\n# b\n!r-*.txt\n**/__pycache__", [name]) == [name] * kept
