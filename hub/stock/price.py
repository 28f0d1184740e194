"""What a wish costs: the offer and the step of it that apply. Pure.

With an offer named, that one or a refusal. With none, the cheapest that runs for this variant; where none
has anything left, the price as listed. The lowest step of a tiered offer with room is sold next, so a step
that gets a unit back sells it before the later ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from hub.errors import Conflict
from hub.offers.pricing import offered, split, stepped
from hub.stock.facts import Facts, OfferFacts, Tier, Wish

AUTOMATIC: Final = frozenset({"flash", "quantity", "tiers", "early_access", "live_exclusive"})
"""Kinds that apply by themselves; a bundle is asked for, a coupon is typed in."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A component of one set: how many of it, and (how many, price each) of those."""

    variant_id: UUID
    quantity: int
    prices: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Price:
    """What was found. `lists`: the price of one unit without offer, piece by piece."""

    pieces: tuple[Piece, ...]
    lists: tuple[int, ...]
    currency: str
    offer: OfferFacts | None
    tier: Tier | None
    bundle_id: UUID | None


@dataclass(frozen=True, slots=True)
class Choice:
    """An offer that may apply, with its price for one."""

    unit_minor: int
    offer: OfferFacts | None = None
    tier: Tier | None = None


def price_of(wish: Wish, facts: Facts, enough: Callable[[Sequence[Piece]], None]) -> Price:
    """The price, or Conflict. `enough` is asked about the pieces before anything is said about the price."""
    plain = facts.plain.get(wish.variant_id) if wish.offer_id is None else None
    if isinstance(plain, Price):
        enough(plain.pieces)
        return plain
    named = named_offer(wish, facts)
    whole_offer = named if named and named.kind == "bundle" else None
    pieces = pieces_of(wish, facts, whole_offer)
    enough(pieces)
    good = facts.goods[wish.variant_id]
    if whole_offer:
        choice = Choice(bundle_minor(whole_offer, facts), whole_offer)
        check_room(wish, choice)
    else:
        choice = chosen(wish, facts, named, good.price_minor)
    found = Price(
        pieces=priced(wish, facts, pieces, choice.unit_minor),
        lists=tuple(list_minor(facts, one.variant_id) for one in pieces),
        currency=good.currency,
        offer=choice.offer,
        tier=choice.tier,
        bundle_id=wish.variant_id if wish.variant_id in facts.bundles and not whole_offer else None,
    )
    if wish.offer_id is None and not any(wish.variant_id in one.items for one in facts.offers.values()):
        facts.plain[wish.variant_id] = found
    return found


def priced(wish: Wish, facts: Facts, pieces: Sequence[Piece], unit_minor: int) -> tuple[Piece, ...]:
    """The pieces with the price of one set spread over them, to the cent."""
    if len(pieces) == 1 and pieces[0].variant_id == wish.variant_id:
        return (Piece(wish.variant_id, 1, ((1, unit_minor),)),)
    shares = split(unit_minor, [(list_minor(facts, one.variant_id), one.quantity) for one in pieces])
    return tuple(
        Piece(
            one.variant_id,
            one.quantity,
            tuple((share.quantity, share.unit_minor) for share in shares if share.part == n),
        )
        for n, one in enumerate(pieces)
    )


def list_minor(facts: Facts, variant_id: UUID) -> int:
    """The price of a component by itself; 0 for one that is not sold alone (any more)."""
    good = facts.goods.get(variant_id)
    return good.price_minor if good else 0


def named_offer(wish: Wish, facts: Facts) -> OfferFacts | None:
    """The offer the buyer asked for; Conflict when it does not run (any more), or not for them."""
    if wish.offer_id is None:
        return None
    offer = facts.offers.get(wish.offer_id)
    if offer is None or wish.variant_id not in offer.items or offer.kind == "coupon":
        raise Conflict("offer_over", "This offer is not for this product.")
    if not offer_runs(offer, wish):
        raise Conflict("offer_over", "This offer is over. Nothing was reserved.")
    if closed_to(offer, wish):
        wait = ", or wait a little" if offer.members_until else ""
        raise Conflict("members_only", f"This offer is not for everybody. Sign in{wait}.")
    if offer.own_site_only and wish.channel == "claim":
        raise Conflict("live_only", "This offer is for the shop's own page only.")
    return offer


