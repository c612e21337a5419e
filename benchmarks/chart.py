"""Draws what `benchmarks.load` has measured, one panel below the other, second by second."""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

from benchmarks.results import Rows

_SIZE = (8, 6)
"""Inches."""


def draw(table: Rows, file: Path) -> None:
    """Draw sessions, delays and memory over the seconds; the ending chooses SVG or PNG."""
    # Text as text, so that the picture is small and can be searched; no date, so that it is stable.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "load"})
    seconds = [row["second"] for row in table]
    figure, (sessions, delay, memory) = plt.subplots(
        3, sharex=True, figsize=_SIZE, layout="constrained"
    )
    for name, label in (("live", "live"), ("rtp", "calls"), ("file", "files")):
        sessions.step(seconds, [row[name] for row in table], label=label, where="post")
    sessions.plot(seconds, [row["refused"] for row in table], "--", label="refused so far")
    for name in ("p50", "p95", "p99"):
        points = [(row["second"], row[name]) for row in table if row[name] is not None]
        delay.plot(*zip(*points, strict=True), ".", label=name)
    delay.axhline(1.0, color="grey", linewidth=0.8)
    memory.plot(seconds, [row["memory_mb"] for row in table], label="memory")
    for panel, label in ((sessions, "sessions"), (delay, "final, s"), (memory, "MB")):
        panel.set_ylabel(label)
        panel.set_ylim(0, 1.2 * max(panel.get_ylim()[1], 1.0))
        panel.legend(loc="upper right", fontsize="small")
    memory.set_xlabel("seconds")
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)
    plt.close(figure)
