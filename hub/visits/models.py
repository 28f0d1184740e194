"""Tables of touches."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, brand, key, now, ref


class Touch(SQLModel, table=True):
    """One tagged (or direct) visit of one visitor."""

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: OptionalId = ref("show.id", default=None, ondelete="SET NULL")
    visitor_id: str = Field(index=True)
    customer_id: OptionalId = ref("customer.id", default=None)
    link_id: OptionalId = Field(default=None, foreign_key="tracked_link.id", ondelete="SET NULL")
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_content: str | None = None
    utm_term: str | None = None
    click_ids: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    landing: str = ""
    at: datetime = now()
