"""Tables of the event log: how far the facts were copied, and which files there are."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from hub.columns import big, brand, key, now, ref


class EventCursor(SQLModel, table=True):
    """How far one of the hub's tables was copied into the stream, for all brands.

    `position`: the id or the moment of the newest row copied, as text.
    """

    __tablename__ = "event_cursor"

    source: str = Field(primary_key=True)
    position: str
    updated_at: datetime = now()


class EventFile(SQLModel, table=True):
    """One sealed file of a show's events. `path` is within the data folder's `events`.

    `first_seq` to `last_seq`: the numbers of its events in the stream; other files may have some of the same.
    """

    __tablename__ = "event_file"

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: UUID = ref("show.id", ondelete="CASCADE")
    path: str = Field(unique=True)
    first_seq: int = big()
    last_seq: int = big()
    rows: int = big()
    sha256: str
    sealed_at: datetime = now()
