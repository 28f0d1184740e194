"""A show as screens see it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from hub.catalog.out import ProductOut
from hub.chat.out import MessageOut
from hub.orders.numbers import SalesOut
from hub.shows.models import Show, ShowTarget


class ShowSummary(BaseModel):
    """One line of the list of shows."""

    id: UUID
    slug: str
    title: str
    state: str
    starts_at: datetime | None
    live_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, show: Show) -> ShowSummary:
        """From the table."""
        return cls(**show.model_dump(include=set(ShowSummary.model_fields)))


class IngestAddress(BaseModel):
    """What goes into the encoder."""

    server: str
    key: str


class ShowDetail(ShowSummary):
    """A show with what only its brand may know."""

    description: str
    ingest: IngestAddress
    watch_url: str


class TargetOut(BaseModel):
    """One place the show goes to. `link_url` is the tracked link to post there."""

    id: UUID
    name: str
    connector: str
    connection_id: UUID
    wanted: bool
    state: str
    reason: str | None
    next_try_at: datetime | None
    since: datetime
    watch_url: str | None
    platform_state: str | None
    bytes_sent: int
    frames_sent: int
    frames_dropped: int
    link_url: str | None = None

    @classmethod
    def of(cls, target: ShowTarget, link_url: str | None = None) -> TargetOut:
        """From the table."""
        kept = set(TargetOut.model_fields) - {"since", "link_url"}
        return cls(**target.model_dump(include=kept), since=target.state_since, link_url=link_url)


class ChatOut(BaseModel):
    """How the reader of one platform's chat is doing."""

    platform: str
    target_id: UUID
    state: str
    detail: str


class PlaybackOut(BaseModel):
    """Where a player plays."""

    hls_url: str


class ShowSnapshot(BaseModel):
    """Everything the control page needs; news after `seq` come through the gateway."""

    seq: int
    show: ShowDetail
    ingest: dict[str, Any] | None
    targets: list[TargetOut]
    chats: list[ChatOut]
    messages: list[MessageOut]
    products: list[ProductOut]
    sales: SalesOut
    playback: PlaybackOut | None
    viewers: int = 0
