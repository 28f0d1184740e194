"""Drafts of offers, what viewers see of launched ones, and coupons at the checkout."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.tokens import Viewer
from hub.benefits.models import Segment
from hub.clock import Clock
from hub.db import Database, run
from hub.errors import BadInput, Conflict, NotFound
from hub.ids import new_id
from hub.offers import coupons
from hub.offers.goods import Goods, goods_of
from hub.offers.models import Offer, OfferItem, OfferLog, OfferTier
from hub.offers.out import OfferIn, Preview, ProblemOut, PublicOffer, ReferenceOut, ViewerOffer
from hub.offers.picture import picture
from hub.offers.rules import Draft, problems
from hub.orders.models import Order
from hub.shows.models import Show

MOST_SHOWN: Final = 50
SET_ASIDE: Final = frozenset({"items", "tiers"})
NOW_IN_MICROSECONDS: Final = text("SELECT (extract(epoch FROM statement_timestamp()) * 1000000)::bigint")
YOURS: Final = text(
    """
    SELECT offer_id, sum(units) AS units FROM hold
    WHERE show_id = :show_id AND viewer_id = :viewer_id AND offer_id = ANY(:offers)
        AND state IN ('held', 'committed')
    GROUP BY offer_id
    """
)
NOTE_REFUSED: Final = text(
    """
    INSERT INTO offer_log (id, brand_id, offer_id, kind, text, author, at)
    SELECT CAST(:id AS uuid), brand_id, id, 'refused', CAST(:text AS text), CAST(:author AS text),
           CAST(:at AS timestamptz)
    FROM offer WHERE id = :offer_id AND brand_id = :brand_id
    """
)


class Offers:
    """The verbs of offers but for going live and ending, which are in `hub.offers.launch`."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def get(
        self, session: AsyncSession, brand_id: UUID, offer_id: UUID, *, lock: bool = False
    ) -> Offer:
        """One offer of a brand."""
        query = select(Offer).where(col(Offer.id) == offer_id, col(Offer.brand_id) == brand_id)
        offer = (await session.exec(query.with_for_update(key_share=True) if lock else query)).first()
        if offer is None:
            raise NotFound("offer_unknown", "There is no such offer.")
        return offer

    async def of_brand(
        self, session: AsyncSession, brand_id: UUID, show_id: UUID | None = None
    ) -> list[Offer]:
        """The newest first; of one show, or all."""
        query = select(Offer).where(col(Offer.brand_id) == brand_id)
        if show_id:
            query = query.where(col(Offer.show_id) == show_id)
        return [*await session.exec(query.order_by(col(Offer.id).desc()).limit(500))]

    async def draft(self, session: AsyncSession, brand_id: UUID, wish: OfferIn, author: str) -> Offer:
        """A new draft. Nothing of it is shown to anybody yet."""
        offer = Offer(brand_id=brand_id, kind=wish.kind, title=wish.title)
        await self._write(session, offer, wish)
        session.add(_log(offer, "drafted", "Drafted.", author, self._clock()))
        return offer

    async def change(self, session: AsyncSession, offer: Offer, wish: dict[str, Any], author: str) -> None:
        """Take what is named into the draft. Conflict `offer_fixed` once it was launched."""
        if offer.state != "draft":
            raise Conflict(
                "offer_fixed",
                "Viewers have been promised this offer as it is: it can't be changed, longer or shorter. It"
                " can only be ended.",
                wanted=sorted(wish),
            )
        [draft] = await self.loaded(session, [offer])
        before = {name: getattr(offer, name) for name in OfferIn.model_fields if name not in SET_ASIDE}
        before["items"] = [
            item.model_dump(include={"variant_id", "quantity", "unit_minor"}) for item in draft.items
        ]
        before["tiers"] = [tier.model_dump(include={"percent_off", "units"}) for tier in draft.tiers]
        try:
            merged = OfferIn.model_validate(before | wish)
        except ValidationError as error:
            why = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise BadInput("bad_input", why) from error
        await self._write(session, offer, merged)
        session.add(_log(offer, "changed", f"Changed: {', '.join(sorted(wish))}.", author, self._clock()))

    async def remove(self, session: AsyncSession, offer: Offer) -> None:
        """Throw a draft away; what was shown to viewers stays for good."""
        if offer.state != "draft":
            raise Conflict(
                "offer_fixed", "This offer was shown to viewers: its record stays. End it instead."
            )
        await session.delete(offer)
        await session.flush()

    async def note_refused(self, brand_id: UUID, offer_id: UUID, why: str, author: str) -> None:
        """Write down what was tried. In a transaction of its own: the one that tried it is taken back."""
        values = {"brand_id": brand_id, "offer_id": offer_id, "text": why, "author": author}
        async with self._db.session() as session:
            await run(session, NOTE_REFUSED, {**values, "id": new_id(), "at": self._clock()})

    async def log_of(self, session: AsyncSession, offer: Offer) -> list[OfferLog]:
        """What was done and tried, oldest first."""
        query = select(OfferLog).where(col(OfferLog.offer_id) == offer.id)
        return [*await session.exec(query.order_by(col(OfferLog.at), col(OfferLog.id)).limit(500))]

    async def loaded(
        self, session: AsyncSession, offers: Sequence[Offer], before: datetime | None = None
    ) -> list[Draft]:
        """With their parts and goods; `before`: and the lowest prices of the 30 days before it."""
        ids = [offer.id for offer in offers]
        items: dict[UUID, list[OfferItem]] = {}
        # In the order of SKUs made: ids sort by age.
        for item in await session.exec(
            select(OfferItem).where(col(OfferItem.offer_id).in_(ids)).order_by(col(OfferItem.variant_id))
        ):
            items.setdefault(item.offer_id, []).append(item)
        tiers: dict[UUID, list[OfferTier]] = {}
        for tier in await session.exec(
            select(OfferTier).where(col(OfferTier.offer_id).in_(ids)).order_by(col(OfferTier.position))
        ):
            tiers.setdefault(tier.offer_id, []).append(tier)
        goods: dict[tuple[UUID, UUID | None], dict[UUID, Goods]] = {}
        for place in {(offer.brand_id, offer.show_id) for offer in offers}:
            theirs = [offer.id for offer in offers if (offer.brand_id, offer.show_id) == place]
            variants = {item.variant_id for id_ in theirs for item in items.get(id_, [])}
            goods[place] = await goods_of(session, *place, [*variants], before) if variants else {}
        return [
            Draft(
                offer, items.get(offer.id, ()), tiers.get(offer.id, ()), goods[offer.brand_id, offer.show_id]
            )
            for offer in offers
        ]

    async def preview(self, session: AsyncSession, offer: Offer) -> Preview:
        """What viewers would see if it went live now, and what is in the way."""
        begins = max(self._clock(), offer.starts_at or self._clock())
        [draft] = await self.loaded(session, [offer], before=begins)
        return self._preview(draft)

    async def sketch(self, session: AsyncSession, brand_id: UUID, wish: OfferIn) -> Preview:
        """The same of something that is being typed. Nothing is kept."""
        await _check_owned(session, brand_id, wish)
        offer = Offer(brand_id=brand_id, **wish.model_dump(exclude=set(SET_ASIDE)))
        items, tiers = parts_of(offer, wish)
        begins = max(self._clock(), offer.starts_at or self._clock())
        variants = [item.variant_id for item in items]
        goods = await goods_of(session, brand_id, offer.show_id, variants, begins)
        return self._preview(Draft(offer, items, tiers, goods))

    def _preview(self, draft: Draft) -> Preview:
        now, offer = self._clock(), draft.offer
        shown = picture(draft, now, version=0)
        if offer.state == "draft":
            begins = max(now, shown.starts_at)
            ends = {"ends_at": offer.minutes, "members_until": offer.members_minutes}
            shown = shown.model_copy(
                update={name: begins + timedelta(minutes=n) for name, n in ends.items() if n}
            )
        return Preview(
            problems=[ProblemOut(field=one.field, text=one.text) for one in problems(draft)],
            references=[reference_of(goods) for _, goods in draft.lines()],
            offer=shown,
        )

    async def public_of(self, session: AsyncSession, show_id: UUID, viewer: Viewer) -> list[ViewerOffer]:
        """A show's launched offers, the newest first, ended ones as ended; coupons show themselves."""
        query = (
            select(Offer)
            .where(
                col(Offer.show_id) == show_id,
                col(Offer.brand_id) == viewer.brand_id,
                col(Offer.state) != "draft",
                col(Offer.kind) != "coupon",
            )
            .order_by((col(Offer.state) == "live").desc(), col(Offer.live_at).desc())
            .limit(MOST_SHOWN)
        )
        offers = [*await session.exec(query)]
        if not offers:
            return []
        shown = await self.pictures(session, offers)
        asked = {"show_id": show_id, "viewer_id": viewer.id, "offers": [offer.id for offer in offers]}
        yours = {row.offer_id: int(row.units) for row in await run(session, YOURS, asked)}
        now = self._clock()
        return [
            ViewerOffer(
                **vars(one),
                yours=yours.get(one.id, 0),
                open_to_you=open_to(one, viewer, now),
            )
            for one in shown
        ]

    async def pictures(self, session: AsyncSession, offers: Sequence[Offer]) -> list[PublicOffer]:
        """As everybody sees them, with their counts as they are in this moment's ledger."""
        version: int = (await run(session, NOW_IN_MICROSECONDS)).scalar_one()
        now = self._clock()
        return [picture(draft, now, version) for draft in await self.loaded(session, offers)]

    # --- at the checkout --------------------------------------------------------------------------

    async def coupon(
        self,
        session: AsyncSession,
        brand_id: UUID,
        show_id: UUID | None,
        code: str,
        lines: Sequence[coupons.CouponLine],
        viewer: Viewer,
    ) -> coupons.CouponTerms:
        """What a code takes off these lines. Conflict with a sentence for the buyer, when nothing."""
        now = self._clock()
        return await coupons.read(session, brand_id, show_id, code, lines, coupons.Buyer.of(viewer), now)

    async def redeem(self, session: AsyncSession, order: Order, coupon: coupons.CouponTerms) -> None:
        """Use it for this order: once, however often this is called. Conflict when its last use is gone."""
        await coupons.redeem(session, order, coupon, self._clock())

    async def give_back(self, session: AsyncSession, order_id: UUID) -> None:
        """The order came to nothing: its coupon may be used again. Repeatable."""
        await coupons.give_back(session, order_id)

    # --- below ------------------------------------------------------------------------------------

    async def _write(self, session: AsyncSession, offer: Offer, wish: OfferIn) -> None:
        await _check_owned(session, offer.brand_id, wish)
        for name, value in wish.model_dump(exclude=set(SET_ASIDE)).items():
            setattr(offer, name, value)
        offer.code = offer.code or None
        session.add(offer)
        try:
            await session.flush()
        except IntegrityError:
            raise Conflict(
                "code_taken", "This code is or was in use. Choose another one; a code never comes twice."
            ) from None
        for part in (OfferItem, OfferTier):
            await session.exec(delete(part).where(col(part.offer_id) == offer.id))
        items, tiers = parts_of(offer, wish)
        session.add_all([*items, *tiers])
        await session.flush()


