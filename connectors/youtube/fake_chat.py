"""The live chats of the local YouTube: messages, bans, pages, and the stream that is closed after a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.youtube.fake_discovery import ApiError

POLL_MILLIS = 500
CHAT_PARTS = frozenset({"id", "snippet", "authorDetails"})
OWNER = "UC_sim"
Query = dict[str, str]
Json = dict[str, Any]


@dataclass
class Chat:
    """One live chat; a page token names a generation, a place and nothing else."""

    items: list[Json] = field(default_factory=list)
    known: dict[str, Json] = field(default_factory=dict)
    bans: dict[str, str] = field(default_factory=dict)
    ended: bool = False
    disabled: bool = False
    offline_at: str | None = None
    generation: int = 0
    issued: dict[str, float] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Whoever streams looks again."""
        self.changed.set()
        self.changed = asyncio.Event()


class Chats:
    """Every chat of the channel. `now` counts seconds, `wall` tells the time of day."""

    def __init__(self, now: Callable[[], float], wall: Callable[[], datetime]) -> None:
        self._now = now
        self._wall = wall
        self.by_ref: dict[str, Chat] = {}
        self.repeats = 0
        self.page_size = 2000
        self.stream_seconds = 3600.0
        self.cuts = 0
        self.last_words: Json | None = None
        self.sparse = False
        self.deleted: list[str] = []

    # --- the API -------------------------------------------------------------------------------

    def list(self, query: Query, _: Json | None) -> Json:
        parts, chat = parts_of(query, CHAT_PARTS), self._open(query.get("liveChatId"))
        limit = min(int(query.get("maxResults", 500)), self.page_size)
        start = self._place(chat, query.get("pageToken"), polled=True)
        if chat.ended and start >= len(chat.items):
            raise ApiError(403, "liveChatEnded", "The live chat is no longer live.")
        return self._page(chat, start, limit, parts, self._now())

    async def stream(self, query: Query) -> AsyncIterator[Json]:
        """Page after page while there is news; the last one is empty and repeats its token."""
        parts, chat = parts_of(query, CHAT_PARTS), self._open(query.get("liveChatId"))
        place = self._place(chat, query.get("pageToken"), polled=False)
        if chat.ended and place >= len(chat.items):
            raise ApiError(403, "liveChatEnded", "The live chat is no longer live.")
        until, cuts = self._now() + self.stream_seconds, self.cuts
        yield self._page(chat, place, self.page_size, parts, 0)
        place = min(len(chat.items), place + self.page_size)
        while self._now() < until and self.cuts == cuts:
            if place < len(chat.items) or self.repeats:
                yield self._page(chat, place, self.page_size, parts, 0)
                place = min(len(chat.items), place + self.page_size)
            elif chat.ended:
                return
            else:
                await _news(chat.changed)
        if self.cuts == cuts:
            yield self._page(chat, place, 0, parts, 0)

    def insert(self, query: Query, body: Json | None) -> Json:
        parts, snippet = parts_of(query, CHAT_PARTS), (body or {}).get("snippet", {})
        ref, text = snippet.get("liveChatId"), snippet.get("textMessageDetails", {}).get("messageText", "")
        if self._open(ref).ended:
            raise ApiError(403, "liveChatEnded")
        # Whether YouTube counts code points is not published; the stricter way is taken.
        if snippet.get("type") != "textMessageEvent" or not 1 <= len(text.encode("utf-16-le")) // 2 <= 200:
            raise ApiError(400, "messageTextInvalid")
        item = self.say(ref, {"type": "textMessageEvent"}, text=text, author=(OWNER, "The channel"))
        item["authorDetails"]["isChatOwner"] = True
        return only(item, parts)

    def delete(self, query: Query, _: Json | None) -> None:
        for chat in self.by_ref.values():
            item = chat.known.get(query["id"])
            if item is not None and item["snippet"]["type"] != "tombstone":
                self.deleted.append(query["id"])
                # What is left of it: an id and a time. YouTube's chat does not tell of deletions.
                item["snippet"] = {
                    "type": "tombstone",
                    **{name: item["snippet"][name] for name in ("liveChatId", "publishedAt")},
                    "hasDisplayContent": False,
                }
                item.pop("authorDetails", None)
                return
        raise ApiError(404, "liveChatMessageNotFound")

    def ban(self, query: Query, body: Json | None) -> Json:
        parts_of(query, frozenset({"id", "snippet"}))
        snippet = (body or {}).get("snippet", {})
        chat = self._open(snippet.get("liveChatId"))
        who, kind = snippet.get("bannedUserDetails", {}).get("channelId"), snippet.get("type")
        if not who:
            raise ApiError(400, "bannedUserChannelIdRequired")
        if who == OWNER:
            raise ApiError(403, "liveChatBanInsertionNotAllowed")
        if (kind == "temporary") != ("banDurationSeconds" in snippet):
            raise ApiError(400, "invalidParameter")
        if not any(self.author_of(item) == who for item in chat.items):
            raise ApiError(404, "liveChatUserNotFound")
        ban_id = f"ban:{snippet['liveChatId']}:{who}"
        chat.bans[who] = "permanent" if kind == "permanent" else snippet["banDurationSeconds"]
        details: Json = {"banType": kind, "bannedUserDetails": {"channelId": who}}
        if kind == "temporary":
            details["banDurationSeconds"] = snippet["banDurationSeconds"]
        news = {"type": "userBannedEvent", "userBannedDetails": details}
        self.say(snippet["liveChatId"], news, text=f"{who} was silenced", author=(OWNER, "The channel"))
        return {"kind": "youtube#liveChatBan", "etag": "e", "id": ban_id, "snippet": snippet}

    def unban(self, query: Query, _: Json | None) -> None:
        kind, *rest = query["id"].split(":", 2)
        if kind != "ban" or len(rest) != 2:
            raise ApiError(400, "invalidLiveChatBanId")
        ref, who = rest
        if ref not in self.by_ref or self.by_ref[ref].bans.pop(who, None) is None:
            raise ApiError(404, "liveChatBanNotFound")

    # --- what happens there ----------------------------------------------------------------------

    def say(
        self, ref: str, snippet: Json, *, text: str, author: tuple[str, str], details: Json | None = None
    ) -> Json:
        """A message of anybody; `snippet` has its type and what belongs to it."""
        chat = self.by_ref[ref]
        kind = snippet["type"]
        own = {"textMessageDetails": {"messageText": text}} if kind == "textMessageEvent" else {}
        item: Json = {
            "kind": "youtube#liveChatMessage",
            "etag": "e",
            "id": f"{ref}.m{len(chat.items) + 1}",
            "snippet": {
                "liveChatId": ref,
                "authorChannelId": author[0],
                "publishedAt": self._wall().astimezone(UTC).isoformat().replace("+00:00", "Z"),
                "hasDisplayContent": kind != "chatEndedEvent",
                "displayMessage": text,
                **own,
                **snippet,
            },
            "authorDetails": {
                "channelId": author[0],
                "channelUrl": f"http://www.youtube.com/channel/{author[0]}",
                "displayName": author[1],
                "profileImageUrl": f"https://yt3.ggpht.com/{author[0]}",
                "isVerified": False,
                "isChatOwner": False,
                "isChatSponsor": False,
                "isChatModerator": False,
                **(details or {}),
            },
        }
        chat.items.append(item)
        chat.known[item["id"]] = item
        chat.wake()
        return item

    def end(self, ref: str) -> None:
        chat = self.by_ref[ref]
        if not chat.ended:
            self.say(ref, {"type": "chatEndedEvent"}, text="", author=(OWNER, "The channel"))
            chat.ended = True
            chat.wake()

    def cut(self, last_words: Json | None = None) -> None:
        """Every open stream breaks off in the middle, or with an error as its last element."""
        self.cuts, self.last_words = self.cuts + 1, last_words
        self.wake()

    def wake(self) -> None:
        """Whoever streams looks again."""
        for chat in self.by_ref.values():
            chat.wake()

    def forget_place(self) -> None:
        """No page token given out so far is known any more."""
        for chat in self.by_ref.values():
            chat.generation, chat.issued = chat.generation + 1, {}
        self.cut()

    @staticmethod
    def author_of(item: Json) -> str | None:
        found: str | None = item["snippet"].get("authorChannelId")
        return found

    # --- pages -----------------------------------------------------------------------------------

    def _open(self, ref: str | None) -> Chat:
        if ref not in self.by_ref:
            raise ApiError(404, "liveChatNotFound")
        if self.by_ref[ref].disabled:
            raise ApiError(403, "liveChatDisabled", "Live chat is not enabled for the specified broadcast.")
        return self.by_ref[ref]

    def _place(self, chat: Chat, token: str | None, *, polled: bool) -> int:
        if token is None:
            return 0
        if token not in chat.issued:
            raise ApiError(400, "pageTokenInvalid")
        # A tenth of tolerance: clocks and wires are not exact.
        if polled and self._now() < chat.issued[token] + POLL_MILLIS / 1000 * 0.9:
            raise ApiError(403, "rateLimitExceeded", "Polled before pollingIntervalMillis was over.")
        return int(token.rpartition("_")[2])

    def _page(self, chat: Chat, start: int, limit: int, parts: set[str], at: float) -> Json:
        if self.repeats:
            self.repeats, start, limit = self.repeats - 1, max(0, start - 3), limit + 3
        items = chat.items[start : start + limit]
        following = f"tok_{chat.generation}_{start + len(items)}"
        chat.issued[following] = at
        page: Json = {
            "kind": "youtube#liveChatMessageListResponse",
            "etag": "e",
            "pageInfo": {"totalResults": len(items), "resultsPerPage": len(items)},
            "nextPageToken": following,
            "items": [self._shown(item, parts) for item in items],
        }
        if not self.sparse:
            page["pollingIntervalMillis"] = POLL_MILLIS
        if chat.offline_at is not None:
            page["offlineAt"] = chat.offline_at
        return page

    def _shown(self, item: Json, parts: set[str]) -> Json:
        shown = only(item, parts)
        if self.sparse:
            # YouTube leaves fields out without notice.
            left = {
                n: v for n, v in shown["snippet"].items() if n not in {"authorChannelId", "displayMessage"}
            }
            shown = {**shown, "snippet": left}
        return shown


async def _news(changed: asyncio.Event) -> None:
    """Until something happens, or long enough to look at the clock again."""
    try:
        async with asyncio.timeout(0.1):
            await changed.wait()
    except TimeoutError:
        return


def parts_of(query: Query, allowed: frozenset[str], known: frozenset[str] | None = None) -> set[str]:
    """The requested parts, however they are spelled; refuses what the method does not offer."""
    parts = {part.strip() for part in query.get("part", "").split(",") if part.strip()}
    if not parts:
        raise ApiError(400, "missingRequiredParameter")
    if parts - allowed:
        raise ApiError(400, "unexpectedPart" if parts <= (known or allowed) else "unknownPart")
    return parts


def only(resource: Json, parts: set[str]) -> Json:
    """A resource cut down to the requested parts."""
    return {name: value for name, value in resource.items() if name in parts | {"kind", "etag", "id"}}
