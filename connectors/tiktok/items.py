"""What TikTok's events say, in the words of all platforms together; and what was said before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from connectors.tiktok.frames import Event
from connectors.tiktok.people import NOBODY, Author, author_of, picture_of
from connectors.tiktok.protobuf import Message
from connectors.tiktok.words import fragments_of, said_in
from connectors.types import Badge, ChatDeletion, ChatItem, ChatMessage, Fragment

REMEMBERED = 20_000
STREAK_PATIENCE = 10.0
"""Seconds after which a streak of gifts is taken as over: its last message may never come."""
MOST_STREAKS = 1000
LIKES_TOGETHER = 10.0
"""Seconds of likes that are one message: a busy room has hundreds of them a second."""
MOST_LIKES = 1_000_000
LATEST_MS = 4_102_444_800_000
"""1 January 2100: a time beyond it is a field that has changed its meaning."""
STREAKABLE = 1
SUBSCRIBED = 3
OWNER = Badge(kind="owner", title="Host")

Kind = Literal["text", "gift", "membership", "notice", "reaction"]


@dataclass(frozen=True)
class Said:
    """One message before it is known whether it is new. `at_ms` is 0 when TikTok gave no time."""

    id: str
    text: str
    author: Author = NOBODY
    fragments: tuple[Fragment, ...] = ()
    kind: Kind = "text"
    at_ms: int = 0
    history: bool = False


@dataclass(frozen=True)
class Waiting:
    """Something that is not told yet: a gift sent again and again, likes that come by the hundred."""

    said: Said
    until: float


class Inbox:
    """Each message once, in order, with history marked. One per reading, whatever way it takes.

    The cursor is the newest time seen, in milliseconds. TikTok can't be read from a place on; it repeats
    some of the past at each connect, and what of that is younger than the cursor happened while we were
    away: that is no history. `host` is the handle of the account that goes LIVE.
    """

    def __init__(self, cursor: str | None, clock: Callable[[], float], *, host: str = "") -> None:
        self._since = int(cursor) if cursor and cursor.isdecimal() else 0
        self._newest = self._since
        self._clock = clock
        self._host = host.lower()
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._streaks: OrderedDict[str, Waiting] = OrderedDict()
        self._likes: Waiting | None = None
        self._liked = 0

    def read(self, event: Event) -> list[ChatItem]:
        """What an event says; nothing for the many kinds nobody asks for. Raises Malformed."""
        # By name first: a kind nobody asks for may be written in any way.
        if event.method == "WebcastGiftMessage":
            return self._gift(event, Message(event.payload))
        if event.method == "WebcastLikeMessage":
            body = Message(event.payload)
            return self.likes(about(event, body.message(1), body.message(5)), body.number(2))
        if event.method == "WebcastImDeleteMessage":
            return deletions(Message(event.payload))
        if event.method not in SAYINGS:
            return []
        said = SAYINGS[event.method](event, Message(event.payload))
        return self.take(said) if said else []

    def take(self, said: Said) -> list[ChatItem]:
        """The message, unless it was here before."""
        if not self._is_new(said.id):
            return []
        at_ms = said.at_ms if 0 < said.at_ms < LATEST_MS else 0
        self._newest = max(self._newest, at_ms)
        author = said.author
        ours = bool(self._host) and author.handle.lower() == self._host
        message = ChatMessage(
            id=said.id,
            text=said.text,
            author_id=author.id,
            author_name=author.name,
            author_picture=author.picture,
            badges=(OWNER, *author.badges) if ours else author.badges,
            fragments=said.fragments,
            kind=said.kind,
            sent_at=datetime.fromtimestamp(at_ms / 1000, UTC) if at_ms else None,
            ours=ours,
            backlog=said.history and not (self._since and at_ms > self._since),
            cursor=str(self._newest) if self._newest else None,
        )
        return [message]

    def gift(self, said: Said, streak: str, *, final: bool) -> list[ChatItem]:
        """A gift; one of a streak, named by `streak`, is told at the end of it."""
        if not streak:
            return self.take(said)
        # The streak's own id, so that it counts once, however often we reconnect in its middle.
        said = replace(said, id=streak)
        if final:
            self._streaks.pop(streak, None)
            return self.take(said)
        if streak not in self._ids:
            self._streaks[streak] = Waiting(said, self._clock() + STREAK_PATIENCE)
        return []

    def likes(self, said: Said, count: int) -> list[ChatItem]:
        """Gathers them; what was liked before we came is nobody's news."""
        if said.history or not self._is_new(said.id):
            return []
        if self._likes is None:
            first = replace(said, id=f"likes:{said.id}", author=NOBODY, kind="reaction")
            self._likes, self._liked = Waiting(first, self._clock() + LIKES_TOGETHER), 0
        self._liked += min(max(count, 1), MOST_LIKES)
        return []

    def due(self, *, all_of_them: bool = False) -> list[ChatItem]:
        """Streaks whose end never came and likes gathered, or all of them because the chat is over."""
        now = self._clock()
        over = [key for key, streak in self._streaks.items() if all_of_them or streak.until <= now]
        over += list(self._streaks)[: max(0, len(self._streaks) - MOST_STREAKS)]
        items = [item for key in dict.fromkeys(over) for item in self.take(self._streaks.pop(key).said)]
        if self._likes and (all_of_them or self._likes.until <= now):
            likes, self._likes = self._likes.said, None
            words = "1 like" if self._liked == 1 else f"{self._liked} likes"
            items += self.take(replace(likes, text=words))
        return items

    def _is_new(self, message_id: str) -> bool:
        if message_id in self._ids:
            return False
        self._ids[message_id] = None
        if len(self._ids) > REMEMBERED:
            self._ids.popitem(last=False)
        return True

    def _gift(self, event: Event, body: Message) -> list[ChatItem]:
        gift, repeat, group = body.message(15), max(1, body.number(5)), body.number(11)
        said = about(event, body.message(1), body.message(7))
        # No money: a gift has a price in diamonds, and what a diamond pays nobody outside TikTok knows.
        fragments = gift_words(gift.text(16), repeat, picture_of(gift.message(1)))
        said = replace(said, text=said_in(fragments), kind="gift", fragments=fragments)
        in_streak = gift.number(11) == STREAKABLE and group
        streak = streak_id(said.author, body.number(2), group) if in_streak else ""
        return self.gift(said, streak, final=bool(body.number(9)))


