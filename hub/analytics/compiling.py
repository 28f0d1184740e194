"""From a cohort's definition to SQL. Pure: no database. Values are always bound, never pasted.

A condition becomes a set of persons. Somebody is known by their customer's id, else by their browser
(`raw`), else by their name on a platform ("youtube:UC…"); `alias` leads from the latter two to the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

from hub.analytics.channels import KEY
from hub.analytics.conditions import (
    QUESTION,
    AllOf,
    AnyOf,
    Bought,
    BoughtAgain,
    CameFrom,
    Chatted,
    Definition,
    HeldNotBought,
    IsMember,
    Node,
    NotOf,
    Viewed,
    Watched,
)

RAW_ORDER: Final = "coalesce(orders.customer_id::text, orders.viewer_id, orders.id::text)"
RAW_AUTHOR: Final = (
    "CASE message.platform WHEN 'own' THEN author_id ELSE message.platform || ':' || author_id END"
)
PAID: Final = "NOT orders.test AND orders.state IN ('paid', 'refunded')"
HERE: Final = "brand_id = :brand_id AND show_id = ANY(:shows)"
BASE: Final = f"""
    alias AS (
        SELECT raw, min(customer_id::text) AS person FROM (
            SELECT visitor_id AS raw, customer_id FROM touch
            WHERE brand_id = :brand_id AND customer_id IS NOT NULL AND kind = 'visit'
            UNION ALL
            SELECT viewer_id, customer_id FROM orders
            WHERE brand_id = :brand_id AND customer_id IS NOT NULL AND viewer_id IS NOT NULL
            UNION ALL
            SELECT * FROM unnest(CAST(:authors AS text[]), CAST(:author_customers AS uuid[]))) AS known
        GROUP BY raw),
    came AS (
        SELECT visitor_id AS raw FROM touch WHERE {HERE} AND kind = 'visit'
        UNION SELECT {RAW_AUTHOR} FROM message
            WHERE {HERE} AND author_id IS NOT NULL AND NOT outgoing AND kind <> 'gap'
        UNION SELECT viewer_id FROM hold WHERE {HERE}
        UNION SELECT {RAW_ORDER} FROM orders WHERE {HERE} AND {PAID}
        UNION SELECT unnest(CAST(:present AS text[]))),
    who AS (SELECT DISTINCT coalesce(alias.person, raw) AS person FROM came LEFT JOIN alias USING (raw))"""  # noqa: S608
"""SQL: everybody who was there."""


@dataclass(frozen=True)
class Ask:
    """What only the event log knows: the value `name` is to be filled with the viewers who fit."""

    name: str
    what: Literal["watched", "viewed"]
    minutes: int = 0
    product_id: UUID | None = None


@dataclass
class Compiled:
    """`sets` and `fits` are SQL, with `values` for its names; `asks` are to be answered first."""

    sets: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    asks: list[Ask] = field(default_factory=list)
    fits: str = "true"

    def parts(self) -> str:
        """SQL: `WITH` parts that end in chosen(person, fits), one row for everybody who was there."""
        named = "".join(f",\n    c{n} AS ({one})" for n, one in enumerate(self.sets))
        return f"{BASE}{named},\n    chosen AS (SELECT person, {self.fits} AS fits FROM who)"  # noqa: S608

    def bind(self, value: object) -> str:
        """A place in the SQL for a value."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return name

    def set_of(self, raw: str) -> str:
        """A condition: the person is in this set of raw names."""
        self.sets.append(
            f"SELECT coalesce(alias.person, raw) AS person FROM ({raw}) AS named LEFT JOIN alias USING (raw)"  # noqa: S608
        )
        return f"person IN (SELECT person FROM c{len(self.sets) - 1})"  # noqa: S608 - a number of ours


def compiled(definition: Definition) -> Compiled:
    """The SQL of a definition."""
    found = Compiled()
    found.fits = expression(definition.where, found)
    return found


def expression(node: Node, found: Compiled) -> str:
    """A node as a truth of SQL."""
    if isinstance(node, NotOf):
        return f"NOT ({expression(node.of, found)})"
    if isinstance(node, AllOf | AnyOf):
        word = " AND " if isinstance(node, AllOf) else " OR "
        return "(" + word.join(expression(one, found) for one in node.of) + ")"
    if isinstance(node, Watched):
        return asked(Ask("", "watched", minutes=node.minutes), found)
    if isinstance(node, Viewed):
        return asked(Ask("", "viewed", product_id=node.product_id), found)
    return found.set_of(raw_of(node, found))


def asked(ask: Ask, found: Compiled) -> str:
    """Viewers that the event log will name."""
    name = found.bind([])
    found.asks.append(Ask(name, ask.what, ask.minutes, ask.product_id))
    return found.set_of(f"SELECT unnest(CAST(:{name} AS text[])) AS raw")


