"""Viewers, buyers, reservations and offers of a show, counted one by one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from hub.analytics.audit.facts import Facts, Row
from hub.analytics.audit.money import Figures, Sale, buyer_of, nearest, ratio, sold_of

COPIES: Final = ("hold", "hold_end", "order", "pay", "refund", "chat", "sold_out")
"""Events that are the hub's own facts told once more."""
MINUTE: Final = timedelta(seconds=60)


def viewer_figures(facts: Facts) -> Figures:
    """From the events, or else from the tagged visits."""
    present = [event for event in facts.events if event["viewer_id"] and event["kind"] not in COPIES]
    if present:
        kinds = [event["kind"] for event in facts.events]
        return {
            "audience source": "events",
            "audience viewers": len({event["viewer_id"] for event in present}),
            "audience views": kinds.count("join"),
            "audience product_clicks": kinds.count("product_click"),
            "holds sold_out_hits": kinds.count("sold_out"),
        }
    visits = [
        touch
        for touch in facts.tables["touch"]
        if touch["show_id"] == facts.show_id and touch["kind"] == "visit"
    ]
    return {
        "audience source": "visits" if visits else "none",
        "audience viewers": len({touch["visitor_id"] for touch in visits}),
        "audience views": len(visits),
        "audience product_clicks": None,
        "holds sold_out_hits": None,
    }


def buyer_figures(facts: Facts, sales: list[Sale], viewers: int, clicks: int | None) -> Figures:
    """Who bought, and who bought again."""
    kept = [sale.order for sale in sales if not sale.cancelled]
    own = [order for order in kept if order["channel"] == "own"]
    bought = dates_by_buyer(facts)
    first = first_dates(kept)
    figures = {
        "buyers": len(first),
        "own_buyers": len({buyer_of(order) for order in own}),
        "own_orders": len(own),
        "conversion": ratio(len({buyer_of(order) for order in own}), viewers),
        "ctor": ratio(len(own), clicks or 0),
        "repeat_rate": ratio(sum(len(bought[buyer]) > 1 for buyer in first), len(first)),
    }
    for days in (30, 90):
        old, again = repeats(first, bought, facts.now, timedelta(days=days))
        figures |= {f"repeat_{days}": ratio(again, old), f"old_{days}": old}
    return {f"audience {key}": value for key, value in figures.items()}


def dates_by_buyer(facts: Facts) -> dict[str, list[datetime]]:
    """When everybody bought, in any show."""
    found: dict[str, list[datetime]] = {}
    for order in facts.tables["orders"]:
        if order["state"] in ("paid", "refunded") and not order["test"]:
            found.setdefault(buyer_of(order), []).append(order["placed_at"])
    return found


def first_dates(orders: list[Row]) -> dict[str, datetime]:
    """When everybody bought first among these."""
    found: dict[str, datetime] = {}
    for order in sorted(orders, key=lambda one: one["placed_at"]):
        found.setdefault(buyer_of(order), order["placed_at"])
    return found


def repeats(
    first: dict[str, datetime], bought: dict[str, list[datetime]], now: datetime, within: timedelta
) -> tuple[int, int]:
    """(buyers of long enough ago, of them those who came again in time)."""
    old = [buyer for buyer, at in first.items() if now - at >= within]
    again = [
        buyer for buyer in old if any(first[buyer] < at <= first[buyer] + within for at in bought[buyer])
    ]
    return len(old), len(again)


def per_viewer(sales: list[Sale], viewers: int, views: int, currency: str) -> dict[str, int | None]:
    """What the own site brought for each of its viewers."""
    own = [sale for sale in sales if sale.order["channel"] == "own" and sale.order["currency"] == currency]
    net = sum(sale.kept - sale.tax - sale.shipping for sale in own)
    return {
        "revenue_per_viewer_minor": nearest(net, viewers),
        "gpm_minor": nearest(1000 * sold_of(own), views),
    }


