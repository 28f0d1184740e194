"""What TikTok's events say, in the words of all platforms together; and what was said before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from connectors.tiktok.frames import Event
from connectors.tiktok.protobuf import Message
from connectors.types import ChatDeletion, ChatItem, ChatMessage

REMEMBERED = 20_000
STREAK_PATIENCE = 10.0
"""Seconds after which a streak of gifts is taken as over: its last message may never come."""
MOST_STREAKS = 1000
LATEST_MS = 4_102_444_800_000
"""1 January 2100: a time beyond it is a field that has changed its meaning."""
STREAKABLE = 1
SUBSCRIBED = 3

Kind = Literal["text", "paid", "membership", "notice"]


@dataclass(frozen=True)
class Said:
    """One message before it is known whether it is new. `at_ms` is 0 when TikTok gave no time."""

    id: str
    text: str
    author_id: str | None = None
    author_name: str | None = None
    kind: Kind = "text"
    at_ms: int = 0
    history: bool = False


@dataclass(frozen=True)
class Streak:
    """A gift sent again and again, not reported yet."""

    said: Said
    until: float


class Inbox:
    """Each message once, in order, with history marked. One per connection.

    The cursor is the newest time seen, in milliseconds. TikTok can't be read from a place on; it repeats
    some of the past at each connect, and what of that is younger than the cursor happened while we were
    away: that is no history.
    """

    def __init__(self, cursor: str | None, clock: Callable[[], float]) -> None:
        self._since = int(cursor) if cursor and cursor.isdecimal() else 0
        self._newest = self._since
        self._clock = clock
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._streaks: OrderedDict[str, Streak] = OrderedDict()

    def read(self, event: Event) -> list[ChatItem]:
        """What an event says; nothing for the many kinds nobody asks for. Raises Malformed."""
        # By name first: a kind nobody asks for may be written in any way.
        if event.method == "WebcastGiftMessage":
            return self._gift(event, Message(event.payload))
        if event.method == "WebcastImDeleteMessage":
            return deletions(Message(event.payload))
        if event.method not in SAYINGS:
            return []
        said = SAYINGS[event.method](event, Message(event.payload))
        return self.take(said) if said else []

    def take(self, said: Said) -> list[ChatItem]:
        """The message, unless it was here before."""
        if said.id in self._ids:
            return []
        self._ids[said.id] = None
        if len(self._ids) > REMEMBERED:
            self._ids.popitem(last=False)
        at_ms = said.at_ms if 0 < said.at_ms < LATEST_MS else 0
        self._newest = max(self._newest, at_ms)
        message = ChatMessage(
            id=said.id,
            text=said.text,
            author_id=said.author_id,
            author_name=said.author_name,
            kind=said.kind,
            sent_at=datetime.fromtimestamp(at_ms / 1000, UTC) if at_ms else None,
            backlog=said.history and not (self._since and at_ms > self._since),
            cursor=str(self._newest) if self._newest else None,
        )
        return [message]

    def due(self, *, all_of_them: bool = False) -> list[ChatItem]:
        """Streaks whose end never came, or all of them because the chat is over."""
        now = self._clock()
        over = [key for key, streak in self._streaks.items() if all_of_them or streak.until <= now]
        over += list(self._streaks)[: max(0, len(self._streaks) - MOST_STREAKS)]
        return [item for key in dict.fromkeys(over) for item in self.take(self._streaks.pop(key).said)]

    def _gift(self, event: Event, body: Message) -> list[ChatItem]:
        gift, repeat = body.message(15), max(1, body.number(5))
        name = gift.text(16) or "a gift"
        text = f"sent {name}" + (f" ×{repeat}" if repeat > 1 else "")
        # No money: a gift has a price in diamonds, and what a diamond pays nobody outside TikTok knows.
        said = replace(about(event, body.message(1), body.message(7)), text=text, kind="paid")
        group = body.number(11)
        if gift.number(11) != STREAKABLE or not group:
            return self.take(said)
        key = f"gift:{said.author_id}:{body.number(2)}:{group}"
        # The streak's own id, so that it counts once, however often we reconnect in its middle.
        said = replace(said, id=key)
        if body.number(9):
            self._streaks.pop(key, None)
            return self.take(said)
        if key not in self._ids:
            self._streaks[key] = Streak(said, self._clock() + STREAK_PATIENCE)
        return []


def about(event: Event, common: Message, user: Message) -> Said:
    """Who and when, which all kinds have in common. TikTok may leave out the user altogether."""
    author = user.text(1028) or str(user.number(1) or "")
    return Said(
        id=str(common.number(2) or event.msg_id),
        text="",
        author_id=author or None,
        author_name=user.text(3) or user.text(38) or None,
        at_ms=common.number(4),
        history=event.history,
    )


def comment(event: Event, body: Message) -> Said | None:
    """A viewer's words; one of emotes alone has no text."""
    text = body.text(3) or ("[emote]" if body.blobs(13) else "")
    return replace(about(event, body.message(1), body.message(2)), text=text) if text else None


def social(event: Event, body: Message) -> Said | None:
    """A follow or a share: only the name of the sentence on screen tells which."""
    said = replace(about(event, body.message(1), body.message(2)), kind="notice")
    sentence = body.message(1).message(8).text(1)
    if "follow" in sentence:
        return replace(said, text="follows now")
    return replace(said, text="shared the LIVE") if "share" in sentence else None


def member(event: Event, body: Message) -> Said | None:
    """Joins come by the thousand and are left out; a subscription is not."""
    said = replace(about(event, body.message(1), body.message(2)), kind="membership")
    return replace(said, text="subscribed") if body.number(10) == SUBSCRIBED else None


def deletions(body: Message) -> list[ChatItem]:
    """Messages by id, and everything of each author named."""
    ids = tuple(str(number) for number in body.numbers(2))
    items: list[ChatItem] = [ChatDeletion(message_ids=ids)] if ids else []
    return items + [ChatDeletion(author_id=str(author)) for author in body.numbers(3)]


SAYINGS: dict[str, Callable[[Event, Message], Said | None]] = {
    "WebcastChatMessage": comment,
    "WebcastSocialMessage": social,
    "WebcastMemberMessage": member,
}
