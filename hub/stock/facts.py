"""What is decided upon: wishes, and everything the database says about them at the moment of deciding.

Read in one statement under the locks of the stock rows and offers it is about, so nothing of it can change
before the decision is written. The objects are mutable on purpose: what one wish of a batch takes, the next
one does not find.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from hub.ids import new_id


@dataclass(slots=True)
class Wish:
    """One request for a hold. `key` is the buyer's idempotency key. Not frozen: that would triple its cost.

    `member`: may buy before members_until; `segments`: whose benefits are theirs. `channel`: own, claim (a
    comment), waitlist (a freed unit offered to who waits). `at`: when it came in; an offer that ran then
    applies. `id` becomes the group's id.
    `seconds`: how long it is wished for, instead of what the show says. `network`: where it comes from
    (`networks.py`); None where that is not known. `replaces`: units that the buyer lets go of for this hold,
    just before it or just after it: the limit of the network reckons without them.
    """

    brand_id: UUID
    show_id: UUID
    viewer_id: str
    variant_id: UUID
    quantity: int
    key: str
    offer_id: UUID | None = None
    member: bool = False
    channel: str = "own"
    at: datetime | None = None
    id: UUID = field(default_factory=new_id)
    seconds: int | None = None
    segments: frozenset[UUID] = frozenset()
    network: int | None = None
    replaces: int = 0


class Held(NamedTuple):
    """One reserved variant. Amounts are for one unit, `list_minor` without the offer."""

    hold_id: UUID
    variant_id: UUID
    quantity: int
    unit_minor: int
    list_minor: int
    currency: str
    offer_id: UUID | None = None
    tier_id: UUID | None = None


class Taken(NamedTuple):
    """Holds that stand together, one for each component (two where its price does not divide).

    `quantity` and the amounts are of what was wished: of a bundle, whole bundles. `available` is what was
    left afterwards.
    """

    group_id: UUID
    expires_at: datetime
    holds: tuple[Held, ...]
    available: int
    quantity: int
    unit_minor: int
    list_minor: int
    currency: str
    offer_id: UUID | None = None
    tier_id: UUID | None = None

    @property
    def hold_id(self) -> UUID:
        """The id buyers know the reservation by."""
        return self.group_id


@dataclass(slots=True)
class Shelf:
    """The counters of one variant. `waiting`: units wanted by the waitlist."""

    on_hand: int
    held: int
    committed: int
    waiting: int = 0
    taken: int = 0
    """What this batch holds, to be added to `held`."""
    asked: int = 0
    """What all wishes of this batch ask for."""

    @property
    def available(self) -> int:
        """What can still be promised."""
        return self.on_hand - self.held - self.committed - self.taken


@dataclass(frozen=True, slots=True)
class Good:
    """A variant as it is sold."""

    brand_id: UUID
    price_minor: int
    currency: str
    live_only: bool
    own_site_only: bool


@dataclass(frozen=True, slots=True)
class ShowRules:
    """How a show shares out its stock. `hold_seconds` None: as the installation does."""

    state: str
    policy: str
    hold_seconds: int | None
    units_per_buyer: int
    units_per_network: int

    @property
    def network_limit(self) -> int | None:
        """Units that all buyers of one network may hold unpaid; never less than one buyer may."""
        return max(self.units_per_network, self.units_per_buyer) if self.units_per_network else None


@dataclass(slots=True)
class Tier:
    """A step of an offer; `units` None is the rest."""

    id: UUID
    percent_off: int
    units: int | None
    taken: int

    @property
    def room(self) -> int | None:
        """Units left at this price; None when there is no limit."""
        return None if self.units is None else self.units - self.taken


class Item(NamedTuple):
    """A variant in an offer: how many of it, its own price, and the list price it was launched with."""

    quantity: int
    unit_minor: int | None
    list_minor: int | None = None


@dataclass(slots=True)
class OfferFacts:
    """An offer with its items ((quantity, own price) by variant) and its tiers in order."""

    id: UUID
    show_id: UUID | None
    kind: str
    state: str
    starts_at: datetime | None
    ends_at: datetime | None
    percent_off: int | None
    units: int | None
    taken: int
    per_buyer: int | None
    members_until: datetime | None
    own_site_only: bool
    segment_id: UUID | None = None
    items: dict[UUID, Item] = field(default_factory=dict)
    tiers: list[Tier] = field(default_factory=list)

    def runs(self, show_id: UUID, at: datetime) -> bool:
        """Whether its price is true in this show at this moment."""
        if self.state != "live" or self.show_id not in (None, show_id):
            return False
        begun = self.starts_at is None or self.starts_at <= at
        return begun and (self.ends_at is None or at < self.ends_at)


@dataclass(slots=True)
class Mine:
    """A hold the viewer has or had in this show, as limits see it."""

    thing: UUID
    """The variant, or the bundle it was bought in."""
    offer_id: UUID | None
    state: str
    units: int
    group_id: UUID
    expires_at: datetime


@dataclass(slots=True)
class Crowd:
    """What the buyers of one network hold in a show without paying, and when the first of it ends."""

    units: int
    first_ends: datetime


@dataclass(slots=True)
class Queued:
    """A viewer's own place in the waitlist; `ahead` are the units wanted before theirs."""

    id: UUID
    state: str
    ahead: int
    quantity: int
    group_id: UUID | None