def hold_figures(facts: Facts, hits: int | None) -> Figures:
    """Reservations; a bundle's rows are one."""
    groups: dict[Any, list[Row]] = {}
    for hold in facts.tables["hold"]:
        if hold["show_id"] == facts.show_id and not hold["soft"]:
            groups.setdefault(hold["group_id"], []).append(hold)
    paid_at: dict[Any, datetime] = {}
    for event in facts.tables["order_event"]:
        if event["kind"] == "payment.paid":
            paid_at[event["order_id"]] = min(event["at"], paid_at.get(event["order_id"], event["at"]))
    ends = [end_of(group) for group in groups.values()]
    took = sorted(
        milliseconds
        for group in groups.values()
        if end_of(group) == "committed" and (milliseconds := pay_time(group, paid_at)) is not None
    )
    waiting = [
        row for row in facts.tables["waitlist"] if row["show_id"] == facts.show_id and row["state"] != "taken"
    ]
    refused = [
        order
        for order in facts.tables["orders"]
        if order["show_id"] == facts.show_id and order["state"] == "sold_out" and not order["test"]
    ]
    return {
        "holds holds": len(groups),
        "holds holds_converted": ends.count("committed"),
        "holds holds_expired": ends.count("expired"),
        "holds holds_released": ends.count("released"),
        "holds pay_seconds": took[(len(took) + 1) // 2 - 1] / 1000 if took else None,
        "holds sold_out_orders": len(refused),
        "holds waitlist_unserved": len(waiting),
        "holds lost_demand": (hits or 0) + len(refused) + len(waiting),
    }


def end_of(group: list[Row]) -> str:
    """The strongest word of a group's rows."""
    states = {row["state"] for row in group}
    return next((word for word in ("committed", "expired", "released") if word in states), "held")


def pay_time(group: list[Row], paid_at: dict[Any, datetime]) -> int | None:
    """Milliseconds from the reservation to the money."""
    at = min(row["created_at"] for row in group)
    paid = next((paid_at[row["order_id"]] for row in group if row["order_id"] in paid_at), None)
    if paid is None or paid < at:
        return None
    took: timedelta = paid - at
    return took // timedelta(milliseconds=1)


def offer_figures(facts: Facts, sales: list[Sale], viewers: int) -> Figures:
    """The kinds of offers of the show."""
    kinds = {offer["id"]: offer["kind"] for offer in facts.tables["offer"]}
    ran = [
        offer
        for offer in facts.tables["offer"]
        if offer["show_id"] == facts.show_id and offer["live_at"] is not None
    ]
    used = facts.by("offer_use", "order_id")
    bought: dict[str, list[Row]] = {}
    for sale in sales:
        ids = {line["offer_id"] for line in sale.lines} | {
            use["offer_id"] for use in used.get(sale.order["id"], []) if use["state"] == "used"
        }
        for kind in {kinds[one] for one in ids if one in kinds and not sale.cancelled}:
            bought.setdefault(kind, []).append(sale.order)
    figures: Figures = {}
    for kind in {offer["kind"] for offer in ran} | set(bought):
        of_kind = [offer for offer in ran if offer["kind"] == kind]
        orders = bought.get(kind, [])
        base = viewers if of_kind else 0
        own = {buyer_of(order) for order in orders if order["channel"] == "own"}
        present, stayed = staying(facts, of_kind)
        row: dict[str, Any] = {
            "offers": len(of_kind),
            "offer_buyers": len({buyer_of(order) for order in orders}),
            "viewers": base,
            "offer_conversion": ratio(len(own), base),
            "offer_retention": ratio(stayed, present),
            "present": present,
        }
        for days in (30, 90):
            old, again = repeats(first_dates(orders), dates_by_buyer(facts), facts.now, timedelta(days=days))
            row |= {f"repeat_{days}": ratio(again, old), f"old_{days}": old}
        figures |= {f"offers {kind} {key}": value for key, value in row.items()}
    return figures


def staying(facts: Facts, offers: list[Row]) -> tuple[int, int]:
    """(viewers there when an offer began, of them those there when it ended)."""
    present = stayed = 0
    seen: dict[str, list[datetime]] = {}
    for event in facts.events:
        if event["viewer_id"] and event["kind"] not in COPIES:
            seen.setdefault(event["viewer_id"], []).append(event["at"])
    for offer in offers:
        began, ended = offer["live_at"], offer["ended_at"] or offer["ends_at"]
        if ended is None:
            continue
        for times in seen.values():
            if any(began - MINUTE < at <= began for at in times):
                present += 1
                stayed += any(at >= ended - MINUTE for at in times)
    return present, stayed
