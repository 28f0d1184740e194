"""What must be true of an evening at any moment, and what must be true once all is settled.

Each sum is reckoned here from rows that the sum under test is not made of: the gateway's own books, the
lines, the parts of refunds, the ledger.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from hub.db import run
from hub.stock.ledger import check
from tests.hub.orders.evening import Evening

SOLD: Final = ("paid", "refunded")
NOTHING: Final = ("failed", "expired", "cancelled")

STOCK: Final = """
    SELECT stock.variant_id, on_hand, held, committed,
        (SELECT coalesce(sum(quantity), 0) FROM hold
         WHERE hold.variant_id = stock.variant_id AND state = 'committed') AS sold,
        (SELECT coalesce(sum(quantity), 0) FROM stock_movement AS moved
         WHERE moved.variant_id = stock.variant_id AND kind = 'return') AS came_back
    FROM stock WHERE brand_id = :brand
"""
TIERS: Final = """
    SELECT offer.kind, offer.units AS offer_units, offer.taken AS offer_taken, tier.units, tier.taken,
        (SELECT coalesce(sum(hold.units), 0) FROM hold
         WHERE hold.tier_id = tier.id AND state IN ('held', 'committed')) AS really,
        (SELECT count(*) FROM offer_use WHERE offer_id = offer.id AND offer_use.state = 'used') AS uses
    FROM offer LEFT JOIN offer_tier AS tier ON tier.offer_id = offer.id WHERE offer.brand_id = :brand
"""
ORDERS: Final = "SELECT * FROM orders WHERE brand_id = :brand ORDER BY id"
LINES: Final = """
    SELECT order_line.*, hold.state AS hold_state, coalesce(back.amount, 0) AS back_minor,
        coalesce(back.pieces, 0) AS back_pieces,
        coalesce(shelf.pieces, 0) + coalesce(came.pieces, 0) AS shelved
    FROM order_line JOIN hold ON hold.id = order_line.hold_id
    LEFT JOIN LATERAL (
        SELECT sum(part.amount_minor) AS amount, sum(part.quantity) AS pieces
        FROM refund_part AS part JOIN refund ON refund.id = part.refund_id
        WHERE part.order_line_id = order_line.id AND refund.state <> 'failed') AS back ON true
    LEFT JOIN LATERAL (
        SELECT sum(restocked) AS pieces FROM refund_part WHERE order_line_id = order_line.id) AS shelf ON true
    LEFT JOIN LATERAL (
        SELECT sum(received) AS pieces FROM return_line
        WHERE order_line_id = order_line.id AND restock) AS came ON true
    WHERE order_line.brand_id = :brand
"""
PAYMENTS: Final = "SELECT * FROM payment WHERE brand_id = :brand"
REFUNDS: Final = """
    SELECT refund.*, (SELECT sum(amount_minor) FROM refund_part WHERE refund_id = refund.id) AS parts,
        (SELECT (data->>'total_minor')::bigint FROM invoice WHERE invoice.refund_id = refund.id) AS credited
    FROM refund WHERE brand_id = :brand
