"""The description of a session to open: what a protocol, the queue or a call asks for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from coqui_server.config.audio import Kind
from coqui_server.config.speakers import Speakers
from coqui_server.config.text import TextFormat
from coqui_server.engines.base import DEFAULT_OPTIONS, AnyEngine, Options
from coqui_server.speakers.model import SpeakerModel
from coqui_server.transcription.events import Sink
from coqui_server.transcription.keeping import Keeper


def _nothing_counted() -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class SessionRequest:
    """One session to open.

    Attributes:
        kind: where its sound comes from.
        engine: one of the enabled engines; None for the default engine.
        format: of its text; None for `text.format`.
        speakers: whether they are told apart; None for the setting `speakers`.
        voices: tells them apart, where that is wanted.
        silence: seconds that end an utterance of live sound; None for `vad.silence`.
        interim: seconds of new speech between two partials; None for finals only.
        call: the id of the telephone call it is a leg of.
        label: its name for people.
        owner: the user it belongs to.
        keeper: keeps it instead of the service's own.
        sinks: receive each event one after another, in this order.
        transport: gives what the transport counted (packets, losses), when the session ends.
    """

    kind: Kind
    engine: AnyEngine | None = None
    options: Options = DEFAULT_OPTIONS
    format: TextFormat | None = None
    speakers: Speakers | None = None
    voices: SpeakerModel | None = None
    silence: float | None = None
    interim: float | None = None
    call: str | None = None
    label: str | None = None
    owner: str | None = None
    keeper: Keeper | None = None
    sinks: tuple[Sink, ...] = ()
    transport: Callable[[], Mapping[str, Any]] = _nothing_counted

    @property
    def live(self) -> bool:
        """Whether somebody speaks now, so that the sound must be decoded in time.

        The one place where a kind is turned into a behaviour: all other code asks for `live`.
        """
        return self.kind != "file"
