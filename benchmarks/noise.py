"""Words made out of sounds that have none, and words lost by not believing them.

python -m benchmarks.noise [--seconds 24] [--levels -60 -40 -20] [--set 'HOCON' ...]
python -m benchmarks.noise FOLDER ... [--set 'HOCON' ...]
python -m benchmarks.noise --speech FOLDER ... [--levels 0 -20 -30 -40] [--set 'HOCON' ...]

The first has the sounds made by `tools.sounds`, the second those of folders: the clips without a
language of a manifest.tsv, or else all WAVs. `bare` counts the words of the recogniser alone,
`gate` those of what level and gate let through, `checked` those that are believed
(`vad.speech_per_word`).

The third has the English clips of folders, changed by so many decibels. `lost` are correct words
that were not believed.
"""

import argparse
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bare import utterances
from benchmarks.live import configured
from benchmarks.speech import Clip, clips, errors
from coqui_server.config.settings import Settings
from coqui_server.engines import load_engine
from coqui_server.engines.base import DEFAULT_OPTIONS, Engine, Hypothesis, RemoteEngine
from coqui_server.engines.doubt import DoubtingRecognizer, second_opinion
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.speech.voice import VoiceMeter
from tools.sounds import LIVELY, MADE, at, louder


@dataclass
class _Said:
    """A recognizer that has decoded already, so that only the check takes time."""

    hypothesis: Hypothesis

    def feed(self, pcm: Samples) -> None: ...

    def partial(self) -> Hypothesis:
        return self.hypothesis

    def finish(self) -> Hypothesis:
        return self.hypothesis


class Listener:
    """Hears sounds as the daemon hears files, with and without the check.

    Attributes:
        sound, cost: seconds of sound, and of processor time that the check took.
    """

    def __init__(self, settings: Settings) -> None:
        engine, voices = load_engine(settings), second_opinion(settings.vad.speech_per_word)
        assert not isinstance(engine, RemoteEngine)
        assert voices is not None
        self.sound = self.cost = 0.0
        self._engine: Engine = engine
        self._voices = voices
        self._settings = settings

    def bare(self, pcm: Samples) -> Hypothesis:
        """What the recogniser hears in all of it at once."""
        recognizer = self._engine.open(DEFAULT_OPTIONS)
        recognizer.feed(pcm)
        return recognizer.finish()

    def hear(self, pcm: Samples) -> tuple[str, str]:
        """What is heard of a sound, and what is believed of that."""
        self.sound += len(pcm) / SAMPLE_RATE
        heard = [(part, self.bare(part)) for part in utterances(pcm, self._settings)]
        start = time.process_time()
        believed = [self._judged(part, said) for part, said in heard]
        self.cost += time.process_time() - start
        return " ".join(said.text for _, said in heard), " ".join(believed)

    def _judged(self, part: Samples, said: Hypothesis) -> str:
        meter = VoiceMeter(self._voices)
        recognizer = DoubtingRecognizer(_Said(said), meter, self._settings.vad.speech_per_word)
        recognizer.feed(part)
        return recognizer.finish().text


def main() -> None:
    arguments = _arguments()
    listener = Listener(configured("\n".join(arguments.set)))
    if not arguments.folders:
        _made(listener, arguments.seconds, arguments.levels or (-60, -40, -20))
    for folder in arguments.folders:
        if arguments.speech:
            _speech(listener, folder, arguments.levels or (0, -20, -30, -40))
        else:
            _found(listener, folder)
    print(f"the check: {1000 * listener.cost / listener.sound:.2f} ms for a second of sound")


def _made(listener: Listener, seconds: float, levels: Iterable[int]) -> None:
    print(f"{'sound':26} {'bare':>6} {'gate':>6} {'checked':>7}  what is believed")
    every = {**MADE, **LIVELY}
    for name, make in every.items():
        sounds = [at(level, make(seconds)) for level in levels]
        bare = sum(len(listener.bare(pcm).text.split()) for pcm in sounds)
        _row(name, listener, sounds, f"{bare:6}")


def _found(listener: Listener, folder: Path) -> None:
    print(f"{'sound':26} {'':6} {'gate':>6} {'checked':>7}  what is believed")
    for clip in _without_words(folder):
        _row(clip.path.name, listener, [clip.pcm()])


def _row(name: str, listener: Listener, sounds: Iterable[Samples], bare: str = "") -> None:
    gate, checked = 0, list[str]()
    for pcm in sounds:
        heard, believed = listener.hear(pcm)
        gate += len(heard.split())
        checked += believed.split()
    counts = f"{bare:6} {gate:6} {len(checked):7}"
    print(f"{name[:26]:26} {counts}  {' '.join(checked)[:60]}", flush=True)


def _without_words(folder: Path) -> Iterator[Clip]:
    if (folder / "manifest.tsv").exists():
        yield from clips(folder, "-")
    else:
        yield from (Clip(path, "") for path in sorted(folder.rglob("*.wav")))


def _speech(listener: Listener, folder: Path, levels: Iterable[int]) -> None:
    columns = f"{'words':>6} {'WER':>7} {'checked':>7} {'dropped':>7} {'lost':>5}"
    print(f"{'speech':26} {'dB':>4} {columns}")
    for level in levels:
        _level(listener, folder, level)


def _level(listener: Listener, folder: Path, level: int) -> None:
    found = clips(folder)
    pairs = [listener.hear(louder(clip.pcm(), level)) for clip in found]
    texts = [clip.text for clip in found]
    before = errors(texts, (heard for heard, _ in pairs))
    after = errors(texts, (believed for _, believed in pairs))
    words, dropped = before.hits + before.substitutions + before.deletions, 0
    for clip, (heard, believed) in zip(found, pairs, strict=True):
        dropped += len(heard.split()) - len(believed.split())
        if heard != believed:
            print(f"  {clip.path.name}: {heard!r} -> {believed!r}")
    print(
        f"{folder.name:26} {level:4} {words:6} {before.wer:7.2%} {after.wer:7.2%} {dropped:7} "
        f"{before.hits - after.hits:5}",
        flush=True,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Words made up, and words lost by the check.")
    parser.add_argument("folders", type=Path, nargs="*", metavar="FOLDER")
    parser.add_argument("--speech", action="store_true", help="the folders have quiet speech")
    parser.add_argument("--seconds", type=float, default=24, help="of each sound that is made")
    parser.add_argument("--levels", type=int, nargs="+", metavar="DB", help="dBFS, or gains")
    parser.add_argument("--set", action="append", default=[], metavar="HOCON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
