"""Tables of stock, holds, the waitlist, and the append-only ledger."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, big, brand, key, now, one_of, when


class Stock(SQLModel, table=True):
    """The counters of one variant. Changed only by one atomic statement plus a movement.

    `low_at`: so few left are called low; None is the installation's default.
    """

    __table_args__ = (
        CheckConstraint("held >= 0", name="stock_held_not_negative"),
        CheckConstraint("committed >= 0", name="stock_committed_not_negative"),
        CheckConstraint("held + committed <= on_hand", name="stock_never_oversold"),
        # The row is rewritten with every hold: room on the page keeps updates in place (HOT).
        {"postgresql_with": {"fillfactor": 20}},
    )

    variant_id: UUID = Field(primary_key=True, foreign_key="variant.id", ondelete="CASCADE")
    brand_id: UUID = brand()
    on_hand: int = big()
    held: int = big()
    committed: int = big()
    version: int = big()
    low_at: int | None = None


class StockPlace(SQLModel, table=True):
    """Where goods lie. What is sold leaves the place with the lowest position first."""

    __tablename__ = "stock_place"
    __table_args__ = (UniqueConstraint("brand_id", "name"),)

    id: UUID = key()
    brand_id: UUID = brand()
    name: str
    position: int = 0


class StockAt(SQLModel, table=True):
    """A variant at one place. Over all places the sums equal `stock`: one statement changes both.

    What is held is held nowhere in particular: the place is found when it is paid for.
    """

    __tablename__ = "stock_at"
    __table_args__ = (
        CheckConstraint("committed >= 0", name="stock_at_committed_not_negative"),
        CheckConstraint("committed <= on_hand", name="stock_at_never_oversold"),
    )

    place_id: UUID = Field(primary_key=True, foreign_key="stock_place.id")
    variant_id: UUID = Field(primary_key=True, foreign_key="variant.id", ondelete="CASCADE", index=True)
    brand_id: UUID = brand()
    on_hand: int = big()
    committed: int = big()


class Hold(SQLModel, table=True):
    """A timed reservation. `key` is the buyer's idempotency key.

    Holds of one `group_id` were taken together: all or none. `units` is what the row counts for in limits and
    offers: the number wished in a group's first row, 0 in its others. A `soft` one reserves nothing yet: its
    show sells to whoever pays first. `network_hash`: where it came from (`networks.py`), in a group's first
    row, for as long as it is held without an order; none where it was soft.

    Every index and every foreign key costs each buyer of a drop: who, what and where are read and locked by
    the statement that takes a hold, instead of being asked once more for each row.
    """

    __table_args__ = (
        one_of("hold", "state", "held", "committed", "released", "expired"),
        CheckConstraint("quantity > 0", name="hold_quantity_positive"),
        CheckConstraint("units >= 0", name="hold_units_not_negative"),
        UniqueConstraint("brand_id", "key"),
        Index("hold_of_viewer", "viewer_id", "show_id"),
        Index("hold_due", "expires_at", postgresql_where=text("state = 'held'")),
        Index("hold_of_order", "order_id", postgresql_where=text("order_id IS NOT NULL")),
        CheckConstraint("network_hash IS NULL OR state = 'held'", name="hold_network_while_held"),
        Index("hold_of_network", "network_hash", postgresql_where=text("network_hash IS NOT NULL")),
    )

    id: UUID = key()
    brand_id: UUID
    variant_id: UUID
    show_id: OptionalId = None
    viewer_id: str
    quantity: int = 1
    units: int = 1
    state: str = "held"
    soft: bool = False
    key: str
    channel: str = "own"
    unit_minor: int = big()
    list_minor: int = big()
    currency: str = "EUR"
    offer_id: OptionalId = None
    tier_id: OptionalId = None
    bundle_id: OptionalId = None
    group_id: UUID
    extended: bool = False
    order_id: OptionalId = Field(default=None)
    created_at: datetime = now()
    expires_at: datetime = when()
    network_hash: int | None = Field(default=None, sa_type=BigInteger)


class StockMovement(SQLModel, table=True):
    """One change of stock, for ever. `UNIQUE(kind, ref_type, ref_id)` applies each cause once.

    What each kind does to the counters is said in `hub/stock/ledger.py`.
    """

    __tablename__ = "stock_movement"
    __table_args__ = (
        one_of(
            "stock_movement",
            "kind",
            *("receive", "adjust", "hold", "release", "expire", "commit", "late_commit", "external_sale"),
            *("uncommit", "return"),
        ),
        UniqueConstraint("kind", "ref_type", "ref_id"),
        Index("stock_movement_of_variant", "variant_id", "created_at", "id"),
        Index("stock_movement_in_time", "created_at", postgresql_using="brin"),
    )

    id: UUID = key()
    brand_id: UUID
    variant_id: UUID
    kind: str
    quantity: int = big()
    ref_type: str
    ref_id: str
    place_id: OptionalId = None
    author: str | None = None
    reason: str | None = None
    created_at: datetime = now()


class Waitlist(SQLModel, table=True):
    """A viewer who waits for a unit, in the order of `n`. One live row for each viewer and variant."""

    __table_args__ = (
        one_of("waitlist", "state", "waiting", "offered", "taken", "lapsed", "left"),
        CheckConstraint("quantity > 0", name="waitlist_quantity_positive"),
        CheckConstraint("network_hash IS NULL OR state = 'waiting'", name="waitlist_network_while_waiting"),
        Index(
            "waitlist_once",
            "show_id",
            "variant_id",
            "viewer_id",
            unique=True,
            postgresql_where=text("state IN ('waiting', 'offered')"),
        ),
        Index("waitlist_next", "variant_id", "n", postgresql_where=text("state = 'waiting'")),
        Index("waitlist_offered", "hold_id", postgresql_where=text("state = 'offered'")),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: UUID = Field(foreign_key="show.id", ondelete="CASCADE")
    variant_id: UUID = Field(foreign_key="variant.id", ondelete="CASCADE")
    offer_id: OptionalId = None
    viewer_id: str
    quantity: int = 1
    member: bool = False
    state: str = "waiting"
    hold_id: OptionalId = None
    n: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), nullable=False))
    created_at: datetime = now()
    offered_until: OptionalTime = when(default=None)
    network_hash: int | None = Field(default=None, sa_type=BigInteger)
