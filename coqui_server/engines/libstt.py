"""Coqui STT's C library by ctypes: models, streams, and what comes out of them.

The library is the one inside the `stt` package, whose wheels stop at Python 3.10 while the library
knows nothing of Python. Its functions are those of `coqui-stt.h` 1.4.0.

A stream must stay on one thread: its decoder's memory comes from a pool of the thread that fed it
(`path_trie.h`), and freeing it on another thread corrupts memory, even under a lock. The streams of
a model also share one interpreter. So each model has its own thread, which makes all calls for it.

Every model that is opened makes the library write its version to standard error, which its API
cannot switch off (and another thread may be writing there).
"""

import ctypes
import subprocess
import sys
from collections.abc import Sequence
from ctypes import POINTER, byref, c_char_p, c_double, c_float, c_int, c_uint, c_void_p
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from weakref import finalize

import numpy as np

from coqui_server.engines.confinement import Confinement
from coqui_server.exceptions import LibraryError
from coqui_server.media.samples import Samples


class _Token(ctypes.Structure):
    _fields_ = (("text", c_char_p), ("timestep", c_uint), ("start_time", c_float))


class _Transcript(ctypes.Structure):
    _fields_ = (("tokens", POINTER(_Token)), ("count", c_uint), ("confidence", c_double))


class _Metadata(ctypes.Structure):
    _fields_ = (("transcripts", POINTER(_Transcript)), ("count", c_uint))


_RESULTS = POINTER(_Metadata)

_PROTOTYPES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    # The text must be freed by STT_FreeString, so we need its address, not its bytes.
    "STT_Version": (c_void_p, ()),
    "STT_ErrorCodeToErrorMessage": (c_void_p, (c_int,)),
    "STT_FreeString": (None, (c_void_p,)),
    "STT_CreateModelFromBuffer": (c_int, (c_char_p, c_uint, POINTER(c_void_p))),
    "STT_FreeModel": (None, (c_void_p,)),
    "STT_GetModelSampleRate": (c_int, (c_void_p,)),
    "STT_SetModelBeamWidth": (c_int, (c_void_p, c_uint)),
    "STT_EnableExternalScorer": (c_int, (c_void_p, c_char_p)),
    "STT_SetScorerAlphaBeta": (c_int, (c_void_p, c_float, c_float)),
    "STT_AddHotWord": (c_int, (c_void_p, c_char_p, c_float)),
    "STT_CreateStream": (c_int, (c_void_p, POINTER(c_void_p))),
    "STT_FreeStream": (None, (c_void_p,)),
    "STT_FeedAudioContent": (None, (c_void_p, c_void_p, c_uint)),
    "STT_IntermediateDecodeWithMetadata": (_RESULTS, (c_void_p, c_uint)),
    "STT_FinishStreamWithMetadata": (_RESULTS, (c_void_p, c_uint)),
    "STT_FreeMetadata": (None, (_RESULTS,)),
}


@dataclass(frozen=True)
class Token:
    """One letter and when it was recognised, in seconds."""

    text: str
    start: float


@dataclass(frozen=True)
class Transcript:
    """One reading. `confidence` is the logarithm of its likelihood, below 0."""

    tokens: tuple[Token, ...]
    confidence: float

    @property
    def text(self) -> str:
        return "".join(token.text for token in self.tokens).strip()


