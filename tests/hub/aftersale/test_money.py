"""Refunds to the cent: whatever is given back in whatever order, nothing is lost and nothing is made."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.aftersale.money import Part, Pot, RefundWish, fitted, planned
from hub.errors import BadInput, Conflict

NAMES = [UUID(int=n) for n in range(1, 6)]


@st.composite
def orders(draw: st.DrawFn) -> list[Pot]:
    """Some lines, discounts and taxes already in, and the shipping."""
    found = []
    for name in NAMES[: draw(st.integers(1, 5))]:
        paid = draw(st.integers(0, 100_000))
        found.append(Pot(name, draw(st.integers(1, 7)), paid, draw(st.integers(0, paid))))
    shipping = draw(st.integers(0, 2_000))
    return [*found, Pot(None, 0, shipping, draw(st.integers(0, shipping)))]


def after(pots: list[Pot], given_back: list[Part]) -> list[Pot]:
    """The pots once a refund is done."""
    taken = {part.line_id: part for part in given_back}
    return [
        replace(
            pot,
            pieces_back=pot.pieces_back + taken[pot.line_id].quantity,
            back_minor=pot.back_minor + taken[pot.line_id].amount_minor,
        )
        if pot.line_id in taken
        else pot
        for pot in pots
    ]


@st.composite
def wishes(draw: st.DrawFn, pots: list[Pot]) -> RefundWish:
    """Anything somebody may click."""
    lines = {pot.line_id: draw(st.integers(0, pot.quantity)) for pot in pots if pot.line_id}
    return RefundWish(
        lines={line_id: pieces for line_id, pieces in lines.items() if pieces},
        shipping_minor=draw(st.integers(0, 1_000)),
        amount_minor=draw(st.integers(0, 3_000)),
    )


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_refunds_in_any_order_conserve_money_pieces_and_tax(data: st.DataObject) -> None:
    pots = data.draw(orders())
    total, taxes = sum(pot.paid_minor for pot in pots), sum(pot.tax_minor for pot in pots)
    back = tax_back = 0
    for _ in range(data.draw(st.integers(0, 6))):
        try:
            found = planned(pots, data.draw(wishes(pots)), total - back)
        except Conflict:
            continue
        pots = after(pots, found)
        back += sum(part.amount_minor for part in found)
        tax_back += sum(part.tax_minor for part in found)
        for pot in pots:
            assert 0 <= pot.back_minor <= pot.paid_minor
            assert 0 <= pot.pieces_back <= pot.quantity
        assert all(0 <= part.tax_minor <= part.amount_minor for part in found)
        assert back <= total
    rest = planned(pots, RefundWish(everything=True), total - back)
    assert back + sum(part.amount_minor for part in rest) == total
    assert tax_back + sum(part.tax_minor for part in rest) == taxes
    assert all(pot.left_minor == 0 and pot.pieces_left == 0 for pot in after(pots, rest))


@given(st.integers(1, 9), st.integers(0, 10_000))
def test_pieces_given_back_one_by_one_add_up_to_the_line(pieces: int, paid: int) -> None:
    pots, amounts = [Pot(NAMES[0], pieces, paid, 0)], []
    for _ in range(pieces):
        [part] = planned(pots, RefundWish({NAMES[0]: 1}), paid)
        amounts.append(part.amount_minor)
        pots = after(pots, [part])
    assert sum(amounts) == paid
    assert max(amounts) - min(amounts) <= 1


@given(orders(), st.integers(0, 500_000))
def test_everything_is_never_more_than_was_captured(pots: list[Pot], captured: int) -> None:
    found = planned(pots, RefundWish(everything=True), captured)
    total = sum(pot.paid_minor for pot in pots)
    assert sum(part.amount_minor for part in found) == min(total, captured)


@given(orders(), st.integers(0, 500_000))
def test_an_order_with_only_a_total_is_fitted_to_it(pots: list[Pot], total: int) -> None:
    found = fitted(pots, total)
    assert sum(pot.paid_minor for pot in found) == total
    assert all(0 <= pot.tax_minor <= pot.paid_minor for pot in found)


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (RefundWish({NAMES[0]: 3}), "pieces_too_many"),
        (RefundWish(shipping_minor=501), "shipping_too_much"),
        (RefundWish(amount_minor=2_501), "too_much"),
        (RefundWish({NAMES[0]: 2}, 500, 1), "too_much"),
        (RefundWish({NAMES[4]: 1}), "line_unknown"),
    ],
)
def test_what_can_never_be_given_back_is_refused_in_words(wish: RefundWish, code: str) -> None:
    pots = [Pot(NAMES[0], 2, 2_000, 319), Pot(None, 0, 500, 80)]
    with pytest.raises((BadInput, Conflict)) as refused:
        planned(pots, wish, 2_500)
    assert refused.value.code == code


def test_an_amount_on_top_comes_out_of_every_pot_in_proportion() -> None:
    pots = [Pot(NAMES[0], 2, 2_000, 319), Pot(None, 0, 500, 80)]
    assert planned(pots, RefundWish(amount_minor=100), 2_500) == [
        Part(NAMES[0], 0, 80, 13),
        Part(None, 0, 20, 3),
    ]
