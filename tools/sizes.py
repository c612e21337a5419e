"""How long files and functions are: `python -m tools.sizes [FOLDER ...]`.

A function's lines are those from `def` to its last one, with its docstring. For another version of
the project: `git worktree add ../before REVISION`, and name its folders.
"""

import argparse
import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

_OURS = ("coqui_server", "coqui_client", "coqui_transcript")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Lengths of files and functions.")
    parser.add_argument("folders", nargs="*", type=Path, default=[Path(name) for name in _OURS])
    files = [
        path
        for folder in parser.parse_args(arguments).folders
        for path in sorted(folder.glob("**/*.py"))
        if path.stat().st_size
    ]
    texts = [path.read_text(encoding="utf-8") for path in files]
    functions = [length for text in texts for length in _functions(text)]
    print("            count   lines  median  90 %  over 50  over 250")
    _row("files", [text.count("\n") for text in texts])
    _row("functions", functions)
    return 0


def _functions(text: str) -> Iterator[int]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.end_lineno - node.lineno + 1


def _row(name: str, lengths: list[int]) -> None:
    ordered = sorted(lengths)
    median, ninetieth = (ordered[int(share * (len(ordered) - 1))] for share in (0.5, 0.9))
    over = [sum(length > limit for length in ordered) for limit in (50, 250)]
    print(
        f"{name:10} {len(ordered):6} {sum(ordered):7} {median:7} {ninetieth:5} "
        f"{over[0]:8} {over[1]:9}"
    )


if __name__ == "__main__":
    sys.exit(main())
