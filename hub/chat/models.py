"""Tables of messages, of what became of ours, of what is passed on, and of moderation."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, big, brand, key, now, one_of, ref, when


class Message(SQLModel, table=True):
    """One message of the merged feed; `platform` is a connector's name or `own`.

    `badges` and `fragments` hold `connectors.types` documents. `reply_to` is the `external_id` of what it
    answers. A line of kind `gap` says from when (`sent_at`) to when (`received_at`) a chat may lack messages.
    `hidden`: viewers don't see it, because of us; `staff_only`: they never were to.
    """

    __table_args__ = (
        UniqueConstraint("show_id", "platform", "external_id"),
        Index("message_feed", "show_id", "seq"),
        # A person's timeline, and their erasure, ask for all they ever wrote.
        Index("message_author", "brand_id", "platform", "author_id"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: UUID = Field(foreign_key="show.id", ondelete="CASCADE")
    seq: int = big()
    target_id: OptionalId = Field(default=None, foreign_key="show_target.id", ondelete="SET NULL")
    platform: str
    external_id: str
    author_id: str | None = None
    author_name: str | None = None
    author_picture: str | None = None
    badges: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    text: str
    fragments: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    kind: str = "text"
    amount_minor: int | None = None
    currency: str | None = None
    reply_to: str | None = None
    sent_at: OptionalTime = when(default=None)
    received_at: datetime = now()
    show_time_ms: int | None = None
    deleted: bool = False
    outgoing: bool = False
    hidden: bool = False
    staff_only: bool = False


class Delivery(SQLModel, table=True):
    """One message of ours on its way to one place. `unknown`: sent, but nobody confirmed it.

    `text` is what is sent there, `answers` the platform's id of what it answers. `due_at`: when it will go
    out, where the platform's limit makes it wait.
    """

    __table_args__ = (
        one_of("delivery", "state", "queued", "sent", "confirmed", "failed", "unknown"),
        one_of("delivery", "verb", "send", "reply", "private", "announce"),
        one_of("delivery", "purpose", "reply", "relay"),
        UniqueConstraint("message_id", "platform", "target_id"),
        Index("delivery_of_target", "target_id", "id"),
        # How many wait is asked for every batch of messages that is passed on.
        Index("delivery_queued", "target_id", postgresql_where=sql("state = 'queued'")),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: UUID = ref("show.id", ondelete="CASCADE")
    message_id: UUID = ref("message.id", ondelete="CASCADE")
    target_id: OptionalId = Field(default=None, foreign_key="show_target.id", ondelete="CASCADE")
    platform: str
    verb: str = "send"
    purpose: str = "reply"
    text: str = ""
    answers: str | None = None
    state: str = "queued"
    reason: str | None = None
    due_at: OptionalTime = when(default=None)
    external_id: str | None = Field(default=None, index=True)
    attempts: int = 0
    updated_at: datetime = now()


class ChatReading(SQLModel, table=True):
    """Until when a chat was certainly heard: where a gap begins, should there be one."""

    __tablename__ = "chat_reading"

    target_id: UUID = Field(primary_key=True, foreign_key="show_target.id", ondelete="CASCADE")
    brand_id: UUID = brand()
    heard_at: datetime = when()


class ChatTombstone(SQLModel, table=True):
    """A message that its platform deleted before we heard it; it is not stored when it comes."""

    __tablename__ = "chat_tombstone"

    show_id: UUID = Field(primary_key=True, foreign_key="show.id", ondelete="CASCADE")
    platform: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    brand_id: UUID = brand()


class ChatTurn(SQLModel, table=True):
    """When a viewer of our own page may speak again; a hash of who they are."""

    __tablename__ = "chat_turn"

    show_id: UUID = Field(primary_key=True, foreign_key="show.id", ondelete="CASCADE")
    viewer_hash: str = Field(primary_key=True)
    brand_id: UUID = brand()
    next_at: datetime = when()


class ChatPace(SQLModel, table=True):
    """An account's bucket of messages: `full_at` is when nothing is missing from it any more.

    `private`: of its private answers, where the platform counts them apart.
    """

    __tablename__ = "chat_pace"

    connection_id: UUID = Field(primary_key=True, foreign_key="connection.id", ondelete="CASCADE")
    private: bool = Field(default=False, primary_key=True)
    brand_id: UUID = brand()
    full_at: datetime = when()


class ChatShed(SQLModel, table=True):
    """How many messages of other platforms were not passed on into a chat because its bucket was empty."""

    __tablename__ = "chat_shed"

    target_id: UUID = Field(primary_key=True, foreign_key="show_target.id", ondelete="CASCADE")
    brand_id: UUID = brand()
    messages: int = big()


class ChatRelay(SQLModel, table=True):
    """What is passed on: from `source` (a target's id, or `own`) into the chat of a target."""

    __tablename__ = "chat_relay"

    show_id: UUID = Field(primary_key=True, foreign_key="show.id", ondelete="CASCADE")
    source: str = Field(primary_key=True)
    into_id: UUID = Field(primary_key=True, foreign_key="show_target.id", ondelete="CASCADE")
    brand_id: UUID = brand()


class ChatMute(SQLModel, table=True):
    """Somebody whose messages we do not show, in all of a brand's shows; `until` None: for good."""

    __tablename__ = "chat_mute"

    brand_id: UUID = Field(primary_key=True, foreign_key="brand.id")
    platform: str = Field(primary_key=True)
    author_id: str = Field(primary_key=True)
    until: OptionalTime = when(default=None)


class ModerationAction(SQLModel, table=True):
    """Who moderated what, when, and what came of it; never changed afterwards but for its result.

    `does` is the verb the platform is asked for, None where all of it happens here. `here`: done, but only
    on our side.
    """

    __tablename__ = "moderation_action"
    __table_args__ = (
        one_of("moderation_action", "verb", "delete", "hide", "unhide", "timeout", "ban", "unban"),
        one_of("moderation_action", "state", "queued", "done", "here", "failed"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: UUID = ref("show.id", ondelete="CASCADE")
    message_id: OptionalId = ref("message.id", ondelete="SET NULL", default=None)
    target_id: OptionalId = Field(default=None, foreign_key="show_target.id", ondelete="SET NULL")
    platform: str
    verb: str
    does: str | None = None
    seconds: int | None = None
    author_id: str | None = None
    author_name: str | None = None
    excerpt: str = ""
    by_id: UUID
    by_name: str
    state: str = "queued"
    result: str = ""
    attempts: int = 0
    undoes_id: OptionalId = Field(default=None, foreign_key="moderation_action.id", ondelete="SET NULL")
    undone: bool = False
    created_at: datetime = now()
    updated_at: datetime = now()
