"""What a gateway process counts, and how Prometheus reads it: all processes of one port in one answer.

Processes that share a port cannot be asked one by one: the kernel picks who answers. So each tells the others
its figures, and whoever is asked answers for all.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

PASS_SECONDS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)

GAUGES: Final = {
    "viewers": "Screens of viewers",
    "staff": "Screens of staff",
    "rooms": "Shows that somebody watches",
    "behind": "Screens that take less than they are sent, and are left out until they have taken it",
}
COUNTERS: Final = {
    "events": "News heard from the bus",
    "merged": "News not sent to a screen because newer ones made them worthless",
    "frames": "Frames sent",
    "bytes": "Bytes sent in frames",
    "dropped_frames": "Frames not sent to screens that were behind",
    "snapshots_asked": "Screens told to load a snapshot because they were too slow",
    "holes": "Times that news were missing for a whole room",
    "shed": "News dropped because too many waited",
    "refused_full": "Screens refused: too many here",
    "refused_address": "Screens refused: too many from one address",
    "refused_token": "Screens refused: no valid token",
    "closed_noisy": "Screens closed because they talked too much",
    "said": "Events of viewers that pages told us and the stream keeps",
    "said_later": "Times that a page was told to send its events later",
    "said_refused": "Events of pages that make no sense",
    "said_lost": "Comings and goings let go of because the stream was away for too long",
}


@dataclass
class Figures:
    """One process's. Plain numbers: they are changed in the hot path."""

    viewers: int = 0
    staff: int = 0
    rooms: int = 0
    behind: int = 0
    events: int = 0
    merged: int = 0
    frames: int = 0
    bytes: int = 0
    dropped_frames: int = 0
    snapshots_asked: int = 0
    holes: int = 0
    shed: int = 0
    refused_full: int = 0
    refused_address: int = 0
    refused_token: int = 0
    closed_noisy: int = 0
    said: int = 0
    said_later: int = 0
    said_refused: int = 0
    said_lost: int = 0
    pass_seconds: float = 0.0
    passes: list[int] = field(default_factory=lambda: [0] * (len(PASS_SECONDS) + 1))

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Figures:
        """What another process told; a newer version may tell more."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in said.items() if name in known})

    def told(self) -> dict[str, Any]:
        """For the other processes."""
        return asdict(self)

    def passed(self, seconds: float) -> None:
        """One round over a room's screens took so long."""
        self.pass_seconds += seconds
        self.passes[bisect_left(PASS_SECONDS, seconds)] += 1


class Report(Collector):
    """The figures of several processes by their names."""

    def __init__(self, processes: Mapping[str, Figures]) -> None:
        self._processes = processes

    def collect(self) -> Iterator[Metric]:
        """Every figure of every process."""
        for name, words in GAUGES.items():
            yield self._filled(GaugeMetricFamily(f"simulcast_gateway_{name}", words, labels=["process"]))
        for name, words in COUNTERS.items():
            yield self._filled(CounterMetricFamily(f"simulcast_gateway_{name}", words, labels=["process"]))
        told = HistogramMetricFamily(
            "simulcast_gateway_pass_seconds", "One round over a room's screens", labels=["process"]
        )
        for process, figures in self._processes.items():
            told.add_metric([process], list(cumulative(figures.passes)), figures.pass_seconds)
        yield told

    def _filled(self, family: GaugeMetricFamily | CounterMetricFamily) -> Metric:
        for process, figures in self._processes.items():
            family.add_metric([process], getattr(figures, family.name.removeprefix("simulcast_gateway_")))
        return family


def cumulative(counts: Iterable[int]) -> Iterator[tuple[str, float]]:
    """Prometheus's buckets: each holds the ones before it."""
    total = 0
    for bound, count in zip((*map(str, PASS_SECONDS), "+Inf"), counts, strict=False):
        total += count
        yield bound, total
