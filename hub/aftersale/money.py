"""What a refund gives back, to the cent. Pure: no database, no gateway.

An order's money lies in pots: one for each line and one for the shipping. A refund takes from pots, never
more than is left in them, and takes its taxes along; when all is back, every pot and its taxes are empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from hub.errors import BadInput, Conflict
from hub.offers.pricing import spread

SHIPPING = None
"""The line id of the pot that holds the shipping."""


@dataclass(frozen=True)
class Pot:
    """What was paid for one line (or the shipping), taxes included, and what of it has gone back.

    `quantity` is the line's pieces, `pieces_back` those refunded; both are 0 for shipping.
    """

    line_id: UUID | None
    quantity: int
    paid_minor: int
    tax_minor: int
    pieces_back: int = 0
    back_minor: int = 0

    @property
    def left_minor(self) -> int:
        """What can still go back."""
        return self.paid_minor - self.back_minor

    @property
    def pieces_left(self) -> int:
        """Pieces that can still be refunded."""
        return self.quantity - self.pieces_back

    def untouched(self) -> Pot:
        """As it was before anything went back."""
        return replace(self, pieces_back=0, back_minor=0)

    def share(self, pieces: int) -> int:
        """What the next `pieces` are worth: shares differ by at most one minor unit and add up exactly."""
        begin, end = (
            first(self.paid_minor, self.quantity, n) for n in (self.pieces_back, self.pieces_back + pieces)
        )
        return min(end - begin, self.left_minor)

    def tax_of(self, amount: int) -> int:
        """The tax within the next `amount` that goes back."""

        def within(minor: int) -> int:
            if self.paid_minor == 0:
                return 0
            return (2 * self.tax_minor * minor + self.paid_minor) // (2 * self.paid_minor)

        return within(self.back_minor + amount) - within(self.back_minor)


@dataclass(frozen=True)
class Part:
    """What one refund takes from one pot."""

    line_id: UUID | None
    quantity: int
    amount_minor: int
    tax_minor: int


@dataclass(frozen=True)
class RefundWish:
    """What to give back: pieces of lines, shipping, and an amount on top that is for nothing in particular.

    `everything` is all that is left, whatever else is said.
    """

    lines: Mapping[UUID, int] = field(default_factory=dict)
    shipping_minor: int = 0
    amount_minor: int = 0
    everything: bool = False


def first(total: int, pieces: int, n: int) -> int:
    """What the first `n` of `pieces` equal pieces are worth together, when all are worth `total`."""
    each, extra = divmod(total, pieces) if pieces else (0, 0)
    return each * n + min(extra, n)


def fitted(pots: Sequence[Pot], total: int) -> list[Pot]:
    """The pots, so that they add up to what was paid: an order without a breakdown has only its total."""
    if sum(pot.paid_minor for pot in pots) == total:
        return [*pots]
    weights = [pot.paid_minor for pot in pots]
    amounts = spread(total, weights if any(weights) else [1] * len(pots))
    return [
        Pot(pot.line_id, pot.quantity, amount, min(pot.tax_minor, amount), pot.pieces_back, pot.back_minor)
        for pot, amount in zip(pots, amounts, strict=True)
    ]


def planned(pots: Sequence[Pot], wish: RefundWish, left_minor: int) -> list[Part]:
    """What to take from which pot. `left_minor`: what was captured and has not gone back.

    BadInput for a wish that can never be; Conflict when there is not so much left.
    """
    if wish.everything:
        return emptied(pots, left_minor)
    taken = {pot.line_id: asked_of(pot, wish) for pot in pots}
    unknown = set(wish.lines) - set(taken)
    if unknown:
        raise BadInput("line_unknown", "This order has no such line.")
    take_on_top(pots, taken, wish.amount_minor)
    found = [part_of(pot, *taken[pot.line_id]) for pot in pots if any(taken[pot.line_id])]
    total = sum(part.amount_minor for part in found)
    if total > left_minor:
        raise Conflict(
            "too_much", "That is more than is left to give back of this order.", left_minor=left_minor
        )
    return found


def emptied(pots: Sequence[Pot], left_minor: int) -> list[Part]:
    """All that is left of every pot; when less was captured than paid for, a fair share of it."""
    amounts = spread(min(left_minor, sum(pot.left_minor for pot in pots)), [pot.left_minor for pot in pots])
    return [
        part_of(pot, pot.pieces_left, amount)
        for pot, amount in zip(pots, amounts, strict=True)
        if amount or pot.pieces_left
    ]


def asked_of(pot: Pot, wish: RefundWish) -> tuple[int, int]:
    """The pieces and the amount that a wish asks of one pot by name."""
    if pot.line_id is SHIPPING:
        if wish.shipping_minor > pot.left_minor:
            raise Conflict(
                "shipping_too_much", "That is more than is left of the shipping.", left_minor=pot.left_minor
            )
        return 0, wish.shipping_minor
    pieces = wish.lines.get(pot.line_id, 0)
    if pieces > pot.pieces_left:
        raise Conflict(
            "pieces_too_many",
            f"Only {pot.pieces_left} of these can still be refunded.",
            pieces_left=pot.pieces_left,
        )
    return pieces, pot.share(pieces)


def take_on_top(pots: Sequence[Pot], taken: dict[UUID | None, tuple[int, int]], amount: int) -> None:
    """Take an amount on top from all pots, in proportion to what is left in each."""
    left = [pot.left_minor - taken[pot.line_id][1] for pot in pots]
    if amount > sum(left):
        raise Conflict(
            "too_much", "That is more than is left to give back of this order.", left_minor=sum(left)
        )
    for pot, more in zip(pots, spread(amount, left), strict=True):
        pieces, already = taken[pot.line_id]
        taken[pot.line_id] = (pieces, already + more)


def part_of(pot: Pot, pieces: int, amount: int) -> Part:
    """With its tax."""
    return Part(pot.line_id, pieces, amount, pot.tax_of(amount))
