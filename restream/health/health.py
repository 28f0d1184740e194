"""The health of one feed, in one object: it sees what the publisher sends, and is asked once a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from restream.api import Finding, HealthSample, ProfileSpec, TargetSpec
from restream.gate import Publisher
from restream.health.findings import judge, places_of
from restream.health.history import History
from restream.health.meter import Measurements, Meter
from restream.health.uplink import carried_kbps
from restream.health.watch import Watch
from restream.media import Frame


class Observed:
    """A publisher (`gate.Publisher`) whose frames a meter sees on their way to it, while `seen`."""

    def __init__(self, publisher: Publisher, meter: Meter, left: Callable[[Observed], None]) -> None:
        self.publisher = publisher
        self._meter = meter
        self._left = left
        self.seen = True

    def frame(self, frame: Frame) -> None:
        """A frame; a broken header is refused before it is measured."""
        self.publisher.frame(frame)
        if self.seen:
            self._meter.push(frame)

    def metadata(self, values: dict[str, object]) -> None:
        """onMetaData."""
        self.publisher.metadata(values)
        if self.seen:
            self._meter.metadata(values)

    def closed(self, reason: str) -> None:
        """The publisher is gone."""
        self.publisher.closed(reason)
        self._left(self)


class Health:
    """`observe` every publisher that is admitted, hand the answer to its server, and `tick` once a second.

    It sees the encoder's own frames on the encoder's own clock: no slate, no splice. `on_raised` and
    `on_cleared` are called from `tick`, and when a publisher goes, once per change.
    """

    def __init__(
        self,
        on_raised: Callable[[Finding], None] = lambda finding: None,
        on_cleared: Callable[[Finding], None] = lambda finding: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._meter = Meter(clock)
        self._watch = Watch(on_raised, on_cleared)
        self._history = History()
        self.measured: Measurements | None = None
        """As of the last tick; None while nobody publishes."""
        self._observed: Observed | None = None

    def observe(self, publisher: Publisher) -> Observed:
        """The publisher, seen by us; whoever was observed before is no more."""
        self._ended()
        self._observed = Observed(publisher, self._meter, self._left)
        return self._observed

    def _left(self, observed: Observed) -> None:
        if observed is self._observed:  # the server of one that was replaced says goodbye later
            self._ended()

    def _ended(self) -> None:
        if self._observed:
            self._observed.seen = False
            self._observed = None
        self._meter.ended()
        self.measured = None
        self._watch.clear()

    def tick(
        self, targets: Sequence[TargetSpec], profiles: Sequence[ProfileSpec] = (), *, player: bool = True
    ) -> None:
        """Measure, judge for the targets that are wanted, and remember."""
        now = self._clock()
        at = datetime.fromtimestamp(now, UTC)
        self.measured = self._meter.measure(now)
        if self.measured:
            places = places_of(targets, profiles, player=player)
            self._watch.update(judge(self.measured, places), at)
        self._history.add(self._sample(at))

    def findings(self) -> list[Finding]:
        """What is raised now, alarms first."""
        return self._watch.findings

    def samples(self, since: datetime | None = None) -> list[HealthSample]:
        """The history from a moment on, the oldest first."""
        return self._history.since(since)

    def publisher(self) -> dict[str, Any]:
        """The measured fields of `PublisherStatus`, for `model_copy(update=…)`."""
        m = self.measured
        if m is None:
            return {}
        interval = m.keyframe_seconds
        return {
            "fps": m.fps,
            "bitrate_kbps": round(m.video_kbps + m.audio_kbps),
            "audio_kbps": round(m.audio_kbps),
            "audio_rate": m.audio_rate,
            "audio_channels": m.audio_channels,
            "keyframe_interval_ms": None if interval is None else round(interval * 1000),
            "b_frames": m.b_frames,
            "frames_missing": m.frames_missing,
            "drift_ms": round(m.drift_ms or 0),
        }

    def _sample(self, at: datetime) -> HealthSample:
        m = self.measured
        if m is None:
            return HealthSample(at=at)
        return HealthSample(
            at=at,
            video_kbps=m.video_kbps,
            audio_kbps=m.audio_kbps,
            arrival_kbps=m.arrival_kbps,
            uplink_kbps=carried_kbps(m),
            fps=m.fps,
            keyframe_seconds=m.keyframe_seconds,
            missing_percent=m.missing_share * 100,
            late_ms=m.late_ms,
            jitter_ms=m.jitter_ms,
            drift_ms=m.drift_ms,
            alarms=sum(finding.severity == "alarm" for finding in self.findings()),
        )
