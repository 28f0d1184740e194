"""Who gets what, and at which price. Pure: wishes and facts in, answers out; the facts are used up.

Wishes are judged in the order they came. For each:
1. the same key gets the same answer; a unit that was offered to a waiting viewer is what they get;
2. the show must sell it, now and here (live only, own site only, members first);
3. the buyer must be within their limits (`limits`);
4. enough must be there, after those who wait (`hub/stock/price.py` names the price);
5. where stock is reserved, all buyers of one network must be within theirs together (`shared`);
6. of a bundle all components are taken, or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from hub.errors import Conflict, HubError, NotFound
from hub.ids import new_id
from hub.stock.facts import Crowd, Facts, Held, KnownGroup, Mine, Queued, ShowRules, Taken, Wish, taken_of
from hub.stock.price import Piece, Price, invited, offer_runs, price_of

HOARDING_WINDOW: Final = timedelta(minutes=10)
HOARDING_AFTER: Final = 3
"""Holds a buyer may let expire within the window before they have to wait."""
HOARDING_WAIT: Final = timedelta(seconds=60)
"""For each hold too many, from the end of the last one."""
SHORTEST: Final = 20
"""Seconds a hold lasts at least, however many want the last units."""
OFFERED_SECONDS: Final = 45
"""How long a freed unit is kept for who is next in the waitlist."""
SOFT_SECONDS: Final = 600
"""Where whoever pays first gets it, a reservation keeps no stock, only its price."""


class Crowded(Conflict):
    """The buyers of one network have reached the limit of their show together."""


class Row(NamedTuple):
    """A hold to be written."""

    held: Held
    units: int
    bundle_id: UUID | None


class Grant(NamedTuple):
    """A wish come true: what to write, and what to answer once it is written."""

    wish: Wish
    rows: tuple[Row, ...]
    taken: Taken
    soft: bool
    queued: Queued | None


@dataclass(frozen=True, slots=True)
class Repeat:
    """Nothing to write: this was answered before."""

    taken: Taken


Answer = Grant | Repeat | HubError


def decide(wishes: Sequence[Wish], facts: Facts, now: datetime, usual_seconds: int) -> list[Answer]:
    """An answer for each wish, in their order."""
    for wish in wishes:
        for variant_id, quantity in facts.bundles.get(wish.variant_id, [(wish.variant_id, 1)]):
            if shelf := facts.shelves.get(variant_id):
                shelf.asked += quantity * wish.quantity
    return [judged(wish, facts, now, usual_seconds) for wish in wishes]


def judged(wish: Wish, facts: Facts, now: datetime, usual_seconds: int) -> Answer:
    """One wish."""
    try:
        known = repeated(wish, facts)
        if known:
            return Repeat(known)
        rules = allowed(wish, facts)
        place = (wish.viewer_id, wish.show_id, wish.variant_id)
        queued = facts.queued.get(place) if facts.queued else None
        if queued and queued.state == "offered":
            raise Conflict("limit", "One is kept for you already. Pay for it.", hold_id=str(queued.group_id))
        limits(wish, facts, rules, now)
        price = price_of(wish, facts, enough=lambda pieces: enough(wish, facts, pieces, queued))
        if not is_soft(wish, rules, price):
            shared(wish, facts, rules, now)
        one_each(wish, facts, price)
        lasts = lasting(wish, facts, price, rules, usual_seconds)
        return grant(wish, facts, price, queued, now + lasts)
    except HubError as refusal:
        return refusal


def repeated(wish: Wish, facts: Facts) -> Taken | None:
    """What the same key was answered before, in this batch too; Conflict when that is over."""
    known = facts.known.get((wish.brand_id, wish.key))
    if known is None:
        return None
    if (known.viewer_id, known.show_id) != (wish.viewer_id, wish.show_id):
        raise Conflict("key_taken", "Use a fresh random key for each reservation.")
    if known.state != "held":
        raise Conflict("hold_over", "This reservation has ended. Buy again with a fresh key.")
    return known.taken


def allowed(wish: Wish, facts: Facts) -> ShowRules:
    """The show's rules, if it sells this variant now, here, and to this buyer."""
    rules, good = facts.shows.get(wish.show_id), facts.goods.get(wish.variant_id)
    pair = (wish.show_id, wish.variant_id)
    if rules is None or good is None or good.brand_id != wish.brand_id or pair not in facts.sold:
        raise NotFound("variant_unknown", "This product is not on sale in this show.")
    at = wish.at
    live_only, own_only = good.live_only, good.own_site_only
    for offer in facts.offers.values():
        if wish.variant_id not in offer.items or not offer_runs(offer, wish):
            continue
        if offer.kind == "live_exclusive":
            live_only, own_only = True, own_only or offer.own_site_only
        if offer.kind == "early_access" and before(at, offer.members_until) and not invited(offer, wish):
            raise Conflict("members_only", "Members can buy this first. Sign in, or wait a little.")
    if live_only and rules.state != "live":
        raise Conflict("live_only", "This is sold only while the show is live.")
    if own_only and wish.channel == "claim":
        raise Conflict("live_only", "This is sold on the shop's own page only.")
    return rules


