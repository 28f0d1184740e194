"""Tables of what we know of the shops: their refunds, how they are doing, where their numbers drifted."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.columns import OptionalTime, big, brand, key, ref, when


class OutsideRefund(SQLModel, table=True):
    """Money a shop gave back on an order of its own. `restocked`: pieces it says are on the shelf again."""

    __tablename__ = "outside_refund"
    __table_args__ = (UniqueConstraint("order_id", "external_id"),)

    id: UUID = key()
    brand_id: UUID = brand()
    order_id: UUID = ref("orders.id", ondelete="CASCADE")
    external_id: str
    amount_minor: int = big()
    currency: str
    pieces: int = 0
    restocked: int = 0
    at: datetime = when()


class ShopWatch(SQLModel, table=True):
    """How a shop or a payment gateway is doing, one row for each connection that sells or takes money.

    `hook_at`: its last genuine delivery. `missed`: changes found by reading, or payments, that no delivery
    told of since then; `silent_since`: when that became an alarm. `subscribed_at`: its subscriptions were
    last looked at; `renewed_at`: one was made again; `problem`: why that did not work, or what a person must
    do. `rest_until`: it wants rest.
    """

    __tablename__ = "shop_watch"

    connection_id: UUID = Field(primary_key=True, foreign_key="connection.id", ondelete="CASCADE")
    brand_id: UUID = brand()
    hook_at: OptionalTime = when(default=None)
    missed: int = 0
    silent_since: OptionalTime = when(default=None)
    subscribed_at: OptionalTime = when(default=None)
    renewed_at: OptionalTime = when(default=None)
    problem: str | None = None
    levels_read_at: OptionalTime = when(default=None)
    rest_until: OptionalTime = when(default=None)


class Drift(SQLModel, table=True):
    """A shop believed another number than ours, from `found_at` until `healed_at` (None: still)."""

    __table_args__ = (Index("drift_open", "listing_id", unique=True, postgresql_where="healed_at IS NULL"),)

    id: UUID = key()
    brand_id: UUID = brand()
    listing_id: UUID = ref("listing.id", ondelete="CASCADE")
    ours: int = big()
    theirs: int = big()
    reason: str
    found_at: datetime = when()
    healed_at: OptionalTime = when(default=None)