@dataclass(slots=True)
class Facts:
    """All of it, for one batch."""

    shelves: dict[UUID, Shelf]
    goods: dict[UUID, Good]
    sold: set[tuple[UUID, UUID]]
    """(show, variant) pairs on sale."""
    shows: dict[UUID, ShowRules]
    bundles: dict[UUID, list[tuple[UUID, int]]]
    offers: dict[UUID, OfferFacts]
    mine: dict[tuple[str, UUID], list[Mine]]
    queued: dict[tuple[str, UUID, UUID], Queued]
    crowds: dict[int, Crowd]
    known: dict[tuple[UUID, str], KnownGroup]
    plain: dict[UUID, object] = field(default_factory=dict)
    """Prices of variants that no offer touches: found once for a batch (`price.py`)."""


class KnownGroup(NamedTuple):
    """What was answered to the same key before."""

    viewer_id: str
    show_id: UUID
    state: str
    taken: Taken


def facts_of(found: dict[str, list[list[Any]] | None]) -> Facts:
    """From the JSON of the READ statement (`hub/stock/statements.py`), list by list."""

    def rows(name: str) -> list[list[Any]]:
        return found[name] or []

    facts = Facts(
        shelves={UUID(one[0]): Shelf(*one[1:]) for one in rows("shelves")},
        goods={UUID(one[0]): Good(UUID(one[1]), *one[2:]) for one in rows("goods")},
        sold={(UUID(show), UUID(variant)) for show, variant in rows("sold")},
        shows={UUID(one[0]): ShowRules(*one[1:]) for one in rows("shows")},
        bundles={},
        offers={UUID(one[0]): offer_of(one) for one in rows("offers")},
        mine={},
        queued={
            (one[0], UUID(one[1]), UUID(one[2])): Queued(UUID(one[3]), one[4], one[5], one[6], maybe(one[7]))
            for one in rows("queued")
        },
        crowds={one[0]: Crowd(one[1], datetime.fromisoformat(one[2])) for one in rows("crowds")},
        known=known_of(rows("known")),
    )
    for bundle, variant, quantity in rows("parts"):
        facts.bundles.setdefault(UUID(bundle), []).append((UUID(variant), quantity))
    for offer, variant, *item in rows("items"):
        facts.offers[UUID(offer)].items[UUID(variant)] = Item(*item)
    for offer, tier, percent_off, units, taken in rows("tiers"):
        facts.offers[UUID(offer)].tiers.append(Tier(UUID(tier), percent_off, units, taken))
    for viewer, show, thing, offer, state, units, group, expires in rows("mine"):
        one = Mine(UUID(thing), maybe(offer), state, units, UUID(group), datetime.fromisoformat(expires))
        facts.mine.setdefault((viewer, UUID(show)), []).append(one)
    return facts


def offer_of(row: Sequence[Any]) -> OfferFacts:
    """One offer without its items and tiers."""
    return OfferFacts(
        id=UUID(row[0]),
        show_id=maybe(row[1]),
        kind=row[2],
        state=row[3],
        starts_at=moment(row[4]),
        ends_at=moment(row[5]),
        percent_off=row[6],
        units=row[7],
        taken=row[8],
        per_buyer=row[9],
        members_until=moment(row[10]),
        own_site_only=row[11],
        segment_id=maybe(row[12]),
    )


def known_of(rows: Sequence[Sequence[Any]]) -> dict[tuple[UUID, str], KnownGroup]:
    """Earlier answers by (brand, key); a group's first row comes first."""
    groups: dict[tuple[UUID, str], list[Sequence[Any]]] = {}
    for row in rows:
        groups.setdefault((UUID(row[0]), row[1]), []).append(row)
    return {key: known_group(group) for key, group in groups.items()}


def known_group(rows: Sequence[Sequence[Any]]) -> KnownGroup:
    """One earlier answer, made again from its rows."""
    _, _, viewer_id, show_id, state, group_id, expires_at = rows[0][:7]
    return KnownGroup(
        viewer_id,
        UUID(show_id),
        state,
        taken_of(
            UUID(group_id),
            datetime.fromisoformat(expires_at),
            [(held_of(row[7:15]), int(row[15])) for row in rows],
            int(rows[0][16]),
        ),
    )


def held_of(row: Sequence[Any]) -> Held:
    """One hold of it."""
    ids = (maybe(row[6]), maybe(row[7]))
    return Held(UUID(row[0]), UUID(row[1]), row[2], row[3], row[4], row[5], *ids)


def taken_of(group_id: UUID, expires_at: datetime, rows: Sequence[tuple[Held, int]], available: int) -> Taken:
    """The answer to a buyer, from the rows of a group with what each counts for."""
    units = sum(counted for _, counted in rows)
    holds = tuple(held for held, _ in rows)
    first = holds[0]
    return Taken(
        group_id=group_id,
        expires_at=expires_at,
        holds=holds,
        available=available,
        quantity=units,
        unit_minor=sum(one.unit_minor * one.quantity for one in holds) // units,
        list_minor=sum(one.list_minor * one.quantity for one in holds) // units,
        currency=first.currency,
        offer_id=first.offer_id,
        tier_id=first.tier_id,
    )


def maybe(value: str | None) -> UUID | None:
    """An id, or none."""
    return UUID(value) if value else None


def moment(value: str | None) -> datetime | None:
    """A time, or none."""
    return datetime.fromisoformat(value) if value else None