def limits(wish: Wish, facts: Facts, rules: ShowRules, now: datetime) -> None:
    """What a buyer may hold at a time in a show, have of one thing, and let expire."""
    mine = facts.mine.get((wish.viewer_id, wish.show_id))
    if not mine:
        had = 0
    else:
        lapsed = [one.expires_at for one in mine if one.state == "expired" and one.units]
        if len(lapsed) >= HOARDING_AFTER and wish.channel != "waitlist":
            until = max(lapsed) + HOARDING_WAIT * (len(lapsed) - HOARDING_AFTER + 1)
            if now < until:
                seconds = max(1, round((until - now).total_seconds()))
                raise Conflict(
                    "hoarding",
                    f"Your last reservations all ran out unpaid. You can reserve again in {seconds} seconds.",
                    retry_after=seconds,
                )
        held = sum(one.units for one in mine if one.state == "held")
        same = sum(one.units for one in mine if one.state == "committed" and one.thing == wish.variant_id)
        had = held + same
    if had + wish.quantity > rules.units_per_buyer:
        raise Conflict(
            "limit",
            f"You can reserve at most {rules.units_per_buyer} at a time.",
            limit=rules.units_per_buyer,
        )


def shared(wish: Wish, facts: Facts, rules: ShowRules, now: datetime) -> None:
    """What all buyers of one network may hold unpaid in a show: a fresh visitor is no way round limits.

    What a hold `replaces` is its buyer's, though a neighbour may have taken the room meanwhile: a network has
    at most one buyer's limit too much for that.
    """
    most, crowd = rules.network_limit, facts.crowds.get(wish.network) if wish.network is not None else None
    if most is None or crowd is None or crowd.units - wish.replaces + wish.quantity <= most:
        return
    wait = min(HOARDING_WAIT, crowd.first_ends - now)
    seconds = max(1, round(wait.total_seconds()))
    raise Crowded(
        "hoarding",
        f"Very much is reserved from your network and not paid for yet. Try again in {seconds} seconds.",
        retry_after=seconds,
    )


def one_each(wish: Wish, facts: Facts, price: Price) -> None:
    """One live hold for each buyer, offer and variant; and no more of an offer than it gives each buyer."""
    if price.offer is None:
        return
    mine = [
        one
        for one in facts.mine.get((wish.viewer_id, wish.show_id), ())
        if one.offer_id == price.offer.id and one.state != "expired"
    ]
    for one in mine:
        if one.state == "held" and one.thing == wish.variant_id:
            raise Conflict(
                "limit",
                "You have this reserved already. Pay for it, or let it go first.",
                hold_id=str(one.group_id),
                expires_at=one.expires_at.isoformat(),
            )
    most = price.offer.per_buyer
    if most is not None and sum(one.units for one in mine) + wish.quantity > most:
        raise Conflict("limit", f"Each buyer gets at most {most} at this price.", limit=most)


def enough(wish: Wish, facts: Facts, pieces: Sequence[Piece], queued: Queued | None) -> None:
    """Conflict `sold_out` when there is too little of anything, after those who wait."""
    left = room(wish, facts, pieces, queued)
    if left < wish.quantity:
        raise Conflict("sold_out", "Sold out. Nothing was charged.", available=max(0, left))


