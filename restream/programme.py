"""One show on this worker: what it consists of, and the wish all of it follows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from restream.api import EncoderStatus, Finding, LiveSpec, LiveStatus, PublisherStatus, RungStatus
from restream.assets import Assets
from restream.continuity.director import OnAir, Role
from restream.continuity.keeper import Keeper
from restream.encode.encoders import Encoders, Machine
from restream.encode.ffmpeg import Facts as FeedFacts
from restream.encode.ladder import Ladder
from restream.gate import Publisher, PublishRefused, PublishRequest
from restream.hls.renditions import Renditions
from restream.ingest.source import Source
from restream.journal import Journal
from restream.live import Live, Session
from restream.observer import Facts, Observer
from restream.targets.bundler import Feed
from restream.targets.roster import Roster
from restream.targets.target import Outfit
from restream.webrtc.watch import Rung, WatchFeed

log = structlog.get_logger()

DEAD_SECONDS: Final = 5.0
"""An encoder whose network has changed comes back before its first connection is known to be dead."""


@dataclass(frozen=True)
class House:
    """What all shows of a worker share: how targets are treated, the machine, and folders on its disk."""

    outfit: Outfit
    journal: Journal
    machine: Machine
    data: Path

    @property
    def assets(self) -> Path:
        """Pictures the hub has sent, by their SHA-256."""
        return self.data / "assets"

    @property
    def recordings(self) -> Path:
        """A folder for each show."""
        return self.data / "recordings"

    @property
    def media(self) -> Path:
        """Files that channels may play; whoever runs the worker puts them there."""
        return self.data / "media"


class Programme:
    """`apply` makes it what the hub wants; `admit` lets a publisher in; `status` says what is so."""

    def __init__(self, spec: LiveSpec, house: House) -> None:
        self.spec = spec
        self.live = Live(spec.slug)
        # A segment lasts a second or more, so a worker that starts again counts on from above where the one
        # before it was: players see time go on, and caches hold nothing of the same name.
        self.renditions = Renditions(int(time.time()), spec.part_ms, spec.segment_ms)
        self.live.director.on_switch = self._switched
        self._house = house
        self._journal = journal = house.journal
        self._keeper = Keeper(self.live.director, house.assets)
        self._encoders = Encoders(
            spec.slug,
            self.live,
            house.machine,
            asset=Assets(house.assets).path,
            on_change=self._encoder_changed,
        )
        self._ladder = Ladder(
            spec.slug,
            self.live,
            house.machine,
            self.renditions.open_rung,
            self.renditions.close_rung,
            on_change=self._rung_changed,
        )
        outfit = replace(
            house.outfit, on_change=lambda status: journal.write("target.changed", spec.slug, target=status)
        )
        self._roster = Roster(self._feed_of, self._trouble_of, outfit)
        self.observer = Observer(spec.slug, self.live, self.renditions, journal, house.recordings)
        self._source: Source | None = None
        self._packaging = False
        self._key_hashes: dict[Role, str] = {}
        self._applied: LiveSpec | None = None
        self._over = False
        self._applying = asyncio.Lock()
        self._troubles: dict[str, Finding] = {}

    async def apply(self, spec: LiveSpec) -> None:
        """Take a newer wish; an older one, or the same again, changes nothing. After the end none does."""
        async with self._applying:
            if self._over or spec.version < self.spec.version or spec == self._applied:
                return
            self.spec = spec
            if spec.open:
                self._keeper.apply(spec)
                self._keeper.start()
                self._cut_old_keys()
                self._package(spec)
                await self._encoders.apply(spec.profiles, used_profiles(spec))
                await self._ladder.apply(spec.ladder if spec.player else None)
                await self._roster.apply(spec.targets)
                await self.observer.apply(spec)
                await self._play_source()
            else:
                await self._close("The show has ended.")
            self._applied = spec

    async def stop(self) -> None:
        """The worker is stopping: targets are told goodbye, players are left to try again."""
        async with self._applying:
            await self._rest(show_over=False)

    def role_of(self, key_hash: str) -> Role | None:
        """Whose place a key opens; None for a key that is not ours."""
        if key_hash in self.spec.key_hashes:
            return "primary"
        return "backup" if key_hash in self.spec.backup_key_hashes else None

    def admit(self, request: PublishRequest, key_hash: str, kick: Callable[[str], None]) -> Publisher:
        """Open a session for a publisher whose key is ours; raises PublishRefused."""
        role = self.role_of(key_hash) or "primary"
        self._check_open()
        if self.spec.takeover == "refuse" and self._taken(role):
            raise self._refusal(
                "NetStream.Publish.BadName",
                "Another encoder publishes with this stream key. Stop it first, or let the newest one take"
                " over in the show's settings.",
                taken=True,
            )
        self._key_hashes[role] = key_hash
        return self._open(request, role, kick)

    def admit_source(self, kick: Callable[[str], None], encoder: str = "") -> Publisher:
        """Open a session for the show's own source; whoever has a key goes before it. PublishRefused."""
        self._check_open()
        request = PublishRequest(app="", key="", peer="", encoder=encoder, protocol="source")
        return self._open(request, "source", kick)

    def tick(self) -> None:
        """Once a second."""
        self._roster.flush()
        if self.spec.open:
            self.observer.tick(Facts(self.spec, self.live.director.on_air, self._roster.delays()))

    @property
    def facts(self) -> FeedFacts | None:
        """The feed's size and rates, when they are known."""
        return self._encoders.facts

    def status(self) -> LiveStatus:
        """What is so right now."""
        return LiveStatus(
            slug=self.spec.slug,
            version=self.spec.version,
            open=self.spec.open,
            on_air=self.live.director.on_air,
            publisher=self._measured(self.live.publisher),
            backup=self._measured(self.live.backup),
            targets=self._roster.statuses(),
            encoders=self._encoders.statuses(),
            plan=self._encoders.plan() if self.spec.profiles else None,
            findings=[*self._trouble(), *self.observer.findings()],
            recording=self.observer.recording(),
            rungs=self._ladder.statuses(),
            delays=self.observer.delays(),
            playable=self._packaging and self.renditions.playable,
        )

    def watched(self) -> WatchFeed | None:
        """What WHEP sends; None when the show is over."""
        spec = self.spec
        if self._over or not spec.open:
            return None
        on_air = self.live.director.on_air
        sender = self.live.backup if on_air == "backup" else self.live.publisher
        measured = self._measured(sender)
        running = (one for one in self._ladder.statuses() if one.state in ("running", "starved"))
        rungs = ((one.name, self._ladder.feed(one.name)) for one in running)
        return WatchFeed(
            self.live,
            f"/live/{spec.slug}/index.m3u8",
            next((Rung(name, feed) for name, feed in rungs if feed), None),
            b_frames=bool(measured and measured.b_frames),
            most_viewers=spec.whep.most_viewers if spec.whep and spec.player else 0,
        )

    def _measured(self, session: Session | None) -> PublisherStatus | None:
        if session is None:
            return None
        return session.measured().model_copy(update=self.observer.measured(session.role))

    def _trouble(self) -> list[Finding]:
        """What our own parts complain about, each with the moment it began."""
        said = {"slate.trouble": self._keeper.trouble, "source.trouble": None}
        if self._source:
            said["source.trouble"] = self._source.status.reason
        now = datetime.now(UTC)
        for code, sentence in said.items():
            known = self._troubles.get(code)
            if sentence is None:
                self._troubles.pop(code, None)
            elif known is None or known.sentence != sentence:
                self._troubles[code] = Finding(
                    code=code, severity="warning", sentence=sentence, since=known.since if known else now
                )
        return list(self._troubles.values())

    def _open(self, request: PublishRequest, role: Role, kick: Callable[[str], None]) -> Publisher:
        session = self.live.open_session(
            request.peer, request.encoder, kick, time.time(), role, request.protocol
        )
        session.on_closed = lambda reason: self._publisher_left(role, reason)
        started = session.status.model_copy()
        self._journal.write("publisher.started", self.spec.slug, role=role, publisher=started)
        log.info("publisher.started", show=self.spec.slug, role=role, peer=request.peer)
        return self.observer.observe(session, role)

    def _publisher_left(self, role: Role, reason: str) -> None:
        self._journal.write("publisher.stopped", self.spec.slug, role=role, reason=reason)
        log.info("publisher.stopped", show=self.spec.slug, role=role, reason=reason)

    def _switched(self, on_air: OnAir, reason: str) -> None:
        self._journal.write("source.switched", self.spec.slug, on_air=on_air, reason=reason)
        log.info("source.switched", show=self.spec.slug, on_air=on_air, reason=reason)

    def _check_open(self) -> None:
        if not self.spec.open:
            raise self._refusal(
                "NetStream.Publish.Denied", "This show has ended. Use the stream key of the next one."
            )

    def _refusal(self, code: str, reason: str, *, taken: bool = False) -> PublishRefused:
        self._journal.write("publisher.refused", self.spec.slug, reason=reason)
        return PublishRefused(code, reason, taken=taken)

    def _taken(self, role: Role) -> bool:
        """Whether somebody publishes in that role; who has sent nothing for long does not."""
        before = self.live.director.sessions.get(role)
        return before is not None and time.monotonic() < before.silent_at() + DEAD_SECONDS

    def _cut_old_keys(self) -> None:
        for role, session in list(self.live.director.sessions.items()):
            if role != "source" and self.role_of(self._key_hashes[role]) != role:
                session.kick("The stream key has been changed.")

    def _feed_of(self, profile: str | None) -> Feed | None:
        return self.live if profile is None else self._encoders.live_for(profile)

    def _trouble_of(self, profile: str) -> str | None:
        """Why nothing comes from a profile."""
        status = next((one for one in self._encoders.statuses() if one.profile == profile), None)
        if status is None:
            return f"There is no profile “{profile}”. Choose another for this target."
        return status.reason if status.state in ("refused", "retrying") else None

    def _encoder_changed(self, status: EncoderStatus) -> None:
        self._journal.write("encoder.changed", self.spec.slug, encoder=status)

    def _rung_changed(self, status: RungStatus) -> None:
        log.info("rung.changed", show=self.spec.slug, rung=status.name, state=status.state, why=status.reason)

    def _package(self, spec: LiveSpec) -> None:
        """Cut the feed for our own player, or spare the work."""
        secret, wanted = spec.playback.path_secret, spec.player
        self.renditions.door = f"{secret.get_secret_value()}/" if secret else ""
        self.renditions.set_lengths(spec.part_ms, spec.segment_ms)
        self.renditions.set_cues(spec.cues)
        if wanted and not self._packaging:
            self.live.attach(self.renditions.leader)
        elif self._packaging and not wanted:
            self.live.detach(self.renditions.leader)
            self.renditions.ended()
        self._packaging = wanted

    async def _play_source(self) -> None:
        """A channel's own feed. One that ended or failed begins anew only with another wish."""
        if self._source and self._source.spec != self.spec.source:
            await self._source.stop()
            self._source = None
        if self._source is None and self.spec.source:
            self._source = Source(self.spec.source, self._house.media, self.admit_source)
            self._source.start()

    async def _close(self, reason: str) -> None:
        for session in list(self.live.director.sessions.values()):
            session.kick(reason)
        await self._rest(show_over=True)
        self.live.director.finish()
        self.renditions.finish()

    async def _rest(self, *, show_over: bool) -> None:
        self._over = True
        if self._source:
            await self._source.stop()
        await self._keeper.stop()
        await asyncio.gather(
            self._encoders.stop(),
            self._ladder.stop(),
            self._roster.stop(),
            self.observer.stop(show_over=show_over),
        )


def used_profiles(spec: LiveSpec) -> set[str]:
    """The profiles that targets want which are not paused."""
    return {target.profile for target in spec.targets if target.wanted and target.profile}
