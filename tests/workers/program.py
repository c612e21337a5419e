"""A worker whose engines are held up by a file: no real one stops in mid-file on demand."""

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from coqui_server.config import loading
from coqui_server.engines import Engines
from coqui_server.engines.base import Capabilities, Hypothesis, Options
from coqui_server.jobs.process import run
from coqui_server.media.samples import Samples
from coqui_transcript.transcript import Word


@dataclass
class Held:
    """An engine that gets nowhere as long as there is no file `gate`."""

    name: str
    gate: Path
    model: str = "none"
    capabilities: Capabilities = field(default_factory=Capabilities)

    def open(self, options: Options) -> "Held":
        return self

    def feed(self, pcm: Samples) -> None:
        while not self.gate.exists():
            time.sleep(0.01)

    def partial(self) -> Hypothesis:
        return Hypothesis("")

    def finish(self) -> Hypothesis:
        return Hypothesis("word", (Word("word", 0.0, 0.1, 0.5),))


def main(configuration: Path, gate: Path, *engines: str) -> None:
    """Work until the end, with engines of these names."""
    settings, _ = loading.load(configuration)
    sys.exit(run(settings, Engines(*(Held(name, gate) for name in engines))))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
