"""Moonshine (English, MIT): the default engine, its tiny model run by onnxruntime.

The model files come inside the `moonshine-voice` wheel; its own library is not used, because it
fills two cores for one caller. Here each decode keeps to one thread and utterances run side by
side. `benchmarks/throughput.py` compares the two.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from importlib.util import find_spec
from math import ceil, exp
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnxruntime.capi.onnxruntime_pybind11_state import (
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    RuntimeException,
)

from coqui_server import extras, models, onnx, word_times
from coqui_server.config.settings import Settings
from coqui_server.engines.base import Capabilities, Hypothesis, Options
from coqui_server.engines.buffered import BufferedRecognizer
from coqui_server.engines.draft import drafted
from coqui_server.engines.greedy import Scores, Step, search
from coqui_server.engines.terms import Terms, Vocabulary
from coqui_server.exceptions import ConfigError
from coqui_server.media.samples import SAMPLE_RATE, Samples

_ENCODER = "encoder_model.ort"
_DECODER = "decoder_model_merged.ort"
_TOKENIZER = "tokenizer.bin"
_START, _END = 1, 2
_MARKS = (b".", b"?", b"!")

_TOKENS_PER_SECOND = 6.5
"""More tokens than this mean that the decoder repeats itself (Moonshine's own limit)."""

_LISTS = 16
"""Lists of terms whose trees are kept for the next utterances."""

_Cache = dict[str, Any]

_UNREADABLE = (Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, RuntimeException, IndexError)
"""Raised by onnxruntime and the vocabulary's reader for a file that is not a model."""


def capabilities(settings: Settings) -> Capabilities:
    """What every model can do. The words are aligned with the sound afterwards."""
    words = settings.text.word_times and word_times.available()
    return Capabilities(words=words, confidence=True, terms=True, languages=("en",))


def check(settings: Settings) -> Iterator[ConfigError]:
    """What is missing, without loading anything."""
    try:
        _folder(settings)
    except ConfigError as missing:
        yield missing


def load(settings: Settings) -> "Moonshine":
    """The engine with the configured model, or with the one from the wheel.

    Raises:
        ConfigError: a model file is missing or cannot be read.
    """
    folder = _folder(settings)
    try:
        return Moonshine(folder, settings)
    except _UNREADABLE as error:
        raise ConfigError("moonshine.model", f'"{folder}" cannot be loaded: {error}') from error


def _folder(settings: Settings) -> Path:
    folder = settings.moonshine.model or packaged_model()
    models.check_parts("moonshine.model", folder, (_ENCODER, _DECODER, _TOKENIZER))
    return folder


def packaged_model() -> Path:
    """The folder of the model inside the `moonshine-voice` wheel."""
    spec = find_spec("moonshine_voice")
    if spec is None or not spec.submodule_search_locations:
        problem = "not set, and the package moonshine-voice is not installed"
        raise ConfigError("moonshine.model", problem, fix=extras.command("moonshine-voice"))
    return Path(spec.submodule_search_locations[0]) / "assets" / "tiny-en"


class Moonshine:
    """A Moonshine model. Many threads may run its two sessions at the same time."""

    name = "moonshine"

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.model = folder.name
        self.capabilities = capabilities(settings)
        self._encoder = onnx.session(str(folder / _ENCODER))
        self._decoder = onnx.session(str(folder / _DECODER))
        self._tokens = read_tokens((folder / _TOKENIZER).read_bytes())
        self._vocabulary = Vocabulary(self._tokens)
        self._tree = lru_cache(_LISTS)(partial(Terms, vocabulary=self._vocabulary))
        _, *present = (output.name for output in self._decoder.get_outputs())
        self._past = [name.replace("present", "past_key_values") for name in present]
        self._no_past = {
            put.name: np.zeros((1, put.shape[1], 0, put.shape[3]), np.float32)
            for put in self._decoder.get_inputs()
            if put.name.startswith("past_key_values")
        }

    def open(self, options: Options) -> BufferedRecognizer:
        """A recognizer for one utterance."""
        wanted = options.favoured
        terms = self._tree(wanted) if wanted else None
        return BufferedRecognizer(partial(self.decode, terms=terms, draft=options.draft))

    def decode(
        self, pcm: Samples, terms: Terms | None = None, draft: tuple[int, ...] = ()
    ) -> Hypothesis:
        """The text of one utterance, by greedy search, with its tokens' mean probability."""
        most = ceil(len(pcm) / SAMPLE_RATE * _TOKENS_PER_SECOND)
        step = self._decoder_of(pcm.astype(np.float32)[None] / np.float32(32768), draft[:most])
        tokens, doubts = search(step, _START, _END, most, terms)
        said = tuple(token for token in tokens if token != _END)
        text = b"".join(self._tokens[token] for token in said)
        return Hypothesis(
            text.decode("utf-8", "ignore").replace("▁", " ").replace("♪", "").strip(),
            confidence=exp(-sum(doubts) / len(doubts)),
            finished=self._finished(tokens, doubts),
            tokens=said,
        )

    def _decoder_of(self, sound: npt.NDArray[np.float32], draft: Sequence[int]) -> Step:
        """The decoder of this sound, whose state is its attention cache."""
        mask = np.ones(sound.shape, np.int64)
        states = self._encoder.run(None, {"input_values": sound, "attention_mask": mask})[0]
        # The mask is over samples, not over encoder states: the graph applies the stride itself.
        fixed = {"encoder_hidden_states": states, "encoder_attention_mask": mask}

        def run(tokens: Sequence[int], past: _Cache | None) -> tuple[Scores, _Cache]:
            put = {
                "input_ids": np.array([tokens]),
                "use_cache_branch": np.array([past is not None]),
            }
            logits, *present = self._decoder.run(None, {**fixed, **(past or self._no_past), **put})
            return logits[0], self._remembered(past, present)

        return drafted(run, _cut, draft)

    def _finished(self, tokens: list[int], doubts: list[float]) -> float:
        ends = len(tokens) > 1 and tokens[-1] == _END and self._tokens[tokens[-2]] in _MARKS
        return exp(-doubts[-2]) if ends else 0.0

    def _remembered(self, past: _Cache | None, present: list[Any]) -> _Cache:
        """The cache for the next step; its encoder part is computed by the first step only."""
        computed = dict(zip(self._past, present, strict=True))
        if past is None:
            return computed
        return past | {name: value for name, value in computed.items() if ".decoder." in name}


def _cut(past: _Cache, count: int) -> _Cache:
    """The cache as it was after so many tokens."""
    return {
        name: value[:, :, :count] if ".decoder." in name else value for name, value in past.items()
    }


def read_tokens(data: bytes) -> list[bytes]:
    """The vocabulary in `tokenizer.bin`: for each token its length, then its bytes.

    A length of 128 or more has a second byte: (first - 128) + 128 * second.
    """
    tokens = []
    place = 0
    while place < len(data):
        length = data[place]
        place += 1
        if length >= 128:
            length += 128 * data[place] - 128
            place += 1
        tokens.append(data[place : place + length])
        place += length
    return tokens
