"""The audit of one show: both sets of figures, and where they differ."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.analytics.audit.credits import MILLION, credits_of
from hub.analytics.audit.facts import Facts, gather, read_events
from hub.analytics.audit.lives import migration_figures, shown, worth_figures
from hub.analytics.audit.money import Figures, Sale, money_figures, sales_of
from hub.analytics.audit.people import (
    buyer_figures,
    hold_figures,
    offer_figures,
    per_viewer,
    viewer_figures,
)
from hub.analytics.lifetime import SOCIAL
from hub.analytics.money import Scope
from hub.analytics.service import Analytics
from hub.attribution.service import Attribution
from hub.attribution.words import MODELS, WATCHED, WINDOWS, By, Credits, Model, Query, Window
from hub.auth.models import Brand
from hub.db import Database, run
from hub.errors import NotFound
from hub.shows.models import Show
from hub.stock.ledger import check

ONE_MOMENT: Final = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
SETTLES: Final = timedelta(minutes=10)
"""So long an event may be on its way from the tables into a file."""
WHERE: Final[Mapping[str, str]] = {
    "audience": "event files under data/events, table touch · hub/analytics/audience.py",
    "holds": "tables hold, order_event, waitlist · hub/analytics/audience.py",
    "offers": "tables offer, offer_use, order_line · hub/analytics/offers.py",
    "credits": "tables touch, orders, refund, and the newest run of attribution · hub/attribution",
    "lifetime": "tables touch, orders, customer · hub/analytics/lifetime.py",
    "migration": "tables identity, touch, orders, customer · hub/analytics/lifetime.py",
    "stock": "tables stock, stock_movement, hold · hub/stock/ledger.py",
    "events": "event files, and what copies orders into them · hub/events/copier.py",
}
MONEY_WHERE: Final = "tables orders, order_line, refund, refund_part · hub/analytics/money.py"
Asked = tuple[Model, Window, By]
CREDITED: Final[tuple[Asked, ...]] = (
    *((model, "7d", "source") for model in MODELS),
    *(("last_non_direct", window, "channel_group") for window in WINDOWS),
    ("linear", "30d", "target"),
    ("linear", "30d", "link"),
)
"""Every model, every window and every key of attribution once."""


@dataclass(frozen=True)
class Difference:
    """One figure that does not agree; None: it is missing on that side."""

    figure: str
    shown: Any
    recomputed: Any
    where: str


@dataclass
class Verdict:
    """What the audit found. `checked`: figures that were compared; `notes`: what could not be."""

    show: str
    checked: int = 0
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def compare(self, figure: str, shown: Any, recomputed: Any) -> None:
        """One figure, in both ways."""
        self.checked += 1
        if shown != recomputed:
            where = WHERE.get(figure.split(" ")[0], MONEY_WHERE)
            self.differences.append(Difference(figure, shown, recomputed, where))

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "show": self.show,
            "ok": not self.differences,
            "checked": self.checked,
            "differences": [{**vars(one)} for one in self.differences],
            "notes": self.notes,
        }


@dataclass(frozen=True)
class Auditor:
    """What an audit needs: the figures as they are shown, and where the raw rows and events are."""

    db: Database
    analytics: Analytics
    attribution: Attribution
    data: Path
    credited: tuple[Asked, ...] = CREDITED

    async def audit(self, show: str, now: datetime) -> Verdict:
        """Recompute every figure of a show, by its slug or id. The tables are read as of one moment."""
        async with self.db.session() as session:
            await run(session, ONE_MOMENT)
            row = await find(session, show)
            verdict = Verdict(row.slug)
            facts = await gather(session, row.brand_id, row.id, now)
            facts.events = await asyncio.to_thread(read_events, self.data / "events", row.brand_id, row.id)
            sales = sales_of(facts)
            shown, figures = await self._shown(session, row), recomputed(facts, sales)
            for name in sorted(shown.keys() | figures.keys()):
                verdict.compare(name, shown.get(name), figures.get(name))
            await self._credits(session, row, facts, sales, verdict)
            await self._lives(session, row, facts, verdict)
            findings = await check(session)
            verdict.compare("stock problems of the ledger", len(findings), 0)
            verdict.notes += [f"Stock: {one.what} {one.id}: {one.detail}" for one in findings]
        told(facts, sales, row, verdict)
        return verdict

    async def _shown(self, session: AsyncSession, show: Show) -> Figures:
        """Every figure of the show that the API gives, under its full name."""
        scope = Scope(brand_id=show.brand_id, show_id=show.id)
        value = await self.analytics.value(session, scope)
        figures: Figures = {}
        for name, row in [("all", one) for one in value.totals] + [
            (one.channel, one) for one in value.channels
        ]:
            skipped = {"currency", "channel", "place"}
            said = row.model_dump(exclude=skipped)
            figures |= {f"{name} {row.currency} {key}": number for key, number in said.items()}
        figures |= {f"audience {key}": number for key, number in value.audience.model_dump().items()}
        figures |= {f"holds {key}": number for key, number in value.holds.model_dump().items()}
        for kind in await self.analytics.offers(session, scope):
            said = kind.model_dump(exclude={"kind", "small"})
            figures |= {f"offers {kind.kind} {key}": number for key, number in said.items()}
        return figures

    async def _lives(self, session: AsyncSession, show: Show, facts: Facts, verdict: Verdict) -> None:
        """Of the whole brand: a person's life is not a show's."""
        told = shown((await self.analytics.lifetime(session, show.brand_id)).model_dump())
        brand = await session.get_one(Brand, show.brand_id)
        figures = worth_figures(facts, brand.currency) | migration_figures(facts, SOCIAL)
        for name in sorted(told.keys() | figures.keys()):
            verdict.compare(name, told.get(name), figures.get(name))

    async def _credits(
        self, session: AsyncSession, show: Show, facts: Facts, sales: list[Sale], verdict: Verdict
    ) -> None:
        """Row by row what each channel gets; and whatever the model, window and key, the credits of all rows
        are the orders' money."""
        kept: dict[str, int] = {}
        for sale in sales:
            currency = sale.order["currency"]
            kept[currency] = kept.get(currency, 0) + sale.kept
        for model, window, by in self.credited:
            query = Query(show.id, model, window, by)
            found = await self.attribution.answer(session, show.brand_id, query)
            sums = sums_of(found)
            for currency in sorted(kept.keys() | sums.keys()):
                name = f"credits {query.model} {query.window} {query.by} {currency}"
                verdict.compare(name, sums.get(currency, 0), kept.get(currency, 0))
            await self._by_row(session, show, facts, sales, found, verdict)
            if found.version != "live" and found.as_of:
                note = f"Credits come from run {found.version} of {found.as_of:%d %b %H:%M}."
                verdict.notes += [] if note in verdict.notes else [note]

    async def _by_row(
        self,
        session: AsyncSession,
        show: Show,
        facts: Facts,
        sales: list[Sale],
        told: Credits,
        verdict: Verdict,
    ) -> None:
        """Every channel's credits by the model that was really used."""
        effects: Mapping[str, int] = {}
        if told.used == "markov":
            effects = await self._effects(session, show, told.window, told.by)
            if not effects:
                note = (
                    "Markov's effects were learned for this answer alone: its channels were not recomputed."
                )
                verdict.notes += [] if note in verdict.notes else [note]
                return
        mine = credits_of(facts, sales, told.used, told.window, told.by, effects)
        rows = {(row.currency, row.key): row for row in told.rows if row.currency}
        for place in sorted(mine.keys() | rows.keys()):
            name = f"credits {told.model} {told.window} {told.by} {' '.join(place)}"
            row, sums = rows.get(place), mine.get(place, {})
            if place[1] == WATCHED:  # from events, and no money is given to it
                continue
            for figure in ("credit_minor", "sold_minor", "influenced_minor", "influenced_orders"):
                verdict.compare(f"{name} {figure}", getattr(row, figure, 0), sums.get(figure, 0))
            orders = row.orders if row else Decimal(0)
            verdict.compare(f"{name} orders", orders, Decimal(sums.get("millionths", 0)) / MILLION)

    async def _effects(self, session: AsyncSession, show: Show, window: Window, by: By) -> Mapping[str, int]:
        """Markov's removal effects as the newest run wrote them: by channel, in billionths."""
        newest = await self.attribution.runs.newest(session, show.brand_id)
        file = self.attribution.runs.file_of(newest) if newest else None
        if file is None:
            return {}
        learned: dict[str, dict[str, int]] = json.loads(file.with_suffix(".json").read_text())
        return learned.get(f"{window} {by}", {})


