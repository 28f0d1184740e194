"""What EventSub's frames say, in the words of all platforms together. Pure."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.errors import ConnectorError, Reconnect, Refused
from connectors.types import ChatDeletion, ChatItem, ChatMessage

REMEMBERED = 50_000
MOST_IDS = 1000
"""Of one deletion: a cleared chat is reported in parts."""

MESSAGES = "channel.chat.message"
UNREADABLE = "unreadable"
"""Our own kind, for a frame that is none."""

REVOKED = {
    "chat_user_banned": "This account is banned from the Twitch chat.",
    "user_removed": "Twitch no longer knows this channel.",
    "moderator_removed": "This account may no longer read the Twitch chat.",
    "version_removed": "Twitch no longer offers the chat in the form we read it.",
}


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
        except (ValueError, KeyError, TypeError, AttributeError):
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


def revocation(frame: Frame) -> ConnectorError | None:
    """The end of the chat that a revocation means; None when only deletions are no longer told.

    The list of statuses is open: Twitch adds to it without notice.
    """
    about = frame.part("subscription")
    status, topic = str(about.get("status", "")), about.get("type") or frame.topic
    if status == "authorization_revoked":
        return Reconnect("The permission for Twitch was withdrawn. Link the account again.")
    if topic != MESSAGES:
        return None
    return Refused(REVOKED.get(status, f"Twitch ended the reading of this chat ({status})."), code=status)


class Memory:
    """The newest ids, each with a time."""

    def __init__(self) -> None:
        self.times: OrderedDict[str, datetime | None] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        return key in self.times

    def first(self, key: str, at: datetime | None) -> bool:
        """True the first time a key is given; its time is the first one's."""
        if key in self.times:
            return False
        self.put(key, at)
        return True

    def put(self, key: str, at: datetime | None) -> None:
        """Remember a key with this time, and forget the oldest."""
        self.times[key] = at
        if len(self.times) > REMEMBERED:
            self.times.popitem(last=False)


class Inbox:
    """Each message once, whichever socket brings it and however often; and none that is gone already.

    During a change of sockets a message may come through both, with two different frame ids: what
    counts is its own id. A deletion may come before what it deletes.
    """

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._frames = Memory()
        self._shown = Memory()
        self._gone = Memory()
        self._silenced = Memory()
        self._wiped: datetime | None = None
        self._readers: dict[str, Callable[[Frame, dict[str, Any]], list[ChatItem]]] = {
            MESSAGES: self._message,
            "channel.chat.message_delete": self._deleted,
            "channel.chat.clear_user_messages": self._cleared_author,
            "channel.chat.clear": self._cleared,
        }

    def take(self, frame: Frame) -> list[ChatItem]:
        """What a notification says; nothing for repeats and unknown topics. KeyError names what it lacks."""
        read = self._readers.get(frame.topic)
        if read is None or (frame.id and not self._frames.first(frame.id, frame.at)):
            return []
        return read(frame, frame.part("event"))

    def _message(self, frame: Frame, event: dict[str, Any]) -> list[ChatItem]:
        message_id, author = str(event["message_id"]), event.get("chatter_user_id")
        source = event.get("source_broadcaster_user_id")
        if source and source != self._channel:
            # A shared chat: it was said in somebody else's channel.
            return []
        if message_id in self._gone or self._before_a_clearing(frame.at, author):
            return []
        words = event["message"]["text"]
        if not self._shown.first(message_id, frame.at):
            return []
        message = ChatMessage(
            id=message_id,
            text=str(words),
            author_id=author,
            author_name=event.get("chatter_user_name") or event.get("chatter_user_login"),
            # No money: what Twitch pays for Bits is between Twitch and the channel.
            kind="paid" if event.get("cheer") else "text",
            sent_at=frame.at,
            ours=author == self._channel,
            # Twitch can't be read from a place on; having one says only that somebody read before.
            cursor=message_id,
        )
        return [message]

    def _before_a_clearing(self, at: datetime | None, author: str | None) -> bool:
        if at is None:
            return False
        ends = (self._wiped, self._silenced.times.get(author or ""))
        return any(end is not None and at <= end for end in ends)

    def _deleted(self, frame: Frame, event: dict[str, Any]) -> list[ChatItem]:
        message_id = str(event["message_id"])
        if not self._gone.first(message_id, frame.at):
            return []
        return [ChatDeletion(message_ids=(message_id,))]

    def _cleared_author(self, frame: Frame, event: dict[str, Any]) -> list[ChatItem]:
        author = str(event["target_user_id"])
        self._silenced.put(author, frame.at)
        return [ChatDeletion(author_id=author)]

    def _cleared(self, frame: Frame, event: dict[str, Any]) -> list[ChatItem]:
        # Only what is older: a repeat that comes late must not take what was said since.
        self._wiped = frame.at
        older = [
            key
            for key, at in self._shown.times.items()
            if key not in self._gone and (at is None or frame.at is None or at <= frame.at)
        ]
        for key in older:
            self._gone.put(key, frame.at)
        parts = range(0, len(older), MOST_IDS)
        return [ChatDeletion(message_ids=tuple(older[start : start + MOST_IDS])) for start in parts]
