"""Returns: asked for, decided, received piece by piece, refunded; and what they tell of buyers and shows."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.hub.aftersale.conftest import BAG, PARCEL, Store


async def test_a_return_goes_its_way_and_each_step_is_taken_once(store: Store) -> None:
    order = await store.buys(3)
    await order.sent()
    both = await asyncio.gather(*(order.send_back(2, key="one-return-key") for _ in range(2)))
    assert len(both[0]["returns"]) == len(both[1]["returns"]) == 1
    assert (await order.send_back(2, ok=409))["code"] == "pieces_too_many"
    [entry] = await store.owner.call("GET", "/api/v1/returns?state=open")
    assert (entry["kind"], entry["state"], entry["reason"]) == ("return", "asked", "Too red")
    path = f"/api/v1/returns/{entry['id']}"
    early = await store.owner.call("PUT", f"{path}/refund", {"reason": "Too early"}, ok=409)
    assert early["code"] == "return_state"
    await store.owner.call("POST", f"{path}/approve", {})
    # One of the two came, and it can't be sold again.
    line = entry["lines"][0]["id"]
    arrived = {"lines": [{"id": line, "pieces": 1, "restock": False}], "reason": "The other one is missing"}
    for _ in range(2):
        detail = await store.owner.call("PUT", f"{path}/arrival", arrived)
    assert detail["lines"][0]["returned"] == 1
    assert await store.market.shop.stock() == (10, 0, 3)
    for _ in range(2):
        await store.owner.call("PUT", f"{path}/refund", {"reason": "One came back"})
    await store.settle()
    detail = await order.detail()
    assert (detail["refunded_minor"], detail["returns"][0]["state"]) == (BAG, "refunded")
    told = [(event["kind"], event["author"]) for event in detail["timeline"]]
    for kind in ("return.approved", "return.received", "refund.asked"):
        assert (kind, "Ana") in told
    assert ("return.asked", None) in told
    # The missing piece may still be sent, and this time it goes back on the shelf.
    detail = await store.owner.call(
        "POST",
        f"/api/v1/orders/{order.id}/returns",
        {
            "key": "second-return",
            "reason": "Found it",
            "lines": [{"line_id": detail["lines"][0]["id"], "quantity": 1}],
        },
        ok=201,
    )
    second = detail["returns"][-1]
    assert second["state"] == "approved"
    again = {"lines": [{"id": second["lines"][0]["id"], "pieces": 1, "restock": True}]}
    await asyncio.gather(
        *(store.owner.call("PUT", f"/api/v1/returns/{second['id']}/arrival", again) for _ in range(3))
    )
    assert await store.market.shop.stock() == (10, 0, 2)
    await store.settle()
    assert len(await store.letters("return")) == 3
    await store.market.shop.check_ledger()


async def test_a_rejection_needs_a_reason_and_the_buyer_reads_it(store: Store) -> None:
    order = await store.buys(1)
    await order.send_back(1)
    [entry] = (await order.detail())["returns"]
    path = f"/api/v1/returns/{entry['id']}/reject"
    assert (await store.owner.call("POST", path, {}, ok=422))["code"] == "reason_missing"
    await store.owner.call("POST", path, {"reason": "It was worn"})
    after = await order.after()
    assert (after["returns"][0]["state"], after["returns"][0]["answer"]) == ("rejected", "It was worn")
    # What was rejected was not returned: it may be asked for again.
    assert after["lines"][0]["returnable"] == 1


async def test_much_returned_is_shown_with_its_numbers_and_refuses_nobody(store: Store) -> None:
    email = "often@example.com"
    for n in range(3):
        order = await store.buys(2, email=email, name="Often")
        await order.sent()
        if n < 2:
            await order.send_back(2)
            [entry] = (await order.detail())["returns"]
            arrived = {"lines": [{"id": entry["lines"][0]["id"], "pieces": 2, "restock": True}]}
            await store.owner.call("PUT", f"/api/v1/returns/{entry['id']}/arrival", arrived)
    once = await store.buys(1, name="Once")
    await once.cancel()
    [marked] = await store.owner.call("GET", "/api/v1/returns/returners")
    numbers = {name: marked[name] for name in ("name", "orders", "orders_returned", "pieces", "returned")}
    assert numbers == {"name": "Often", "orders": 3, "orders_returned": 2, "pieces": 6, "returned": 4}
    assert (await order.detail())["returner"]["marked"]
    await store.owner.call("PATCH", "/api/v1/aftersale/terms", {"returner_percent": 70})
    assert await store.owner.call("GET", "/api/v1/returns/returners") == []
    # Only a signal: the next return is taken like any other.
    assert (await order.send_back(1))["returns"][0]["state"] == "asked"
    rates = await store.owner.call("GET", "/api/v1/returns/rates")
    [show] = rates["shows"]
    # The cancelled order is no sale and no return.
    assert (show["id"], show["pieces"], show["returned"]) == (str(store.market.shop.show_id), 6, 4)


async def test_hosts_are_reminded_of_the_return_terms_of_expensive_goods(store: Store) -> None:
    shop = store.market.shop
    path = f"/api/v1/shows/{shop.show_id}/terms-prompts"
    assert await store.owner.call("GET", path) == []
    await store.owner.call("PATCH", "/api/v1/aftersale/terms", {"high_value_minor": BAG})
    # Above the threshold, not at it.
    assert await store.owner.call("GET", path) == []
    await store.owner.call("PATCH", "/api/v1/aftersale/terms", {"high_value_minor": BAG - 1})
    await store.market.sql("UPDATE product SET return_policy = 'Thirty days, unworn.'")
    [prompt] = await store.owner.call("GET", path)
    assert (prompt["said_at"], prompt["policy"]) == (None, "Thirty days, unworn.")
    said = f"{path}/{shop.product_id}"
    [first] = await store.owner.call("PUT", said)
    store.market.clock.tick(60)
    [again] = await (await store.market.owner()).call("PUT", said)
    assert (first["said_at"], first["said_by"]) == (again["said_at"], "Ana")
    # It stays in the show's record, whatever the threshold becomes.
    await store.owner.call("PATCH", "/api/v1/aftersale/terms", {"high_value_minor": None})
    assert await store.owner.call("GET", path) == [again]
    stranger = await store.market.owner("Other")
    await stranger.call("PUT", said, ok=404)


async def test_a_piece_that_staff_and_a_return_put_on_the_shelf_is_there_once(store: Store) -> None:
    order = await store.buys(2, pay=False)
    assert (await order.send_back(2, ok=409))["code"] == "not_paid"
    await store.settle()
    await order.sent()
    await order.send_back(2)
    detail = await order.detail()
    [asked], [line] = detail["returns"], detail["lines"]
    one: dict[str, Any] = {"lines": [{"line_id": line["id"], "quantity": 1}], "restock": True}
    await order.refund(**one)
    arrived = {"lines": [{"id": asked["lines"][0]["id"], "pieces": 2, "restock": True}]}
    await store.owner.call("PUT", f"/api/v1/returns/{asked['id']}/arrival", arrived)
    assert await store.market.shop.stock() == (10, 0, 0)
    # Both are on the shelf: the money of the second one goes back without a third.
    await order.refund(**one)
    await store.settle()
    assert await store.money() == [(2 * BAG + PARCEL, 2 * BAG)]
    assert await store.market.shop.stock() == (10, 0, 0)
    # Nothing is left: that is said, and not that the time is over.
    assert (await order.send_back(1, ok=409))["code"] == "nothing_to_return"
    assert (await order.withdraw(ok=409))["code"] == "nothing_to_return"
    await store.market.shop.check_ledger()