async def find(session: AsyncSession, show: str) -> Show:
    """By slug or id."""
    try:
        found = select(Show).where(col(Show.id) == UUID(show))
    except ValueError:
        found = select(Show).where(col(Show.slug) == show)
    row = (await session.exec(found)).first()
    if row is None:
        raise NotFound(
            "show_unknown", f"There is no show {show!r}. Its slug is the end of its watch address."
        )
    return row


def recomputed(facts: Facts, sales: list[Sale]) -> Figures:
    """Every figure of the show from its raw rows."""
    seen = viewer_figures(facts)
    viewers, views = seen["audience viewers"], seen["audience views"]
    figures = seen | buyer_figures(facts, sales, viewers, seen["audience product_clicks"])
    figures |= hold_figures(facts, seen["holds sold_out_hits"])
    figures |= offer_figures(facts, sales, viewers)
    for currency in {sale.order["currency"] for sale in sales}:
        mine = [sale for sale in sales if sale.order["currency"] == currency]
        own = per_viewer(sales, viewers, views, currency)
        none = dict.fromkeys(own)
        for channel in {None, *(sale.order["channel"] for sale in mine)}:
            some = [sale for sale in mine if channel in (None, sale.order["channel"])]
            name = f"{channel or 'all'} {currency}"
            figures |= money_figures(some, name)
            by_viewer = own if channel in (None, "own") else none
            figures |= {f"{name} {key}": number for key, number in by_viewer.items()}
    return figures


