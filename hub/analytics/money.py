"""What orders brought: one row of money per order, and its sums.

Everything is reckoned per order in whole minor units and then added, so that channels add up to the show and
the show to its orders, to the cent. Currencies are never added to one another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run

PLATFORM_SHOPS: Final = frozenset(
    {"tiktok_shop", "facebook", "instagram", "meta_catalog", "youtube", "amazon", "whatnot"}
)
"""Channels where somebody else's platform is the shop: the buyer is theirs first (rented land)."""

IN_SCOPE: Final = """
    orders.brand_id = :brand_id AND NOT orders.test
    AND (CAST(:show_id AS uuid) IS NULL OR orders.show_id = CAST(:show_id AS uuid))
    AND (CAST(:channel AS text) IS NULL OR orders.channel = CAST(:channel AS text))
    AND (CAST(:since AS timestamptz) IS NULL
         OR coalesce(show.live_at, show.starts_at, orders.placed_at) >= CAST(:since AS timestamptz))
    AND (CAST(:until AS timestamptz) IS NULL
         OR coalesce(show.live_at, show.starts_at, orders.placed_at) < CAST(:until AS timestamptz))
    AND (CAST(:offer_kind AS text) IS NULL
         OR EXISTS (SELECT FROM order_line JOIN offer ON offer.id = order_line.offer_id
                    WHERE order_line.order_id = orders.id AND offer.kind = CAST(:offer_kind AS text))
         OR EXISTS (SELECT FROM offer_use JOIN offer ON offer.id = offer_use.offer_id
                    WHERE offer_use.order_id = orders.id AND offer_use.state = 'used'
                      AND offer.kind = CAST(:offer_kind AS text)))"""
"""SQL: the orders asked for. An order counts on the day of its show, and in an offer's kind as a whole."""

LINE: Final = """
    SELECT order_line.order_id, count(*) AS lines, sum(quantity) AS units, sum(returned) AS returned,
        sum(order_line.tax_minor)::bigint AS tax,
        sum(greatest(list_minor - unit_minor, 0) * quantity)::bigint AS markdown,
        coalesce(sum(cost * greatest(quantity - returned, 0)), 0)::bigint AS cost,
        count(*) FILTER (WHERE cost IS NULL) AS without_cost
    FROM order_line JOIN orders ON orders.id = order_line.order_id
    LEFT JOIN variant ON variant.id = order_line.variant_id
    CROSS JOIN LATERAL (SELECT CASE WHEN variant.currency <> orders.currency THEN NULL
        ELSE coalesce(order_line.cost_minor, variant.cost_minor) END AS cost) AS known
    WHERE order_line.brand_id = :brand_id GROUP BY 1"""
PART: Final = """
    SELECT refund_part.order_id, sum(refund_part.amount_minor)::bigint AS amount,
        sum(tax_minor)::bigint AS tax,
        coalesce(sum(refund_part.amount_minor - tax_minor) FILTER (WHERE order_line_id IS NULL), 0)::bigint
            AS shipping
    FROM refund_part JOIN refund ON refund.id = refund_part.refund_id AND refund.state = 'done'
    WHERE refund_part.brand_id = :brand_id GROUP BY 1"""
SALE: Final = f"""
    line AS ({LINE}), part AS ({PART}),
    picked AS (
        SELECT orders.*, orders.state = 'cancelled' AS off,
            coalesce(customer_id::text, viewer_id, orders.id::text) AS buyer,
            coalesce(line.lines, 0) AS lines, coalesce(line.units, 0) AS units,
            coalesce(line.returned, 0) AS returned, coalesce(line.markdown, 0) AS markdown,
            coalesce(line.cost, 0) AS cost, coalesce(line.without_cost, 0) AS without_cost,
            CASE WHEN NOT prices_include_tax OR total_minor = 0 THEN 0
                 WHEN line.tax > 0 THEN least(greatest(orders.tax_minor - line.tax, 0), shipping_minor)
                 ELSE orders.tax_minor * shipping_minor / total_minor END AS shipping_tax,
            CASE WHEN orders.state = 'cancelled' THEN total_minor
                 ELSE least(refunded_minor, total_minor) END AS back,
            coalesce(part.amount, 0) AS part_amount, coalesce(part.tax, 0) AS part_tax,
            coalesce(part.shipping, 0) AS part_shipping
        FROM orders LEFT JOIN show ON show.id = orders.show_id
        LEFT JOIN line ON line.order_id = orders.id LEFT JOIN part ON part.order_id = orders.id
        WHERE (orders.state IN ('paid', 'refunded') OR orders.state = 'cancelled' AND captured_minor > 0)
          AND {IN_SCOPE}),
    split AS (
        SELECT *, shipping_minor - shipping_tax AS shipping_net,
            greatest(back - part_amount, 0) AS untold FROM picked),
    taken AS (
        SELECT *,
            CASE WHEN back = total_minor THEN tax_minor
                 ELSE least(tax_minor, part_tax + untold * tax_minor / total_minor) END AS tax_back,
            CASE WHEN back = total_minor THEN shipping_net
                 ELSE least(shipping_net, part_shipping + untold * shipping_net / total_minor)
                 END AS shipping_back FROM split),
    sale AS (
        SELECT id, channel, currency, show_id, customer_id, buyer, placed_at, off,
            subtotal_minor + markdown AS gross, discount_minor + markdown AS discounts,
            total_minor - subtotal_minor + discount_minor AS added, total_minor AS charged,
            CASE WHEN off THEN back ELSE 0 END AS cancelled,
            CASE WHEN off THEN 0 ELSE back END AS refunded,
            total_minor - back AS kept, tax_minor - tax_back AS tax, shipping_net - shipping_back AS shipping,
            total_minor - back - (tax_minor - tax_back) - (shipping_net - shipping_back) AS net,
            CASE WHEN off THEN 0 ELSE subtotal_minor - discount_minor END AS sold,
            CASE WHEN off THEN 0 ELSE 1 END AS orders,
            CASE WHEN off THEN 0 ELSE units END AS units, CASE WHEN off THEN 0 ELSE returned END AS returned,
            CASE WHEN off THEN 0 ELSE cost END AS cost, CASE WHEN off THEN 0 ELSE lines END AS lines,
            CASE WHEN off THEN 0 ELSE without_cost END AS without_cost
        FROM taken)"""  # noqa: S608 - made of constants
