"""What is known about a running show: its feed's health, its recording, how late each destination is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from restream.api import Delay, Finding, HealthSample, LiveSpec, RecordingSpec, RecordingStatus
from restream.continuity.director import OnAir, Role
from restream.delays import DelayMap, Way, packaged_ms
from restream.gate import Publisher
from restream.health.health import Health
from restream.hls.packager import Packager
from restream.journal import Journal
from restream.live import Live
from restream.record.pictures import LatestPicture
from restream.record.recorder import Recorder

PLAYER = "player"
Standing = Literal["primary", "backup"]


@dataclass(frozen=True)
class Facts:
    """What a tick needs to know of the rest of the show."""

    spec: LiveSpec
    on_air: OnAir
    delays: Iterator[tuple[str, float, Literal["sent", "acknowledged"]]]


class Observer:
    """`observe` publishers as they are admitted, `apply` the wish, `tick` once a second."""

    def __init__(self, slug: str, live: Live, packager: Packager, journal: Journal, recordings: Path) -> None:
        self._slug = slug
        self._live = live
        self._packager = packager
        self._journal = journal
        self._recordings = recordings
        self._recorder: Recorder | None = None
        self._health: dict[Standing, Health] = {
            "primary": Health(self._raised, self._cleared),
            "backup": Health(),
        }
        self._delays = DelayMap(time.time)
        self._pictures = LatestPicture()
        live.attach(self._pictures)
        self._on_air: OnAir = "nothing"

    def observe(self, publisher: Publisher, role: Role) -> Publisher:
        """The publisher, measured on its way in."""
        return self._health["backup" if role == "backup" else "primary"].observe(publisher)

    async def apply(self, spec: LiveSpec) -> None:
        """Record or not; forget destinations that are gone."""
        await self._record(spec.recording)
        known = {target.id for target in spec.targets} | {PLAYER}
        for delay in self._delays.current():
            if delay.destination not in known:
                self._delays.forget(delay.destination)

    async def stop(self, *, show_over: bool = False) -> None:
        """Close the recording; with the show's end its time of being kept begins."""
        if self._recorder:
            self._live.detach(self._recorder)
            await self._recorder.stop(show_over=show_over)

    def tick(self, facts: Facts) -> None:
        """A second has passed."""
        self._on_air = facts.on_air
        spec = facts.spec
        wanted = [target for target in spec.targets if target.wanted]
        for health in self._health.values():
            health.tick(wanted, spec.profiles, player=spec.player)
        for destination, ms, way in facts.delays:
            self._delays.note(destination, ms, way)
        packaged = packaged_ms(self._packager.timeline, time.time())
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

    def measured(self, standing: Standing) -> dict[str, Any]:
        """The measured fields of a publisher's status."""
        return self._health[standing].publisher()

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
        return self._health["backup" if self._on_air == "backup" else "primary"]

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

    def _raised(self, finding: Finding) -> None:
        self._journal.write("finding.raised", self._slug, finding=finding)

    def _cleared(self, finding: Finding) -> None:
        self._journal.write("finding.cleared", self._slug, finding=finding)

    def _recording_changed(self, status: RecordingStatus) -> None:
        self._journal.write("recording.changed", self._slug, recording=status)