class Library:
    """The loaded library.

    Args:
        paths: its files, each after those it needs.

    Raises:
        OSError: a file cannot be loaded on this machine.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        *needed, own = (str(path) for path in paths)
        for path in needed:
            ctypes.CDLL(path, ctypes.RTLD_GLOBAL)
        self._native = ctypes.CDLL(own)
        for name, (result, arguments) in _PROTOTYPES.items():
            function = getattr(self._native, name)
            function.restype, function.argtypes = result, arguments

    @property
    def version(self) -> str:
        return self._text(self._native.STT_Version())

    def message(self, code: int) -> str:
        """What an error code means, in the library's words."""
        return self._text(self._native.STT_ErrorCodeToErrorMessage(code))

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a function that gives something other than an error code."""
        return getattr(self._native, name)(*arguments)

    def attempt(self, name: str, *arguments: Any) -> None:
        """Call a function that gives an error code.

        Raises:
            LibraryError: it was not 0.
        """
        if code := self.call(name, *arguments):
            raise LibraryError(code, self.message(code))

    def _text(self, address: int) -> str:
        try:
            return ctypes.string_at(address).decode()
        finally:
            self._native.STT_FreeString(address)


class Model:
    """An acoustic model with its thread. Any thread may use it; calls wait for each other.

    Args:
        content: the bytes of the model file, which must have passed `check_model`.

    Raises:
        LibraryError: the library does not take it.
    """

    def __init__(self, library: Library, content: bytes) -> None:
        self._library = library
        self._thread = Confinement("coqui")
        self._handle = c_void_p()
        # The library works on these bytes and does not copy them.
        self._free = finalize(self, _close, self._thread, library, self._handle, content)
        self._free.atexit = False
        self.attempt("STT_CreateModelFromBuffer", content, len(content), byref(self._handle))

    @property
    def sample_rate(self) -> int:
        """Hertz."""
        return int(self.call("STT_GetModelSampleRate", self._handle))

    def set_beam_width(self, width: int) -> None:
        """Keep so many readings while decoding."""
        self.attempt("STT_SetModelBeamWidth", self._handle, width)

    def enable_scorer(self, path: Path) -> None:
        """Decode with a language model from now on.

        Raises:
            LibraryError: the file is missing or is no scorer.
        """
        self.attempt("STT_EnableExternalScorer", self._handle, str(path).encode())

    def weigh_scorer(self, alpha: float, beta: float) -> None:
        """Set the scorer's weight, and the bonus for each word."""
        self.attempt("STT_SetScorerAlphaBeta", self._handle, alpha, beta)

    def add_hot_word(self, word: str, boost: float) -> None:
        """Make a word of the scorer likelier (or less so, with a negative boost)."""
        self.attempt("STT_AddHotWord", self._handle, word.encode(), boost)

    def open(self) -> "Stream":
        """A stream for one utterance."""
        handle = c_void_p()
        self.attempt("STT_CreateStream", self._handle, byref(handle))
        return Stream(self, handle)

    def call(self, name: str, *arguments: Any) -> Any:
        """As `Library.call`, on the model's thread."""
        return self._thread.run(partial(self._library.call, name, *arguments))

    def attempt(self, name: str, *arguments: Any) -> None:
        """As `Library.attempt`, on the model's thread."""
        self._thread.run(partial(self._library.attempt, name, *arguments))

    def give_up(self, stream: c_void_p) -> None:
        """Free a stream that was not finished, when the thread is free."""
        self._thread.post(partial(self._library.call, "STT_FreeStream", stream))


class Stream:
    """One utterance in a model. Its memory is freed with it, finished or not."""

    def __init__(self, model: Model, handle: c_void_p) -> None:
        self._model = model
        self._handle = handle
        # With the model as an argument, the model lives as long as this stream.
        self._free = finalize(self, Model.give_up, model, handle)
        self._free.atexit = False

    def feed(self, pcm: Samples) -> None:
        """Take the next samples, mono int16 at the model's rate."""
        whole = np.ascontiguousarray(pcm, np.int16)
        self._model.call("STT_FeedAudioContent", self._handle, whole.ctypes.data, len(whole))

    def intermediate(self, results: int) -> list[Transcript]:
        """The best readings so far, at most `results`."""
        return self._read("STT_IntermediateDecodeWithMetadata", results)

    def finish(self, results: int) -> list[Transcript]:
        """The best readings, at most `results`. Nothing may be called after this."""
        # The library frees the stream itself here.
        self._free.detach()
        return self._read("STT_FinishStreamWithMetadata", results)

    def _read(self, name: str, results: int) -> list[Transcript]:
        metadata = self._model.call(name, self._handle, results)
        try:
            found = metadata.contents
            return [_transcript(found.transcripts[index]) for index in range(found.count)]
        finally:
            self._model.call("STT_FreeMetadata", metadata)


def _close(thread: Confinement, library: Library, handle: c_void_p, content: bytes) -> None:
    if handle:
        thread.post(partial(_free, library, handle, content))
    thread.close()


def _free(library: Library, handle: c_void_p, _: bytes) -> None:
    """The model's bytes are an argument so that they outlive it."""
    library.call("STT_FreeModel", handle)


def survives(files: Sequence[Path], model: Path, scorer: Path) -> bool:
    """Whether the library can load this scorer. A truncated one aborts the process, so another
    process tries it first.
    """
    command = [sys.executable, "-m", __name__, *map(str, (*files, model, scorer))]
    tried = subprocess.run(command, capture_output=True, check=False)  # noqa: S603, it is us
    # Python exits with 1 for a scorer that the library refuses without a crash.
    return tried.returncode in (0, 1)


def _try(*paths: str) -> None:
    *files, model, scorer = map(Path, paths)
    Model(Library(files), model.read_bytes()).enable_scorer(scorer)


def _transcript(native: _Transcript) -> Transcript:
    tokens = (native.tokens[index] for index in range(native.count))
    return Transcript(
        tuple(Token(token.text.decode(), token.start_time) for token in tokens), native.confidence
    )


if __name__ == "__main__":
    _try(*sys.argv[1:])
