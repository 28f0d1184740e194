"""Tables of what people agreed to, and of the texts they were shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, brand, key, now, one_of, ref


class ConsentText(SQLModel, table=True):
    """One version of what a brand asks. `body`: by language, see `hub.consent.texts`."""

    __tablename__ = "consent_text"
    __table_args__ = (UniqueConstraint("brand_id", "version"),)

    id: UUID = key()
    brand_id: UUID = brand()
    version: int
    body: dict[str, Any] = Field(sa_type=JSON)
    author: str | None = None
    at: datetime = now()


class ConsentChoice(SQLModel, table=True):
    """What somebody said about one purpose. Rows are added and never changed: the newest counts.

    `gpc`: the browser sent the Global Privacy Control signal with it. `proof`: which text, in which language,
    and what was clicked.
    """

    __tablename__ = "consent_choice"
    __table_args__ = (
        one_of("consent_choice", "purpose", "analytics", "ads", "email"),
        one_of("consent_choice", "source", "banner", "gpc", "checkout", "account", "staff", "import"),
        CheckConstraint(
            "visitor_id IS NOT NULL OR customer_id IS NOT NULL", name="consent_choice_of_somebody"
        ),
        Index("consent_choice_newest", "visitor_id", "at"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    visitor_id: str | None = None
    customer_id: OptionalId = ref("customer.id", default=None)
    purpose: str
    granted: bool
    source: str
    gpc: bool = False
    version: int
    proof: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    at: datetime = now()
