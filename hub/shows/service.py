"""A show's life: planned, live, ended; its products, its targets, its stream key."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.bus import Event
from hub.catalog.models import Product
from hub.clock import Clock
from hub.connections.service import Connections
from hub.db import announce, run
from hub.errors import BadInput, Conflict, NotFound
from hub.jobs import defer
from hub.links.service import Links
from hub.playback.cues import end_all, light, light_first
from hub.playback.keys import make_secret
from hub.secrets import Vault
from hub.shows.models import MediaWorker, Show, ShowProduct, ShowTarget
from hub.shows.out import TargetOut
from hub.shows.presets import plan_of
from hub.shows.profiles import chosen
from hub.shows.spec import REMOVED_WITHIN, REPLAY_KEPT
from hub.shows.stages import ASKED
from hub.shows.wishes import CustomAddress

SLUG = re.compile(r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$")
ADDRESS = "rtmp"
"""The connector for places that are nothing but an address."""
LEAST_BUSY = text(
    """
    SELECT media_worker.id FROM media_worker
    LEFT JOIN show ON show.media_worker_id = media_worker.id AND show.state <> 'ended'
    GROUP BY media_worker.id ORDER BY count(show.id), media_worker.id LIMIT 1
    """
)
HURRY = text(
    "UPDATE procrastinate_jobs SET scheduled_at = NULL"
    " WHERE lock = :lock AND task_name = 'target.open' AND status = 'todo'"
)
"""An opening that a platform has put off, for hours perhaps, must not keep the closing waiting behind it."""


class Shows:
    """The verbs of a show. Whatever the media worker must know is sent by the job `media.sync`."""

    def __init__(self, clock: Clock, vault: Vault, connections: Connections, tracked: Links) -> None:
        self._clock = clock
        self._vault = vault
        self._connections = connections
        self._tracked = tracked

    async def plan(
        self,
        session: AsyncSession,
        show: Show,
        product_ids: Sequence[UUID],
        connection_ids: Sequence[UUID],
    ) -> Show:
        """A new show, ready for the encoder to be set up. `show` needs brand, title and maybe a slug."""
        show.slug = show.slug or slug_of(show.title)
        if not SLUG.match(show.slug):
            raise BadInput("slug_invalid", "A show's address may have small letters, digits and dashes only.")
        self._new_key(show)
        standby = make_key()
        show.backup_key_sealed, show.backup_key_hash = self._vault.seal(standby), hash_of(standby)
        show.path_secret_sealed = self._vault.seal(make_secret())
        session.add(show)
        try:
            await session.flush()
        except IntegrityError:
            raise Conflict("slug_taken", f"There is already a show at /watch/{show.slug}.") from None
        await self._offer(session, show, [*dict.fromkeys(product_ids)])
        for connection_id in dict.fromkeys(connection_ids):
            await self.add_target(session, show, connection_id)
        await self.sync(session, show)
        return show

    async def get(self, session: AsyncSession, brand_id: UUID, show_id: UUID, *, lock: bool = False) -> Show:
        """One show of a brand."""
        query = select(Show).where(col(Show.id) == show_id, col(Show.brand_id) == brand_id)
        show = (await session.exec(query.with_for_update(key_share=True) if lock else query)).first()
        if show is None:
            raise NotFound("show_unknown", "There is no such show.")
        return show

    async def targets(
        self, session: AsyncSession, show_id: UUID, *, removed: bool = False
    ) -> list[ShowTarget]:
        """Where a show goes, in the order the targets were added; `removed`: and where it went."""
        query = select(ShowTarget).where(col(ShowTarget.show_id) == show_id).order_by(col(ShowTarget.id))
        if not removed:
            query = query.where(col(ShowTarget.removed_at).is_(None))
        return [*(await session.exec(query)).all()]

    async def start(self, session: AsyncSession, show: Show) -> None:
        """Go live: open a broadcast on every platform that is wanted. Repeatable."""
        if show.state == "ended":
            raise Conflict("show_ended", "This show has ended. Plan a new one.")
        if show.state == "live":
            return
        show.state, show.live_at = "live", self._clock()
        for target in await self.targets(session, show.id):
            if target.wanted:
                await self.open_target(session, target)
                self.tell_target(session, show, target)
        await light_first(session, show, show.live_at)
        await self.changed(session, show)
        await self.sync(session, show)

    async def end(self, session: AsyncSession, show: Show) -> None:
        """End it everywhere. Repeatable."""
        if show.state == "ended":
            return
        show.state, show.ended_at = "ended", self._clock()
        show.playable, show.ingest, show.health = False, None, None
        await end_all(session, show, show.ended_at)
        for target in await self.targets(session, show.id):
            target.viewers, target.receiving = None, None
            target.ingest_state, target.ingest_issues = None, []
            await hurry(session, target)
            await defer(
                session,
                "target.close",
                key=f"target.close:{target.id}",
                lock=lock_of(target),
                target_id=str(target.id),
            )
            self.tell_target(session, show, target)
        if show.recording and show.live_at:
            # What a CDN has kept of the replay goes when the worker has removed the recording.
            at = show.ended_at + REPLAY_KEPT + REMOVED_WITHIN
            key = f"playback.expired:{show.id}"
            await defer(session, "playback.expired", key=key, at=at, show_id=str(show.id))
        await self.changed(session, show)
        await self.sync(session, show)

    async def cancel(self, session: AsyncSession, show: Show) -> None:
        """Call a planned show off: what the platforms have announced is taken back. Repeatable."""
        if show.cancelled:
            return
        if show.state != "scheduled":
            raise Conflict("show_began", "Only a planned show can be cancelled. A live one is ended.")
        show.cancelled = True
        await self.end(session, show)

    async def new_key(self, session: AsyncSession, show: Show) -> str:
        """A new stream key; whoever publishes with the old one is cut."""
        key = self._new_key(show)
        await self.sync(session, show)
        return key

    def key_of(self, show: Show) -> str:
        """The stream key."""
        return self._vault.open(show.stream_key_sealed)

    async def server_of(self, session: AsyncSession, show: Show) -> str:
        """The address that goes into the encoder beside the key."""
        worker = await session.get(MediaWorker, show.media_worker_id) if show.media_worker_id else None
        return worker.ingest_url if worker else ""

    async def add_target(
        self, session: AsyncSession, show: Show, connection_id: UUID, profile: str | None = None
    ) -> ShowTarget:
        """Send the show to one more place; a live show goes there at once."""
        connection = await self._connections.get(session, show.brand_id, connection_id)
        connector = self._connections.connector(connection.connector)
        if connector.destination is None:
            raise BadInput("no_destination", f"{connection.name} can't take a stream.")
        # An address of its own says what stands behind it; any other connector is its platform.
        platform = getattr(self._connections.config_of(connection), "platform", connector.name)
        target = ShowTarget(
            brand_id=show.brand_id,
            show_id=show.id,
            connection_id=connection.id,
            connector=connection.connector,
            name=connection.name,
            reason="Opens when the show goes live.",
            platform=platform,
            plan=plan_of(platform),
            profile=chosen(show, profile),
        )
        session.add(target)
        try:
            await session.flush()
        except IntegrityError:
            raise Conflict("target_exists", "The show goes there already.") from None
        await self._tracked.make_link(session, show, target)
        if show.state == "live":
            await self.open_target(session, target)
        await self.describe(session, show, target)
        self.tell_target(session, show, target)
        return target

    async def add_address(
        self, session: AsyncSession, show: Show, wish: CustomAddress, profile: str | None = None
    ) -> ShowTarget:
        """Send the show to an address; it is kept as an account, for the next show."""
        config = wish.model_dump(include={"url", "platform"})
        config |= {name: getattr(wish, name).get_secret_value() for name in ("key", "passphrase")}
        connection = await self._connections.add(session, show.brand_id, wish.name, ADDRESS, config, None)
        return await self.add_target(session, show, connection.id, profile)

    async def get_target(
        self, session: AsyncSession, show: Show, target_id: UUID, *, removed: bool = False
    ) -> ShowTarget:
        """One target of a show; a removed one only for those who ask for it."""
        target = await session.get(ShowTarget, target_id, with_for_update=True)
        if target is None or target.show_id != show.id or (target.removed_at and not removed):
            raise NotFound("target_unknown", "There is no such target.")
        return target

    async def open_target(self, session: AsyncSession, target: ShowTarget) -> None:
        """Have the platform make its broadcast."""
        target.reason = "Opening the broadcast …"
        await defer(
            session,
            "target.open",
            key=f"target.open:{target.id}",
            lock=lock_of(target),
            target_id=str(target.id),
        )

    async def describe(self, session: AsyncSession, show: Show, target: ShowTarget) -> None:
        """Have the platform told of the show's texts and time: announced ahead, changed, or taken back."""
        connector = self._connections.connector(target.connector)
        announced = target.ref is not None or target.platform_state == ASKED
        if show.state == "scheduled" and connector.planner and (show.starts_at or announced):
            task = "target.plan"
        elif show.state == "live" and target.wanted and (connector.metadata or connector.text_limits):
            task = "target.describe"
        else:
            return
        target.details_state, target.details_reason = "waiting", None
        if task == "target.describe" and target.ref is None:
            return  # done when it is open
        key, lock = f"{task}:{target.id}", lock_of(target)
        await defer(session, task, key=key, lock=lock, target_id=str(target.id))

    async def highlight(self, session: AsyncSession, show: Show, product_id: UUID | None) -> None:
        """The product the host is holding, or none."""
        mine = update(ShowProduct).where(col(ShowProduct.show_id) == show.id)
        await session.exec(mine.values(highlighted=False))
        if product_id:
            lit = await session.exec(
                mine.where(col(ShowProduct.product_id) == product_id).values(highlighted=True)
            )
            if lit.rowcount == 0:
                raise NotFound("product_unknown", "This product is not in the show.")
        seq = await next_seq(session, show.id)
        data = {"product_id": str(product_id) if product_id else None}
        announce(session, Event(show_id=show.id, kind="product.highlighted", seq=seq, data=data))
        if await light(session, show, product_id, self._clock()):
            await self.sync(session, show)

    async def sync(self, session: AsyncSession, show: Show) -> None:
        """Tell the media worker what is wanted now, as soon as this transaction has committed."""
        if show.media_worker_id is None:
            # Also for a show that was planned before there was any worker.
            show.media_worker_id = (await run(session, LEAST_BUSY)).scalar_one_or_none()
        show.spec_version += 1
        key = f"media.sync:{show.id}"
        await defer(session, "media.sync", key=key, lock=key, show_id=str(show.id))

    def target_out(self, show: Show, target: ShowTarget, link_url: str | None = None) -> TargetOut:
        """A target as the studio sees it."""
        return TargetOut.of(show, target, self._connections.connector(target.connector), link_url)

    def tell_target(self, session: AsyncSession, show: Show, target: ShowTarget) -> None:
        """News of a target for the studio. How long an unopened one's key lasts is known to its account."""
        unsaid = {"link_url"} if target.url_sealed else {"link_url", "key_expires_at"}
        data = self.target_out(show, target).model_dump(mode="json", exclude=unsaid)
        announce(session, Event(show_id=target.show_id, kind="target.changed", audience="staff", data=data))

    async def _offer(self, session: AsyncSession, show: Show, product_ids: list[UUID]) -> None:
        query = select(Product.id).where(
            col(Product.brand_id) == show.brand_id, col(Product.id).in_(product_ids)
        )
        if len((await session.exec(query)).all()) < len(product_ids):
            raise NotFound("product_unknown", "There is no such product.")
        session.add_all(
            ShowProduct(show_id=show.id, product_id=product_id, brand_id=show.brand_id, position=position)
            for position, product_id in enumerate(product_ids)
        )

    def _new_key(self, show: Show) -> str:
        key = make_key()
        show.stream_key_sealed, show.stream_key_hash = self._vault.seal(key), hash_of(key)
        return key

    async def changed(self, session: AsyncSession, show: Show) -> None:
        """News of the show for everybody."""
        await session.flush()
        seq = await next_seq(session, show.id)
        times = {name: iso(getattr(show, name)) for name in ("starts_at", "live_at", "ended_at")}
        named = ("state", "cancelled", "title", "description", "viewers_shown")
        data = {name: getattr(show, name) for name in named} | times
        announce(session, Event(show_id=show.id, kind="show.changed", seq=seq, data=data))


def make_key() -> str:
    """A fresh stream key."""
    return f"sh_{secrets.token_urlsafe(24)}"


def hash_of(key: str) -> str:
    """What the media worker is told of a stream key."""
    return hashlib.sha256(key.encode()).hexdigest()


async def next_seq(session: AsyncSession, show_id: UUID) -> int:
    """The show's next number."""
    statement = update(Show).where(col(Show.id) == show_id).values(seq=Show.seq + 1).returning(col(Show.seq))
    seq: int = (await session.exec(statement)).scalar_one()
    return seq


def lock_of(target: ShowTarget) -> str:
    """Jobs about one target run one after another."""
    return f"target:{target.id}"


async def hurry(session: AsyncSession, target: ShowTarget) -> None:
    """An opening that the platform has put off runs now; what waits behind it can go on."""
    await run(session, HURRY, {"lock": lock_of(target)})


def slug_of(title: str) -> str:
    """An address from a title, made unique by a short random end."""
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-")
    return f"{words or 'show'}-{secrets.token_hex(2)}"


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 or nothing."""
    return moment.isoformat() if moment else None
