"""EventSub's frames, and what they mean for a chat whatever comes twice, late or in the wrong order. Pure."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.errors import ConnectorError, Reconnect, Refused
from connectors.twitch.messages import Event, Pictures, from_elsewhere, message_of, notice_of, poll_of
from connectors.types import ChatDeletion, ChatItem, ChatMessage

REMEMBERED = 50_000
MOST_IDS = 1000
"""Of one deletion: what is long is reported in parts."""

MESSAGES = "channel.chat.message"
UNREADABLE = "unreadable"
"""Our own kind, for a frame that is none."""

ENDED = {
    "chat_user_banned": "This account is banned from the Twitch chat.",
    "user_removed": "Twitch no longer knows this channel.",
    "moderator_removed": "This account may no longer read the Twitch chat.",
    "version_removed": "Twitch no longer offers the chat in the form we read it.",
}
"""Revocations that asking again does not mend."""


@dataclass(frozen=True)
class Frame:
    """One text message of the socket. `id` is the same for a repeat."""

    kind: str
    id: str = ""
    topic: str = ""
    at: datetime | None = None
    payload: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Frame:
        """Never fails: what cannot be read is a frame of the kind UNREADABLE."""
        try:
            raw = json.loads(text)
            about, payload = raw["metadata"], raw["payload"]
            if not isinstance(payload, dict):
                raise TypeError("no payload")
            return cls(
                kind=str(about["message_type"]),
                id=str(about.get("message_id") or ""),
                topic=str(about.get("subscription_type") or ""),
                at=moment(about.get("message_timestamp")),
                payload=payload,
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return cls(kind=UNREADABLE)

    def part(self, name: str) -> dict[str, Any]:
        """An object of the payload, or an empty one."""
        found = self.payload.get(name)
        return found if isinstance(found, dict) else {}


def moment(stamp: Any) -> datetime | None:
    """A time as Twitch writes it, with up to nine decimals; None when there is none."""
    try:
        found = datetime.fromisoformat(stamp)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else None


def status_of(frame: Frame) -> str:
    """Why a subscription was revoked. The list is open: Twitch adds to it without notice."""
    return str(frame.part("subscription").get("status") or "no reason")


def end_of(frame: Frame) -> ConnectorError | None:
    """The end of the chat that a revocation means; None when the chat can still be read."""
    status, topic = status_of(frame), frame.part("subscription").get("type") or frame.topic
    if status == "authorization_revoked":
        return Reconnect("The permission for Twitch was withdrawn. Link the account again.")
    if topic == MESSAGES and status in ENDED:
        return Refused(ENDED[status], code=status)
    return None


def mendable(frame: Frame) -> str | None:
    """Why to subscribe again after a revocation that may mend; Twitch's answer to that is the truth then."""
    status = status_of(frame)
    if status in ENDED or end_of(frame):
        return None
    return f"Twitch stopped telling us about this chat ({status})."


class Memory:
    """The newest ids, each with a time, and with an author where one is given."""

    def __init__(self) -> None:
        self.times: OrderedDict[str, datetime | None] = OrderedDict()
        self.authors: dict[str, str] = {}

    def __contains__(self, key: str) -> bool:
        return key in self.times

    def first(self, key: str, at: datetime | None, author: str | None = None) -> bool:
        """True the first time a key is given; its time is the first one's."""
        if key in self.times:
            return False
        self.put(key, at, author)
        return True

    def put(self, key: str, at: datetime | None, author: str | None = None) -> None:
        """Remember a key with this time, and forget the oldest."""
        self.times[key] = at
        self.times.move_to_end(key)
        if author is not None:
            self.authors[key] = author
        if len(self.times) > REMEMBERED:
            oldest, _ = self.times.popitem(last=False)
            self.authors.pop(oldest, None)


def later(one: datetime | None, other: datetime | None) -> bool:
    """True when both times are known and the first is after the second."""
    return one is not None and other is not None and one > other


