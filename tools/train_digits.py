"""Make the digit recogniser of `engine = coqui` anew: `python -m tools.train_digits`.

Speaks some 7,000 sequences with all the synthesisers there are, trains a small acoustic model on
them, writes it and its scorer into `coqui_server/engines/digits/`, and says how well it hears
sequences and voices it was not trained on. What is done is kept in `build/digits`, epoch by epoch,
so a run that was stopped goes on where it was.

Needs `pip install -r requirements-train.txt`, the Debian packages that `tools.digits.voices` names,
and, to say how well it hears, Coqui STT's library in `models/`. Takes some 25 minutes of two cores.
"""

import argparse
from pathlib import Path

from coqui_server.engines.coqui import DIGITS
from tools.digits import ALPHABET, WORDS
from tools.digits.evaluation import evaluate
from tools.digits.graph import model
from tools.digits.network import weights
from tools.digits.scorer import scorer
from tools.digits.speech import spoken
from tools.digits.training import EPOCHS, train
from tools.digits.voices import TESTING, TRAINING

SEED = 1

ALPHA, BETA = 0.5, 0.5
"""The scorer's weight and the bonus of a word, unless a setting names others."""


def main() -> None:
    """Do what is not done yet."""
    parser = argparse.ArgumentParser(description="Make the digit recogniser of engine = coqui.")
    parser.add_argument("--work", type=Path, default=Path("build/digits"), metavar="FOLDER")
    parser.add_argument("--until", type=int, default=EPOCHS, metavar="EPOCH", help="stop after it")
    arguments = parser.parse_args()
    speech = [
        each
        for voice, count in TRAINING.items()
        for each in spoken(voice, count, SEED, arguments.work)
    ]
    network = train(speech, arguments.work / "network.pt", SEED, arguments.until)
    if arguments.until < EPOCHS:
        return
    DIGITS.mkdir(exist_ok=True)
    (DIGITS / "digits.tflite").write_bytes(model(weights(network)))
    (DIGITS / "digits.scorer").write_bytes(scorer(WORDS, ALPHABET, ALPHA, BETA))
    evaluate(
        {voice: spoken(voice, count, SEED + 1, arguments.work) for voice, count in TESTING.items()}
    )


if __name__ == "__main__":
    main()
