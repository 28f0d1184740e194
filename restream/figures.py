"""The worker's figures for Prometheus, read when they are asked for. No key and no address is a label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from restream.api import LiveStatus
from restream.worker import Worker

SHOW: Final = ["show"]
TARGET: Final = ["show", "id", "target"]
SEVERITIES: Final = ("info", "warning", "alarm")
Figure = GaugeMetricFamily | CounterMetricFamily
EACH: Final[tuple[tuple[str, type[Figure], str], ...]] = (
    ("live", GaugeMetricFamily, "1 while the far end takes the feed"),
    ("sent_bytes", CounterMetricFamily, "Bytes pushed"),
    ("acknowledged_bytes", CounterMetricFamily, "Bytes the far end says it has"),
    ("dropped_frames", CounterMetricFamily, "Frames left out"),
    ("connects", CounterMetricFamily, "Connection attempts"),
    ("gaps", CounterMetricFamily, "Times it stopped being live while it should have been"),
    ("wanted_seconds", CounterMetricFamily, "Time in which it should have been live"),
    ("live_seconds", CounterMetricFamily, "Time in which it was live"),
)
FIELDS: Final = {
    "sent_bytes": "bytes_sent",
    "acknowledged_bytes": "bytes_acknowledged",
    "dropped_frames": "frames_dropped",
    "connects": "connects",
    "gaps": "gaps",
    "wanted_seconds": "seconds_wanted",
    "live_seconds": "seconds_live",
}
"""Figure of a target → field of its status."""


class Figures(Collector):
    """Every figure of a worker."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def collect(self) -> Iterator[Metric]:
        """Every figure of every show."""
        shows: dict[str, Figure] = {
            "publishing": GaugeMetricFamily("simulcast_publishing", "1 while an encoder sends", labels=SHOW),
            "on_air": GaugeMetricFamily("simulcast_on_air", "1 for what is on air", labels=[*SHOW, "source"]),
            "kbps": GaugeMetricFamily("simulcast_ingest_kbps", "Bit rate of the feed", labels=SHOW),
            "fps": GaugeMetricFamily("simulcast_ingest_fps", "Pictures a second of the feed", labels=SHOW),
            "waiting": GaugeMetricFamily("simulcast_hls_waiting", "Blocked HLS requests", labels=SHOW),
            "findings": GaugeMetricFamily(
                "simulcast_findings", "What is wrong with the feed", labels=[*SHOW, "severity"]
            ),
            "recorded": CounterMetricFamily("simulcast_recorded_bytes", "Bytes recorded", labels=SHOW),
            "speed": GaugeMetricFamily(
                "simulcast_encoder_speed", "Media seconds encoded a second", labels=[*SHOW, "profile"]
            ),
            "restarts": CounterMetricFamily(
                "simulcast_encoder_restarts", "Encoders started anew", labels=[*SHOW, "profile"]
            ),
            "delay": GaugeMetricFamily(
                "simulcast_delay_seconds", "From our ingest", labels=[*SHOW, "destination", "way"]
            ),
        }
        targets = {
            name: family(f"simulcast_target_{name}", text, labels=TARGET) for name, family, text in EACH
        }
        for status in self._worker.statuses():
            self._show(status, shows)
            for target in status.targets:
                for name, family in targets.items():
                    value = target.state == "live" if name == "live" else getattr(target, FIELDS[name])
                    family.add_metric([status.slug, target.id, target.name], float(value))
        yield from shows.values()
        yield from targets.values()

    def _show(self, status: LiveStatus, figures: dict[str, Figure]) -> None:
        slug, publisher = status.slug, status.publisher
        renditions = self._worker.renditions(slug)
        figures["publishing"].add_metric([slug], float(publisher is not None))
        figures["on_air"].add_metric([slug, status.on_air], 1.0)
        figures["kbps"].add_metric([slug], publisher.bitrate_kbps if publisher else 0)
        figures["fps"].add_metric([slug], (publisher.fps or 0.0) if publisher else 0.0)
        figures["waiting"].add_metric([slug], renditions.waiting if renditions else 0)
        figures["recorded"].add_metric([slug], status.recording.bytes)
        for severity in SEVERITIES:
            count = sum(finding.severity == severity for finding in status.findings)
            figures["findings"].add_metric([slug, severity], count)
        for encoder in status.encoders:
            figures["speed"].add_metric([slug, encoder.profile], encoder.speed or 0.0)
            figures["restarts"].add_metric([slug, encoder.profile], encoder.restarts)
        for delay in status.delays:
            figures["delay"].add_metric([slug, delay.destination, delay.way], delay.ms / 1000)
