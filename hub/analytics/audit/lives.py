"""What people are worth by the channel that brought them, and who came over: one person after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from hub.analytics.audit.facts import Facts, Row
from hub.analytics.audit.money import Figures, Sale, all_sales, nearest, ratio

DAYS: Final = (30, 90, 180)
SOCIAL_GROUPS: Final = ("Organic Social", "Paid Social", "Organic Video", "Paid Video")
OWN: Final = ("email", "phone", "account")


def by_person(
    facts: Facts, rows: Iterable[Any], of: Any = lambda row: row["customer_id"]
) -> dict[UUID, list[Any]]:
    """Rows of people who are still themselves."""
    people = {row["id"] for row in facts.tables["customer"] if row["merged_into"] is None}
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        if of(row) in people:
            found.setdefault(of(row), []).append(row)
    return found


def worth_figures(facts: Facts, currency: str) -> Figures:
    """Lifetime values: what people brought in their first days, for each who has been here as long."""
    touches = by_person(facts, facts.tables["touch"])
    sales = by_person(facts, all_sales(facts), lambda sale: sale.order["customer_id"])
    channels: dict[str, list[tuple[datetime, list[Sale]]]] = {}
    for person in touches.keys() | sales.keys():
        bought = sales.get(person, [])
        came = [
            (one["channel_group"] == "Direct", one["at"], one["channel_group"])
            for one in touches.get(person, [])
        ]
        for sale in bought:
            own = sale.order["channel"] == "own"
            came.append((True, sale.order["placed_at"], "Direct" if own else sale.order["channel"]))
        channels.setdefault(min(came)[2], []).append((min(at for _, at, _ in came), bought))
    figures: Figures = {}
    for channel, people in channels.items():
        currencies = {sale.order["currency"] for _, bought in people for sale in bought} or {currency}
        for name in currencies:
            row = {"people": len(people)} | worth_of(people, name, facts.now)
            figures |= {f"lifetime {channel} {name} {key}": value for key, value in row.items()}
    return figures


def worth_of(
    people: list[tuple[datetime, list[Sale]]], currency: str, now: datetime
) -> dict[str, int | None]:
    """One channel in one currency."""
    found: dict[str, int | None] = {}
    for days in DAYS:
        span = timedelta(days=days)
        old = [(began, bought) for began, bought in people if now - began >= span]
        brought = sum(
            sale.kept - sale.tax - sale.shipping - (0 if sale.cancelled else sale.cost)
            for began, bought in old
            for sale in bought
            if sale.order["currency"] == currency and sale.order["placed_at"] < began + span
        )
        found |= {f"people_{days}": len(old), f"ltv_{days}_minor": nearest(brought, len(old))}
    return found


def migration_figures(facts: Facts, social: Iterable[str]) -> Figures:
    """People first met on a platform, and who of them was known or bought here later."""
    social = frozenset(social)
    touches = by_person(facts, facts.tables["touch"])
    nodes = by_person(facts, [row for row in facts.tables["identity"] if row["state"] == "ok"])
    sales = by_person(facts, all_sales(facts), lambda sale: sale.order["customer_id"])
    nobody = dict.fromkeys(("first", "identified", "bought", "migrated"), 0)
    counts: dict[str | None, dict[str, int]] = {None: {**nobody}}
    for person in touches.keys() | nodes.keys() | sales.keys():
        mine, bought = nodes.get(person, []), sales.get(person, [])
        met = first_met(touches.get(person, []), mine, bought, social)
        if met is None or not met[2]:
            continue
        at, channel, _ = met
        own = [one for one in mine if one["source"] == "own" and one["kind"] in OWN]
        identified = any(one["created_at"] >= at for one in own)
        here = [one for one in bought if one.order["channel"] == "own" and not one.cancelled]
        came_over = any(one.order["placed_at"] >= at for one in here)
        for name in (None, channel):
            row = counts.setdefault(name, {**nobody})
            row["first"] += 1
            row["identified"] += identified
            row["bought"] += came_over
            row["migrated"] += identified or came_over
    figures: Figures = {}
    for name, row in counts.items():
        said = {
            "social_first": row["first"],
            "identified_later": row["identified"],
            "bought_own_later": row["bought"],
            "migrated": row["migrated"],
            "migration_rate": ratio(row["migrated"], row["first"]),
        }
        figures |= {f"migration {name or 'all'} {key}": value for key, value in said.items()}
    return figures


def first_met(
    touches: list[Row], nodes: list[Row], sales: list[Sale], social: frozenset[str]
) -> tuple[datetime, str, bool] | None:
    """When, by what, and whether that was on a platform; of the same moment the platform counts."""
    met: list[tuple[datetime, bool, str]] = [
        (one["at"], one["channel_group"] not in SOCIAL_GROUPS, one["channel_group"]) for one in touches
    ]
    for sale in sales:
        channel = sale.order["channel"]
        met.append((sale.order["placed_at"], channel not in social, channel))
    for node in nodes:
        if node["kind"] != "visitor":
            platform = node["kind"] == "platform_user" and node["source"] in social
            met.append((node["created_at"], not platform, node["source"]))
    if not met:
        return None
    at, elsewhere, channel = min(met)
    return at, channel, not elsewhere


def shown(lifetime: Mapping[str, Any]) -> Figures:
    """The same figures as the API gives them (`Lifetime`, as a document)."""
    figures: Figures = {}
    for row in lifetime["worth"]:
        name = f"lifetime {row['first_channel']} {row['currency']}"
        skipped = ("first_channel", "currency", "small")
        figures |= {f"{name} {key}": value for key, value in row.items() if key not in skipped}
    for row in lifetime["migration"]:
        name = f"migration {row['channel'] or 'all'}"
        figures |= {f"{name} {key}": row[key] for key in row if key not in ("channel", "small")}
    return figures
