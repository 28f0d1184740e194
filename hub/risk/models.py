"""Tables of risk: what an order scored, who looks at it, and how often an identity bought or tried a card."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from hub.columns import OptionalTime, big, brand, now, one_of, when


class RiskTerms(SQLModel, table=True):
    """A brand's own rules. A brand without a row has the defaults.

    `rules`: rule id → {points, limit, on}, only what differs from the default (`hub/risk/rules.py`).
    `paces`: pace id → {most, seconds}, likewise (`hub/risk/pace.py`). From `review_from` points on a person
    looks; after `review_minutes` without one, `unreviewed` happens.
    """

    __tablename__ = "risk_terms"
    __table_args__ = (
        one_of("risk_terms", "unreviewed", "refuse", "approve"),
        CheckConstraint("review_from BETWEEN 1 AND 101", name="risk_terms_review_from_sane"),
        CheckConstraint("review_minutes BETWEEN 1 AND 120", name="risk_terms_review_minutes_sane"),
    )

    brand_id: UUID = Field(primary_key=True, foreign_key="brand.id")
    review_from: int = 65
    review_minutes: int = 30
    unreviewed: str = "refuse"
    rules: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    paces: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    updated_at: datetime = now()


class RiskScore(SQLModel, table=True):
    """What an order scored when it was placed. `reasons`: [{rule, sentence, points}], the heaviest first."""

    __tablename__ = "risk_score"

    order_id: UUID = Field(primary_key=True, foreign_key="orders.id", ondelete="CASCADE")
    brand_id: UUID = brand()
    score: int
    reasons: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    held: bool
    at: datetime = when()


class RiskReview(SQLModel, table=True):
    """An order that waits for a person.

    open ─▶ approving | refusing (may be undone until `acts_at`) ─▶ approved | refused
      └───▶ closed (the order came to an end without us)

    `due_at`: then the brand's rule decides. `choice_sealed`: how the buyer wants to pay, gone once decided.
    `author`: the id of the member who decided; None: nobody did in time.
    """

    __tablename__ = "risk_review"
    __table_args__ = (
        one_of("risk_review", "state", "open", "approving", "refusing", "approved", "refused", "closed"),
        Index(
            "risk_review_waiting",
            "brand_id",
            "due_at",
            postgresql_where=text("state IN ('open', 'approving', 'refusing')"),
        ),
        Index("risk_review_newest", "brand_id", "created_at"),
    )

    order_id: UUID = Field(primary_key=True, foreign_key="orders.id", ondelete="CASCADE")
    brand_id: UUID = brand()
    state: str = "open"
    choice_sealed: bytes | None = None
    due_at: datetime = when()
    acts_at: OptionalTime = when(default=None)
    author: str | None = None
    created_at: datetime = when()
    decided_at: OptionalTime = when(default=None)


class RiskTrace(SQLModel, table=True):
    """One identity an order came with, as a keyed hash that is good for its brand alone; kept for a month."""

    __tablename__ = "risk_trace"
    __table_args__ = (
        one_of("risk_trace", "kind", "viewer", "device", "network", "email", "method", "address"),
        Index("risk_trace_found", "value_hash", "at"),
        Index("risk_trace_old", "at"),
    )

    order_id: UUID = Field(primary_key=True, foreign_key="orders.id", ondelete="CASCADE")
    kind: str = Field(primary_key=True)
    brand_id: UUID = brand()
    value_hash: str
    at: datetime = when()


class RiskPace(SQLModel, table=True):
    """What one identity did within a pace's time: `marks` is each deed's mark → when (Unix time).

    `refused` counts what was over the limit.
    """

    __tablename__ = "risk_pace"
    __table_args__ = (Index("risk_pace_old", "until"),)

    brand_id: UUID = Field(primary_key=True, foreign_key="brand.id")
    pace: str = Field(primary_key=True)
    value_hash: str = Field(primary_key=True)
    marks: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    refused: int = big()
    refused_at: OptionalTime = when(default=None)
    until: datetime = when()
