"""The links that are posted on the platforms."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.catalog.models import Product, Variant
from hub.clock import Clock
from hub.db import run
from hub.errors import BadInput, NotFound, Unavailable
from hub.ids import new_id
from hub.links.models import ShopHost, TrackedLink
from hub.links.places import destination_of, host_of
from hub.links.rule import Facts, by_rule, word
from hub.links.tags import UTM
from hub.links.wishes import LinkWish
from hub.offers.models import Offer
from hub.shows.models import Show, ShowTarget

LETTERS: Final = "23456789cdfhjkmnprtvwxy"
"""Of a code that is read from a screen and typed: none looks like another, and none spells a word."""
LENGTH: Final = 8
"""78 thousand million codes: of a million links a guess hits one in 78,000, and it leads to where everybody
may go. Should two be the same, the database says so and another is made."""
TRIES: Final = 5
ABOUT: Final = ("show_id", "target_id", "product_id", "offer_id", "host", "placement", "title")
COST: Final = ("cost_minor", "currency")


class Links:
    """Makes, finds and changes them. Nothing else writes `tracked_link`."""

    def __init__(self, clock: Clock, site_url: str) -> None:
        self._clock = clock
        self._site = site_url

    async def make_link(self, session: AsyncSession, show: Show, target: ShowTarget) -> TrackedLink:
        """The link to put under the stream on one platform."""
        wish = LinkWish(show_id=show.id, target_id=target.id, placement="description")
        facts = Facts(
            placement="description",
            show_id=show.id,
            slug=show.slug,
            platform=target.platform or target.connector,
        )
        return await self._store(session, show.brand_id, wish, by_rule(facts), None)

    async def make(
        self, session: AsyncSession, brand_id: UUID, wish: LinkWish, code: str | None = None
    ) -> TrackedLink:
        """A new link. With a `code` it may be asked for twice and is made once."""
        wish = await self._checked(session, brand_id, wish)
        return await self._store(session, brand_id, wish, await self.tags(session, brand_id, wish), code)

    async def change(self, session: AsyncSession, link: TrackedLink, wish: LinkWish) -> None:
        """Another purpose, destination, tags or cost under the same code; what is printed stays good."""
        wish = await self._checked(session, link.brand_id, wish)
        for name, value in fields_of(wish).items():
            setattr(link, name, value)
        for name, tag in (await self.tags(session, link.brand_id, wish)).items():
            setattr(link, name, tag)

    async def archive(self, link: TrackedLink) -> None:
        """Out of the list; whoever follows it still arrives. Repeatable."""
        link.archived_at = link.archived_at or self._clock()

    async def restore(self, link: TrackedLink) -> None:
        """Take that back. Repeatable."""
        link.archived_at = None

    async def get(self, session: AsyncSession, brand_id: UUID, link_id: UUID) -> TrackedLink:
        """One link of a brand, locked."""
        query = select(TrackedLink).where(
            col(TrackedLink.id) == link_id, col(TrackedLink.brand_id) == brand_id
        )
        link = (await session.exec(query.with_for_update())).first()
        if link is None:
            raise NotFound("link_unknown", "There is no such link.")
        return link

    async def links_of(self, session: AsyncSession, show_id: UUID) -> dict[UUID, str]:
        """The code of each target's link: the one it was given when it was added."""
        query = (
            select(TrackedLink.target_id, TrackedLink.code)
            .where(col(TrackedLink.show_id) == show_id, col(TrackedLink.archived_at).is_(None))
            .order_by(col(TrackedLink.id).desc())
        )
        return {target: code for target, code in await session.exec(query) if target}

    def url(self, code: str) -> str:
        """The short address."""
        return f"{self._site}/l/{code}"

    async def tags(self, session: AsyncSession, brand_id: UUID, wish: LinkWish) -> dict[str, str | None]:
        """Every tag: as the wish says, and where it says nothing, by the rule."""
        said = {name: word(getattr(wish, name)) for name in UTM}
        ruled = by_rule(await self._facts(session, brand_id, wish))
        return {name: said[name] or ruled[name] for name in UTM}

    async def place(self, session: AsyncSession, brand_id: UUID, wish: LinkWish) -> str:
        """The page a wish leads to, without tags: for its preview."""
        wish = await self._checked(session, brand_id, wish)
        if wish.destination:
            return self._site + wish.destination if wish.destination.startswith("/") else wish.destination
        show = await session.get(Show, wish.show_id)
        return f"{self._site}/watch/{show.slug if show else ''}"

    async def hosts(self, session: AsyncSession, brand_id: UUID) -> Sequence[ShopHost]:
        """Where links may lead besides our own pages."""
        query = select(ShopHost).where(col(ShopHost.brand_id) == brand_id).order_by(col(ShopHost.host))
        return (await session.exec(query)).all()

    async def add_host(self, session: AsyncSession, brand_id: UUID, host: str) -> ShopHost:
        """Let links lead there. Repeatable."""
        row = ShopHost(brand_id=brand_id, host=host_of(host), created_at=self._clock())
        await run(session, insert(ShopHost).values(row.model_dump()).on_conflict_do_nothing())
        query = select(ShopHost).where(col(ShopHost.brand_id) == brand_id, col(ShopHost.host) == row.host)
        return (await session.exec(query)).one()

    async def drop_host(self, session: AsyncSession, brand_id: UUID, host_id: UUID) -> None:
        """No link leads there any more: those that did lead to their show, or nowhere."""
        row = await session.get(ShopHost, host_id)
        if row is None or row.brand_id != brand_id:
            raise NotFound("host_unknown", "There is no such host.")
        await session.delete(row)

    async def _checked(self, session: AsyncSession, brand_id: UUID, wish: LinkWish) -> LinkWish:
        """The wish with all it names found in the brand, and its destination as it is kept."""
        show_id = wish.show_id
        about = [
            await session.get(Show, show_id) if show_id else None,
            await session.get(Product, wish.product_id) if wish.product_id else None,
            await session.get(Offer, wish.offer_id) if wish.offer_id else None,
        ]
        named = sum(one is not None for one in (show_id, wish.product_id, wish.offer_id))
        if sum(row is not None and row.brand_id == brand_id for row in about) < named:
            raise NotFound("link_about_unknown", "What this link is about does not exist.")
        if wish.target_id:
            target = await session.get(ShowTarget, wish.target_id)
            if target is None or target.brand_id != brand_id or show_id not in (None, target.show_id):
                raise NotFound("target_unknown", "There is no such target in this show.")
            show_id = target.show_id
        destination = None
        if wish.destination and wish.destination.strip():
            hosts = {one.host for one in await self.hosts(session, brand_id)}
            destination = destination_of(wish.destination, self._site, hosts)
        elif show_id is None:
            raise BadInput("leads_nowhere", "Choose a show, or write the address this link leads to.")
        return wish.model_copy(update={"show_id": show_id, "destination": destination})

    async def _facts(self, session: AsyncSession, brand_id: UUID, wish: LinkWish) -> Facts:
        show = await session.get(Show, wish.show_id) if wish.show_id else None
        target = await session.get(ShowTarget, wish.target_id) if wish.target_id else None
        sku = None
        if wish.product_id:
            query = select(Variant.sku).where(
                col(Variant.product_id) == wish.product_id, col(Variant.brand_id) == brand_id
            )
            query = query.order_by(col(Variant.archived), col(Variant.position)).limit(1)
            sku = (await session.exec(query)).first()
        return Facts(
            placement=wish.placement,
            show_id=show.id if show else None,
            slug=show.slug if show else None,
            platform=(target.platform or target.connector) if target else None,
            host=wish.host,
            sku=sku,
            title=wish.title,
            boosted=wish.boosted,
        )

    async def _store(
        self,
        session: AsyncSession,
        brand_id: UUID,
        wish: LinkWish,
        tags: dict[str, str | None],
        code: str | None,
    ) -> TrackedLink:
        """Under a code that nobody has; the database decides, so that two at once can't have the same."""
        known = {"brand_id": brand_id, "created_at": self._clock(), "archived_at": None}
        values = known | fields_of(wish) | tags
        if code:
            query = select(TrackedLink).where(
                col(TrackedLink.code) == code, col(TrackedLink.brand_id) == brand_id
            )
            if mine := (await session.exec(query)).first():
                return mine
        for attempt in range(TRIES):
            row = values | {"id": new_id(), "code": code if code and attempt == 0 else new_code()}
            made = insert(TrackedLink).values(row).on_conflict_do_nothing(index_elements=["code"])
            if (await run(session, made)).rowcount:
                return (await session.exec(select(TrackedLink).where(col(TrackedLink.id) == row["id"]))).one()
        raise Unavailable("no_code_free", "No short address was free. Try again.", retry_after=1)


def fields_of(wish: LinkWish) -> dict[str, object]:
    """The columns a wish fills as it is."""
    return {name: getattr(wish, name) for name in (*ABOUT, *COST, "destination")}


def new_code() -> str:
    """A fresh code."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
