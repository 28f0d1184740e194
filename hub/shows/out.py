"""A show as screens see it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from connectors.base import AnyConnector
from hub.catalog.out import ProductOut
from hub.chat.out import MessageOut
from hub.orders.numbers import SalesOut
from hub.playback.out import PlaybackOut
from hub.shows.models import Show, ShowTarget
from hub.shows.sources import SourceOut
from hub.shows.stages import Stage, stage_of, todo_of
from restream.api import ProfileSpec


class ShowSummary(BaseModel):
    """One line of the list of shows."""

    id: UUID
    slug: str
    title: str
    state: str
    starts_at: datetime | None
    live_at: datetime | None
    ended_at: datetime | None
    cancelled: bool

    @classmethod
    def of(cls, show: Show) -> ShowSummary:
        """From the table."""
        return cls(**show.model_dump(include=set(ShowSummary.model_fields)))


class IngestAddress(BaseModel):
    """What goes into the encoder."""

    server: str
    key: str


class FeedOut(BaseModel):
    """How the feed is taken, and what goes into encoders besides server and key.

    `srt_url` is the whole address with the key (and the passphrase) in it; `whip_url` wants the key as bearer
    token.
    """

    backup_key: str | None
    srt_url: str | None
    srt_passphrase: str | None
    takeover: str
    failback: str
    grace_seconds: int
    slate_text: str
    slate_asset: str | None
    recording: bool
    source: SourceOut | None
    whip_url: str | None


class DetailsOut(BaseModel):
    """What platforms are told besides the texts; null: as the connection or the platform has it."""

    privacy: str
    latency: str | None
    made_for_kids: bool | None
    category: str | None
    tags: list[str]
    language: str | None
    picture_asset: str | None


class StockRulesOut(BaseModel):
    """How a show's stock is shared out. `hold_seconds` null: as long as the installation says.

    `units_per_network`: what buyers behind one address may hold unpaid together; 0 is no limit.
    """

    hold_policy: str
    hold_seconds: int | None
    units_per_buyer: int
    units_per_network: int


class ShowEdited(ShowSummary):
    """A show as it is after a change. `viewers_shown`: the watch page says how many watch."""

    stock_rules: StockRulesOut
    viewers_shown: bool

    @classmethod
    def of(cls, show: Show) -> ShowEdited:
        """From the table."""
        return cls(
            **ShowSummary.of(show).model_dump(),
            stock_rules=StockRulesOut(**show.model_dump(include=set(StockRulesOut.model_fields))),
            viewers_shown=show.viewers_shown,
        )


class ShowDetail(ShowEdited):
    """A show with what only its brand may know."""

    description: str
    details: DetailsOut
    ingest: IngestAddress
    feed: FeedOut
    watch_url: str


class TargetOut(BaseModel):
    """One place the show goes to. `link_url` is the tracked link to post there.

    `stage` is all of its states in one word (`hub.shows.stages`), `todo` what a person must do on the
    platform, `title` and `description` what it is called there when that is not the show's. `viewers` are the
    platform's own count, `ingest_state` and `ingest_issues` its word on what it receives.

    `own_address`: its address and key were entered by a person, and may be changed. `backup_offered`: the
    platform has a second entrance. Counters are of the whole show, over every worker it ran on.
    """

    id: UUID
    name: str
    connector: str
    platform: str
    connection_id: UUID
    wanted: bool
    state: str
    reason: str | None
    next_try_at: datetime | None
    since: datetime
    watch_url: str | None
    platform_state: str | None
    stage: Stage
    todo: str | None
    title: str | None
    description: str | None
    details_state: str | None
    details_reason: str | None
    viewers: int | None
    viewers_peak: int | None
    reactions: int | None
    ingest_state: str | None
    ingest_issues: list[str]
    key_expires_at: datetime | None
    profile: str | None
    plan: str
    own_address: bool
    backup_offered: bool
    backup_wanted: bool
    backup_state: str | None
    backup_reason: str | None
    bytes_sent: int
    bytes_acknowledged: int
    frames_sent: int
    frames_dropped: int
    connects: int
    gaps: int
    seconds_wanted: float
    seconds_live: float
    removed: bool
    link_url: str | None = None

    @classmethod
    def of(
        cls, show: Show, target: ShowTarget, connector: AnyConnector, link_url: str | None = None
    ) -> TargetOut:
        """From the table, and from what is known of its platform."""
        made = {"since", "stage", "todo", "own_address", "backup_offered", "removed", "link_url"}
        fields = connector.config.model_fields
        return cls(
            **target.model_dump(include=set(TargetOut.model_fields) - made),
            since=target.state_since,
            stage=stage_of(show, target),
            todo=todo_of(show, target, connector),
            own_address="url" in fields and "key" in fields,
            backup_offered=target.backup_url_sealed is not None,
            removed=target.removed_at is not None,
            link_url=link_url,
        )


class ChatOut(BaseModel):
    """How the reader of one platform's chat is doing."""

    platform: str
    target_id: UUID
    state: str
    detail: str


class ShowSnapshot(BaseModel):
    """Everything the control page needs; news after `seq` come through the gateway.

    An ended show's targets are all it ever had: they are its report.
    """

    seq: int
    show: ShowDetail
    ingest: dict[str, Any] | None
    health: dict[str, Any] | None
    profiles: list[ProfileSpec]
    targets: list[TargetOut]
    chats: list[ChatOut]
    messages: list[MessageOut]
    products: list[ProductOut]
    sales: SalesOut
    playback: PlaybackOut | None
    viewers: int = 0
