"""Tables of segments, of who is in them, and of who came over from a platform."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, brand, key, now, one_of, when


class Segment(SQLModel, table=True):
    """People who are given something: members, those who came over, faithful buyers, or a saved cohort.

    `orders`: so many paid orders make a faithful buyer. `counted_at`: when its people were last looked for.
    """

    __table_args__ = (
        one_of("segment", "rule", "members", "migrated", "buyers", "cohort"),
        CheckConstraint("(rule = 'buyers') = (orders IS NOT NULL)", name="segment_orders_of_buyers"),
        CheckConstraint("(rule = 'cohort') = (cohort_id IS NOT NULL)", name="segment_cohort_of_cohort"),
        UniqueConstraint("brand_id", "name"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    name: str
    rule: str
    orders: int | None = None
    cohort_id: OptionalId = Field(default=None, foreign_key="cohort.id", index=True)
    counted_at: OptionalTime = when(default=None)
    created_at: datetime = now()


class SegmentMember(SQLModel, table=True):
    """A person in a segment, as of its last count."""

    __tablename__ = "segment_member"

    segment_id: UUID = Field(primary_key=True, foreign_key="segment.id", ondelete="CASCADE")
    customer_id: UUID = Field(primary_key=True, foreign_key="customer.id", ondelete="CASCADE", index=True)
    brand_id: UUID = brand()
    since: datetime = now()


class MigratedPerson(SQLModel, table=True):
    """A person first met on a platform who is the brand's own now; `channel` is where they were met."""

    __tablename__ = "migrated_person"

    customer_id: UUID = Field(primary_key=True, foreign_key="customer.id", ondelete="CASCADE")
    brand_id: UUID = brand()
    channel: str
    since: datetime = now()
