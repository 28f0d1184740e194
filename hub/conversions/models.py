"""Tables of what is told to other companies: conversions, how each account wants them, a browser's ad ids."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, brand, key, now, one_of, ref, when


class Conversion(SQLModel, table=True):
    """One thing that happened, for one account it is told to.

    `event_id` is the same in the browser and here, so that whoever hears both counts one. `payload_sealed` is
    what was known when it was queued (JSON of `Told`), without the buyer's e-mail, phone and name: those are
    read from the order when it is sent. None: forgotten, or never needed. `reason`: why it is withheld, or
    was refused. `with_*`: what there was to recognise the buyer by, when it was sent. `seen_at`: a person
    has looked at a refused one.
    """

    __table_args__ = (
        one_of("conversion", "state", "waiting", "withheld", "sent", "refused", "too_old"),
        UniqueConstraint("connection_id", "event_name", "event_id"),
        Index("conversion_due", "connection_id", "next_at", postgresql_where="state = 'waiting'"),
        Index("conversion_newest", "connection_id", "state", "event_at"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    connection_id: UUID = ref("connection.id")
    order_id: OptionalId = ref("orders.id", default=None, ondelete="CASCADE")
    event_name: str
    event_id: str
    value_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str | None = None
    payload_sealed: bytes | None = None
    state: str = "waiting"
    reason: str = ""
    attempts: int = 0
    event_at: datetime = when()
    next_at: datetime = when()
    sent_at: OptionalTime = when(default=None)
    with_email: bool = False
    with_phone: bool = False
    with_click: bool = False
    diagnostics: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    seen_at: OptionalTime = when(default=None)
    created_at: datetime = now()


class ConversionDesk(SQLModel, table=True):
    """How an account is told, one row for each that takes conversions.

    `shops`: orders placed in other shops (Shopify, TikTok Shop) are told as well, but to no platform those of
    its own shop. `paused`: nothing is sent; what happens meanwhile waits. `since`: orders placed before are
    not told. `read_at`: orders changed before this have been looked at. `rest_until`: the platform asked us
    to wait. `checked_at`: its checks were last asked about a sample; `problem`: what they, or the login,
    said. `pixel`: the public id for pages.
    """

    __tablename__ = "conversion_desk"

    connection_id: UUID = Field(primary_key=True, foreign_key="connection.id", ondelete="CASCADE")
    brand_id: UUID = brand()
    shops: bool = False
    paused: bool = False
    since: datetime = when()
    read_at: datetime = when()
    rest_until: OptionalTime = when(default=None)
    checked_at: OptionalTime = when(default=None)
    last_sent_at: OptionalTime = when(default=None)
    problem: str | None = None
    pixel: str = ""


class AdIds(SQLModel, table=True):
    """What a browser that agreed is called elsewhere. Forgotten after 90 days, or when consent is taken back.

    `ga_sessions`: GA4's session id by measurement id, for each property has its own.
    """

    __tablename__ = "ad_ids"
    __table_args__ = (UniqueConstraint("brand_id", "visitor_id"), Index("ad_ids_old", "at"))

    id: UUID = key()
    brand_id: UUID = brand()
    visitor_id: str
    ga_client: str | None = None
    ga_sessions: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    gclid: str | None = None
    fbp: str | None = None
    fbc: str | None = None
    ttp: str | None = None
    ttclid: str | None = None
    user_agent_sealed: bytes | None = None
    ip_sealed: bytes | None = None
    at: datetime = when()