"""SQL: `WITH` parts that end in `sale`, one row per order that was paid; takes the values of a Scope.

What of a refund is tax and delivery is known from the parts it was made of; where a shop did not tell
(`untold`), it is taken in proportion. Once all is back, all three are zero.
"""

SUMS: Final = ", ".join(
    f"coalesce(sum({name}), 0)::bigint AS {name}"
    for name in (
        *("gross", "discounts", "added", "charged", "cancelled", "refunded", "kept", "tax", "shipping"),
        *("net", "sold", "orders", "units", "returned", "cost", "lines", "without_cost"),
    )
)
TOTALS = text(
    f"""
    WITH {SALE}
    SELECT currency, channel, show_id, grouping(channel) = 0 AS by_channel, grouping(show_id) = 0 AS by_show,
        count(DISTINCT buyer) FILTER (WHERE NOT off) AS buyers, {SUMS}
    FROM sale GROUP BY GROUPING SETS ((currency), (currency, channel), (currency, show_id))
    ORDER BY currency, channel, show_id
    """  # noqa: S608 - made of constants
)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Which orders. A period is of shows (`live_at`, else planned), and of orders without one by their own
    time; `until` is not in it."""

    brand_id: UUID
    show_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    channel: str | None = None
    offer_kind: str | None = None

    def values(self) -> dict[str, object]:
        """As the statements take them."""
        return {
            "brand_id": self.brand_id,
            "show_id": self.show_id,
            "since": self.since,
            "until": self.until,
            "channel": self.channel,
            "offer_kind": self.offer_kind,
        }


class Money(BaseModel):
    """Sums in minor units of one currency; the keys are those of `definitions.MONEY`.

    What needs viewers is None where there are none to divide by.
    """

    currency: str
    orders: int
    buyers: int
    units: int
    gross_minor: int
    discounts_minor: int
    added_minor: int
    charged_minor: int
    cancelled_minor: int
    refunded_minor: int
    kept_minor: int
    tax_minor: int
    shipping_minor: int
    net_minor: int
    cost_minor: int
    margin_minor: int
    lines: int
    lines_without_cost: int
    aov_minor: int | None
    units_per_order: float | None
    return_rate: float | None
    revenue_per_viewer_minor: int | None = None
    gpm_minor: int | None = None


class ChannelMoney(Money):
    """Of one channel of purchase. `place`: own (the site), shop (the brand's web shop), platform."""

    channel: str
    place: str


class ShowMoney(Money):
    """Of one show; None: orders that belong to no show."""

    show_id: UUID | None
    title: str | None = None


@dataclass
class Sums:
    """Money in all, by channel and by show, one row for each currency; `sold_own` by currency."""

    totals: list[Money]
    channels: list[ChannelMoney]
    shows: list[ShowMoney]
    sold_own: dict[str, int]


def per(whole: int, parts: int) -> int | None:
    """`whole` divided by `parts`, to the nearest minor unit (halves up); None for nothing to divide by."""
    return (2 * whole + parts) // (2 * parts) if parts else None


def share(part: int, whole: int) -> float | None:
    """As a fraction; None where there is nothing to divide by."""
    return round(part / whole, 6) if whole else None


def place_of(channel: str) -> str:
    """Whose shop a channel is."""
    if channel == "own":
        return "own"
    return "platform" if channel in PLATFORM_SHOPS else "shop"


def money_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of sums under the figures' names, with what follows from it."""
    named = {
        f"{name}_minor": row[name]
        for name in (
            *("gross", "discounts", "added", "charged", "cancelled", "refunded", "kept", "tax", "shipping"),
            *("net", "cost"),
        )
    }
    return {
        **named,
        "currency": row["currency"],
        "orders": row["orders"],
        "buyers": row["buyers"],
        "units": row["units"],
        "margin_minor": row["net"] - row["cost"],
        "lines": row["lines"],
        "lines_without_cost": row["without_cost"],
        "aov_minor": per(row["sold"], row["orders"]),
        "units_per_order": share(row["units"], row["orders"]),
        "return_rate": share(row["returned"], row["units"]),
    }


async def sums(session: AsyncSession, scope: Scope) -> Sums:
    """All money of a scope."""
    found = Sums([], [], [], {})
    for row in (await run(session, TOTALS, scope.values())).mappings():
        money = money_of(dict(row))
        if row["by_channel"]:
            channel = row["channel"]
            found.channels.append(ChannelMoney(**money, channel=channel, place=place_of(channel)))
            if channel == "own":
                found.sold_own[row["currency"]] = row["sold"]
        elif row["by_show"]:
            found.shows.append(ShowMoney(**money, show_id=row["show_id"]))
        else:
            found.totals.append(Money(**money))
    return found
