"""Tables of tracked links: who followed them, where they are posted, which shops they may lead to."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, brand, key, now, one_of, ref, when

PLACEMENTS = ("chat", "pin", "bio", "qr", "overlay", "description", "other")


class TrackedLink(SQLModel, table=True):
    """A short link; /l/CODE leads to its destination with these tags.

    `destination` None: the show's watch page; else a path of our site that begins with /watch/, or an https
    address on a `shop_host`. `cost_minor` is what was paid for it. An archived link still leads there, and
    its clicks are marked.
    """

    __tablename__ = "tracked_link"
    __table_args__ = (
        one_of("tracked_link", "placement", *PLACEMENTS),
        CheckConstraint(
            "show_id IS NOT NULL OR destination IS NOT NULL", name="tracked_link_leads_somewhere"
        ),
        CheckConstraint(
            "(cost_minor IS NULL) = (currency IS NULL) AND cost_minor >= 0", name="tracked_link_cost_whole"
        ),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: OptionalId = ref("show.id", default=None, ondelete="CASCADE")
    target_id: OptionalId = Field(default=None, foreign_key="show_target.id", ondelete="SET NULL")
    product_id: OptionalId = Field(default=None, foreign_key="product.id", ondelete="SET NULL")
    offer_id: OptionalId = Field(default=None)
    host: str | None = None
    placement: str = "other"
    title: str = ""
    code: str = Field(unique=True)
    destination: str | None = None
    utm_source: str
    utm_medium: str = "social"
    utm_campaign: str
    utm_content: str | None = None
    utm_term: str | None = None
    utm_id: str | None = None
    cost_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str | None = None
    archived_at: OptionalTime = when(default=None)
    created_at: datetime = now()


class LinkClick(SQLModel, table=True):
    """One request of a link. Its id travels on as `sh_click`.

    `network_hash` is a keyed hash of the /24 or /48 the request came from: enough to see one machine's
    hundred clicks, too little to find a person. `share_tokens` are no ads: somebody passed the link on.
    """

    __tablename__ = "link_click"
    __table_args__ = (
        one_of("link_click", "who", "person", "bot", "preview"),
        one_of("link_click", "device", "phone", "tablet", "desktop", "other"),
        Index("link_click_of_link", "link_id", "who"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    link_id: UUID = Field(foreign_key="tracked_link.id", ondelete="CASCADE")
    show_id: OptionalId = Field(default=None)
    at: datetime = now()
    who: str
    device: str = "other"
    network_hash: str | None = None
    referrer_host: str | None = None
    click_ids: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    share_tokens: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    archived: bool = False


class LinkPost(SQLModel, table=True):
    """Where a link is posted while the show is live: once, or every so many minutes; or in the picture.

    `waiting` ones are said from `next_at` on (None: as soon as the show is live). `said_id` is the message of
    the last time, whose delivery knows what became of it; `failures` of them in a row came to nothing. An
    `overlay` is `done` while its layers are in the profile of its target. `reason` says why one failed.
    """

    __tablename__ = "link_post"
    __table_args__ = (
        one_of("link_post", "how", "announce", "message", "overlay"),
        one_of("link_post", "state", "waiting", "done", "failed", "stopped"),
        CheckConstraint("every_minutes BETWEEN 2 AND 240", name="link_post_every_sane"),
        UniqueConstraint("link_id", "target_id", "how"),
        Index("link_post_due", "next_at", postgresql_where=text("state = 'waiting'")),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    link_id: UUID = Field(foreign_key="tracked_link.id", ondelete="CASCADE")
    target_id: UUID = ref("show_target.id", ondelete="CASCADE")
    how: str
    every_minutes: int | None = None
    state: str = "waiting"
    reason: str | None = None
    message: str = ""
    next_at: OptionalTime = when(default=None)
    last_at: OptionalTime = when(default=None)
    times: int = 0
    failures: int = 0
    said_id: OptionalId = Field(default=None)
    created_at: datetime = now()


class ShopHost(SQLModel, table=True):
    """A host of the brand's own shop: links may lead there, and visits may be carried over to it."""

    __tablename__ = "shop_host"
    __table_args__ = (UniqueConstraint("brand_id", "host"),)

    id: UUID = key()
    brand_id: UUID = brand()
    host: str
    created_at: datetime = now()