"""


@dataclass
class Books:
    """An evening's rows as of one moment, and the gateway's own account of it."""

    intents: dict[str, Any]
    stock: list[Any]
    tiers: list[Any]
    orders: list[Any]
    lines: list[Any]
    payments: list[Any]
    refunds: list[Any]

    def of(self, rows: list[Any], order_id: UUID) -> list[Any]:
        """Those of an order."""
        return [row for row in rows if row["order_id"] == order_id]

    def kept_there(self, order_id: UUID) -> int:
        """What the gateway has taken for an order and not given back, by its own books."""
        mine = [one for one in self.intents.values() if one["order_id"] == str(order_id)]
        return sum(one["captured"] - one["refunded"] for one in mine)


async def read(evening: Evening) -> Books:
    """Nobody else works meanwhile."""
    rows: list[list[Any]] = []
    async with evening.hub.db.session() as session:
        assert await check(session) == []
        for query in (STOCK, TIERS, ORDERS, LINES, PAYMENTS, REFUNDS):
            found = (await run(session, text(query), {"brand": evening.brand})).all()
            rows.append([row._asdict() for row in found])
    return Books({one["ref"]: one for one in await evening.market.intents()}, *rows)


async def right(evening: Evening) -> Books:
    """True at any moment."""
    books = await read(evening)
    for row in books.stock:
        assert 0 <= row["held"] + row["committed"] <= row["on_hand"], row
        assert row["committed"] == row["sold"] - row["came_back"], row
    for row in books.tiers:
        assert row["offer_units"] is None or row["offer_taken"] <= row["offer_units"], row
        assert row["kind"] != "coupon" or row["offer_taken"] == row["uses"], row
        if row["kind"] == "tiers":
            assert row["taken"] == row["really"] <= (row["units"] or row["really"]), row
    for order in books.orders:
        order_adds_up(order, books)
        money_adds_up(order, books)
    for payment in books.payments:
        gateway_agrees(payment, books)
    return books


def order_adds_up(order: Any, books: Books) -> None:
    """Lines, coupon, delivery and tax make the total; no line gives back more than was paid for it."""
    lines, taxes_on_top = books.of(books.lines, order["id"]), not order["prices_include_tax"]
    assert sum(one["unit_minor"] * one["quantity"] for one in lines) == order["subtotal_minor"], order
    assert sum(one["discount_minor"] for one in lines) == order["discount_minor"], order
    delivery_tax = order["tax_minor"] - sum(one["tax_minor"] for one in lines)
    assert 0 <= delivery_tax <= order["shipping_minor"], order
    goods = order["subtotal_minor"] - order["discount_minor"]
    tax = order["tax_minor"] if taxes_on_top else 0
    assert goods + order["shipping_minor"] + tax == order["total_minor"], order
    for one in lines:
        worth = one["unit_minor"] * one["quantity"] - one["discount_minor"]
        worth += one["tax_minor"] if taxes_on_top else 0
        assert 0 <= one["back_minor"] <= worth, one
        assert one["back_pieces"] <= one["quantity"], one
        if order["state"] in SOLD:
            assert one["hold_state"] == "committed", one
        if order["state"] == "expired":
            assert one["hold_state"] in ("expired", "released"), one


def money_adds_up(order: Any, books: Books) -> None:
    """What was taken, what is on its way back and what is back, by order, payment, refund and its parts."""
    refunds, payments = books.of(books.refunds, order["id"]), books.of(books.payments, order["id"])
    alive = sum(one["amount_minor"] for one in refunds if one["state"] != "failed")
    assert order["captured_minor"] == sum(one["captured_minor"] for one in payments), order
    assert order["refunded_minor"] == sum(one["amount_minor"] for one in refunds if one["state"] == "done")
    assert order["refunded_minor"] <= alive <= order["captured_minor"], order
    assert order["captured_minor"] - alive <= order["total_minor"], order
    for payment in payments:
        mine = [one for one in refunds if one["payment_id"] == payment["id"] and one["state"] != "failed"]
        assert payment["refunded_minor"] == sum(one["amount_minor"] for one in mine), payment
    for one in refunds:
        assert one["parts"] in (None, one["amount_minor"]), one


def gateway_agrees(payment: Any, books: Books) -> None:
    """As far as it must at any moment: nothing is taken twice, nothing written down that was not taken."""
    real = books.intents.get(payment["ref"])
    if real is None:
        assert payment["captured_minor"] == 0, payment
        return
    assert real["captures"] <= 1, real
    assert 0 <= real["refunded"] <= real["captured"] <= real["amount"] == payment["amount_minor"], real
    assert payment["captured_minor"] in (0, real["captured"]), (payment, real)


async def settled(evening: Evening) -> Books:
    """True once every job is done, everything is told and every bank has decided."""
    books = await right(evening)
    jobs = await evening.sql("SELECT task_name, status::text, attempts FROM procrastinate_jobs")
    assert jobs == []
    assert await evening.sql("SELECT * FROM webhook_event WHERE brand_id = :brand AND state <> 'done'") == []
    assert {one["state"] for one in books.orders} <= {*SOLD, *NOTHING}
    over = {"captured", "capture_failed", "declined", "voided", "refunded"}
    assert {one["state"] for one in books.payments} <= over
    assert all(one["state"] in ("done", "failed") or one["ref"] for one in books.refunds)
    assert sum(row["held"] for row in books.stock) == 0
    for order in books.orders:
        pending = sum(
            one["amount_minor"] for one in books.of(books.refunds, order["id"]) if one["state"] == "sent"
        )
        kept = order["captured_minor"] - order["refunded_minor"]
        assert kept - pending == books.kept_there(order["id"]), order
        if order["state"] == "paid":
            assert kept > 0 or order["total_minor"] == 0, order
        elif order["state"] in NOTHING:
            assert kept == pending or failed_to_give_back(order, books), order
    everything = sum(one["captured"] - one["refunded"] for one in books.intents.values())
    pending = sum(one["amount_minor"] for one in books.refunds if one["state"] == "sent")
    kept = sum(one["captured_minor"] - one["refunded_minor"] for one in books.orders)
    assert everything == kept - pending
    assert all(one["credited"] == one["amount_minor"] for one in books.refunds if one["state"] == "done")
    assert {one["state"] for one in books.intents.values()} <= {
        "succeeded",
        "canceled",
        "requires_payment_method",
    }
    goods_are_where_they_belong(books)
    return books


def failed_to_give_back(order: Any, books: Books) -> bool:
    """A bank would not take the money back: it is with the shop, and its payment asks for a person."""
    refused = any(one["state"] == "failed" for one in books.of(books.refunds, order["id"]))
    return refused and any(one["problem"] for one in books.of(books.payments, order["id"]))


def goods_are_where_they_belong(books: Books) -> None:
    """What is sold is what paid orders have and nobody put on the shelf again."""
    states = {one["id"]: one["state"] for one in books.orders}
    sold: Counter[UUID] = Counter()
    for line in books.lines:
        if states[line["order_id"]] in SOLD:
            sold[line["variant_id"]] += line["quantity"] - min(line["quantity"], line["shelved"])
    assert {row["variant_id"]: row["committed"] for row in books.stock} == {
        row["variant_id"]: sold[row["variant_id"]] for row in books.stock
    }
