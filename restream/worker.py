"""The worker: every programme it carries, and the gate that publishers come through."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

import structlog

from restream.api import Finding, LiveSpec, LiveStatus, PlanStatus, PlaybackSpec, ViewersStatus
from restream.assets import Assets
from restream.encode.planner import plan
from restream.gate import Publisher, PublishRefused, PublishRequest
from restream.hls.renditions import Renditions
from restream.programme import House, Programme
from restream.replay.shelf import Shelf
from restream.webrtc.watch import WatchFeed

log = structlog.get_logger()

APP: Final = "live"
FORGET_SECONDS: Final = 600.0
"""How long an ended show can still be asked for; players that lag behind see its last minute."""


class Worker:
    """All of it runs in one event loop; nothing here blocks."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.assets = Assets(house.assets)
        self.replays = Shelf(house.recordings, running=self.runs)
        self.audience: Callable[[str], ViewersStatus] = lambda slug: ViewersStatus()
        """Who watches a show; told by whoever serves viewers."""
        self._journal = house.journal
        self._programmes: dict[str, Programme] = {}
        self._putting: dict[str, asyncio.Lock] = {}
        """One wish at a time for each show: its end, and what is kept of it, before it begins anew."""

    async def put(self, spec: LiveSpec) -> LiveStatus:
        """Take the whole wanted state of a show. Repeatable."""
        async with self._putting.setdefault(spec.slug, asyncio.Lock()):
            return await self._put(spec)

    async def _put(self, spec: LiveSpec) -> LiveStatus:
        programme = await self._programme_for(spec)
        was_open = programme.spec.open or programme.spec is spec
        if spec.open:
            await self.replays.apply(spec)
        await programme.apply(spec)
        if not spec.open:
            await self.replays.apply(spec)  # when the last segments have been handed over
        if was_open and not programme.spec.open:
            asyncio.get_running_loop().call_later(FORGET_SECONDS, self._forget, programme)
        return self.status(programme)

    def status(self, programme: Programme) -> LiveStatus:
        """What is so of one show, viewers and replay included."""
        said, slug = programme.status(), programme.spec.slug
        said.viewers = self.audience(slug)
        if trouble := self.replays.trouble(slug):
            now = datetime.now(UTC)
            said.findings.append(
                Finding(code="replay.trouble", severity="warning", sentence=trouble, since=now)
            )
        return said

    def statuses(self) -> list[LiveStatus]:
        """Every show."""
        return [self.status(programme) for programme in self._programmes.values()]

    def programme(self, slug: str) -> Programme | None:
        """One show."""
        return self._programmes.get(slug)

    def slugs(self) -> list[str]:
        """The shows on this worker."""
        return list(self._programmes)

    def carries(self, slug: str) -> bool:
        """Whether a show is on this worker."""
        return slug in self._programmes

    def runs(self, slug: str) -> bool:
        """Whether a show is on this worker and goes on."""
        programme = self._programmes.get(slug)
        return programme is not None and programme.spec.open

    def plan(self, spec: LiveSpec) -> PlanStatus:
        """What a wish would cost here, beside the other shows; nothing is changed."""
        programme, machine = self._programmes.get(spec.slug), self.house.machine
        facts = programme.facts if programme else None
        used = {target.profile for target in spec.targets if target.profile}
        return plan(
            spec.profiles, facts, machine.free_for(spec.slug), factor=machine.factor, wanted=used
        ).status

    def may_measure(self) -> bool:
        """Whether profiles are wanted and nobody is on the air: the time to see how fast this machine is."""
        statuses = self.statuses()
        return any(status.encoders for status in statuses) and not any(
            status.publisher or status.backup for status in statuses
        )

    def srt_passphrase(self, key: str) -> str | None:
        """What an SRT publisher with this key must encrypt with (`ingest.srt.SrtGate`). PublishRefused."""
        programme = self._programme_of(key_hash_of(key), None)
        if programme is None:
            raise unknown_key()
        secret = programme.spec.srt_passphrase
        return secret.get_secret_value() if secret else None

    def renditions(self, slug: str) -> Renditions | None:
        """What a player is served from."""
        programme = self._programmes.get(slug)
        return programme.renditions if programme else None

    def watched(self, slug: str) -> WatchFeed | None:
        """What a viewer gets by WebRTC."""
        programme = self._programmes.get(slug)
        return programme.watched() if programme else None

    def all_watched(self) -> list[WatchFeed]:
        """The same for every show that is not over."""
        found = (programme.watched() for programme in self._programmes.values())
        return [one for one in found if one]

    def playback(self, slug: str) -> PlaybackSpec | None:
        """Who may watch; None for a show that nobody here knows, or whose rules are lost."""
        if self.replays.has(slug):
            return self.replays.playback(slug)
        programme = self._programmes.get(slug)
        return programme.spec.playback if programme else None

    async def publish(self, request: PublishRequest, kick: Callable[[str], None]) -> Publisher:
        """The gate (`gate.Gate`). The key is compared by its hash and goes no further.

        Where the address names the show (WHIP), the key must be that show's.
        """
        if request.app != APP:
            raise PublishRefused(
                "NetConnection.Connect.InvalidApp", f"The server address must end with /{APP}."
            )
        key_hash = key_hash_of(request.key)
        programme = self._programme_of(key_hash, request.slug)
        if programme:
            return programme.admit(request, key_hash, kick)
        log.warning("publisher.refused", peer=request.peer, encoder=request.encoder)
        raise unknown_key()

    async def tell_statistics(self, every: float) -> None:
        """Measure every show and write its status into the journal, until cancelled."""
        while True:
            await asyncio.sleep(every)
            for programme in list(self._programmes.values()):
                try:
                    programme.tick()
                    self._journal.write("live.stats", programme.spec.slug, status=self.status(programme))
                except Exception:  # our mistake about one show must not silence the others
                    log.exception("statistics.failed", show=programme.spec.slug)

    async def stop(self) -> None:
        """Say goodbye to every platform."""
        await asyncio.gather(*(programme.stop() for programme in self._programmes.values()))
        await self.replays.stop()

    async def _programme_for(self, spec: LiveSpec) -> Programme:
        """Who carries a wish. A show that ended and is wanted again begins anew: its playlist has an end."""
        before = self._programmes.get(spec.slug)
        if before and not before.spec.open and spec.open and spec.version > before.spec.version:
            await before.stop()  # waits for what its end still does, above all on the disk
            if self._programmes.get(spec.slug) is before:
                del self._programmes[spec.slug]
        if spec.slug not in self._programmes:
            programme = self._programmes[spec.slug] = Programme(spec, self.house)
            programme.renditions.on_segment = partial(self.replays.take, spec.slug)
        return self._programmes[spec.slug]

    def _programme_of(self, key_hash: str, slug: str | None) -> Programme | None:
        """The show a key opens; where the address names a show, that one or none."""
        return next(
            (
                programme
                for programme in self._programmes.values()
                if slug in (None, programme.spec.slug) and programme.role_of(key_hash)
            ),
            None,
        )

    def _forget(self, programme: Programme) -> None:
        if not programme.spec.open and self._programmes.get(programme.spec.slug) is programme:
            del self._programmes[programme.spec.slug]
            if not self._putting[programme.spec.slug].locked():
                del self._putting[programme.spec.slug]


def key_hash_of(key: str) -> str:
    """What the hub calls a key by: SHA-256 of what stands before a query."""
    return hashlib.sha256(key.partition("?")[0].encode()).hexdigest()


def unknown_key() -> PublishRefused:
    """For whoever comes with a key that opens nothing here."""
    return PublishRefused(
        "NetStream.Publish.BadName", "This stream key is not known. Copy it again from the studio."
    )
