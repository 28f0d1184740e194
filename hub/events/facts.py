"""The hub's own facts as events: holds, orders, payments, refunds and messages, copied from their tables.

Nothing is hooked into the paths that make them. A fact's id is made from its row, and everything in it comes
from columns that stay: copied twice, or again from nothing, it is the same event.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import RowMapping

from hub.events.schema import ViewerEvent, show_ms

FACTS: Final = UUID("6b1d3c52-8f0e-5e3a-9a53-7f3f0a1f6d21")
"""The namespace of facts' ids."""


@dataclass(frozen=True)
class Source:
    """A table that is copied. `sql` has a place for the window, on `by`: an id of version 7, or a moment."""

    name: str
    by: str
    in_time: bool
    sql: str

    def window(self) -> str:
        """SQL: what is new after `:after`, up to `:until`, so many at a time; ties are not cut in two."""
        where = f"{self.by} > :after AND {self.by} <= :until"
        order = f"ORDER BY {self.by} FETCH FIRST :most ROWS WITH TIES"
        return f"{self.sql.format(where=where)} {order}"

    def of_show(self) -> str:
        """SQL: everything of one show."""
        return self.sql.format(where="show.id = :show")


HOLDS: Final = Source(
    "hold",
    by="hold.id",
    in_time=False,
    sql="""
    SELECT 'hold' AS kind, hold.id AS row, hold.id AS position, hold.created_at AS at, show.live_at,
        show.brand_id, show.id AS show_id, hold.viewer_id, 'own' AS platform, variant.product_id,
        hold.variant_id, hold.offer_id, hold.id AS hold_id, CAST(NULL AS uuid) AS order_id, hold.quantity,
        hold.quantity * hold.unit_minor AS value_minor, hold.currency,
        CAST(json_build_object('channel', hold.channel, 'group', hold.group_id) AS text) AS data
    FROM hold JOIN show ON show.id = hold.show_id JOIN variant ON variant.id = hold.variant_id
    WHERE {where}""",
)
HOLD_ENDS: Final = Source(
    "hold_end",
    by="moved.created_at",
    in_time=True,
    # Of other movements `ref_id` is no id: it is asked for only where it is one.
    sql="""
    SELECT 'hold_end' AS kind, moved.id AS row, moved.created_at AS position, moved.created_at AS at,
        show.live_at, show.brand_id, show.id AS show_id, hold.viewer_id, 'own' AS platform,
        variant.product_id, hold.variant_id, hold.offer_id, hold.id AS hold_id,
        CASE WHEN moved.kind IN ('commit', 'late_commit') THEN hold.order_id END AS order_id, hold.quantity,
        hold.quantity * hold.unit_minor AS value_minor, hold.currency,
        CAST(json_build_object('how', moved.kind) AS text) AS data
    FROM stock_movement AS moved
    JOIN hold ON hold.id = CASE WHEN moved.ref_type = 'hold' THEN CAST(moved.ref_id AS uuid) END
    JOIN show ON show.id = hold.show_id JOIN variant ON variant.id = hold.variant_id
    WHERE moved.kind IN ('release', 'expire', 'commit', 'late_commit') AND {where}""",
)
ORDERS: Final = Source(
    "order",
    by="told.id",
    in_time=False,
    # A shop's order is paid when it comes to us, or it is none yet: then its show's end brings the payment.
    sql="""
    SELECT fact.kind, orders.id AS row, told.id AS position,
        CASE WHEN fact.kind = 'pay' AND orders.channel <> 'own' THEN orders.placed_at ELSE told.at END AS at,
        show.live_at, show.brand_id, show.id AS show_id, orders.viewer_id, orders.channel AS platform,
        CAST(NULL AS uuid) AS product_id, CAST(NULL AS uuid) AS variant_id, CAST(NULL AS uuid) AS offer_id,
        CAST(NULL AS uuid) AS hold_id, orders.id AS order_id, CAST(NULL AS bigint) AS quantity,
        orders.total_minor AS value_minor, orders.currency,
        CAST(json_build_object('test', orders.test) AS text) AS data
    FROM order_event AS told JOIN orders ON orders.id = told.order_id JOIN show ON show.id = orders.show_id
    JOIN (VALUES ('placed', 'order'), ('placed', 'pay'), ('payment.paid', 'pay'), ('sold_out', 'sold_out'))
        AS fact(told, kind) ON fact.told = told.kind
        AND (told.kind <> 'placed' OR fact.kind = 'order'
             OR (orders.channel <> 'own' AND orders.captured_minor > 0))
    WHERE {where}""",
)
REFUNDS: Final = Source(
    "refund",
    by="told.id",
    in_time=False,
    sql="""
    SELECT 'refund' AS kind, refund.id AS row, told.id AS position, (
            SELECT min(first.at) FROM order_event AS first WHERE first.order_id = orders.id
            AND first.kind = 'refund.done' AND first.at >= refund.created_at) AS at,
        show.live_at, show.brand_id, show.id AS show_id, orders.viewer_id, orders.channel AS platform,
        CAST(NULL AS uuid) AS product_id, CAST(NULL AS uuid) AS variant_id, CAST(NULL AS uuid) AS offer_id,
        CAST(NULL AS uuid) AS hold_id, orders.id AS order_id, CAST(NULL AS bigint) AS quantity,
        refund.amount_minor AS value_minor, refund.currency,
        CAST(json_build_object('test', orders.test) AS text) AS data
    FROM order_event AS told JOIN orders ON orders.id = told.order_id JOIN show ON show.id = orders.show_id
    JOIN refund ON refund.order_id = orders.id AND refund.state = 'done' AND refund.created_at <= told.at
    WHERE told.kind = 'refund.done' AND {where}""",
)
OUTSIDE_REFUNDS: Final = Source(
    "outside_refund",
    by="given.id",
    in_time=False,
    sql="""
    SELECT 'refund' AS kind, given.id AS row, given.id AS position, given.at, show.live_at, show.brand_id,
        show.id AS show_id, orders.viewer_id, orders.channel AS platform, CAST(NULL AS uuid) AS product_id,
        CAST(NULL AS uuid) AS variant_id, CAST(NULL AS uuid) AS offer_id, CAST(NULL AS uuid) AS hold_id,
        orders.id AS order_id, CAST(NULL AS bigint) AS quantity, given.amount_minor AS value_minor,
        given.currency, CAST(json_build_object('test', orders.test) AS text) AS data
    FROM outside_refund AS given JOIN orders ON orders.id = given.order_id
    JOIN show ON show.id = orders.show_id
    WHERE {where}""",
)
MESSAGES: Final = Source(
    "chat",
    by="message.id",
    in_time=False,
    # Neither words nor names: they are in the row, where they can be hidden and erased.
    sql="""
    SELECT 'chat' AS kind, message.id AS row, message.id AS position,
        coalesce(message.sent_at, message.received_at) AS at, show.live_at, show.brand_id, show.id AS show_id,
        CASE WHEN message.platform = 'own' THEN message.author_id END AS viewer_id, message.platform,
        CAST(NULL AS uuid) AS product_id, CAST(NULL AS uuid) AS variant_id, CAST(NULL AS uuid) AS offer_id,
        CAST(NULL AS uuid) AS hold_id, CAST(NULL AS uuid) AS order_id, CAST(NULL AS bigint) AS quantity,
        CAST(message.amount_minor AS bigint) AS value_minor, message.currency,
        CAST(json_build_object('message', message.id, 'kind', message.kind) AS text) AS data
    FROM message JOIN show ON show.id = message.show_id
    WHERE NOT message.outgoing AND NOT message.staff_only AND message.kind <> 'gap' AND {where}""",
)
SOURCES: Final = (HOLDS, HOLD_ENDS, ORDERS, REFUNDS, OUTSIDE_REFUNDS, MESSAGES)


def fact_of(row: RowMapping) -> ViewerEvent:
    """A row of a source as an event."""
    at: datetime = row["at"]
    return ViewerEvent(
        id=uuid5(FACTS, f"{row['kind']}:{row['row']}"),
        brand_id=row["brand_id"],
        show_id=row["show_id"],
        viewer_id=row["viewer_id"],
        kind=row["kind"],
        at=at,
        show_ms=show_ms(at, row["live_at"]),
        source="hub",
        platform=row["platform"],
        product_id=row["product_id"],
        variant_id=row["variant_id"],
        offer_id=row["offer_id"],
        hold_id=row["hold_id"],
        order_id=row["order_id"],
        quantity=row["quantity"],
        value_minor=row["value_minor"],
        currency=row["currency"],
        # As text it may have spaces, which are not the same in every version of the database.
        data=json.dumps(json.loads(row["data"]), separators=(",", ":"), sort_keys=True),
    )
