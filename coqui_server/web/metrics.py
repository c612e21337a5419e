"""Metrics for Prometheus: the state of the service, its calls and its process.

Nothing is counted here: all values are computed from the parts at each request. Labels have few
values: kinds of sessions, names of engines.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from coqui_server.config.audio import Kind
from coqui_server.rtp.listener import Listener
from coqui_server.transcription.service import Service
from coqui_server.transcription.statistics import KINDS, PACKET_COUNTERS, Totals

_TOTALS = {
    "sessions": ("coqui_sessions", "Sessions opened."),
    "sound": ("coqui_sound_seconds", "Sound listened to."),
    "decoding": ("coqui_decoding_seconds", "Time that recognisers took."),
    "utterances": ("coqui_utterances", "Finals."),
    "words": ("coqui_words", "Words in finals."),
    "dropped": ("coqui_words_dropped", "Words there was not enough speech for."),
}

_PACKETS = {
    "packets": "RTP packets that were played.",
    "lost": "RTP packets that never came.",
    "late": "RTP packets that came too late to be played.",
    "duplicates": "RTP packets that came twice.",
    "overrun": "RTP packets beyond what is buffered.",
}


def registry(service: Service, rtp: Listener) -> CollectorRegistry:
    """A registry for this daemon alone."""
    registry = CollectorRegistry()
    registry.register(_Daemon(service, rtp))
    ProcessCollector(registry=registry)
    return registry


class _Daemon(Collector):
    def __init__(self, service: Service, rtp: Listener) -> None:
        self._service = service
        self._rtp = rtp

    def describe(self) -> list[Metric]:
        """Nothing: the names do not depend on the state."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from self._sessions()
        yield from self._decoders()
        yield from self._packets()
        yield from self._cluster()

    def _sessions(self) -> Iterator[Metric]:
        health, statistics = self._service.health(), self._service.statistics
        yield _gauge("coqui_draining", "The daemon is shutting down.", health["status"] != "ok")
        yield _by_kind(
            GaugeMetricFamily("coqui_sessions_open", "Sessions open now.", labels=["kind"]),
            health["sessions"],
        )
        yield _gauge("coqui_sessions_limit", "server.max_sessions.", health["max_sessions"])
        totals = statistics.totals(self._service.sessions)
        for field in fields(Totals):
            name, meaning = _TOTALS[field.name]
            sums = {kind: getattr(totals[kind], field.name) for kind in KINDS}
            yield _by_kind(CounterMetricFamily(name, meaning, labels=["kind"]), sums)
        yield _by_kind(
            CounterMetricFamily(
                "coqui_sessions_refused", "Sessions there was no room for.", labels=["kind"]
            ),
            {kind: statistics.refused[kind] for kind in KINDS},
        )

    def _decoders(self) -> Iterator[Metric]:
        decoders = self._service.health()["decoders"]
        yield _gauge("coqui_decoder_threads", "Decoder threads.", decoders["threads"])
        yield _gauge("coqui_decoder_running", "Decoder threads at work.", decoders["running"])
        yield _gauge("coqui_decoder_waiting", "Jobs no thread has taken yet.", decoders["waiting"])
        yield _gauge(
            "coqui_decoder_needed", "Threads that live sessions keep busy.", decoders["needed"]
        )
        yield _gauge(
            "coqui_overloaded", "Another live session would be refused.", decoders["overloaded"]
        )

    def _packets(self) -> Iterator[Metric]:
        sums = self._service.statistics.packets.copy()
        for leg, _ in self._rtp:
            if leg.session in self._service.sessions:
                counted = leg.statistics()
                sums.update({name: counted[name] for name in PACKET_COUNTERS})
        for name in PACKET_COUNTERS:
            metric = "coqui_rtp_packets" if name == "packets" else f"coqui_rtp_packets_{name}"
            yield CounterMetricFamily(metric, _PACKETS[name], value=sums[name])
        yield CounterMetricFamily(
            "coqui_rtp_datagrams_dropped",
            "Datagrams that were not let in.",
            value=self._rtp.drops.total.total(),
        )

    def _cluster(self) -> Iterator[Metric]:
        if cluster := self._service.cluster:
            yield _gauge("coqui_redis_up", "Redis answers.", cluster.link.up)
            yield CounterMetricFamily(
                "coqui_news_dropped",
                "Events that other servers did not hear of.",
                value=cluster.dropped,
            )


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=float(value))


def _by_kind(
    family: CounterMetricFamily | GaugeMetricFamily, values: Mapping[Kind, float]
) -> Metric:
    for kind, value in values.items():
        family.add_metric([kind], value)
    return family
