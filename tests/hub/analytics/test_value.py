"""Figures of a show are its orders' money to the cent, whoever adds them up."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.analytics.audit.run import CREDITED, Auditor, lines_of
from hub.analytics.audit.standing import audit_show
from hub.analytics.money import Scope
from hub.analytics.service import Analytics, Value
from hub.attribution.runs import Runs
from hub.attribution.service import Attribution
from hub.attribution.words import Credits, Query
from hub.clock import Clock
from hub.db import Database, run
from hub.errors import NotFound
from hub.events.log import EventLog
from hub.events.schema import ViewerEvent
from hub.ids import new_id
from tests.hub.analytics.books import Books, House, filled, house
from tests.hub.conftest import settings_for
from tests.hub.shop import SetClock

SUMS = (
    *("orders", "units", "gross_minor", "discounts_minor", "added_minor", "charged_minor", "cancelled_minor"),
    *("refunded_minor", "kept_minor", "tax_minor", "shipping_minor", "net_minor", "cost_minor"),
    *("margin_minor", "lines", "lines_without_cost"),
)
ORDERS = """
    SELECT currency, sum(total_minor)::bigint AS charged, sum(CASE WHEN state = 'cancelled' THEN total_minor
        ELSE least(refunded_minor, total_minor) END)::bigint AS back
    FROM orders WHERE brand_id = :brand AND NOT test
      AND (state IN ('paid', 'refunded') OR state = 'cancelled' AND captured_minor > 0) GROUP BY 1
"""


def added(rows: list[Any]) -> dict[str, Counter[str]]:
    """Sums by currency."""
    found: dict[str, Counter[str]] = {}
    for row in rows:
        sums = found.setdefault(row.currency, Counter())
        sums.update({name: getattr(row, name) for name in SUMS})
    return found


CAME_BY = """
    INSERT INTO touch (id, brand_id, visitor_id, customer_id, show_id, utm_source, utm_campaign,
        channel_group, kind, click_ids, landing, at)
    SELECT gen_random_uuid(), brand_id, coalesce(viewer_id, 'v' || id), customer_id, show_id, source,
        campaign, came.channel_group, 'visit', '{}', '', placed_at - ago
    FROM orders CROSS JOIN (VALUES
        ('tiktok', 'autumn', 'Organic Social', interval '20 minutes'),
        ('mail', NULL, 'Email', interval '2 days'), (NULL, NULL, 'Direct', interval '3 days'),
        ('tiktok', NULL, 'Organic Social', interval '9 days')
    ) AS came(source, campaign, channel_group, ago)
    WHERE brand_id = :brand
"""
"""Every buyer came several times before: what models share out differently."""


async def came_by(db: Database, brand: UUID) -> None:
    async with db.session() as session:
        await run(session, text(CAME_BY), {"brand": brand})


def auditor(
    db: Database,
    data: Path,
    clock: Clock,
    figures: type[Analytics] = Analytics,
    credited: type[Attribution] = Attribution,
) -> Auditor:
    """One that puts a single question to attribution: each costs a quarter of a second."""
    attribution = credited(clock, data, Runs(db, clock, data))
    analytics = figures(clock, attribution, EventLog(data / "events"))
    return Auditor(db, analytics, attribution, data, CREDITED[:1])


def watched(books: Books, data: Path) -> None:
    """Events of twenty viewers and of every order that was paid, in two files that overlap."""
    shop = books.shop

    def event(kind: Any, minute: float, **more: Any) -> ViewerEvent:
        at = shop.live_at + timedelta(minutes=minute)
        more = {"source": "page", "viewer_id": None, **more}
        return ViewerEvent(
            id=new_id(), brand_id=shop.brand_id, show_id=shop.show_id, kind=kind, at=at, **more
        )

    events = []
    for n in range(20):
        viewer = uuid4().hex
        events.append(event("join", n / 4, viewer_id=viewer, source="hub"))
        events += [event("heartbeat", minute, viewer_id=viewer) for minute in range(n // 4, n)]
        events.append(event("product_click", n, viewer_id=viewer, product_id=shop.product_id))
    events += [event("sold_out", 9, source="hub") for _ in range(3)]
    events += [event("pay", 8, source="hub", order_id=row.id) for row in books.orders()]
    log, rows = EventLog(data / "events"), [*enumerate(events, 1)]
    log.write(shop.brand_id, shop.show_id, rows[:-5])
    log.write(shop.brand_id, shop.show_id, rows[-9:])


async def value_of(db: Database, figures: Analytics, scope: Scope) -> Value:
    async with db.session() as session:
        return await figures.value(session, scope)


@pytest.mark.parametrize("seed", [7, 2026])
async def test_channels_and_shows_add_up_to_the_orders_to_the_cent_and_the_audit_agrees(
    db: Database, clock: SetClock, tmp_path: Path, seed: int
) -> None:
    shop = await house(db, clock())
    books = await filled(db, shop, clock(), seed, 60)
    if seed == 2026:
        watched(books, tmp_path)
    if seed == 7:
        await came_by(db, shop.brand_id)
    audit = auditor(db, tmp_path, clock)
    value = await value_of(db, audit.analytics, Scope(brand_id=shop.brand_id))
    totals = added(value.totals)
    assert len(totals) == 2
    assert added(value.channels) == totals
    assert added(value.shows) == totals
    async with db.session() as session:
        rows = (await run(session, text(ORDERS), {"brand": shop.brand_id})).all()
    orders = {row.currency: row for row in rows}
    for row in value.totals:
        assert row.charged_minor == orders[row.currency].charged
        assert row.gross_minor - row.discounts_minor + row.added_minor == row.charged_minor
        assert row.charged_minor - row.cancelled_minor - row.refunded_minor == row.kept_minor
        assert row.kept_minor == row.charged_minor - orders[row.currency].back
        assert row.kept_minor - row.tax_minor - row.shipping_minor == row.net_minor
        assert row.net_minor - row.cost_minor == row.margin_minor
    # As the command line does it, beside whatever runs, with every question to attribution; and with one.
    settings = settings_for(tmp_path, db.url, "nats://nobody")
    verdict = await (audit_show(settings, shop.slug) if seed == 7 else audit.audit(shop.slug, clock()))
    assert lines_of(verdict)[-1] == "Differences: none.", "\n".join(lines_of(verdict))
    assert verdict.checked > (500 if seed == 7 else 150)
    if seed == 2026:
        own = await value_of(db, audit.analytics, Scope(brand_id=shop.brand_id, show_id=shop.show_id))
        assert (own.audience.source, own.audience.viewers, own.holds.sold_out_hits) == ("events", 20, 3)


class ACentTooMuch(Analytics):
    """Figures with one mistake in them."""

    async def value(self, session: AsyncSession, scope: Scope) -> Value:
        found = await super().value(session, scope)
        found.totals[0].refunded_minor += 1
        return found


class ACentMoved(Attribution):
    """Credits that still add up: one channel has a cent of another's."""

    async def answer(self, session: AsyncSession, brand_id: UUID, query: Query) -> Credits:
        found = await super().answer(session, brand_id, query)
        one, other, *_ = [row for row in found.rows if row.currency == "EUR"]
        one.credit_minor, other.credit_minor = one.credit_minor + 1, other.credit_minor - 1
        return found