def room(wish: Wish, facts: Facts, pieces: Sequence[Piece], queued: Queued | None) -> int:
    """How many whole sets there are for this buyer."""
    lefts = []
    for piece in pieces:
        shelf = facts.shelves.get(piece.variant_id)
        if shelf is None:
            return 0
        waiting = shelf.waiting
        if queued and queued.state == "waiting" and piece.variant_id == wish.variant_id:
            # Whoever is offered a unit is next: who stands before them cannot have it now (`waitlist.py`).
            waiting = 0 if wish.channel == "waitlist" else min(waiting, queued.ahead)
        lefts.append((shelf.available - waiting) // piece.quantity)
    return min(lefts)


def lasting(wish: Wish, facts: Facts, price: Price, rules: ShowRules, usual_seconds: int) -> timedelta:
    """How long the hold lasts. A hybrid show shortens it when more is wanted than there is.

    Wanted is what is held, waited for, and asked for in this very moment.
    """
    seconds = wish.seconds or rules.hold_seconds or usual_seconds
    if is_soft(wish, rules, price):
        return timedelta(seconds=max(seconds, SOFT_SECONDS))
    if wish.channel == "waitlist":
        return timedelta(seconds=min(seconds, OFFERED_SECONDS))
    if rules.policy == "hybrid":
        for piece in price.pieces:
            shelf = facts.shelves[piece.variant_id]
            supply = shelf.on_hand - shelf.committed
            demand = shelf.held + shelf.waiting + shelf.asked
            if demand > supply:
                seconds = min(seconds, max(SHORTEST, seconds * supply // demand))
    return timedelta(seconds=seconds)


def is_soft(wish: Wish, rules: ShowRules, price: Price) -> bool:
    """Whether whoever pays first gets it. What is counted or was waited for is always reserved."""
    counted = price.tier is not None or (price.offer is not None and price.offer.units is not None)
    return rules.policy == "first_paid" and not counted and wish.channel != "waitlist"


def grant(wish: Wish, facts: Facts, price: Price, queued: Queued | None, expires_at: datetime) -> Grant:
    """Take it, and let the rest of the batch see it."""
    soft = is_soft(wish, facts.shows[wish.show_id], price)
    rows = tuple(rows_of(wish, price))
    if not soft:
        for row in rows:
            facts.shelves[row.held.variant_id].taken += row.held.quantity
    if price.offer:
        price.offer.taken += wish.quantity
    if price.tier:
        price.tier.taken += wish.quantity
    if queued and queued.state == "waiting":
        shelf = facts.shelves.get(wish.variant_id)
        if shelf:
            shelf.waiting = max(0, shelf.waiting - queued.quantity)
        for (_, _, variant_id), other in facts.queued.items():
            if variant_id == wish.variant_id and other.ahead > queued.ahead:
                other.ahead -= queued.quantity
        queued.state = "offered" if wish.channel == "waitlist" else "taken"
    else:
        queued = None
    left = room(wish, facts, price.pieces, queued)
    taken = taken_of(wish.id, expires_at, [(row.held, row.units) for row in rows], max(0, left))
    remember(wish, facts, price, taken, counts=not soft)
    return Grant(wish, rows, taken, soft, queued)


def rows_of(wish: Wish, price: Price) -> list[Row]:
    """A hold for each component and price. The first bears the wish's id, and counts for all."""
    rows: list[Row] = []
    for n, piece in enumerate(price.pieces):
        for quantity, unit_minor in piece.prices:
            first = not rows
            held = Held(
                hold_id=wish.id if first else new_id(),
                variant_id=piece.variant_id,
                quantity=quantity * wish.quantity,
                unit_minor=unit_minor,
                list_minor=price.lists[n],
                currency=price.currency,
                offer_id=price.offer.id if price.offer else None,
                tier_id=price.tier.id if price.tier else None,
            )
            rows.append(Row(held, wish.quantity if first else 0, price.bundle_id))
    return rows


def remember(wish: Wish, facts: Facts, price: Price, taken: Taken, *, counts: bool) -> None:
    """The buyer's next wish in this batch meets this one, and so does their network's where it `counts`."""
    facts.known[wish.brand_id, wish.key] = KnownGroup(wish.viewer_id, wish.show_id, "held", taken)
    offer_id = price.offer.id if price.offer else None
    one = Mine(wish.variant_id, offer_id, "held", wish.quantity, taken.group_id, taken.expires_at)
    facts.mine.setdefault((wish.viewer_id, wish.show_id), []).append(one)
    if counts and wish.network is not None:
        crowd = facts.crowds.setdefault(wish.network, Crowd(0, taken.expires_at))
        crowd.units += wish.quantity
        crowd.first_ends = min(crowd.first_ends, taken.expires_at)


def before(at: datetime | None, until: datetime | None) -> bool:
    """Whether a moment is before an end; without an end, always not."""
    return at is not None and until is not None and at < until