def pieces_of(wish: Wish, facts: Facts, whole_offer: OfferFacts | None) -> list[Piece]:
    """What one unit of the wish is made of, in the order of variant ids."""
    if whole_offer:
        wanted = [(variant, quantity) for variant, (quantity, *_) in whole_offer.items.items()]
    else:
        wanted = [(wish.variant_id, 1)]
    totals: dict[UUID, int] = {}
    for variant, quantity in wanted:
        for part, each in facts.bundles.get(variant, [(variant, 1)]):
            totals[part] = totals.get(part, 0) + each * quantity
    return [Piece(variant, quantity) for variant, quantity in sorted(totals.items())]


def bundle_minor(offer: OfferFacts, facts: Facts) -> int:
    """The price of a bundle offer: the sum of its items' prices in it."""
    total = 0
    for variant, (quantity, unit_minor, _) in offer.items.items():
        good = facts.goods.get(variant)
        if good is None:
            raise Conflict("offer_over", "A part of this offer is not sold any more.")
        total += quantity * offered(good.price_minor, percent_off=offer.percent_off, unit_minor=unit_minor)
    return total


def chosen(wish: Wish, facts: Facts, named: OfferFacts | None, list_minor: int) -> Choice:
    """The named offer, or the cheapest of those that apply by themselves."""
    if named:
        choice = choice_of(named, wish, list_minor)
        if choice is None:
            raise Conflict("offer_over", "All units of this offer are taken.", left=0)
        check_room(wish, choice)
        return choice
    best = Choice(list_minor)
    for offer in facts.offers.values():
        if offer.kind not in AUTOMATIC or wish.variant_id not in offer.items:
            continue
        if not offer_runs(offer, wish) or closed_to(offer, wish):
            continue
        if offer.own_site_only and wish.channel == "claim":
            continue
        choice = choice_of(offer, wish, list_minor)
        if choice and (choice.unit_minor < best.unit_minor or best.offer is None):
            best = choice
    check_room(wish, best)
    return best


def choice_of(offer: OfferFacts, wish: Wish, list_minor: int) -> Choice | None:
    """An offer's price for one, at its lowest step with room; None when nothing of it is left."""
    if offer.units is not None and offer.taken >= offer.units:
        return None
    item = offer.items[wish.variant_id]
    if offer.kind == "tiers":
        tier = next((one for one in offer.tiers if one.room is None or one.room > 0), None)
        # The step that was shown and signed, whatever the list price has become.
        return Choice(stepped(list_minor, tier.percent_off, item.list_minor), offer, tier) if tier else None
    return Choice(offered(list_minor, percent_off=offer.percent_off, unit_minor=item.unit_minor), offer)


def check_room(wish: Wish, choice: Choice) -> None:
    """Conflict `tier_split` when more is wanted than is left at this price: the buyer decides, not we."""
    offer, tier = choice.offer, choice.tier
    rooms = [tier.room if tier else None]
    if offer and offer.units is not None:
        rooms.append(offer.units - offer.taken)
    left = min((one for one in rooms if one is not None), default=None)
    if left is None or left >= wish.quantity:
        return
    if left <= 0:
        raise Conflict("offer_over", "All units of this offer are taken.", left=0)
    raise Conflict("tier_split", f"Only {left} left at this price. Reserve {left} first.", left=left)


def invited(offer: OfferFacts, wish: Wish) -> bool:
    """Whether the buyer is one of those it is for: its segment, or members where it names none."""
    return wish.member if offer.segment_id is None else offer.segment_id in wish.segments


def closed_to(offer: OfferFacts, wish: Wish) -> bool:
    """Whether it is for others: until a moment, or altogether where only a segment gets its price."""
    if offer.members_until is None:
        return offer.segment_id is not None and not invited(offer, wish)
    return wish.at is not None and wish.at < offer.members_until and not invited(offer, wish)


def offer_runs(offer: OfferFacts, wish: Wish) -> bool:
    """Whether it ran when the wish came in."""
    return wish.at is not None and offer.runs(wish.show_id, wish.at)
