"""Figures of shows, channels, people and offers. Everything is reckoned when it is asked for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.analytics import channels as channel_page
from hub.analytics.audience import Audience, Holds, audience, holds, seen, shows_of
from hub.analytics.lifetime import Lifetime, lifetime
from hub.analytics.money import ChannelMoney, Money, Scope, ShowMoney, per, sums
from hub.analytics.offers import OfferKind, offer_kinds
from hub.attribution.service import Attribution
from hub.attribution.words import Query
from hub.clock import Clock
from hub.db import run
from hub.errors import NotFound
from hub.events.log import EventLog
from hub.shows.models import Show

CURRENCY = text("SELECT currency FROM brand WHERE id = :brand_id")


class Value(BaseModel):
    """What a scope was worth: people, reservations, and money in all, by channel and by show.

    `channels` and `shows` add up to `totals` in every sum, currency by currency.
    """

    audience: Audience
    holds: Holds
    totals: list[Money]
    channels: list[ChannelMoney]
    shows: list[ShowMoney]


class Analytics:
    """Reads; changes nothing."""

    def __init__(self, clock: Clock, attribution: Attribution, log: EventLog) -> None:
        self._clock = clock
        self._attribution = attribution
        self.log = log

    async def value(self, session: AsyncSession, scope: Scope) -> Value:
        """NotFound where the show is another brand's."""
        await self._known(session, scope)
        shows = await shows_of(session, scope)
        found = await seen(session, self.log, scope.brand_id, shows)
        money = await sums(session, scope)
        people = await audience(session, scope, found, self._clock())
        self._per_viewer(money.totals, money.channels, money.sold_own, people)
        titles = await self._titles(session, [row.show_id for row in money.shows if row.show_id])
        for row in money.shows:
            row.title = titles.get(row.show_id) if row.show_id else None
        return Value(
            audience=people,
            holds=await holds(session, scope, shows, found),
            totals=money.totals,
            channels=money.channels,
            shows=money.shows,
        )

    async def lifetime(self, session: AsyncSession, brand_id: UUID) -> Lifetime:
        """Of the whole brand."""
        currency = (await run(session, CURRENCY, {"brand_id": brand_id})).scalar_one()
        return await lifetime(session, brand_id, self._clock(), currency)

    async def offers(self, session: AsyncSession, scope: Scope) -> list[OfferKind]:
        """By kind."""
        await self._known(session, scope)
        return await offer_kinds(session, self.log, scope, self._clock())

    async def channels(
        self, session: AsyncSession, brand_id: UUID, query: Query, values: dict[str, Any]
    ) -> channel_page.Channels:
        """What each source brought and cost. `values`: the same show and period, None where not bound."""
        await self._known(session, Scope(brand_id=brand_id, show_id=query.show_id))
        told = await self._attribution.answer(session, brand_id, query)
        came, spent, titles = await channel_page.around(session, {"brand_id": brand_id, **values}, query.by)
        return channel_page.joined(told, came, spent, titles)

    async def _known(self, session: AsyncSession, scope: Scope) -> None:
        if scope.show_id is None:
            return
        query = select(Show.id).where(col(Show.id) == scope.show_id, col(Show.brand_id) == scope.brand_id)
        if (await session.exec(query)).first() is None:
            raise NotFound("show_unknown", "There is no such show.")

    async def _titles(self, session: AsyncSession, ids: list[UUID]) -> dict[UUID, str]:
        found = await session.exec(select(Show.id, Show.title).where(col(Show.id).in_(ids)))
        return dict(found.all())

    def _per_viewer(
        self, totals: list[Money], channels: list[ChannelMoney], sold: dict[str, int], people: Audience
    ) -> None:
        """Only the own site has viewers of ours: its money, for each of them."""
        own = {row.currency: row for row in channels if row.channel == "own"}
        for row in [*totals, *own.values()]:
            mine = own.get(row.currency)
            row.revenue_per_viewer_minor = per(mine.net_minor if mine else 0, people.viewers)
            row.gpm_minor = per(1000 * sold.get(row.currency, 0), people.views)
