"""Invoices without gaps, files that reconcile, and a list that finds every order."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from datetime import timedelta
from uuid import uuid4

import pytest

from hub.aftersale.invoices import NEXT
from hub.db import run
from hub.orders.export import AT_A_TIME, harmless
from hub.orders.models import Order
from tests.hub.aftersale.conftest import BAG, PARCEL, Store


async def test_numbers_have_no_gap_whatever_runs_at_once(store: Store) -> None:
    await store.owner.call(
        "PATCH",
        "/api/v1/aftersale/terms",
        {"legal_name": "Linnéa GmbH", "legal_address": "Straße 1\n10115 Berlin", "invoice_prefix": "R-"},
    )
    orders = [await store.buys(1, pay=False) for _ in range(4)]
    await store.market.work()
    invoices = store.market.hub.aftersale.invoices
    await asyncio.gather(*(invoices.sweep() for _ in range(3)))
    # One that dies before it is kept takes no number with it.
    brand = store.market.shop.brand_id

    async def dies() -> None:
        async with store.market.hub.db.session() as session:
            taken = await run(session, NEXT, {"brand_id": brand})
            assert taken.scalar_one() == 5
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await dies()
    await orders[0].cancel()
    await store.settle()
    rows = await store.market.sql("SELECT n, number, kind FROM invoice ORDER BY n")
    assert [(row["n"], row["kind"]) for row in rows] == [
        *((n, "invoice") for n in range(1, 5)),
        (5, "credit_note"),
    ]
    assert rows[-1]["number"] == "R-000005"
    [first, credit] = (await orders[0].detail())["invoices"]
    path = f"/api/v1/invoices/{first['id']}"
    drawn = [await store.owner.http.get(path) for _ in range(2)]
    assert drawn[0].content == drawn[1].content
    assert drawn[0].headers["content-type"] == "application/pdf"
    # A change of the brand's details leaves what was issued as it was.
    await store.owner.call("PATCH", "/api/v1/aftersale/terms", {"legal_name": "Other"})
    mine = await orders[0].buyer.http.http.get(f"{orders[0].path}/invoices/{first['id']}")
    assert mine.content == drawn[0].content
    theirs = await orders[1].buyer.http.http.get(f"{orders[1].path}/invoices/{credit['id']}")
    assert theirs.status_code == 404


async def test_the_files_reconcile_with_the_books_and_run_nothing(store: Store) -> None:
    order = await store.buys(2, name='=HYPERLINK("http://evil.example";"Ana")')
    await order.refund(amount_minor=1_000)
    await store.settle()
    await many(store, AT_A_TIME + 5)
    text = (await store.owner.http.get("/api/v1/orders/export.csv")).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == AT_A_TIME + 6
    [books] = await store.market.sql(
        "SELECT sum(total_minor) AS total, sum(captured_minor) AS captured, sum(refunded_minor) AS refunded"
        " FROM orders"
    )
    for name in ("total", "captured", "refunded"):
        assert sum(round(float(row[name]) * 100) for row in rows) == books[name], name
    assert (
        sum(round(float(row["net_of_refunds"]) * 100) for row in rows)
        == books["captured"] - books["refunded"]
    )
    for row in rows:
        parts = [round(float(row[name]) * 100) for name in ("subtotal", "discount", "shipping", "total")]
        assert parts[0] - parts[1] + parts[2] == parts[3]
    [evil] = [row for row in rows if "HYPERLINK" in row["buyer"]]
    assert evil["buyer"].startswith("'=")
    assert all(not cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())
    assert harmless("-1+1") == "'-1+1"
    found = await store.owner.call("GET", "/api/v1/orders/export.json")
    assert {row["id"] for row in found} == {row["id"] for row in rows}
    assert order.email not in text + json.dumps(found)
    assert [
        line["number"] for line in await store.owner.call("GET", "/api/v1/orders/export.json?q=nothing")
    ] == []


async def test_the_list_is_searched_filtered_and_paged_without_skipping(store: Store) -> None:
    ana = await store.buys(1, name="Ana 100%", email="Ana@Example.com")
    await many(store, 12)
    first = await store.owner.call("GET", "/api/v1/orders?limit=5")
    await many(store, 3, "later")
    rows, cursor = first["orders"], first["next"]
    while cursor:
        page = await store.owner.call("GET", f"/api/v1/orders?limit=5&cursor={cursor}")
        rows, cursor = rows + page["orders"], page["next"]
    assert len({row["id"] for row in rows}) == len(rows) == 13
    [number] = [row["number"] for row in rows if row["id"] == ana.id]
    for query in (f"q={number}", "q=100%25", "q=ana@example.com", "q=BAG-RED", "state=paid&channel=own"):
        found = await store.owner.call("GET", f"/api/v1/orders?{query}")
        assert [row["id"] for row in found["orders"]] == [ana.id], query
    for query in ("q=ana@example", "state=refunded", f"show_id={uuid4()}", "until=2020-01-01T00:00:00Z"):
        assert (await store.owner.call("GET", f"/api/v1/orders?{query}"))["orders"] == [], query
    refused = await store.owner.call("GET", "/api/v1/orders?cursor=nonsense", ok=422)
    assert refused["code"] == "cursor_unknown"
    stranger = await store.market.owner("Other")
    assert (await stranger.call("GET", "/api/v1/orders"))["orders"] == []
    detail = await ana.detail()
    assert (detail["email"], detail["address"]["city"]) == ("Ana@Example.com", "Berlin")
    assert detail["total_minor"] == BAG + PARCEL


async def many(store: Store, count: int, word: str = "many") -> None:
    """Orders of another channel, as rows: their way here is another room's matter."""
    now = store.market.clock()
    async with store.market.hub.db.session() as session:
        session.add_all(
            Order(
                brand_id=store.market.shop.brand_id,
                channel="shopify",
                number=f"{word}{n}",
                state="paid",
                currency="EUR",
                subtotal_minor=1_000 + n,
                discount_minor=n,
                shipping_minor=7,
                tax_minor=3,
                total_minor=1_007,
                captured_minor=1_007,
                placed_at=now - timedelta(seconds=n // 2),
            )
            for n in range(count)
        )
