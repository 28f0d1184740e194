"""What TikTok's events say, in the words of all platforms together; and what was said before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from connectors.tiktok import shapes
from connectors.tiktok.frames import Event
from connectors.tiktok.people import NOBODY, Author, author_of, name_of, picture_of
from connectors.tiktok.protobuf import read, utf8
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
            return self._gift(event, read(shapes.Gift, event.payload))
        if event.method == "WebcastLikeMessage":
            like = read(shapes.Like, event.payload)
            return self.likes(about(event, like.common, like.user), like.count)
        if event.method == "WebcastImDeleteMessage":
            return deletions(read(shapes.Deletion, event.payload))
        if event.method not in SAYINGS:
            return []
        shape, saying = SAYINGS[event.method]
        body = read(shape, event.payload)
        # TikTok repeats itself, often within a frame: what is known need not be understood again.
        if id_of(event, body.common) in self._ids:
            return []
        said = saying(event, body)
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
        if not self._streaks and not self._likes:
            return []
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

    def _gift(self, event: Event, body: shapes.Gift) -> list[ChatItem]:
        gift = body.gift
        # No money: a gift has a price in diamonds, and what a diamond pays nobody outside TikTok knows.
        fragments = gift_words(utf8(gift.name), max(1, body.repeat), picture_of(gift.picture))
        said = about(event, body.common, body.user, said_in(fragments), "gift", fragments)
        in_streak = gift.kind == STREAKABLE and body.group
        streak = streak_id(said.author, body.gift_id, body.group) if in_streak else ""
        return self.gift(said, streak, final=body.final)


def gift_words(name: str, repeat: int, picture: str | None) -> tuple[Fragment, ...]:
    """What the author did, with the gift's picture in place of its name where there is one."""
    gift = Fragment(kind="emote" if picture else "text", text=name or "a gift", url=picture)
    times = (Fragment(text=f" ×{repeat}"),) if repeat > 1 else ()
    return (Fragment(text="sent "), gift, *times)


def streak_id(author: Author, gift: int | str, group: int | str) -> str:
    """The same for every message of a streak, whatever way it comes."""
    return f"gift:{author.id}:{gift}:{group}"


def id_of(event: Event, common: shapes.Common) -> str:
    """A message's own id, the same on every way it comes."""
    return str(common.msg_id or event.msg_id)


def about(
    event: Event,
    common: shapes.Common,
    user: shapes.User,
    text: str = "",
    kind: Kind = "text",
    fragments: tuple[Fragment, ...] = (),
) -> Said:
    """The words, with who and when, which all kinds have in common. TikTok may leave out the user."""
    return Said(
        id=id_of(event, common),
        text=text,
        author=author_of(user),
        fragments=fragments,
        kind=kind,
        at_ms=common.at_ms,
        history=event.history,
    )


def comment(event: Event, body: shapes.Comment) -> Said | None:
    """A viewer's words; one of emotes alone has no text."""
    emotes = [(one.place, picture_of(one.emote.image)) for one in body.emotes]
    fragments = fragments_of(utf8(body.text), emotes, name_of(body.mentioned))
    if not fragments:
        return None
    return about(event, body.common, body.user, said_in(fragments), fragments=fragments)


def social(event: Event, body: shapes.Social) -> Said | None:
    """A follow or a share: only the name of the sentence on screen tells which."""
    sentence = read(shapes.Sentence, body.common.sentence).name
    if b"follow" in sentence:
        return about(event, body.common, body.user, "follows now", "notice")
    return about(event, body.common, body.user, "shared the LIVE", "notice") if b"share" in sentence else None


def member(event: Event, body: shapes.Member) -> Said | None:
    """Joins come by the thousand and are left out; a subscription is not."""
    if body.action != SUBSCRIBED:
        return None
    return about(event, body.common, body.user, "subscribed", "membership")


def deletions(body: shapes.Deletion) -> list[ChatItem]:
    """Messages by id, and everything of each author named."""
    ids = tuple(map(str, body.message_ids))
    items: list[ChatItem] = [ChatDeletion(message_ids=ids)] if ids else []
    return items + [ChatDeletion(author_id=str(author)) for author in body.author_ids]


SAYINGS: dict[str, tuple[type[Any], Callable[[Event, Any], Said | None]]] = {
    "WebcastChatMessage": (shapes.Comment, comment),
    "WebcastSocialMessage": (shapes.Social, social),
    "WebcastMemberMessage": (shapes.Member, member),
}
