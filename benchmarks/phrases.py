"""What names and terms do to what is heard, and where none of them is said.

    python -m benchmarks.phrases FOLDER ... --names FILE [--engine moonshine]
                                 [--set 'HOCON' ...] [--counts 0,10,100,1000] [--texts]

Each FOLDER has a manifest.tsv (file, language, reference). FILE has the names that somebody says,
one a line. Each clip is heard with a list of so many phrases: the names that its reference has,
then others, from `names.txt` beside this file, that nobody says. The first rows are of the clips
with names, the last ones of the clips without, whose lists are all wrong.

`recall` is the share of the spoken names that are in the text, in any case. `wrong` counts phrases
that are in a text and neither in its reference nor in the text without phrases. WER is as
`benchmarks.wer` has it, `time` the processor time for decoding, as a ratio to that without phrases.
"""

import argparse
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bare import utterances
from benchmarks.live import configured
from benchmarks.speech import Clip, clips, errors, normal
from coqui_server.engines import load_engine
from coqui_server.engines.base import AnyEngine, Options, RemoteEngine
from coqui_server.media.samples import Samples

OTHERS = Path(__file__).with_name("names.txt")
"""A thousand names, one a line."""


@dataclass(frozen=True)
class Spoken:
    """A clip, its utterances, and the names that are said in it."""

    clip: Clip
    sound: list[Samples]
    names: list[str]


@dataclass(frozen=True)
class Row:
    """The texts of all clips with lists of one length, the lists, and the processor time."""

    texts: list[str]
    lists: list[tuple[str, ...]]
    seconds: float


def main() -> None:
    arguments = _arguments()
    settings = configured("\n".join([f"engine = {arguments.engine}", *arguments.settings]))
    engine = load_engine(settings)
    names, others = lines(arguments.names), lines(OTHERS)
    found = [clip for folder in arguments.folders for clip in clips(folder)]
    spoken = [
        Spoken(clip, utterances(clip.pcm(), settings), [n for n in names if count(n, clip.text)])
        for clip in found
    ]
    for title, some in (
        ("with names", [one for one in spoken if one.names]),
        ("without", [one for one in spoken if not one.names]),
    ):
        print(f"{title}, {len(some)} clips\n{'phrases':>8} recall            WER  wrong  time")
        report(engine, some, others, arguments.counts, texts=arguments.texts)


def report(
    engine: AnyEngine, some: list[Spoken], others: list[str], counts: list[int], *, texts: bool
) -> None:
    """Print a line for each length of the lists."""
    # The first decoding is slower than all later ones.
    hear(engine, some[:1], others, 0)
    plain = hear(engine, some, others, 0)
    for length in counts:
        row = hear(engine, some, others, length) if length else plain
        print(f"{length:8} {line(some, row, plain)}", flush=True)
        for one, before, after in zip(some, plain.texts, row.texts, strict=True):
            if texts and before != after:
                print(f"  {one.clip.path.name}\n    {before}\n    {after}")


def hear(engine: AnyEngine, some: list[Spoken], others: list[str], length: int) -> Row:
    """Decode all clips, each with its own names and as many others."""
    assert not isinstance(engine, RemoteEngine)
    lists = [tuple([*one.names, *others][:length]) for one in some]
    texts, start = [], time.process_time()
    for one, listed in zip(some, lists, strict=True):
        heard = []
        for pcm in one.sound:
            recognizer = engine.open(Options(terms=listed))
            recognizer.feed(pcm)
            heard.append(recognizer.finish().text)
        texts.append(" ".join(heard))
    return Row(texts, lists, time.process_time() - start)


def line(some: Sequence[Spoken], row: Row, plain: Row) -> str:
    """The figures of one length."""
    said = [(one, name, count(name, one.clip.text)) for one in some for name in one.names]
    text = {one.clip.path: text for one, text in zip(some, row.texts, strict=True)}
    right = sum(min(times, count(name, text[one.clip.path])) for one, name, times in said)
    times = sum(times for *_, times in said)
    recall = f"{right:4} of {times:3} {right / times:6.1%}" if times else f"{'-':>18}"
    wrong = sum(
        bool(count(name, heard)) and not count(name, one.clip.text) and not count(name, before)
        for one, heard, before, listed in zip(some, row.texts, plain.texts, row.lists, strict=True)
        for name in listed
    )
    wer = errors((one.clip.text for one in some), row.texts).wer
    return f"{recall} {wer:7.2%} {wrong:5} {row.seconds / plain.seconds:6.2f}"


def count(name: str, text: str) -> int:
    """How often a name is in a text, as whole words."""
    return len(re.findall(rf"(?<![\w']){re.escape(normal(name))}(?!\w)", normal(text)))


def lines(path: Path) -> list[str]:
    """The lines of a text file."""
    return path.read_text(encoding="utf-8").splitlines()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Names and terms: recall, word errors and time.")
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--names", type=Path, required=True, metavar="FILE")
    parser.add_argument("--engine", default="moonshine")
    parser.add_argument("--set", action="append", default=[], metavar="HOCON", dest="settings")
    parser.add_argument(
        "--counts", type=lambda text: [int(n) for n in text.split(",")], default=[0, 10, 100, 1000]
    )
    parser.add_argument("--texts", action="store_true", help="show the texts that change")
    return parser.parse_args()


if __name__ == "__main__":
    main()
