"""Tables of linked accounts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import SQLModel

from hub.columns import OptionalTime, brand, key, now, one_of, when


class Connection(SQLModel, table=True):
    """A linked account. Config and tokens are sealed; the lease says which worker follows it.

    `orders_read_at`: orders changed before this have been read, whatever became of their webhooks.
    """

    __table_args__ = (one_of("connection", "state", "ok", "reconnect", "off"),)

    id: UUID = key()
    brand_id: UUID = brand()
    connector: str
    name: str
    config_sealed: bytes
    tokens_sealed: bytes | None = None
    token_expires_at: OptionalTime = when(default=None)
    state: str = "ok"
    reason: str | None = None
    leased_by: str | None = None
    leased_until: OptionalTime = when(default=None)
    orders_read_at: OptionalTime = when(default=None)
    created_at: datetime = now()
