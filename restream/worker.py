"""The worker: every programme it carries, and the gate that publishers come through."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import Final

import structlog

from restream.api import LiveSpec, LiveStatus
from restream.gate import Publisher, PublishRefused, PublishRequest
from restream.hls.packager import Packager
from restream.journal import Journal
from restream.programme import Programme
from restream.targets.target import Outfit

log = structlog.get_logger()

APP: Final = "live"
FORGET_SECONDS: Final = 600.0
"""How long an ended show can still be asked for; players that lag behind see its last minute."""


class Worker:
    """All of it runs in one event loop; nothing here blocks."""

    def __init__(self, outfit: Outfit, journal: Journal) -> None:
        self._outfit = outfit
        self._journal = journal
        self._programmes: dict[str, Programme] = {}

    async def put(self, spec: LiveSpec) -> LiveStatus:
        """Take the whole wanted state of a show. Repeatable."""
        programme = self._programmes.get(spec.slug)
        if programme is None:
            programme = self._programmes[spec.slug] = Programme(spec, self._outfit, self._journal)
        was_open = programme.spec.open
        await programme.apply(spec)
        if was_open and not programme.spec.open:
            asyncio.get_running_loop().call_later(FORGET_SECONDS, self._forget, programme)
        return programme.status()

    def statuses(self) -> list[LiveStatus]:
        """Every show."""
        return [programme.status() for programme in self._programmes.values()]

    def packager(self, slug: str) -> Packager | None:
        """What a player is served from."""
        programme = self._programmes.get(slug)
        return programme.packager if programme else None

    async def publish(self, request: PublishRequest, kick: Callable[[str], None]) -> Publisher:
        """The gate (`rtmp.server.Gate`). The key is compared by its hash and goes no further."""
        if request.app != APP:
            raise PublishRefused(
                "NetConnection.Connect.InvalidApp", f"The server address must end with /{APP}."
            )
        key_hash = hashlib.sha256(request.key.partition("?")[0].encode()).hexdigest()
        for programme in self._programmes.values():
            if key_hash in programme.spec.key_hashes:
                return programme.admit(request, key_hash, kick)
        log.warning("publisher.refused", peer=request.peer, encoder=request.encoder)
        raise PublishRefused(
            "NetStream.Publish.BadName", "This stream key is not known. Copy it again from the studio."
        )

    async def tell_statistics(self, every: float) -> None:
        """Write every show's status into the journal, until cancelled."""
        while True:
            await asyncio.sleep(every)
            for status in self.statuses():
                self._journal.write("live.stats", status.slug, status=status)

    async def stop(self) -> None:
        """Say goodbye to every platform."""
        await asyncio.gather(*(programme.stop() for programme in self._programmes.values()))

    def _forget(self, programme: Programme) -> None:
        if not programme.spec.open and self._programmes.get(programme.spec.slug) is programme:
            del self._programmes[programme.spec.slug]
