"""The 24-hour cancel and the legal withdrawal: side by side, on time, once, whatever else happens."""

from __future__ import annotations

import asyncio
from datetime import datetime
from email import message_from_string, policy
from zoneinfo import ZoneInfo

from tests.hub.aftersale.conftest import BAG, PARCEL, Store


def text_of(letter: str) -> str:
    """The plain text of a letter."""
    body = message_from_string(letter, policy=policy.default).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def test_one_tap_gives_back_stock_money_and_says_so(store: Store) -> None:
    order = await store.buys(2)
    assert await store.market.shop.stock() == (10, 0, 2)
    answer = await order.cancel()
    assert (answer["state"], answer["rights"]["can_cancel"]) == ("cancelled", False)
    assert await store.market.shop.stock() == (10, 0, 0)
    again = await order.cancel()
    assert again["returns"] == answer["returns"]
    await store.settle()
    assert await store.money() == [(2 * BAG + PARCEL, 2 * BAG + PARCEL)]
    detail = await order.detail()
    assert (detail["state"], detail["refunded_minor"]) == ("cancelled", 2 * BAG + PARCEL)
    assert [paper["kind"] for paper in detail["invoices"]] == ["invoice", "credit_note"]
    assert [one["state"] for one in detail["returns"]] == ["refunded"]
    [letter] = await store.letters("cancel")
    assert "costs you nothing" in text_of(letter)
    await store.market.shop.check_ledger()


async def test_what_is_only_set_aside_is_let_go_of_and_nothing_is_charged(store: Store) -> None:
    untouched = await store.buys(1, pay=False)
    await untouched.cancel()
    held = await store.buys(1, pay=False)
    [payment] = await store.market.sql("SELECT id FROM payment WHERE order_id = :id", id=held.id)
    await store.market.hub.payments.steps.authorise(payment["id"])
    assert await store.market.shop.stock() == (10, 0, 1)
    await held.cancel()
    await store.settle()
    assert await store.market.states("orders") == {"cancelled": 2}
    assert await store.market.states("payment") == {"voided": 2}
    assert [captured for captured, _ in await store.money()] == [0]
    assert await store.market.shop.stock() == (10, 0, 0)
    assert (await held.detail())["invoices"] == []
    await store.market.shop.check_ledger()


async def test_cancels_captures_and_refunds_at_once_have_one_outcome(store: Store) -> None:
    """Clicks in two windows, the capture on its way, and staff who refund: the money moves once."""
    taps = [await store.buys(1, pay=False) for _ in range(3)]
    for order in taps:
        [payment] = await store.market.sql("SELECT id FROM payment WHERE order_id = :id", id=order.id)
        await store.market.hub.payments.steps.authorise(payment["id"])
    paid = await store.buys(2)
    answers = await asyncio.gather(
        *(order.buyer.http.http.post(f"{order.path}/cancel") for order in (*taps, paid) for _ in range(3)),
        *(
            store.owner.http.post(
                f"/api/v1/orders/{paid.id}/refunds",
                json={"key": f"refund-{n}", "reason": "Both at once", "everything": True, "restock": True},
            )
            for n in range(3)
        ),
        store.market.work(),
    )
    assert {answer.status_code for answer in answers if answer is not None} <= {200, 202, 409, 503}
    for order in taps:
        await order.cancel()
    for _ in range(3):
        await store.market.later()
    await store.settle()
    assert all(captured == refunded for captured, refunded in await store.money())
    assert await store.market.shop.stock() == (10, 0, 0)
    assert set(await store.market.states("orders")) <= {"cancelled", "refunded"}
    await store.market.shop.check_ledger()
    for order in (*taps, paid):
        detail = await order.detail()
        assert detail["refunded_minor"] == detail["captured_minor"]
        papers: dict[str, int] = {"invoice": 0, "credit_note": 0}
        for paper in detail["invoices"]:
            papers[paper["kind"]] += paper["total_minor"]
        assert papers["invoice"] == papers["credit_note"]


async def test_each_right_ends_on_its_own_time_and_not_before(store: Store) -> None:
    order, clock = await store.buys(1), store.market.clock
    clock.stop()
    [placed] = await store.market.sql("SELECT placed_at FROM orders")
    clock.tick((placed["placed_at"] - clock()).total_seconds() + 86_400 - 1)
    rights = (await order.after())["rights"]
    assert (rights["can_cancel"], rights["can_withdraw"], rights["can_return"]) == (True, True, True)
    # No delivery is noted: the longest time that the delivery states, four days, comes before the fourteen.
    assert rights["withdrawal"]["counted_from"] == "longest_delivery"
    clock.tick(1)
    rights = (await order.after())["rights"]
    assert (rights["can_cancel"], rights["can_withdraw"], rights["can_return"]) == (False, True, True)
    assert (await order.cancel(ok=409))["code"] == "cancel_over"
    later = rights["withdrawal"]["until"]
    counted = (await order.sent())["rights"]["withdrawal"]
    assert counted["counted_from"] == "delivery"
    assert counted["until"] < later
    until = datetime.fromisoformat(counted["until"])
    clock.tick((until - clock()).total_seconds() - 1)
    assert (await order.withdraw(confirm=False))["refund_minor"] == BAG + PARCEL
    clock.tick(1)
    assert (await order.withdraw(ok=409))["code"] == "withdrawal_over"
    rights = (await order.after())["rights"]
    assert (rights["can_withdraw"], rights["can_return"]) == (False, True)