async def test_the_audit_finds_what_does_not_agree_and_says_where(
    db: Database, clock: SetClock, tmp_path: Path
) -> None:
    shop = await house(db, clock())
    books = await filled(db, shop, clock(), 3, 20)
    watched(books, tmp_path)
    [one, *_] = (await auditor(db, tmp_path, clock, ACentTooMuch).audit(shop.slug, clock())).differences
    assert one.figure == "all EUR refunded_minor"
    assert one.shown == one.recomputed + 1
    assert "refund" in one.where

    await came_by(db, shop.brand_id)
    moved = (await auditor(db, tmp_path, clock, Analytics, ACentMoved).audit(shop.slug, clock())).differences
    assert [one.figure.rpartition(" ")[2] for one in moved] == ["credit_minor", "credit_minor"]
    assert sum(one.shown - one.recomputed for one in moved) == 0
    assert all(one.figure.startswith("credits first 7d source EUR") for one in moved)

    # A payment that is in no event file, and a counter that is not the sum of its ledger.
    paid = next(row for row in books.orders() if row.channel == "own" and row.show_id == shop.show_id)
    audit = auditor(db, tmp_path, clock)
    async with db.session() as session:
        await run(
            session,
            text(
                "INSERT INTO orders SELECT (json_populate_record(o, json_build_object("
                "'id', CAST(:id AS text), 'number', 'SH-LATE', 'state', 'paid'))).*"
                " FROM orders AS o WHERE id = :old"
            ),
            {"id": str(new_id()), "old": paid.id},
        )
        await run(
            session,
            text("INSERT INTO stock VALUES (:variant, :brand, 5, 0, 0, 1, NULL)"),
            {"variant": shop.variants[0], "brand": shop.brand_id},
        )
    verdict = await audit.audit(str(shop.show_id), clock() + timedelta(hours=1))
    found = {one.figure: one for one in verdict.differences}
    assert (found["events pay SH-LATE"].shown, found["events pay SH-LATE"].recomputed) == (False, True)
    assert found["stock problems of the ledger"].shown > 0
    assert verdict.document()["ok"] is False
    with pytest.raises(NotFound, match="end of its watch address"):
        await audit.audit("evening", clock())


async def test_a_shows_viewers_without_events_are_its_tagged_visits_and_filters_narrow(
    db: Database, clock: SetClock, tmp_path: Path
) -> None:
    shop = await house(db, clock())
    await filled(db, shop, clock(), 11, 30)
    figures = auditor(db, tmp_path, clock).analytics
    scope = Scope(brand_id=shop.brand_id, show_id=shop.show_id)
    whole = await value_of(db, figures, scope)
    assert (whole.audience.source, whole.audience.viewers, whole.audience.ctor) == ("visits", 6, None)
    assert {row.place for row in whole.channels} == {"own", "shop", "platform"}
    own = await value_of(db, figures, Scope(brand_id=shop.brand_id, show_id=shop.show_id, channel="own"))
    assert {row.channel for row in own.channels} == {"own"}
    assert added(own.totals) == added([row for row in whole.channels if row.channel == "own"])
    before = Scope(brand_id=shop.brand_id, show_id=shop.show_id, until=shop.live_at)
    assert (await value_of(db, figures, before)).totals == []
    flash = await value_of(db, figures, Scope(brand_id=shop.brand_id, offer_kind="flash"))
    assert 0 < flash.audience.buyers < whole.audience.buyers + 30
    assert await anothers(db, figures, shop) == []


async def anothers(db: Database, figures: Analytics, shop: House) -> list[Any]:
    """What another brand sees."""
    other = await house(db, shop.live_at)
    return (await value_of(db, figures, Scope(brand_id=other.brand_id))).totals
