"""What the names of models mean that OpenAI's clients send. No I/O.

Its REST and its Realtime surface share it.
"""

import re

from coqui_server.engines import Engines

NAMES = (
    "whisper-1",
    "gpt-transcribe",
    "gpt-live-transcribe",
    "gpt-realtime-whisper",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-transcribe-diarize",
)
"""Names of OpenAI that are listed, because programs look for them."""

_THEIRS = re.compile(r"whisper-[\w.-]+|gpt-[\w.-]*(transcribe|realtime)[\w.-]*")
"""The names of OpenAI's models, with those that come later. Realtime clients may name a model for
conversations in the address, and the one that transcribes later."""


def engine(engines: Engines, model: str | None) -> str | None:
    """The name of the engine for a model; None for the default engine.

    Raises:
        UnknownEngine: there is none, and it is no model of OpenAI.
    """
    ours = {name for engine in engines for name in (engine.name, engine.model)}
    if model is not None and (model in ours or not _THEIRS.fullmatch(model)):
        return engines.get(model).name
    return None


def diarizes(model: str | None) -> bool:
    """Whether it is the model that tells speakers apart."""
    return model is not None and model.endswith("-diarize")
