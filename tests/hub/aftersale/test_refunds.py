"""Refunds by staff: to the cent, once per key, never more than was taken, and told with author and reason."""

from __future__ import annotations

import asyncio
from uuid import UUID

from sqlmodel import col, select

from hub.payments.models import Refund
from tests.hub.aftersale.conftest import BAG, PARCEL, Store


async def test_partial_refunds_add_up_and_the_order_is_refunded_only_when_all_is_back(store: Store) -> None:
    order = await store.buys(3)
    [line] = (await order.detail())["lines"]
    total = 3 * BAG + PARCEL
    one = [{"line_id": line["id"], "quantity": 1}]
    seen = await store.owner.call("POST", f"/api/v1/orders/{order.id}/refunds/preview", {"lines": one})
    assert (seen["total_minor"], [part["amount_minor"] for part in seen["parts"]]) == (BAG, [BAG])
    for _ in range(2):
        await order.refund(key="the-same-key", lines=one, restock=True)
    await order.refund(shipping_minor=200)
    await order.refund(amount_minor=1_000)
    for wish, code in (
        ({"lines": [{"line_id": line["id"], "quantity": 3}]}, "pieces_too_many"),
        ({"shipping_minor": 301}, "shipping_too_much"),
        ({"amount_minor": total - BAG - 1_199}, "too_much"),
        ({}, "nothing_asked"),
    ):
        assert (await order.refund(ok=409, **wish))["code"] == code
    await store.settle()
    detail = await order.detail()
    back = BAG + 200 + 1_000
    assert (detail["state"], detail["refunded_minor"], detail["left_minor"]) == ("paid", back, total - back)
    assert await store.market.shop.stock() == (10, 0, 2)
    await order.refund(everything=True)
    await store.settle()
    detail = await order.detail()
    assert (detail["state"], detail["refunded_minor"], detail["left_minor"]) == ("refunded", total, 0)
    # Without restock the goods stay with the buyer.
    assert await store.market.shop.stock() == (10, 0, 2)
    assert await store.money() == [(total, total)]
    assert (await order.refund(ok=409, amount_minor=1))["code"] == "nothing_left"
    asked = [event for event in detail["timeline"] if event["kind"] == "refund.asked"]
    assert [(event["author"], "Scratched" in event["text"]) for event in asked] == [("Ana", True)] * 4
    notes = [paper for paper in detail["invoices"] if paper["kind"] == "credit_note"]
    assert sum(paper["total_minor"] for paper in notes) == total
    rows = await store.market.sql("SELECT data FROM invoice WHERE kind = 'credit_note'")
    [bill] = await store.market.sql("SELECT data FROM invoice WHERE kind = 'invoice'")
    assert sum(row["data"]["tax_minor"] for row in rows) == bill["data"]["tax_minor"] > 0
    await store.market.shop.check_ledger()


async def test_refunds_side_by_side_never_exceed_what_was_taken(store: Store) -> None:
    order = await store.buys(1)
    path = f"/api/v1/orders/{order.id}/refunds"
    bodies = [{"key": f"refund-{n}", "reason": "Both at once", "amount_minor": 2_000} for n in range(6)]
    answers = await asyncio.gather(*(store.owner.http.post(path, json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [202, 202, 409, 409, 409, 409]
    await store.settle()
    assert await store.money() == [(BAG + PARCEL, 4_000)]


async def test_a_refund_the_bank_sends_back_can_be_given_again(store: Store) -> None:
    order = await store.buys(1)
    # A bank that has not confirmed may still say no, and then all goods come back by themselves.
    await store.market.sql("UPDATE payment SET state = 'capturing'")
    assert (await order.refund(409, everything=True, restock=True))["code"] == "not_confirmed"
    await store.market.sql("UPDATE payment SET state = 'captured'")
    detail = await order.refund(everything=True)
    [refund] = detail["refunds"]
    await store.settle()
    assert (await order.detail())["state"] == "refunded"
    async with store.market.hub.db.session() as session:
        found = (await session.exec(select(Refund).where(col(Refund.id) == UUID(refund["id"])))).one()
        await store.market.hub.payments.book.refund_over(session, found, "failed", "Account closed")
    detail = await order.detail()
    assert (detail["state"], detail["refunded_minor"], detail["left_minor"]) == ("paid", 0, BAG + PARCEL)


async def test_what_was_paid_on_another_platform_is_refunded_there(store: Store) -> None:
    order = await store.buys(1)
    await store.market.sql("UPDATE orders SET channel = 'shopify'")
    assert (await order.refund(ok=409, everything=True))["code"] == "refund_elsewhere"
    assert (await order.cancel(ok=409))["code"] == "elsewhere"
