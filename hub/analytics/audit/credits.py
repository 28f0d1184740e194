"""Credits of a show's orders by every model, one order after the other, slowly and plainly.

What is left of an order in the end is shared out over its person's touches within the window.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final, Protocol
from uuid import UUID

from hub.analytics.audit.facts import Facts, Row
from hub.analytics.audit.money import Sale
from hub.attribution.words import By, Model, Window

DIRECT, NONE, UNKNOWN = "(direct)", "(none)", "direct / unknown"
BACK: Final[Mapping[Window, timedelta]] = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
PAUSE: Final = timedelta(minutes=30)
"""Of silence, after which a stay is over."""
MILLION: Final = 1_000_000
FIGURES: Final = ("credit_minor", "sold_minor", "millionths", "influenced_minor", "influenced_orders")
Money = dict[tuple[str, str], dict[str, int]]
"""(currency, channel) → figures."""


class Way(Protocol):
    """One touch on the way to an order. `key`: its channel, whatever that is taken to be."""

    @property
    def id(self) -> UUID:
        """Its row."""
        ...

    @property
    def key(self) -> str:
        """Its channel."""
        ...

    @property
    def at(self) -> datetime:
        """When."""
        ...

    @property
    def direct(self) -> bool:
        """Whether it says nothing of where it came from."""
        ...


@dataclass(frozen=True)
class Seen:
    """A touch with what the models ask of it."""

    id: UUID
    person: str
    key: str
    at: datetime
    direct: bool
    show: UUID | None
    session_until: datetime


def credits_of(
    facts: Facts,
    sales: Sequence[Sale],
    model: Model,
    window: Window,
    by: By,
    effects: Mapping[str, int],
) -> Money:
    """What each channel gets of these orders. `effects`: Markov's, as they were learned."""
    touches: dict[str, list[Seen]] = {}
    for one in sorted(seen(facts, by), key=lambda one: (one.at, one.id.bytes)):
        touches.setdefault(one.person, []).append(one)
    shows = {show["id"]: show for show in facts.tables["show"]}
    found: Money = {}
    for sale in sales:
        order = sale.order
        before = way_to(order, touches.get(person_of(order), []), window, shows.get(order["show_id"]))
        parts = weights(model, before, order["placed_at"], effects)
        keys = {one.id: one.key for one in before}
        amounts = {"credit_minor": sale.kept, "sold_minor": order["total_minor"], "millionths": MILLION}
        for name, amount in amounts.items():
            for touch, part in (share(amount, parts) if parts else {None: amount}).items():
                place = (order["currency"], keys[touch] if touch else UNKNOWN)
                sums = found.setdefault(place, dict.fromkeys(FIGURES, 0))
                sums[name] += part
        for key in set(keys.values()) or {UNKNOWN}:
            sums = found.setdefault((order["currency"], key), dict.fromkeys(FIGURES, 0))
            sums["influenced_minor"] += sale.kept
            sums["influenced_orders"] += 1
    return found


def seen(facts: Facts, by: By) -> list[Seen]:
    """Every touch of the brand."""
    stays: dict[Any, datetime] = {visit["id"]: visit["last_at"] for visit in facts.tables["visit"]}
    links = {link["id"]: link for link in facts.tables["tracked_link"]}
    found = []
    for row in facts.tables["touch"]:
        source = row["utm_source"] or row["referrer_host"] or DIRECT
        target = links[row["link_id"]]["target_id"] if row["link_id"] in links else None
        last: datetime = stays[row["visit_id"]] if row["visit_id"] in stays else row["at"]
        keys: dict[By, Any] = {
            "source": source,
            "channel_group": row["channel_group"] or "Unassigned",
            "campaign": row["utm_campaign"] or NONE,
            "target": target or NONE,
            "link": row["link_id"] or NONE,
        }
        found.append(
            Seen(
                id=row["id"],
                person=str(row["customer_id"] or f"v:{row['visitor_id']}"),
                key=str(keys[by]),
                at=row["at"],
                direct=source == DIRECT,
                show=row["show_id"],
                session_until=last + PAUSE,
            )
        )
    return found


def person_of(order: Row) -> str:
    """Whose touches led to it."""
    if order["customer_id"]:
        return str(order["customer_id"])
    return f"v:{order['viewer_id']}" if order["viewer_id"] is not None else f"o:{order['id']}"


def way_to(order: Row, touches: Sequence[Seen], window: Window, show: Row | None) -> list[Seen]:
    """The touches before an order that its window reaches, oldest first."""
    at = order["placed_at"]
    if window != "session":
        return [one for one in touches if at - BACK[window] <= one.at <= at]
    during = (
        show
        and show["live_at"]
        and show["live_at"] <= at
        and (not show["ended_at"] or at <= show["ended_at"])
    )
    began = show["live_at"] - PAUSE if show and during else None
    return [
        one
        for one in touches
        if one.at <= at
        and (one.session_until >= at or (began and one.show == order["show_id"] and one.at >= began))
    ]


def weights(
    model: Model, touches: Sequence[Way], at: datetime, effects: Mapping[str, int]
) -> dict[UUID, int]:
    """Each touch's weight; `touches` oldest first."""
    last = len(touches) - 1
    times = Counter(one.key for one in touches)
    chosen = max(range(len(touches)), key=lambda n: (not touches[n].direct, n), default=0)
    found: dict[UUID, int] = {}
    for n, one in enumerate(touches):
        age = (at - one.at) / timedelta(days=7)
        found[one.id] = {
            "first": int(n == 0),
            "last": int(n == last),
            "last_non_direct": int(n == chosen),
            "linear": 1,
            "time_decay": round(1e6 * 2.0**-age),
            "position": 1 if last <= 1 else 2 * (last - 1) if n in (0, last) else 1,
            "shapley": 10**9 // times[one.key],
            "markov": max(1, effects.get(one.key, 1) * 1000 // times[one.key]),
        }[model]
    return found


def share(amount: int, parts: Mapping[UUID, int]) -> dict[UUID, int]:
    """By the largest remainder; of equal remainders the one that comes first."""
    whole = sum(parts.values())
    exact = {one: Fraction(abs(amount) * weight, whole) for one, weight in parts.items()}
    found = {one: int(part) for one, part in exact.items()}
    places = {one: place for place, one in enumerate(parts)}
    ranked = sorted(
        (one for one in parts if parts[one]), key=lambda one: (-(exact[one] - found[one]), places[one])
    )
    for one in ranked[: abs(amount) - sum(found.values())]:
        found[one] += 1
    return {one: part if amount >= 0 else -part for one, part in found.items()}
