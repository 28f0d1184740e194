"""A show's life: planned, live, ended; its products, its targets, its stream key."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.attribution.service import Attribution
from hub.bus import Event
from hub.catalog.models import Product
from hub.clock import Clock
from hub.connections.service import Connections, revealed
from hub.db import announce, run
from hub.errors import BadInput, Conflict, NotFound
from hub.jobs import defer
from hub.playback.cues import end_all, light, light_first
from hub.playback.keys import make_secret
from hub.secrets import Vault
from hub.shows.models import MediaWorker, Show, ShowProduct, ShowTarget
from hub.shows.out import TargetOut
from hub.shows.presets import plan_of
from hub.shows.profiles import chosen
from hub.shows.wishes import CustomAddress, TargetChange

SLUG = re.compile(r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$")
ADDRESS = "rtmp"
"""The connector for places that are nothing but an address."""
UNDO = timedelta(seconds=30)
"""How long after its removal a target's broadcast is kept."""
LEAST_BUSY = text(
    """
    SELECT media_worker.id FROM media_worker
    LEFT JOIN show ON show.media_worker_id = media_worker.id AND show.state <> 'ended'
    GROUP BY media_worker.id ORDER BY count(show.id), media_worker.id LIMIT 1
    """
)


class Shows:
    """The verbs of a show. Whatever the media worker must know is sent by the job `media.sync`."""

    def __init__(
        self, clock: Clock, vault: Vault, connections: Connections, attribution: Attribution
    ) -> None:
        self._clock = clock
        self._vault = vault
        self._connections = connections
        self._attribution = attribution

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
        show = (await session.exec(query.with_for_update() if lock else query)).first()
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
        await light_first(session, show, show.live_at)
        await self._changed(session, show)
        await self.sync(session, show)

    async def end(self, session: AsyncSession, show: Show) -> None:
        """End it everywhere. Repeatable."""
        if show.state == "ended":
            return
        show.state, show.ended_at = "ended", self._clock()
        show.playable, show.ingest, show.health = False, None, None
        await end_all(session, show, show.ended_at)
        for target in await self.targets(session, show.id):
            await defer(
                session,
                "target.close",
                key=f"target.close:{target.id}",
                lock=lock_of(target),
                target_id=str(target.id),
            )
        await self._changed(session, show)
        await self.sync(session, show)

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
        self._attribution.make_link(session, show, target)
        if show.state == "live":
            await self.open_target(session, target)
        self.tell_target(session, target)
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

    async def change_target(
        self, session: AsyncSession, show: Show, target: ShowTarget, wish: TargetChange
    ) -> None:
        """Pause, resume or edit one target; the others do not notice."""
        if show.state == "ended":
            raise Conflict("show_ended", "This show has ended: its targets can't be changed any more.")
        if wish.name is not None:
            target.name = wish.name
        if "profile" in wish.model_fields_set:
            target.profile = chosen(show, wish.profile)
        if wish.backup_wanted is not None:
            target.backup_wanted = wish.backup_wanted
            target.backup_state, target.backup_reason = None, None
        if wish.wanted is not None:
            target.wanted = wish.wanted
        if address := wish.address():
            await self._readdress(session, show, target, address)
        elif wish.wanted and show.state == "live" and target.url_sealed is None:
            await self.open_target(session, target)
        self.tell_target(session, target)
        await self.sync(session, show)

    async def retry_target(self, session: AsyncSession, show: Show, target: ShowTarget) -> None:
        """Try one target again now, whatever stopped it."""
        if show.state != "live":
            raise Conflict("show_not_live", "Targets are tried while the show is live.")
        target.wanted, target.attempt = True, target.attempt + 1
        if target.url_sealed is None:
            await self.open_target(session, target)
        self.tell_target(session, target)
        await self.sync(session, show)

    async def remove_target(self, session: AsyncSession, show: Show, target: ShowTarget) -> None:
        """Stop pushing there at once. Its broadcast is ended a little later, so that it can be undone."""
        target.removed_at = self._clock()
        if target.ref:
            key, at = f"target.drop:{target.id}", self._clock() + UNDO
            await defer(
                session, "target.close", key=key, lock=lock_of(target), at=at, target_id=str(target.id)
            )
        data = {"id": str(target.id)}
        announce(session, Event(show_id=show.id, kind="target.removed", audience="staff", data=data))
        await self.sync(session, show)

    async def restore_target(self, session: AsyncSession, show: Show, target: ShowTarget) -> None:
        """Take a removal back."""
        if target.removed_at is None:
            return
        if show.state == "ended" or target.platform_state == "ended":
            raise Conflict("target_over", "Its broadcast has ended already. Add it to the show again.")
        target.removed_at = None
        try:
            await session.flush()
        except IntegrityError:
            raise Conflict("target_exists", "The show goes there again already.") from None
        if show.state == "live" and target.wanted and target.url_sealed is None:
            await self.open_target(session, target)
        self.tell_target(session, target)
        await self.sync(session, show)

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

    async def _readdress(
        self, session: AsyncSession, show: Show, target: ShowTarget, address: dict[str, str]
    ) -> None:
        """Another address or key, kept with the account as well; what was opened is opened anew."""
        connection = await self._connections.get(session, show.brand_id, target.connection_id)
        config = self._connections.config_of(connection)
        if unknown := address.keys() - type(config).model_fields.keys():
            title = self._connections.connector(target.connector).title
            raise BadInput(
                "address_fixed",
                f"{title} gives out its address itself: there is no {min(unknown)} to change.",
            )
        known = {name: revealed(value) for name, value in config.model_dump().items()}
        if "passphrase" in known and not address.get("url", "srt:").startswith("srt:"):
            known["passphrase"] = ""  # of the SRT address that goes
        await self._connections.change(connection, None, known | address, None)
        # Without a reference it counts as not opened; the old address serves until the new one is there.
        target.ref = None
        target.attempt += 1
        if show.state == "live" and target.wanted:
            await self.open_target(session, target)

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

    def target_out(self, target: ShowTarget, link_url: str | None = None) -> TargetOut:
        """A target as the studio sees it."""
        fields = self._connections.connector(target.connector).config.model_fields
        return TargetOut.of(target, own_address="url" in fields and "key" in fields, link_url=link_url)

    def tell_target(self, session: AsyncSession, target: ShowTarget) -> None:
        """News of a target for the studio."""
        data = self.target_out(target).model_dump(mode="json", exclude={"link_url"})
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

    async def _changed(self, session: AsyncSession, show: Show) -> None:
        await session.flush()
        seq = await next_seq(session, show.id)
        data = {"state": show.state, "live_at": iso(show.live_at), "ended_at": iso(show.ended_at)}
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


def slug_of(title: str) -> str:
    """An address from a title, made unique by a short random end."""
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-")
    return f"{words or 'show'}-{secrets.token_hex(2)}"


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 or nothing."""
    return moment.isoformat() if moment else None