async def test_a_withdrawal_takes_two_steps_and_is_confirmed_in_writing(store: Store) -> None:
    order = await store.buys(2)
    await order.sent()
    assert (await order.cancel(ok=409))["code"] == "already_sent"
    looked = await order.withdraw(confirm=False)
    assert (looked["number"], looked["refund_minor"]) == (None, 2 * BAG + PARCEL)
    assert (await order.after())["returns"] == []
    key, email = "one-key-for-it", "ana@home.example"
    first, again = await asyncio.gather(*(order.withdraw(key=key, email=email) for _ in range(2)))
    assert first["number"] == again["number"]
    await store.settle()
    [letter] = await store.letters("withdrawal")
    words = text_of(letter)
    at = datetime.fromisoformat(first["at"]).astimezone(ZoneInfo("Europe/Berlin"))
    assert "To: ana@home.example" in letter
    for said in ("Ana Ek", first["number"], "2 × Bag", f"{at:%Y-%m-%d %H:%M:%S} (+0", "within 14 days"):
        assert said in words, said
    # It needs nobody's approval, and the money waits for the goods.
    detail = await order.detail()
    [entry] = detail["returns"]
    assert (entry["kind"], entry["state"], detail["refunded_minor"]) == ("withdrawal", "approved", 0)
    arrival = {"lines": [{"id": entry["lines"][0]["id"], "pieces": 2, "restock": True}]}
    for _ in range(2):
        await store.owner.call("PUT", f"/api/v1/returns/{entry['id']}/arrival", arrival)
    assert await store.market.shop.stock() == (10, 0, 0)
    for _ in range(2):
        await store.owner.call("PUT", f"/api/v1/returns/{entry['id']}/refund", {"reason": "It came back"})
    await store.settle()
    detail = await order.detail()
    # All of it, with the delivery, as the law wants it.
    assert (detail["state"], detail["refunded_minor"]) == ("refunded", 2 * BAG + PARCEL)
    assert detail["returns"][0]["state"] == "refunded"
    assert await store.money() == [(2 * BAG + PARCEL, 2 * BAG + PARCEL)]


async def test_a_part_that_was_never_sent_is_withdrawn_at_once(store: Store) -> None:
    order = await store.buys(3)
    [line] = (await order.after())["lines"]
    await order.withdraw(lines=[{"line_id": line["id"], "quantity": 1}])
    too_many = [{"line_id": line["id"], "quantity": 3}]
    assert (await order.withdraw(ok=409, lines=too_many))["code"] == "pieces_too_many"
    await store.settle()
    detail = await order.detail()
    assert (detail["state"], detail["refunded_minor"]) == ("paid", BAG)
    assert await store.market.shop.stock() == (10, 0, 2)
    # What never left the house is no return in the brand's figures.
    assert detail["lines"][0]["returned"] == 0
    # The rest can still be cancelled: one right does not use up the other.
    await order.cancel()
    await store.settle()
    assert await store.money() == [(3 * BAG + PARCEL, 3 * BAG + PARCEL)]
    assert await store.market.shop.stock() == (10, 0, 0)
    await store.market.shop.check_ledger()


async def test_where_no_law_gives_the_right_the_24_hours_and_returns_remain(store: Store) -> None:
    order = await store.buys(1)
    await store.market.sql("UPDATE orders SET country = 'US'")
    rights = (await order.after())["rights"]
    assert (rights["withdrawal"], rights["can_withdraw"]) == (None, False)
    assert (rights["can_cancel"], rights["can_return"]) == (True, True)
    assert (await order.withdraw(ok=409))["code"] == "no_right"


async def test_an_order_that_came_to_nothing_has_nothing_to_cancel(store: Store) -> None:
    order = await store.buys(1)
    await store.market.sql("UPDATE orders SET state = 'failed'")
    assert (await order.cancel(ok=409))["code"] == "came_to_nothing"
    other = await store.market.viewer()
    # By its id it is the buyer's own alone.
    await other.http.call("POST", f"/api/v1/public/orders/{order.id}/cancel", ok=404)
    await order.buyer.http.call("GET", f"/api/v1/public/orders/{order.id}/after")
