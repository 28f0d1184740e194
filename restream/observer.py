"""What is known about a running show: its feed's health, its recording, how late each destination is."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import structlog

from restream.api import Delay, Finding, HealthSample, LiveSpec, RecordingSpec, RecordingStatus
from restream.continuity.director import ROLES, OnAir, Role
from restream.delays import DelayMap, Way, packaged_ms
from restream.gate import Publisher
from restream.health.health import Health
from restream.hls.renditions import Renditions
from restream.journal import Journal
from restream.live import Live
from restream.record.pictures import LatestPicture
from restream.record.recorder import Recorder

log = structlog.get_logger()

PLAYER = "player"


@dataclass(frozen=True)
class Facts:
    """What a tick needs to know of the rest of the show."""

    spec: LiveSpec
    on_air: OnAir
    delays: Iterator[tuple[str, float, Literal["sent", "acknowledged"]]]


class Observer:
    """`observe` publishers as they are admitted, `apply` the wish, `tick` once a second."""

    def __init__(
        self, slug: str, live: Live, renditions: Renditions, journal: Journal, recordings: Path
    ) -> None:
        self._slug = slug
        self._live = live
        self._renditions = renditions
        self._journal = journal
        self._recordings = recordings
        self._recorder: Recorder | None = None
        self._health: dict[Role, Health] = {role: Health() for role in ROLES}
        self._told: dict[tuple[str, str | None], Finding] = {}
        self._delays = DelayMap(time.time)
        self._pictures = LatestPicture()
        live.attach(self._pictures)
        self._on_air: OnAir = "nothing"

    def observe(self, publisher: Publisher, role: Role) -> Publisher:
        """The publisher, measured on its way in."""
        return self._health[role].observe(publisher)

    async def apply(self, spec: LiveSpec) -> None:
        """Record or not; forget destinations that are gone."""
        await self._record(spec.recording)
        known = {target.id for target in spec.targets} | {PLAYER}
        for delay in self._delays.current():
            if delay.destination not in known:
                self._delays.forget(delay.destination)

    async def stop(self, *, show_over: bool = False) -> None:
        """Close the recording; with the show's end its time of being kept begins."""
        if show_over:
            self._tell([])
        if self._recorder:
            self._live.detach(self._recorder)
            try:
                await self._recorder.stop(show_over=show_over)
            except OSError as error:  # a full disk must not keep a show from ending
                log.warning("recording.end_not_noted", show=self._slug, why=error.strerror)

    def tick(self, facts: Facts) -> None:
        """A second has passed."""
        self._on_air = facts.on_air
        spec = facts.spec
        wanted = [target for target in spec.targets if target.wanted]
        for health in self._health.values():
            health.tick(wanted, spec.profiles, player=spec.player)
        self._tell(self.findings())
        for destination, ms, way in facts.delays:
            self._delays.note(destination, ms, way)
        packaged = packaged_ms(self._renditions.timeline, time.time())
        if packaged is not None:
            self._delays.note(PLAYER, packaged, "sent")

    def note_delay(self, destination: str, ms: float, way: Way) -> None:
        """What a platform or a player reports."""
        self._delays.note(destination, ms, way)

    def findings(self) -> list[Finding]:
        """What is wrong with the feed that is on air."""
        return self._current.findings()

    def samples(self, since: datetime | None) -> list[HealthSample]:
        """The history of the feed's health."""
        return self._current.samples(since)

    def measured(self, role: Role) -> dict[str, Any]:
        """The measured fields of a publisher's status."""
        return self._health[role].publisher()

    async def picture(self) -> bytes | None:
        """A JPEG of what is sent, at most ten seconds old; None before the first picture."""
        return await self._pictures.get()

    def delays(self) -> list[Delay]:
        """How late each destination is."""
        return self._delays.current()

    def delay_series(self, destination: str, since: datetime | None) -> list[Delay]:
        """The same over time."""
        return self._delays.series(destination, since)

    def recording(self) -> RecordingStatus:
        """What the recording is doing."""
        return self._recorder.status() if self._recorder else RecordingStatus(state="off")

    @property
    def _current(self) -> Health:
        """Of who is on air; a source only while nobody with the show's key is there."""
        if self._on_air == "backup":
            return self._health["backup"]
        publisher = self._live.publisher
        return self._health[publisher.role if publisher else "primary"]

    async def _record(self, wanted: RecordingSpec | None) -> None:
        recorder = self._recorder
        if wanted and recorder:
            recorder.apply(wanted)
        elif wanted:
            self._recorder = recorder = Recorder(
                self._recordings, self._slug, wanted, on_change=self._recording_changed
            )
            recorder.start()
            self._live.attach(recorder)
        elif recorder:
            self._recorder = None
            self._live.detach(recorder)
            await recorder.stop()

    def _tell(self, findings: Sequence[Finding]) -> None:
        """What is raised or cleared since the last time, whoever was on air then. A new severity is news."""
        found = {(finding.code, finding.target): finding for finding in findings}
        told, self._told = self._told, found
        for place, finding in found.items():
            if place not in told or told[place].severity != finding.severity:
                self._journal.write("finding.raised", self._slug, finding=finding)
        for place, finding in told.items():
            if place not in found:
                self._journal.write("finding.cleared", self._slug, finding=finding)

    def _recording_changed(self, status: RecordingStatus) -> None:
        self._journal.write("recording.changed", self._slug, recording=status)