def open_to(offer: PublicOffer, viewer: Viewer, now: datetime) -> bool:
    """Whether it is for this viewer at this moment: as `hub.stock.price.closed_to` will judge."""
    invited = viewer.member if offer.segment_id is None else offer.segment_id in viewer.segments
    if offer.members_until is None:
        return offer.segment_id is None or invited
    return invited or offer.members_until <= now


async def _check_owned(session: AsyncSession, brand_id: UUID, wish: OfferIn) -> None:
    """The fence: show and products are the brand's own."""
    if wish.show_id:
        query = select(Show.id).where(col(Show.id) == wish.show_id, col(Show.brand_id) == brand_id)
        if (await session.exec(query)).first() is None:
            raise NotFound("show_unknown", "There is no such show.")
    if wish.segment_id:
        of = select(Segment.id).where(col(Segment.id) == wish.segment_id, col(Segment.brand_id) == brand_id)
        if (await session.exec(of)).first() is None:
            raise NotFound("segment_unknown", "There is no such group of customers.")
    variants = {item.variant_id for item in wish.items}
    if len(variants) < len(wish.items):
        raise BadInput("item_twice", "Each product can be in an offer once.")
    if variants and len(await goods_of(session, brand_id, wish.show_id, [*variants])) < len(variants):
        raise NotFound("variant_unknown", "There is no such product.")


