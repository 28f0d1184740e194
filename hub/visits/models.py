"""Tables of touches, visits, and the passes that carry a visitor to the brand's shop."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, text
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, brand, key, now, one_of, ref, when


class Touch(SQLModel, table=True):
    """One way somebody came: a visit, tagged or direct; or a coupon, claim, order or message.

    `click_id`: the click on a tracked link that led here. `host`: who hosted the show, as its link says.
    `source_id`: the claim, message or coupon use this touch was made from; one touch for each.
    """

    __table_args__ = (
        one_of("touch", "kind", "visit", "coupon", "claim", "order", "chat"),
        Index(
            "touch_source", "kind", "source_id", unique=True, postgresql_where=text("source_id IS NOT NULL")
        ),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: OptionalId = ref("show.id", default=None, ondelete="SET NULL")
    visitor_id: str = Field(index=True)
    customer_id: OptionalId = ref("customer.id", default=None)
    identity_id: OptionalId = Field(default=None, index=True)
    link_id: OptionalId = ref("tracked_link.id", default=None, ondelete="SET NULL")
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_content: str | None = None
    utm_term: str | None = None
    utm_id: str | None = None
    referrer_host: str | None = None
    host: str | None = None
    channel_group: str = "Direct"
    visit_id: OptionalId = ref("visit.id", default=None, ondelete="SET NULL")
    click_id: OptionalId = Field(default=None, index=True)
    kind: str = "visit"
    source_id: OptionalId = None
    click_ids: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    landing: str = ""
    at: datetime = now()


class Visit(SQLModel, table=True):
    """One stay of a visitor, by GA4's rules for sessions. Its source is what it began with.

    `inherited`: a direct visit that was given the last source the visitor came by before. `seconds`: how long
    the page was in front. `key_event`: something was reserved, ordered, claimed or said.
    """

    __table_args__ = (Index("visit_newest", "visitor_id", "last_at"),)

    id: UUID = key()
    brand_id: UUID = brand()
    visitor_id: str
    show_id: OptionalId = ref("show.id", default=None, ondelete="SET NULL")
    started_at: datetime = now()
    last_at: datetime = now()
    source: str
    medium: str
    campaign: str | None = None
    content: str | None = None
    term: str | None = None
    channel_group: str
    inherited: bool = False
    landing: str = ""
    views: int = 1
    seconds: int = 0
    key_event: bool = False
    engaged: bool = False


class VisitorPass(SQLModel, table=True):
    """A pass that was used, so that it is not used again; forgotten once it would be too old anyway."""

    __tablename__ = "visitor_pass"

    id: str = Field(primary_key=True)
    brand_id: UUID = brand()
    until: datetime = when(index=True)
