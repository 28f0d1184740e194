"""The demo's verdict on its offer and its claims: right figures pass, and each wrong one is named."""

from __future__ import annotations

from typing import Any

import pytest

from hub.demo.selling import sold, wrong_claims, wrong_prices

PRICES = [2100, 2450, 2800]


def offer(taken: list[int], paid: dict[int, int]) -> dict[str, Any]:
    units = (2, 3, None)
    steps = [{"units": unit, "taken": count} for unit, count in zip(units, taken, strict=True)]
    return {"prices": PRICES, "steps": steps, "sold": paid}


def claim(platform: str, state: str, **other: Any) -> dict[str, Any]:
    told = {"twitch": {"answer": "public", "answer_state": "confirmed"}}
    about = told.get(platform, {"answer": "host", "answer_state": None})
    return {"platform": platform, "state": state, "payable": state == "held", "over": False, **about, **other}


def test_only_what_our_own_site_was_paid_counts_as_sold() -> None:
    def order(channel: str, state: str, sku: str = "SCARF-BLUE") -> dict[str, Any]:
        return {
            "channel": channel,
            "state": state,
            "lines": [{"sku": sku, "quantity": 2, "unit_minor": 2100}],
        }

    orders = [order("own", "paid"), order("own", "paid"), order("shopify", "paid"), order("own", "failed")]
    assert sold([*orders, order("own", "paid", "MUG-AMBER")]) == {2100: 4}


def test_every_unit_of_the_offer_is_paid_or_reserved() -> None:
    assert wrong_prices(offer([2, 3, 2], {2100: 2, 2450: 3, 2800: 1}), held=1) == []


@pytest.mark.parametrize(
    ("taken", "paid", "held"),
    [
        ([2, 3, 2], {2100: 2, 2450: 3, 2800: 1}, 0),  # a unit that nobody has
        ([2, 3, 2], {2100: 3, 2450: 2, 2800: 1}, 1),  # somebody paid a price that was gone
        ([2, 3, 2], {2100: 2, 2450: 3, 3500: 1}, 1),  # or one that nobody was promised
        ([1, 3, 2], {2100: 1, 2450: 3, 2800: 1}, 1),  # the first step was passed over
    ],
)
def test_prices_that_do_not_add_up_are_found(taken: list[int], paid: dict[int, int], held: int) -> None:
    assert wrong_prices(offer(taken, paid), held)


def test_one_claim_is_paid_and_one_waits_as_long_as_it_may() -> None:
    assert wrong_claims([claim("tiktok", "held"), claim("twitch", "paid")]) == []
    assert wrong_claims([claim("tiktok", "paid"), claim("twitch", "paid")]) == []
    assert wrong_claims([claim("tiktok", "lapsed", over=True), claim("twitch", "paid")]) == []


@pytest.mark.parametrize(
    "claims",
    [
        [claim("tiktok", "held")],
        [claim("tiktok", "held"), claim("twitch", "held")],
        [claim("tiktok", "held"), claim("twitch", "paid", answer_state="failed")],
        [claim("tiktok", "held"), claim("twitch", "paid", answer="host")],
        [claim("tiktok", "lapsed"), claim("twitch", "paid")],
        [claim("tiktok", "held", payable=False), claim("twitch", "paid")],
        [claim("tiktok", "sold_out"), claim("twitch", "paid")],
    ],
)
def test_a_claim_that_came_to_something_else_is_found(claims: list[dict[str, Any]]) -> None:
    assert len(wrong_claims(claims)) == 1