def parts_of(offer: Offer, wish: OfferIn) -> tuple[list[OfferItem], list[OfferTier]]:
    """The rows that belong to it."""
    items = [OfferItem(offer_id=offer.id, brand_id=offer.brand_id, **vars(item)) for item in wish.items]
    tiers = [
        OfferTier(offer_id=offer.id, brand_id=offer.brand_id, position=n, **vars(tier))
        for n, tier in enumerate(wish.tiers)
    ]
    return items, tiers


def reference_of(goods: Goods) -> ReferenceOut:
    """Which price counts, in a sentence for whoever edits the offer."""
    if goods.lowest_minor is None:
        why = (
            "No price of the last 30 days is known. Viewers see the offer's price alone, with nothing struck"
            " through and no percentage."
        )
    elif goods.lowest_minor < goods.list_minor:
        why = "It was cheaper within the last 30 days. Only a reduction from that price may be announced."
    else:
        why = "It was not cheaper within the last 30 days: the reduction is measured by its price."
    return ReferenceOut(
        variant_id=goods.variant_id,
        title=goods.title,
        list_minor=goods.list_minor,
        lowest_minor=goods.lowest_minor,
        was_minor=goods.was_minor,
        currency=goods.currency,
        why=why,
    )


def _log(offer: Offer, kind: str, words: str, author: str | None, at: datetime) -> OfferLog:
    return OfferLog(brand_id=offer.brand_id, offer_id=offer.id, kind=kind, text=words, author=author, at=at)
