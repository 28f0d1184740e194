"""The media port: playback for everybody, WHIP for encoders, and the worker's health and figures."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from restream.api import uplink_token
from restream.control import healthz
from restream.health.uplink import UploadTest
from restream.hls.origin import Origin
from restream.hls.respond import Receive, Scope, Send
from restream.ingest.whip_door import WhipDoor
from restream.worker import Worker


class MediaApp:
    """`/live/` goes to the origin without a detour; the rest is not asked often."""

    def __init__(self, worker: Worker, whip: WhipDoor, token: SecretStr) -> None:
        self._origin = Origin(worker.packager)
        self._whip = whip

        def allowed(given: str) -> bool:
            wanted = (uplink_token(token.get_secret_value(), slug) for slug in worker.slugs())
            return any(hmac.compare_digest(given.encode(), one.encode()) for one in wanted)

        self._uplink = UploadTest(allowed)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Figures(worker))

        async def metrics(_: Request) -> Response:
            return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

        self._rest = Starlette(routes=[Route("/healthz", healthz), Route("/metrics", metrics)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
        elif scope["path"].startswith("/live/"):
            app = self._whip if self._whip.serves(scope["path"]) else self._origin
            await app(scope, receive, send)
        elif scope["path"] == "/uplink":
            await self._uplink(scope, receive, send)
        else:
            await self._rest(scope, receive, send)


class Figures(Collector):
    """Prometheus figures, read off the worker when they are asked for."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def collect(self) -> Iterator[Metric]:
        """Every figure of every show."""
        publishing = GaugeMetricFamily("simulcast_publishing", "1 while an encoder sends", labels=["show"])
        kbps = GaugeMetricFamily("simulcast_ingest_kbps", "Bit rate of the feed", labels=["show"])
        waiting = GaugeMetricFamily("simulcast_hls_waiting", "Blocked HLS requests", labels=["show"])
        names = ["show", "target"]
        live = GaugeMetricFamily("simulcast_target_live", "1 while the far end takes the feed", labels=names)
        sent = CounterMetricFamily("simulcast_target_sent_bytes", "Bytes pushed", labels=names)
        dropped = CounterMetricFamily("simulcast_target_dropped_frames", "Frames left out", labels=names)
        connects = CounterMetricFamily("simulcast_target_connects", "Connection attempts", labels=names)
        for status in self._worker.statuses():
            publishing.add_metric([status.slug], float(status.publisher is not None))
            kbps.add_metric([status.slug], status.publisher.bitrate_kbps if status.publisher else 0)
            packager = self._worker.packager(status.slug)
            waiting.add_metric([status.slug], len(packager.bell) if packager else 0)
            for target in status.targets:
                labels = [status.slug, target.name]
                live.add_metric(labels, float(target.state == "live"))
                sent.add_metric(labels, target.bytes_sent)
                dropped.add_metric(labels, target.frames_dropped)
                connects.add_metric(labels, target.connects)
        yield from (publishing, kbps, waiting, live, sent, dropped, connects)
