"""Tables of offers: what is promised, how much of it is taken, and what was tried with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, big, brand, key, now, one_of, ref, when

KINDS = ("flash", "quantity", "tiers", "bundle", "coupon", "early_access", "live_exclusive")


def money() -> Any:
    """BIGINT minor units, or nothing said."""
    return Field(default=None, sa_type=BigInteger)


class Offer(SQLModel, table=True):
    """One promise to viewers. From `live` on its terms never change; `taken` is changed by holds alone.

    `live` means launched: the price is true while `starts_at` ≤ now < `ends_at` (None: until it is gone or
    the show is over). `units` and `taken` of a coupon are its uses, of the others units sold or held.
    `members_until` is `members_minutes` after its start. With a `segment_id` it is for those people alone, or
    first where it has a time for members. `terms` is what it was launched with, a word per
    variant, so that nothing is run twice in one show.
    """

    __table_args__ = (
        one_of("offer", "kind", *KINDS),
        one_of("offer", "state", "draft", "live", "ended"),
        one_of("offer", "ended_why", "time", "gone", "staff", "show"),
        CheckConstraint("taken >= 0 AND (units IS NULL OR taken <= units)", name="offer_never_overdrawn"),
        CheckConstraint("percent_off BETWEEN 1 AND 99", name="offer_percent_possible"),
        Index(
            "offer_code",
            "brand_id",
            "code",
            unique=True,
            postgresql_where=text("code IS NOT NULL"),
        ),
        Index("offer_launched", "show_id", postgresql_where=text("state = 'live'")),
        # `taken` is rewritten with every hold: room on the page keeps updates in place (HOT).
        {"postgresql_with": {"fillfactor": 30}},
    )

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: OptionalId = ref("show.id", default=None)
    kind: str
    title: str
    state: str = "draft"
    minutes: int | None = None
    starts_at: OptionalTime = when(default=None)
    ends_at: OptionalTime = when(default=None)
    live_at: OptionalTime = when(default=None)
    ended_at: OptionalTime = when(default=None)
    ended_why: str | None = None
    percent_off: int | None = None
    units: int | None = money()
    taken: int = big()
    per_buyer: int | None = None
    members_minutes: int | None = None
    members_until: OptionalTime = when(default=None)
    own_site_only: bool = False
    segment_id: OptionalId = Field(default=None, foreign_key="segment.id")
    code: str | None = None
    amount_off_minor: int | None = money()
    currency: str | None = None
    min_total_minor: int | None = money()
    stackable: bool = False
    terms: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    record: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    signature: str | None = None
    ended_record: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    ended_signature: str | None = None
    created_at: datetime = now()


class OfferItem(SQLModel, table=True):
    """A variant the offer is for. `unit_minor`: its price in the offer, where no percentage says it.

    Going live fixes both: `unit_minor` of all but tiers, and `list_minor`, what percentages are taken of, so
    that an edit of the catalogue does not move the price of an offer that viewers have been told.
    """

    __tablename__ = "offer_item"
    __table_args__ = (CheckConstraint("quantity > 0", name="offer_item_quantity_positive"),)

    offer_id: UUID = Field(primary_key=True, foreign_key="offer.id", ondelete="CASCADE")
    variant_id: UUID = Field(primary_key=True, foreign_key="variant.id", index=True)
    brand_id: UUID = brand()
    quantity: int = 1
    unit_minor: int | None = money()
    list_minor: int | None = money()


class OfferTier(SQLModel, table=True):
    """A step of a tiered offer, lowest position first; `units` None is the rest."""

    __tablename__ = "offer_tier"
    __table_args__ = (
        CheckConstraint(
            "taken >= 0 AND (units IS NULL OR taken <= units)", name="offer_tier_never_overdrawn"
        ),
        CheckConstraint("percent_off BETWEEN 1 AND 99", name="offer_tier_percent_possible"),
        UniqueConstraint("offer_id", "position"),
        {"postgresql_with": {"fillfactor": 30}},
    )

    id: UUID = key()
    brand_id: UUID = brand()
    offer_id: UUID = ref("offer.id", ondelete="CASCADE")
    position: int
    percent_off: int
    units: int | None = money()
    taken: int = big()


class OfferUse(SQLModel, table=True):
    """A coupon in an order; given back when the order comes to nothing."""

    __tablename__ = "offer_use"
    __table_args__ = (
        one_of("offer_use", "state", "used", "given_back"),
        UniqueConstraint("offer_id", "order_id"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    offer_id: UUID = ref("offer.id")
    order_id: UUID = Field(index=True)
    viewer_id: str
    customer_id: OptionalId = Field(default=None)
    state: str = "used"
    created_at: datetime = now()


class OfferKey(SQLModel, table=True):
    """The Ed25519 pair a brand's records are signed with; `kid` is the public key's thumbprint (RFC 7638).

    The private key is sealed. A key stays for as long as anybody may want to verify what it signed.
    """

    __tablename__ = "offer_key"
    __table_args__ = (
        UniqueConstraint("kid"),
        Index("offer_key_signs", "brand_id", unique=True, postgresql_where=text("retired_at IS NULL")),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    kid: str
    public_key: str
    private_key_sealed: bytes
    retired_at: OptionalTime = when(default=None)
    created_at: datetime = now()


class OfferLog(SQLModel, table=True):
    """What was done with an offer and what was tried and refused. Rows are only ever added."""

    __tablename__ = "offer_log"
    __table_args__ = (one_of("offer_log", "kind", "drafted", "changed", "live", "ended", "refused"),)

    id: UUID = key()
    brand_id: UUID = brand()
    offer_id: UUID = ref("offer.id", ondelete="CASCADE")
    kind: str
    text: str
    author: str | None = None
    at: datetime = now()
