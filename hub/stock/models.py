"""Tables of stock, holds and the append-only ledger."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, big, brand, key, now, one_of, ref, when


class Stock(SQLModel, table=True):
    """The counters of one variant. Changed only by one atomic statement plus a movement."""

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


class Hold(SQLModel, table=True):
    """A timed reservation. `key` is the buyer's idempotency key."""

    __table_args__ = (
        one_of("hold", "state", "held", "committed", "released", "expired"),
        CheckConstraint("quantity > 0", name="hold_quantity_positive"),
        UniqueConstraint("brand_id", "key"),
        # Covers the limit per viewer, which is asked with every new hold in the middle of a drop.
        Index(
            "hold_of_viewer",
            "viewer_id",
            "show_id",
            postgresql_include=["quantity"],
            postgresql_where="state = 'held'",
        ),
        Index("hold_due", "expires_at", postgresql_where="state = 'held'"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    variant_id: UUID = ref("variant.id")
    show_id: OptionalId = ref("show.id", default=None)
    viewer_id: str
    quantity: int = 1
    state: str = "held"
    key: str
    channel: str = "own"
    unit_minor: int = big()
    currency: str = "EUR"
    extended: bool = False
    order_id: OptionalId = Field(default=None)
    created_at: datetime = now()
    expires_at: datetime = when()


class StockMovement(SQLModel, table=True):
    """One change of stock, for ever. `UNIQUE(kind, ref_type, ref_id)` applies each cause once."""

    __tablename__ = "stock_movement"
    __table_args__ = (
        one_of(
            "stock_movement",
            "kind",
            *("receive", "adjust", "hold", "release", "expire", "commit", "external_sale", "uncommit"),
        ),
        UniqueConstraint("kind", "ref_type", "ref_id"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    variant_id: UUID = ref("variant.id")
    kind: str
    quantity: int = big()
    ref_type: str
    ref_id: str
    author: str | None = None
    reason: str | None = None
    created_at: datetime = now()
