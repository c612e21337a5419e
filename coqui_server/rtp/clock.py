"""How much silence lies before a packet: by its number, its timestamp and its arrival. No I/O.

A timestamp tells of gaps, but senders get it wrong: it wobbles, ticks at another rate than the
codec's, or does not count a pause. So packets in a row follow each other without a gap, unless
their timestamps and their arrival both tell of one.
"""

_WOBBLE = 0.15
"""Seconds that timestamps may be ahead of the sound before that is a gap by itself."""

STOPPED = 1.0
"""Seconds without a packet after which a sender has stopped, whatever the timestamps say."""

_MAX_UNCONFIRMED = 10.0
"""Seconds that a timestamp may jump if arrival cannot confirm it."""

_REAL_TIME = 0.7
"""A sender that takes less of the time of its sound is faster than real time, and the arrival of
its packets tells nothing."""

_WINDOW = 2.0
_ANOTHER_RATE = 0.05
"""Seconds over which the clock is measured, and the share by which it is another one."""


class SenderClock:
    """Follows the packets of one stream. Times are seconds, steps are timestamp units.

    Attributes:
        scale: timestamp units for each one that the codec's clock rate gives.
    """

    def __init__(self) -> None:
        self.scale = 1.0
        self._owed = self._late = 0.0
        self._sound = self._elapsed = 0.0
        self._steps = self._units = 0.0

    def gap(
        self,
        step: int,
        units: float,
        rate: int,
        missing: int,
        elapsed: float,
        *,
        burst: bool,
        marked: bool,
    ) -> float:
        """Seconds of silence between a packet and the next one that is there.

        Args:
            step: between their timestamps.
            units: of sound in the first one.
            rate: the clock rate of the codec, in hertz.
            missing: packets between them.
            elapsed: between their arrivals.
            marked: the sender says that it was silent (RFC 3551 section 4.1).
            burst: many packets came together with the second one: the network held them back.
        """
        length = units / rate
        lost = missing * length
        self._sound += length + lost
        self._elapsed += elapsed
        waited = elapsed - length - lost
        if not missing:
            self._learn(step, units, length, waited)
        beyond = step / (self.scale * rate) - length - lost
        if marked and 0 < beyond <= _MAX_UNCONFIRMED:
            return lost + beyond
        disagree = not waited / 2 <= beyond <= 2 * waited
        if waited > STOPPED and disagree and not burst and self._paced:
            self._owed = self._late = 0.0
            return lost + waited
        return lost + self._due(beyond, waited)

    def after_noise(self, step: int, rate: int, elapsed: float) -> float:
        """Seconds of silence after comfort noise, which has no length. Arguments as in `gap`."""
        gap = step / self.scale / rate
        confirmed = gap <= _MAX_UNCONFIRMED or elapsed >= gap / 2
        return gap if confirmed else elapsed

    @property
    def _paced(self) -> bool:
        """The sender sends in real time."""
        return self._elapsed > _REAL_TIME * self._sound

    def _due(self, beyond: float, waited: float) -> float:
        """Silence that is played now, of what the timestamps are ahead of the numbers."""
        self._owed = max(self._owed + beyond, -_WOBBLE)
        self._late = self._late + waited if self._owed > 0 else 0.0
        confirmed = self._late >= self._owed / 2 if self._paced else beyond <= _MAX_UNCONFIRMED
        if self._owed <= 0 or not confirmed:
            self._owed = min(self._owed, _WOBBLE)
            return 0.0
        due, self._owed, self._late = self._owed, 0.0, 0.0
        return due

    def _learn(self, step: int, units: float, length: float, waited: float) -> None:
        """Measure the sender's clock over packets that came one after the other."""
        if step <= 0 or abs(waited) > _WOBBLE:
            return
        self._steps += step
        self._units += units
        if self._units * length < _WINDOW * units:
            return
        ratio = self._steps / self._units
        scale = ratio if abs(ratio - 1) > _ANOTHER_RATE else 1.0
        if scale != self.scale:
            self._owed = self._late = 0.0
        self.scale = scale
        self._steps = self._units = 0.0
