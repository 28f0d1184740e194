"""Tables of saved cohorts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, brand, key, now, ref


class Cohort(SQLModel, table=True):
    """People chosen by what they did, under a name. `definition` is a `hub.analytics.conditions.Definition`.

    Nobody is listed in it: who belongs to it is found anew whenever it is asked for.
    """

    __table_args__ = (UniqueConstraint("brand_id", "name"),)

    id: UUID = key()
    brand_id: UUID = brand()
    name: str
    definition: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    show_id: OptionalId = ref("show.id", default=None, ondelete="SET NULL")
    """The show it was drawn up for, where it was for one."""
    author: str | None = None
    created_at: datetime = now()
    updated_at: datetime = now()
