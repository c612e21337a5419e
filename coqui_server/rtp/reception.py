"""The receiver's report to a sender about its stream (RFC 3550 sections 6.4 and A.3, A.8)."""

from coqui_server.rtp.jitter import JitterBuffer
from coqui_server.rtp.packet import TIMESTAMPS, ahead
from coqui_server.rtp.rtcp import ReportBlock, SenderReport


class Reception:
    """The jitter and the report of one run of sequence numbers."""

    def __init__(self) -> None:
        self.report: SenderReport | None = None
        self._clock = 8000
        self._jitter = 0.0
        self._transit: int | None = None
        self._reported_at = 0.0
        self._expected = self._received = 0

    @property
    def jitter(self) -> float:
        """Interarrival jitter in seconds."""
        return self._jitter / self._clock

    def arrived(self, timestamp: int, now: float, clock: int) -> None:
        """Take the arrival of a packet of sound at `now` (seconds) into the jitter (A.8)."""
        transit = (int(now * clock) - timestamp) % TIMESTAMPS
        if clock != self._clock:
            self._jitter *= clock / self._clock
            self._clock, self._transit = clock, None
        if self._transit is not None:
            difference = abs(ahead(transit, self._transit, TIMESTAMPS))
            self._jitter += (difference - self._jitter) / 16
        self._transit = transit

    def reported(self, report: SenderReport, now: float) -> None:
        """Keep the last sender report; our report refers to it."""
        self.report, self._reported_at = report, now

    def block(self, ssrc: int, packets: JitterBuffer, now: float) -> ReportBlock:
        """The report since the one before (A.3); without a sender's report its time is 0."""
        expected = packets.expected - self._expected
        received = packets.received - self._received
        self._expected, self._received = packets.expected, packets.received
        fraction = max(0, (expected - received) * 256 // expected) if expected else 0
        return ReportBlock(
            ssrc=ssrc,
            fraction=min(fraction, 255),
            lost=packets.expected - packets.received,
            highest=packets.highest,
            jitter=int(self._jitter),
            last_report=self.report.ntp >> 16 & 0xFFFFFFFF if self.report else 0,
            delay=int((now - self._reported_at) * 65536) if self.report else 0,
        )