def gift_words(name: str, repeat: int, picture: str | None) -> tuple[Fragment, ...]:
    """What the author did, with the gift's picture in place of its name where there is one."""
    gift = Fragment(kind="emote" if picture else "text", text=name or "a gift", url=picture)
    times = (Fragment(text=f" ×{repeat}"),) if repeat > 1 else ()
    return (Fragment(text="sent "), gift, *times)


def streak_id(author: Author, gift: int | str, group: int | str) -> str:
    """The same for every message of a streak, whatever way it comes."""
    return f"gift:{author.id}:{gift}:{group}"


def about(event: Event, common: Message, user: Message) -> Said:
    """Who and when, which all kinds have in common. TikTok may leave out the user altogether."""
    return Said(
        id=str(common.number(2) or event.msg_id),
        text="",
        author=author_of(user),
        at_ms=common.number(4),
        history=event.history,
    )


def comment(event: Event, body: Message) -> Said | None:
    """A viewer's words; one of emotes alone has no text."""
    emotes = [(one.number(1), picture_of(one.message(2).message(2))) for one in body.messages(13)]
    mentioned = author_of(body.message(12)).name or ""
    fragments = fragments_of(body.text(3), emotes, mentioned)
    said = about(event, body.message(1), body.message(2))
    return replace(said, text=said_in(fragments), fragments=fragments) if fragments else None


def social(event: Event, body: Message) -> Said | None:
    """A follow or a share: only the name of the sentence on screen tells which."""
    said = replace(about(event, body.message(1), body.message(2)), kind="notice")
    sentence = body.message(1).message(8).text(1)
    if "follow" in sentence:
        return replace(said, text="follows now")
    return replace(said, text="shared the LIVE") if "share" in sentence else None


def member(event: Event, body: Message) -> Said | None:
    """Joins come by the thousand and are left out; a subscription is not."""
    if body.number(10) != SUBSCRIBED:
        return None
    said = about(event, body.message(1), body.message(2))
    return replace(said, kind="membership", text="subscribed")


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