class Inbox:
    """Each message once, whichever socket brings it and however often; and none that is gone already.

    During a change of sockets a message may come through both, with two different frame ids: what
    counts is its own id. A deletion may come before what it deletes.
    """

    def __init__(self, channel: str, pictures: Pictures | None = None) -> None:
        self._channel = channel
        self._pictures = pictures or {}
        self._frames = Memory()
        self._shown = Memory()
        self._bundles = Memory()
        self._gone = Memory()
        self._spoke = Memory()
        """Authors, with the time of their newest message."""
        self._silenced = Memory()
        self._newest: datetime | None = None
        self._wiped: datetime | None = None
        self._readers: dict[str, Callable[[Frame, Event], list[ChatItem]]] = {
            MESSAGES: self._message,
            "channel.chat.notification": self._notice,
            "channel.chat.message_delete": self._deleted,
            "channel.chat.clear_user_messages": self._cleared_author,
            "channel.chat.clear": self._cleared,
            "channel.poll.begin": self._poll,
            "channel.poll.progress": self._poll,
            "channel.poll.end": self._poll_over,
        }

    def take(self, frame: Frame) -> list[ChatItem]:
        """What a notification says; nothing for repeats and unknown topics. KeyError names what it lacks."""
        read = self._readers.get(frame.topic)
        if read is None or (frame.id and not self._frames.first(frame.id, frame.at)):
            return []
        return read(frame, frame.part("event"))

    def _message(self, frame: Frame, event: Event) -> list[ChatItem]:
        if from_elsewhere(event, self._channel):
            return []
        return self._once(message_of(event, frame.at, self._channel, self._pictures))

    def _notice(self, frame: Frame, event: Event) -> list[ChatItem]:
        if from_elsewhere(event, self._channel):
            return []
        gift = event.get("sub_gift")
        bundle = gift.get("community_gift_id") if isinstance(gift, dict) else None
        if bundle and str(bundle) in self._bundles:
            # "Ann gifts 50 subscriptions" has been said; the fifty that follow say nothing new.
            return []
        told = self._once(notice_of(event, frame.at, self._channel, self._pictures))
        whole = event.get("community_sub_gift")
        if told and isinstance(whole, dict) and whole.get("id"):
            self._bundles.first(str(whole["id"]), frame.at)
        return told

    def _once(self, message: ChatMessage) -> list[ChatItem]:
        at, author = message.sent_at, message.author_id or ""
        ends = (self._wiped, self._silenced.times.get(author))
        if message.id in self._gone or any(at and end and at <= end for end in ends):
            return []
        if not self._shown.first(message.id, at, author):
            return []
        if self._newest is None or later(at, self._newest):
            self._newest = at
        spoke = self._spoke.times.get(author)
        if spoke is None or later(at, spoke):
            self._spoke.put(author, at)
        return [message]

    def _poll(self, frame: Frame, event: Event) -> list[ChatItem]:
        # Its progress is told only to those who missed its beginning, and never after its end.
        poll = poll_of(event, frame.at, over=False)
        return [] if f"{poll.id}:end" in self._shown else self._once(poll)

    def _poll_over(self, frame: Frame, event: Event) -> list[ChatItem]:
        # It may end twice: terminated by somebody, and archived later.
        return self._once(poll_of(event, frame.at, over=True))

    def _deleted(self, frame: Frame, event: Event) -> list[ChatItem]:
        message_id = str(event["message_id"])
        if not self._gone.first(message_id, frame.at):
            return []
        return [ChatDeletion(message_ids=(message_id,))]

    def _cleared_author(self, frame: Frame, event: Event) -> list[ChatItem]:
        author = str(event["target_user_id"])
        before = self._silenced.times.get(author)
        if before and frame.at and frame.at <= before:
            return []
        self._silenced.put(author, frame.at)
        if later(self._spoke.times.get(author), frame.at):
            return self._older(frame.at, author)
        return [ChatDeletion(author_id=author)]

    def _cleared(self, frame: Frame, event: Event) -> list[ChatItem]:
        if self._wiped and frame.at and frame.at <= self._wiped:
            return []
        self._wiped = frame.at
        return self._older(frame.at) if later(self._newest, frame.at) else [ChatDeletion()]

    def _older(self, at: datetime | None, author: str | None = None) -> list[ChatItem]:
        """A clearing that comes late names what it takes: what was said since must stay."""
        older = [
            key
            for key, said in self._shown.times.items()
            if key not in self._gone
            and not later(said, at)
            and (author is None or self._shown.authors.get(key) == author)
        ]
        for key in older:
            self._gone.put(key, at)
        parts = range(0, len(older), MOST_IDS)
        return [ChatDeletion(message_ids=tuple(older[start : start + MOST_IDS])) for start in parts]