def raw_of(
    node: Chatted | CameFrom | HeldNotBought | Bought | BoughtAgain | IsMember, found: Compiled
) -> str:
    """SQL: the raw names of those whom the tables know to fit."""
    if isinstance(node, Chatted):
        return chatted(node, found)
    if isinstance(node, CameFrom):
        value = found.bind(node.value)
        return (
            "SELECT coalesce(touch.customer_id::text, visitor_id) AS raw FROM touch"  # noqa: S608
            " LEFT JOIN tracked_link ON tracked_link.id = link_id"
            " WHERE touch.brand_id = :brand_id AND touch.show_id = ANY(:shows)"
            f" AND lower({KEY[node.by]}) = lower(CAST(:{value} AS text))"
        )
    if isinstance(node, HeldNotBought):
        return (
            f"SELECT viewer_id AS raw FROM hold WHERE {HERE} AND NOT soft AND NOT EXISTS ("  # noqa: S608
            "SELECT FROM orders WHERE orders.brand_id = :brand_id AND orders.show_id = ANY(:shows)"
            f" AND {PAID} AND (orders.viewer_id = hold.viewer_id OR orders.customer_id::text = ("
            "SELECT person FROM alias WHERE raw = hold.viewer_id)))"
        )
    if isinstance(node, IsMember):
        return (
            "SELECT id::text AS raw FROM customer"
            " WHERE brand_id = :brand_id AND member_since IS NOT NULL AND merged_into IS NULL"
        )
    return bought(node, found)


def chatted(node: Chatted, found: Compiled) -> str:
    """Who wrote, and what, and when."""
    where = [
        "message.brand_id = :brand_id AND show_id = ANY(:shows)",
        "author_id IS NOT NULL AND NOT outgoing AND message.kind <> 'gap'",
    ]
    if node.questions:
        where.append(f"text ~* CAST(:{found.bind(QUESTION)} AS text)")
    if node.platform:
        where.append(f"message.platform = CAST(:{found.bind(node.platform)} AS text)")
    if node.first_minutes:
        minutes = found.bind(node.first_minutes)
        said = "coalesce(message.sent_at, message.received_at)"
        where.append(
            f"{said} >= show.live_at AND {said} < show.live_at"
            f" + make_interval(mins => CAST(:{minutes} AS int))"
        )
    return (
        f"SELECT {RAW_AUTHOR} AS raw FROM message JOIN show ON show.id = show_id"  # noqa: S608
        f" WHERE {' AND '.join(where)}"
    )


def bought(node: Bought | BoughtAgain, found: Compiled) -> str:
    """Who paid, and who came again."""
    where = [f"orders.brand_id = :brand_id AND orders.show_id = ANY(:shows) AND {PAID}"]
    if isinstance(node, BoughtAgain):
        days = found.bind(node.days)
        where.append(
            f"EXISTS (SELECT FROM orders AS later WHERE later.brand_id = :brand_id AND NOT later.test"
            " AND later.state IN ('paid', 'refunded')"
            " AND (later.customer_id = orders.customer_id OR later.viewer_id = orders.viewer_id)"
            " AND later.placed_at > orders.placed_at AND later.placed_at <="
            f" orders.placed_at + make_interval(days => CAST(:{days} AS int)))"
        )
        return f"SELECT {RAW_ORDER} AS raw FROM orders WHERE {' AND '.join(where)}"  # noqa: S608
    if node.channel:
        where.append(f"orders.channel = CAST(:{found.bind(node.channel)} AS text)")
    if node.offer_kind:
        kind = found.bind(node.offer_kind)
        where.append(
            "(EXISTS (SELECT FROM order_line JOIN offer ON offer.id = order_line.offer_id"  # noqa: S608
            f" WHERE order_line.order_id = orders.id AND offer.kind = CAST(:{kind} AS text))"
            " OR EXISTS (SELECT FROM offer_use JOIN offer ON offer.id = offer_use.offer_id"
            " WHERE offer_use.order_id = orders.id AND offer_use.state = 'used'"
            f" AND offer.kind = CAST(:{kind} AS text)))"
        )
    return f"SELECT {RAW_ORDER} AS raw FROM orders WHERE {' AND '.join(where)}"  # noqa: S608


def empty_values(brand_id: UUID, shows: Sequence[UUID]) -> dict[str, Any]:
    """What every cohort's SQL needs besides its own values; the lists are filled by whoever runs it."""
    return {
        "brand_id": brand_id,
        "shows": [*shows],
        "authors": [],
        "author_customers": [],
        "present": [],
    }
