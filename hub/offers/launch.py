"""Going live and ending: one verb each, repeatable, and final. An offer that has ended stays ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.models import Brand
from hub.catalog import prices
from hub.clock import Clock
from hub.db import Database, run
from hub.errors import BadInput, Conflict, NotFound, Unavailable
from hub.offers.cues import close_cue, open_cue
from hub.offers.goods import Goods
from hub.offers.models import Offer, OfferItem, OfferLog
from hub.offers.news import tell_changed
from hub.offers.record_texts import ended_record, live_record
from hub.offers.records import signed, signing_key
from hub.offers.rules import Draft, problems, terms_of
from hub.offers.service import Offers
from hub.secrets import Vault
from hub.shows.models import Show
from hub.shows.service import Shows

log = structlog.get_logger()

Why = Literal["time", "gone", "staff", "show"]

OPEN_HOLDS: Final = text(
    """
    SELECT EXISTS (SELECT FROM hold WHERE offer_id = :offer_id AND state = 'held')
        OR EXISTS (SELECT FROM orders JOIN hold ON hold.order_id = orders.id
            WHERE orders.show_id = CAST(:show_id AS uuid) AND hold.offer_id = :offer_id
                AND orders.state IN ('reserved', 'authorising', 'review'))
        OR EXISTS (SELECT FROM offer_use JOIN orders ON orders.id = offer_use.order_id
            WHERE offer_use.offer_id = :offer_id AND offer_use.state = 'used'
                AND orders.state IN ('reserved', 'authorising', 'review'))
    """
)
"""Holds and uses that money may still come for; an expired hold too, while its payment is not decided."""
DUE: Final = text(
    """
    SELECT offer.id, offer.brand_id,
        CASE WHEN offer.state = 'ended' THEN 'record' WHEN offer.ends_at <= :now THEN 'time'
             WHEN show.state = 'ended' THEN 'show' ELSE 'gone' END AS why
    FROM offer LEFT JOIN show ON show.id = offer.show_id
    WHERE (offer.state = 'live' AND (offer.ends_at <= :now OR show.state = 'ended'
            OR (offer.taken >= offer.units AND offer.kind <> 'coupon')
            OR (offer.kind = 'tiers' AND NOT EXISTS (SELECT FROM offer_tier WHERE offer_id = offer.id
                AND (offer_tier.units IS NULL OR offer_tier.taken < offer_tier.units)))))
        OR (offer.state = 'ended' AND offer.ended_signature IS NULL)
    ORDER BY offer.id LIMIT 500
    """
)


class Launches:
    """`go_live`, `end`, and the sweep that ends what nobody has ended by hand."""

    def __init__(self, db: Database, clock: Clock, vault: Vault, offers: Offers, shows: Shows) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._offers = offers
        self._shows = shows

    async def go_live(self, session: AsyncSession, brand_id: UUID, offer_id: UUID, author: str) -> Offer:
        """From now on (or from its planned start) it is promised, with a signed record. Repeatable.

        Conflict: `offer_over`, `offer_rerun`, `show_ended`, `show_not_live`; BadInput `offer_incomplete`.
        """
        show, offer = await self._locked(session, brand_id, offer_id)
        if offer.state == "live":
            return offer
        if offer.state == "ended":
            raise Conflict(
                "offer_over",
                "This offer has ended, and an offer that ended is not run again. Make another one.",
            )
        now = self._clock()
        if show:
            check_show(offer, show)
        begins = max(now, offer.starts_at or now)
        [draft] = await self._offers.loaded(session, [offer], before=begins)
        check_complete(draft)
        offer.terms = terms_of(draft)
        await self._check_new(session, offer)
        offer.state, offer.live_at, offer.starts_at = "live", now, begins
        offer.ends_at = after(begins, offer.minutes)
        offer.members_until = after(begins, offer.members_minutes)
        for item, goods in draft.lines():
            await self._fix(session, draft, item, goods)
        brand = (await session.exec(select(Brand).where(col(Brand.id) == brand_id))).one()
        offer.record = live_record(draft, brand.name, show.slug if show else None)
        key = await signing_key(session, self._vault, brand_id)
        offer.signature = signed(offer.record, key, self._vault)
        self._log(session, offer, "live", "Went live.", author)
        await session.flush()
        if show and open_cue(session, show, offer, begins):
            await self._shows.sync(session, show)
        await tell_changed(session, self._offers, offer)
        return offer

    async def end(
        self,
        session: AsyncSession,
        brand_id: UUID,
        offer_id: UUID,
        author: str | None = None,
        *,
        why: Why = "staff",
    ) -> Offer:
        """Over, for good. One whose time was up ended then, whenever this is called. Repeatable.

        Holds that were taken in time keep their price; the final record is written when they are settled.
        """
        show, offer = await self._locked(session, brand_id, offer_id)
        if offer.state == "draft":
            raise Conflict("offer_not_live", "This offer is not live.")
        if offer.state == "ended":
            return offer
        now = self._clock()
        offer.ended_at, offer.ended_why = now, why
        if offer.ends_at and offer.ends_at <= now:
            offer.ended_at, offer.ended_why = offer.ends_at, "time"
        offer.state = "ended"
        await prices.end(session, offer.id, offer.ended_at)
        self._log(session, offer, "ended", WORDS[offer.ended_why], author)
        await self._settle(session, offer)
        await session.flush()
        if show and await close_cue(session, show, offer, offer.ended_at):
            await self._shows.sync(session, show)
        await tell_changed(session, self._offers, offer)
        return offer

    async def sweep(self) -> int:
        """End what is over by time, by count or with its show; write final records. Repeatable."""
        async with self._db.session() as session:
            due = [*await run(session, DUE, {"now": self._clock()})]
        done = 0
        for row in due:
            try:
                async with self._db.session() as session:
                    done += await self._sweep_one(session, row.brand_id, row.id, row.why)
            except Unavailable:
                raise
            except Exception:  # a supervisor: an offer that can't be ended must not keep the others open
                log.exception("offer.not_ended", offer=str(row.id), why=row.why)
        return done

    async def _sweep_one(self, session: AsyncSession, brand_id: UUID, offer_id: UUID, why: str) -> bool:
        if why == "record":
            offer = await self._offers.get(session, brand_id, offer_id, lock=True)
            return await self._settle(session, offer)
        if why == "gone":
            _, offer = await self._locked(session, brand_id, offer_id)
            # What is held may come back; then it is not gone. Looked at under the lock that takes need too.
            [draft] = await self._offers.loaded(session, [offer])
            if not draft.exhausted or await self._open(session, offer):
                return False
        reason: Why = "time" if why == "time" else "show" if why == "show" else "gone"
        await self.end(session, brand_id, offer_id, why=reason)
        return True

    async def _settle(self, session: AsyncSession, offer: Offer) -> bool:
        """Sign the final count, once nothing can change it any more."""
        if offer.ended_signature or await self._open(session, offer):
            return False
        [draft] = await self._offers.loaded(session, [offer])
        offer.ended_record = ended_record(draft)
        key = await signing_key(session, self._vault, offer.brand_id)
        offer.ended_signature = signed(offer.ended_record, key, self._vault)
        return True

    async def _open(self, session: AsyncSession, offer: Offer) -> bool:
        asked = {"offer_id": offer.id, "show_id": offer.show_id}
        return bool((await run(session, OPEN_HOLDS, asked)).scalar_one())

    async def _locked(
        self, session: AsyncSession, brand_id: UUID, offer_id: UUID
    ) -> tuple[Show | None, Offer]:
        """The show first, so that two launches in one show see each other. Holds don't wait for that lock."""
        offer = await self._offers.get(session, brand_id, offer_id)
        show = None
        if offer.show_id:
            query = select(Show).where(col(Show.id) == offer.show_id, col(Show.brand_id) == brand_id)
            show = (await session.exec(query.with_for_update(key_share=True))).one()
            await session.refresh(show)
        offer = await self._offers.get(session, brand_id, offer_id, lock=True)
        await session.refresh(offer)
        return show, offer

    async def _check_new(self, session: AsyncSession, offer: Offer) -> None:
        """No re-run: see `hub.offers.rules`. Compared with what is ended, and with what still runs."""
        if offer.show_id is None:
            return
        query = select(Offer.title, Offer.terms).where(
            col(Offer.show_id) == offer.show_id, col(Offer.state) != "draft", col(Offer.id) != offer.id
        )
        for title, terms in await session.exec(query):
            if set(terms) & set(offer.terms):
                raise Conflict(
                    "offer_rerun",
                    f"“{title}” had the same product at the same price in this show. Viewers were told it"
                    " would end, so it does not come again. Change the price, or keep it for another show.",
                )

    async def _fix(self, session: AsyncSession, draft: Draft, item: OfferItem, goods: Goods) -> None:
        """From now on an edit of the catalogue does not move this price; and it is history."""
        offer, steps = draft.offer, draft.steps(item, goods)
        item.list_minor = goods.list_minor
        if offer.kind == "coupon":
            return
        if offer.kind != "tiers":
            item.unit_minor = steps[0]
        if offer.kind == "bundle" and len(draft.items) > 1:
            return  # nobody can buy it alone at this price
        for step in {step for step in steps if step < goods.list_minor}:
            begins = offer.starts_at or self._clock()
            await prices.note(
                session, goods.variant_id, goods.currency, step, offer.id, begins, offer.ends_at
            )

    def _log(self, session: AsyncSession, offer: Offer, kind: str, words: str, author: str | None) -> None:
        at = self._clock()
        row = OfferLog(
            brand_id=offer.brand_id, offer_id=offer.id, kind=kind, text=words, author=author, at=at
        )
        session.add(row)


WORDS: Final = {
    "time": "Its time was up.",
    "gone": "Everything was sold.",
    "staff": "Ended by hand.",
    "show": "The show ended.",
}


def after(begins: datetime, minutes: int | None) -> datetime | None:
    """So many minutes later; None without any."""
    return begins + timedelta(minutes=minutes) if minutes else None


def check_show(offer: Offer, show: Show) -> None:
    """Whether the show is in a state for it."""
    if show.state == "ended":
        raise Conflict("show_ended", "The show has ended. Offers belong into a show that is to come or live.")
    if offer.kind == "live_exclusive" and show.state != "live":
        raise Conflict("show_not_live", "This offer is for the live show alone. Start the show first.")


def check_complete(draft: Draft) -> None:
    """Raises BadInput with everything that is in the way, in words."""
    found = problems(draft)
    if found:
        raise BadInput(
            "offer_incomplete",
            " ".join(dict.fromkeys(one.text for one in found)),
            problems=[vars(p) for p in found],
        )
    if draft.offer.kind != "coupon" and not draft.lines():
        raise NotFound("variant_unknown", "There is no such product.")
