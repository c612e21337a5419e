"""Training, one epoch after another, each from where the one before was saved."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from coqui_server.media.samples import SAMPLE_RATE
from tools.digits import ALPHABET, STEP, WINDOW
from tools.digits.network import CHANNELS, Network, mfccs
from tools.digits.sound import Wave, clean, disturbed, noise
from tools.digits.speech import Spoken

WIDTH, BATCH = 160, 16

CYCLES = ((7, 2e-3), (5, 1e-3))
"""Epochs, and the rate they begin with; it falls to nothing in each (Loshchilov and Hutter 2016,
arXiv:1608.03983)."""

EPOCHS = sum(epochs for epochs, _ in CYCLES)
BLANK = len(ALPHABET)


@dataclass(frozen=True)
class Batch:
    """Waves with silence after them, and what is said in them."""

    waves: Tensor
    lengths: Tensor
    letters: Tensor
    letter_counts: Tensor


def train(speech: Sequence[Spoken], checkpoint: Path, seed: int, until: int = EPOCHS) -> Network:
    """The network after `until` of all the epochs, saved in `checkpoint` after each."""
    torch.manual_seed(seed)
    network = Network(WIDTH)
    optimiser = torch.optim.Adam(network.parameters())
    done = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        done = saved["epochs"]
        network.load_state_dict(saved["network"])
        optimiser.load_state_dict(saved["optimiser"])
    speech = [*speech, *_nothing(len(speech) // 25, seed)]
    for epoch in range(done, until):
        torch.manual_seed(seed + epoch)
        _epoch(network, optimiser, speech, epoch, seed)
        state = {"network": network.state_dict(), "optimiser": optimiser.state_dict()}
        torch.save({"epochs": epoch + 1, **state}, checkpoint)
    network.eval()
    return network


def _nothing(count: int, seed: int) -> list[Spoken]:
    """Noise without speech."""
    random = np.random.default_rng([seed, 0])
    lengths = random.integers(SAMPLE_RATE // 2, 3 * SAMPLE_RATE, count)
    return [
        Spoken((), (3000 * noise(n, random)).clip(-32768, 32767).astype(np.int16)) for n in lengths
    ]


def _epoch(
    network: Network,
    optimiser: torch.optim.Optimizer,
    speech: Sequence[Spoken],
    epoch: int,
    seed: int,
) -> None:
    network.train()
    random = np.random.default_rng([seed, 1, epoch])
    count = -(-len(speech) // BATCH)
    losses = []
    with tqdm(_batches(speech, epoch, random), f"epoch {epoch + 1} of {EPOCHS}", count) as progress:
        for number, batch in enumerate(progress):
            for group in optimiser.param_groups:
                group["lr"] = _rate(epoch + number / count)
            optimiser.zero_grad()
            loss = _loss(network, batch, random)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            losses.append(loss.item())
            progress.set_postfix(loss=f"{np.mean(losses[-50:]):.3f}")


def _rate(epochs: float) -> float:
    """The rate of learning after so many epochs; it rises in a quarter of a cycle's first."""
    for length, rate in CYCLES:
        if epochs < length:
            return rate * min(1, 4 * epochs) * (1 + math.cos(math.pi * epochs / length)) / 2
        epochs -= length
    return 0.0


def _loss(network: Network, batch: Batch, random: np.random.Generator) -> Tensor:
    count = len(batch.waves)
    warp = torch.from_numpy(random.uniform(0.85, 1.18, count)).float()
    features = mfccs(batch.waves, warp, _colour(count, random))
    if not network.mean.any():
        network.mean.copy_(features.mean((0, 1)))
        network.scale.copy_(1 / features.std((0, 1)))
    vectors = (batch.lengths - WINDOW) // STEP + 1
    letters = network(features, vectors)
    return torch.nn.functional.ctc_loss(
        letters.transpose(0, 1),
        batch.letters,
        vectors,
        batch.letter_counts,
        blank=BLANK,
        zero_infinity=True,
    )


def _colour(count: int, random: np.random.Generator) -> Tensor:
    """A smooth curve over the mel channels for each wave, up to some 6 dB: another microphone."""
    places = np.linspace(0, np.pi, CHANNELS)
    curves = np.cos(places[None, None, :] * np.arange(4)[None, :, None])
    sizes = random.normal(0, 0.3, (count, 4, 1))
    return torch.from_numpy((sizes * curves).sum(1)).float()


def _batches(speech: Sequence[Spoken], epoch: int, random: np.random.Generator) -> Iterator[Batch]:
    """All the speech in batches of about equal lengths, disturbed and in random order.

    The first time it is clean, and the shortest come first: only so does the network find out soon
    where in the sound the letters are (Amodei et al. 2015, arXiv:1512.02595, section 3.3).
    """
    lengths = np.array([len(each.pcm) for each in speech]) * random.uniform(0.9, 1.1, len(speech))
    order = np.argsort(lengths)
    starts = np.arange(0, len(order), BATCH)
    if epoch:
        random.shuffle(starts)
    for start in starts:
        chosen = [speech[index] for index in order[start : start + BATCH]]
        waves = [disturbed(each.pcm, random) if epoch else clean(each.pcm) for each in chosen]
        yield _batch(chosen, waves)


def _batch(speech: Sequence[Spoken], sounds: Sequence[Wave]) -> Batch:
    waves = [torch.from_numpy(wave) for wave in sounds]
    letters = [[ALPHABET.index(letter) for letter in " ".join(each.words)] for each in speech]
    padded = torch.nn.utils.rnn.pad_sequence(waves, batch_first=True)
    return Batch(
        # The last part of a window is heard with silence after it.
        torch.nn.functional.pad(padded, (0, WINDOW)),
        torch.tensor([len(wave) + WINDOW - STEP for wave in waves]),
        torch.tensor([index for each in letters for index in each]),
        torch.tensor([len(each) for each in letters]),
    )