def sums_of(credits: Credits) -> dict[str, int]:  # noqa: A002 - the word of attribution
    """Credits by currency."""
    sums: dict[str, int] = {}
    for row in credits.rows:
        if row.currency:
            sums[row.currency] = sums.get(row.currency, 0) + row.credit_minor
    return sums


def told(facts: Facts, sales: list[Sale], show: Show, verdict: Verdict) -> None:
    """Every order that was paid has its event, where events are kept at all and had time to arrive."""
    if not facts.events:
        verdict.notes.append("No viewer events are kept of this show: orders were not looked for among them.")
        return
    paid = {event["order_id"] for event in facts.events if event["kind"] == "pay"}
    young = facts.now - SETTLES
    for sale in sales:
        order = sale.order
        # A shop's order may be paid later: what is still missing is added when its show is over.
        due = order["channel"] == "own" or (show.ended_at is not None and show.ended_at < young)
        if due and order["updated_at"] < young:
            verdict.compare(f"events pay {order['number']}", order["id"] in paid, True)


def lines_of(verdict: Verdict) -> list[str]:
    """For people: what differs, both values, and where to look."""
    lines = [f"{verdict.checked} figures of {verdict.show} recomputed from raw orders and events."]
    lines += verdict.notes
    for one in verdict.differences:
        lines.append(f"{one.figure}: shown {one.shown}, recomputed {one.recomputed}. Look at: {one.where}")
    count = len(verdict.differences)
    lines.append(f"Differences: {count or 'none'}.")
    return lines
