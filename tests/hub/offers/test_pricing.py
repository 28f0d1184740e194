"""Prices in offers: exact to the minor unit, whatever the numbers."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from hypothesis import given
from hypothesis import strategies as st

from hub.offers.pricing import discounted, offered, reduced, split, spread
from hub.offers.rules import claimed

MINOR = st.integers(0, 10**9)
PERCENT = st.integers(1, 99)


@given(MINOR, PERCENT)
def test_a_percentage_is_rounded_half_up_as_on_paper(minor: int, percent: int) -> None:
    exact = Decimal(minor) * (100 - percent) / 100
    assert discounted(minor, percent) == exact.quantize(Decimal(1), ROUND_HALF_UP)
    assert 0 <= discounted(minor, percent) <= minor


def test_half_a_cent_goes_up() -> None:
    assert (discounted(105, 50), discounted(4999, 40), discounted(1, 99)) == (53, 2999, 0)


@given(MINOR, st.none() | PERCENT, st.none() | MINOR)
def test_no_offer_is_below_zero_or_above_the_list(minor: int, percent: int | None, own: int | None) -> None:
    assert 0 <= offered(minor, percent_off=percent, unit_minor=own) <= minor


@given(MINOR, st.lists(MINOR, min_size=1, max_size=12))
def test_an_amount_is_spread_to_the_cent(total: int, weights: list[int]) -> None:
    parts = spread(total, weights)
    assert sum(parts) == total
    assert min(parts) >= 0
    if total <= sum(weights):
        assert all(part <= weight for part, weight in zip(parts, weights, strict=True))


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 5)), min_size=1, max_size=6), st.data())
def test_the_shares_of_a_bundle_sum_to_its_price(parts: list[tuple[int, int]], data: st.DataObject) -> None:
    whole = sum(minor * quantity for minor, quantity in parts)
    price = data.draw(st.integers(0, whole))
    shares = split(price, parts)
    assert sum(share.quantity * share.unit_minor for share in shares) == price
    for n, (minor, quantity) in enumerate(parts):
        mine = [share for share in shares if share.part == n]
        assert sum(share.quantity for share in mine) == quantity
        assert all(0 <= share.unit_minor <= minor for share in mine)
        # Units of one thing differ by a cent at most, so that they can be refunded one by one.
        assert max(s.unit_minor for s in mine) - min(s.unit_minor for s in mine) <= 1


def test_a_pair_that_does_not_divide_is_a_cent_apart() -> None:
    shares = split(1000, [(600, 2), (300, 1)])
    assert [(s.part, s.quantity, s.unit_minor) for s in shares] == [(0, 2, 400), (1, 1, 200)]
    shares = split(999, [(500, 2), (500, 1)])
    assert [(s.part, s.quantity, s.unit_minor) for s in shares] == [(0, 2, 333), (1, 1, 333)]
    shares = split(1001, [(600, 2)])
    assert [(s.part, s.quantity, s.unit_minor) for s in shares] == [(0, 1, 501), (0, 1, 500)]


@given(st.lists(MINOR, min_size=1, max_size=12), st.none() | PERCENT, st.none() | MINOR)
def test_a_coupon_never_takes_more_than_a_line(
    lines: list[int], percent: int | None, amount: int | None
) -> None:
    off = reduced(lines, percent_off=percent, amount_minor=amount)
    assert all(0 <= one <= line for one, line in zip(off, lines, strict=True))
    if not percent:
        assert sum(off) == min(amount or 0, sum(lines))


@given(MINOR, MINOR, PERCENT)
def test_an_offer_and_a_coupon_on_top_stay_between_zero_and_the_list(
    minor: int, own: int, percent: int
) -> None:
    unit = offered(minor, unit_minor=own)
    [off] = reduced([unit], percent_off=percent, amount_minor=None)
    assert 0 <= unit - off <= unit <= minor


@given(st.integers(1, 10**9), PERCENT)
def test_what_is_claimed_is_never_more_than_what_is_taken_off(minor: int, percent: int) -> None:
    said = claimed(minor, discounted(minor, percent)) or 0
    # To the cent: a price that was rounded up may still be called by its percentage.
    assert discounted(minor, said) >= discounted(minor, percent) if said else True
    assert claimed(None, 1) is None
    assert claimed(minor, minor) is None
