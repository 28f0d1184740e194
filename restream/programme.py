"""One show on this worker: its feed, its packager, its targets, and the wish they follow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from restream.api import LiveSpec, LiveStatus, TargetSpec
from restream.gate import PublishRefused, PublishRequest
from restream.hls.packager import Packager
from restream.hls.timeline import Timeline
from restream.journal import Journal
from restream.live import Live, Session
from restream.targets.serialiser import Serialiser
from restream.targets.target import Outfit, Target

log = structlog.get_logger()


class Programme:
    """`apply` makes it what the hub wants; `admit` lets a publisher in; `status` says what is so."""

    def __init__(self, spec: LiveSpec, outfit: Outfit, journal: Journal) -> None:
        self.spec = spec
        self.live = Live(spec.slug)
        # A segment lasts a second or more, so a worker that starts again counts on from above where the one
        # before it was: players see time go on, and caches hold nothing of the same name.
        self.packager = Packager(Timeline(int(time.time())), spec.part_ms, spec.segment_ms)
        self.live.attach(self.packager)
        self._journal = journal
        self._outfit = replace(
            outfit,
            on_change=lambda status: journal.write("target.changed", spec.slug, target=status),
        )
        self._serialiser = Serialiser()
        self._targets: dict[str, Target] = {}
        self._key_hash: str | None = None
        self._applying = asyncio.Lock()

    async def apply(self, spec: LiveSpec) -> None:
        """Take a newer wish; an older one, or the same again, changes nothing that is as it should be."""
        async with self._applying:
            if spec.version < self.spec.version:
                return
            self.spec = spec
            if not spec.open:
                await self._close("The show has ended.")
                return
            if self.live.publisher and self._key_hash not in spec.key_hashes:
                self.live.publisher.kick("The stream key has been changed.")
            wanted = {target.id: target for target in spec.targets}
            gone = [target for target in self._targets.values() if target.spec.id not in wanted]
            await asyncio.gather(
                *(self._remove(target) for target in gone),
                *(self._place(target) for target in wanted.values()),
            )

    async def stop(self) -> None:
        """The worker is stopping: targets are told goodbye, players are left to try again."""
        async with self._applying:
            await asyncio.gather(*(target.stop() for target in self._targets.values()))

    def admit(self, request: PublishRequest, key_hash: str, kick: Callable[[str], None]) -> Session:
        """Open a session for a publisher whose key is ours; raises PublishRefused when the show is over."""
        if not self.spec.open:
            reason = "This show has ended. Use the stream key of the next one."
            self._journal.write("publisher.refused", self.spec.slug, reason=reason)
            raise PublishRefused("NetStream.Publish.Denied", reason)
        session = self.live.open_session(request.peer, request.encoder, kick, time.time())
        self._key_hash = key_hash
        session.on_closed = self._publisher_left
        self._journal.write("publisher.started", self.spec.slug, publisher=session.status.model_copy())
        log.info("publisher.started", show=self.spec.slug, peer=request.peer)
        return session

    def status(self) -> LiveStatus:
        """What is so right now."""
        publisher = self.live.publisher
        return LiveStatus(
            slug=self.spec.slug,
            version=self.spec.version,
            open=self.spec.open,
            publisher=publisher.measured() if publisher else None,
            targets=[target.status() for target in self._targets.values()],
            playable=self.packager.timeline.playable,
        )

    def _publisher_left(self, reason: str) -> None:
        self._journal.write("publisher.stopped", self.spec.slug, reason=reason)
        log.info("publisher.stopped", show=self.spec.slug, reason=reason)

    async def _place(self, spec: TargetSpec) -> None:
        target = self._targets.get(spec.id)
        if target:
            await target.apply(spec)
            return
        target = Target(spec, self._serialiser, self.live.backlog, self._outfit)
        self._targets[spec.id] = target
        self.live.attach(target)
        target.start()

    async def _remove(self, target: Target) -> None:
        self.live.detach(target)
        del self._targets[target.spec.id]
        await target.stop()

    async def _close(self, reason: str) -> None:
        if self.live.publisher:
            self.live.publisher.kick(reason)
        self.packager.finish()
        await asyncio.gather(*(target.stop() for target in self._targets.values()))
