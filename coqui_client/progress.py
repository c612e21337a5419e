"""One line on a terminal: bytes or seconds sent, then seconds waited."""

import asyncio
import os
import sys
from typing import Any

from tqdm import tqdm

_REDRAW_SECONDS = 0.5
_LATEST_CHARACTERS = 40
_USUAL_SIZE = {"ncols": 80, "nrows": 24}


class Progress:
    """A line about one file on stderr, erased when it is closed; nothing if not `visible`.

    Args:
        name: of the file, before everything else.
        visible: False for a pipe or a log.
    """

    def __init__(self, name: str, visible: bool) -> None:
        self._name = name
        self._visible = visible
        self._bar: tqdm[Any] | None = None

    def begin(self, size: int) -> None:
        """Start counting to `size` bytes; 0 if it is not known."""
        self._replace(total=size or None, unit="B", unit_scale=True, unit_divisor=1024)

    @property
    def interim(self) -> bool:
        """Whether partials are shown."""
        return self._visible

    def call(self) -> None:
        """Start counting the seconds of a telephone call."""
        self._replace(bar_format="{desc}: calling, {n:.0f} s{postfix}")

    def listening(self) -> None:
        """Start counting the seconds of live sound."""
        self._replace(bar_format="{desc}: listening, {n:.0f} s{postfix}")

    def sent(self, count: float) -> None:
        """Another `count` bytes or seconds were sent."""
        if self._bar is not None:
            self._bar.update(count)

    def heard(self, text: str, *, final: bool = False) -> None:
        """Show the last words of `text` behind the seconds, from the next `sent` on."""
        if self._bar is not None:
            # One line without control characters.
            line = "".join(letter for letter in text if letter.isprintable())
            self._bar.set_postfix_str(line[-_LATEST_CHARACTERS:].strip(), refresh=False)

    async def wait(self, state: str) -> None:
        """Show `state` and the seconds since the call, until cancelled."""
        self._replace(bar_format=f"{{desc}}: {state}, {{elapsed_s:.0f}} s")
        while True:
            if self._bar is not None:
                self._bar.refresh()
            await asyncio.sleep(_REDRAW_SECONDS)

    def close(self) -> None:
        """Erase the line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _replace(self, **options: Any) -> None:
        self.close()
        if self._visible:
            self._bar = tqdm(desc=self._name, leave=False, **_size(), **options)


def _size() -> dict[str, Any]:
    # A terminal without a size, as in a container, says 0, and then tqdm draws nothing.
    if os.get_terminal_size(sys.stderr.fileno()).columns:
        return {"dynamic_ncols": True}
    return _USUAL_SIZE
