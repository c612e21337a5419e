"""Who speaks when: the diarization error of files and of live sound, and what it costs.

    python -m benchmarks.diarization FOLDER... [--seconds 90] [--seeds 1] [--pyannote]

Each FOLDER has clips of single people, from which conversations are mixed
(`benchmarks.conversations`), and perhaps the call `callfriend_diane_sheila.wav` with its turns in
manifest.tsv. Sound passes the daemon's own filter, level and gate, as in a session.

The error is NIST's: speech that is missed, speech that is not there and speech of the wrong person,
over all speech, each of two people at once counted. `err` counts all of it; `.25` leaves out 0.25 s
before and after each start and end of a turn. `one` is the error if each moment is given to one
person alone, as words are in a transcript. `wrong` is the part of `err` that is of the wrong
person, `who` how many people were found, and `N` the error when their number is known. `cost` is
the processor time for a second of sound. `--pyannote` compares every figure with
`pyannote.metrics`, if it is installed.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.bare import timed_utterances
from benchmarks.conversations import Conversation, Turn, mixed, people, recorded
from coqui_server.config.settings import Settings
from coqui_server.media.samples import SAMPLE_RATE
from coqui_server.speakers.clustering import cluster
from coqui_server.speakers.model import SpeakerModel, loaded
from coqui_server.speakers.register import Register
from coqui_server.speakers.turns import turns
from coqui_server.speakers.voices import Voice

CALL = "callfriend_diane_sheila.wav"
_FRAME = 0.01

Activity = npt.NDArray[np.bool_]
"""A row for each person, a column for each 10 ms."""


Tell = Callable[[Sequence[list[Voice]], int | None], list[Turn]]
"""Tells people apart, by the voices of each utterance and their number, if it is known."""


@dataclass(frozen=True)
class Score:
    """Seconds of each kind of error, and of speech.

    Attributes:
        people: that were told apart.
    """

    missed: float
    added: float
    wrong: float
    speech: float
    people: int

    @property
    def errors(self) -> float:
        return self.missed + self.added + self.wrong

    @property
    def error(self) -> float:
        return self.errors / self.speech


@dataclass(frozen=True)
class Heard:
    """The scores of a conversation, by the names of the columns, how many people there are, and
    the seconds of processor and of sound."""

    all: Score
    core: Score
    one: Score
    known: Score
    people: int
    processor: float
    seconds: float


def main() -> None:
    arguments = _arguments()
    model = loaded()
    print(f"{'':38} {'file':46} {'live':46} live, at its end\n{'':38}", end="")
    print("   err   .25   one wrong     who     N  cost  " * 3)
    for name, group in groupby(_conversations(arguments), key=lambda each: each.name):
        row, same = f"{name:38}", list(group)
        for live, tell in ((False, _at_end), (True, _as_it_goes), (True, _at_end)):
            row += _columns([_heard(model, one, live, tell, arguments.pyannote) for one in same])
        print(row, flush=True)


def _columns(each: Sequence[Heard]) -> str:
    """The figures over all conversations of a kind."""
    speech = sum(heard.all.speech for heard in each)
    wrong = sum(heard.all.wrong for heard in each) / speech
    found = ",".join(str(heard.all.people) for heard in each)
    parts = [[heard.all for heard in each], [heard.core for heard in each]]
    parts += [[heard.one for heard in each], [heard.known for heard in each]]
    all, core, one, known = (
        sum(score.errors for score in part) / sum(score.speech for score in part) for part in parts
    )
    cost = sum(heard.processor for heard in each) / sum(heard.seconds for heard in each)
    who = f"{found}/{each[0].people}"
    return f" {all:5.1%} {core:5.1%} {one:5.1%} {wrong:5.1%} {who:>7} {known:5.1%} {cost:.3f}  "


def _heard(
    model: SpeakerModel, conversation: Conversation, live: bool, tell: Tell, check: bool
) -> Heard:
    start = time.process_time()
    heard = [
        [voice.moved(begin, 0) for voice in model.voices(pcm)]
        for begin, pcm in timed_utterances(conversation.pcm, Settings(), live=live)
    ]
    count = len({who for _, _, who in conversation.turns})
    told = tell(heard, None)
    processor = time.process_time() - start
    if check:
        _compare(conversation.turns, told)
    return Heard(
        all=score(conversation.turns, told),
        core=score(conversation.turns, told, 0.25),
        one=score(conversation.turns, _one_at_a_time(told)),
        known=score(conversation.turns, tell(heard, count)),
        people=count,
        processor=processor,
        seconds=len(conversation.pcm) / SAMPLE_RATE,
    )


def _at_end(heard: Sequence[list[Voice]], count: int | None) -> list[Turn]:
    """What is told when all is known."""
    windows = 0
    voices: list[Voice] = []
    for own in heard:
        voices += [voice.moved(0.0, windows) for voice in own]
        windows += 1 + max((voice.window for voice in own), default=0)
    return _told(voices, cluster(voices, count))


def _as_it_goes(heard: Sequence[list[Voice]], count: int | None) -> list[Turn]:
    """What is told utterance by utterance."""
    register = Register(count)
    people = [person for own in heard for person in register.assign(own)]
    return _told([voice for own in heard for voice in own], people)


def _told(voices: list[Voice], people: list[int]) -> list[Turn]:
    return [(turn.start, turn.end, str(turn.person)) for turn in turns(voices, people)]


def _one_at_a_time(told: Sequence[Turn]) -> list[Turn]:
    """The same turns; who speaks already goes on, and another begins only after them."""
    alone: list[Turn] = []
    free = 0.0
    for start, end, who in sorted(told):
        if end > free:
            alone.append((max(start, free), end, who))
            free = end
    return alone


def score(truth: Sequence[Turn], told: Sequence[Turn], collar: float = 0.0) -> Score:
    """The errors under the best assignment of the people told to those there are.

    Args:
        collar: seconds around each true start and end that do not count.
    """
    frames = round(max(end for _, end, _ in [*truth, *told]) / _FRAME) + 1
    there, heard = _activity(truth, frames), _activity(told, frames)
    counted = np.ones(frames, bool)
    for moment in (moment for start, end, _ in truth for moment in (start, end)):
        if collar:
            counted[max(0, _at(moment - collar)) : _at(moment + collar)] = False
    there, heard = there[:, counted], heard[:, counted]
    shared = there.astype(int) @ heard.T.astype(int)
    many, few = there.sum(axis=0), heard.sum(axis=0)
    wrong = np.minimum(many, few).sum() - _best(shared)
    missed, added = np.maximum(many - few, 0).sum(), np.maximum(few - many, 0).sum()
    frames_of = (missed, added, wrong, many.sum())
    lost, more, other, speech = (float(count) * _FRAME for count in frames_of)
    return Score(lost, more, other, speech, len(heard))


def _at(moment: float) -> int:
    return round(moment / _FRAME)


def _activity(turns: Sequence[Turn], frames: int) -> Activity:
    rows = {who: place for place, who in enumerate(dict.fromkeys(who for _, _, who in turns))}
    activity = np.zeros((len(rows), frames), bool)
    for start, end, who in turns:
        activity[rows[who], _at(start) : _at(end)] = True
    return activity


def _best(shared: npt.NDArray[np.int_]) -> int:
    """The most frames that people share, each with one of the others at most.

    By dynamic programming over sets of the side with fewer people.
    """
    if shared.shape[0] > shared.shape[1]:
        shared = shared.T
    best = {0: 0}
    for column in shared.T.tolist():
        for taken, value in list(best.items()):
            for row, frames in enumerate(column):
                joined = taken | 1 << row
                if joined != taken:
                    best[joined] = max(best.get(joined, 0), value + frames)
    return max(best.values())


def _compare(truth: Sequence[Turn], told: Sequence[Turn]) -> None:
    """Fail if the public tool has another figure."""
    for collar in (0.0, 0.25):
        ours, theirs = score(truth, told, collar).error, _public(truth, told, collar)
        if abs(ours - theirs) > 0.003:
            raise SystemExit(f"{ours:.4f} here and {theirs:.4f} by pyannote.metrics")


def _public(truth: Sequence[Turn], told: Sequence[Turn], collar: float) -> float:
    from pyannote.core import Annotation, Segment
    from pyannote.metrics.diarization import DiarizationErrorRate

    def annotation(turns: Sequence[Turn]) -> object:
        made = Annotation()
        for place, (start, end, who) in enumerate(turns):
            made[Segment(start, end), place] = who
        return made

    # Its collar is the whole width.
    metric: Callable[..., float] = DiarizationErrorRate(collar=2 * collar, skip_overlap=False)
    return float(metric(annotation(truth), annotation(told)))


def _conversations(arguments: argparse.Namespace) -> Iterator[Conversation]:
    for folder in arguments.folders:
        if (folder / "clips" / CALL).exists():
            yield recorded(folder, CALL)
    known = people(arguments.folders)
    for mu_law in (False, True):
        for count in (2, 3, 5):
            for overlap in (0.0, 0.1, 0.3):
                for seed in range(arguments.seeds):
                    yield mixed(
                        known,
                        count,
                        overlap,
                        seconds=arguments.seconds,
                        seed=100 + seed,
                        mu_law=mu_law,
                    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The diarization error, by file and live.")
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--seconds", type=float, default=90.0, help="of each conversation")
    parser.add_argument("--seeds", type=int, default=1, help="conversations of each kind")
    parser.add_argument("--pyannote", action="store_true", help="compare with pyannote.metrics")
    return parser.parse_args()


if __name__ == "__main__":
    main()
