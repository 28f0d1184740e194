"""Tables of claims: what was claimed by comment, a show's rules for it, products' words, and who may not."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, brand, key, now, one_of, when


class Claim(SQLModel, table=True):
    """One message that claims. The message is its key: told twice, it is still one claim.

    `said_at` is its place among the others, `due_at` when it is decided. `round` goes up when it is offered
    again; the hold's key and the link's code are made of it. `public`: everybody can read the link.
    `opened_by`: the browser that has taken it to the checkout. `answer`: how the buyer was told: privately,
    publicly, on our own page, or (host) not by us.
    """

    __table_args__ = (
        one_of(
            "claim",
            "state",
            *("waiting", "held", "queued", "unclear", "sold_out", "refused", "withdrawn", "lapsed", "paid"),
        ),
        one_of("claim", "answer", "none", "private", "public", "page", "host"),
        CheckConstraint("quantity > 0", name="claim_quantity_positive"),
        UniqueConstraint("message_id"),
        UniqueConstraint("n"),
        Index("claim_due", "due_at", postgresql_where=text("state = 'waiting'")),
        Index("claim_open", "show_id", postgresql_where=text("state IN ('held', 'queued')")),
        Index("claim_of_show", "show_id", "n"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: UUID = Field(foreign_key="show.id", ondelete="CASCADE")
    message_id: UUID = Field(foreign_key="message.id", ondelete="CASCADE")
    n: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), nullable=False))
    target_id: OptionalId = None
    platform: str
    author_id: str | None = None
    author_name: str | None = None
    viewer_id: str
    words: str
    product_id: UUID
    variant_id: OptionalId = None
    between: str = ""
    quantity: int = 1
    said_at: datetime = when()
    due_at: datetime = when()
    round: int = 0
    state: str = "waiting"
    detail: str = ""
    hold_id: OptionalId = None
    expires_at: OptionalTime = when(default=None)
    order_id: OptionalId = None
    answer: str = "none"
    answer_id: OptionalId = None
    public: bool = False
    opened_by: str | None = None
    tries: int = 0
    updated_at: datetime = now()


class ClaimRules(SQLModel, table=True):
    """What a show does with claims; a show without a row has the defaults. `seconds`: to pay in."""

    __tablename__ = "claim_rules"
    __table_args__ = (
        CheckConstraint("seconds BETWEEN 60 AND 3600", name="claim_rules_seconds_sane"),
        CheckConstraint("most BETWEEN 1 AND 100", name="claim_rules_most_sane"),
    )

    show_id: UUID = Field(primary_key=True, foreign_key="show.id", ondelete="CASCADE")
    brand_id: UUID = brand()
    enabled: bool = True
    seconds: int = 900
    waitlist: bool = False
    most: int = 10


class ClaimWord(SQLModel, table=True):
    """What a product is called by in one show: its number, and a word of its own."""

    __tablename__ = "claim_word"
    __table_args__ = (UniqueConstraint("show_id", "number"), UniqueConstraint("show_id", "word"))

    show_id: UUID = Field(primary_key=True, foreign_key="show.id", ondelete="CASCADE")
    product_id: UUID = Field(primary_key=True, foreign_key="product.id", ondelete="CASCADE")
    brand_id: UUID = brand()
    number: int | None = None
    word: str | None = None


class ClaimBlock(SQLModel, table=True):
    """Somebody whose claims a brand takes no more: they did not pay."""

    __tablename__ = "claim_block"

    brand_id: UUID = Field(primary_key=True, foreign_key="brand.id")
    platform: str = Field(primary_key=True)
    author_id: str = Field(primary_key=True)
    created_at: datetime = now()
