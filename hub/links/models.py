"""Tables of tracked links."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, brand, key, ref


class TrackedLink(SQLModel, table=True):
    """A short link per target; /l/CODE leads to the watch page with these tags."""

    __tablename__ = "tracked_link"

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: UUID = ref("show.id", ondelete="CASCADE")
    target_id: OptionalId = Field(default=None, foreign_key="show_target.id", ondelete="SET NULL")
    code: str = Field(unique=True)
    utm_source: str
    utm_medium: str = "social"
    utm_campaign: str
    utm_content: str | None = None
    utm_term: str | None = None
