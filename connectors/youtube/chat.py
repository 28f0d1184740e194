"""YouTube live chat: reading by polling, and replying."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any, Literal

from connectors.base import Session
from connectors.errors import Refused
from connectors.types import ChatDeletion, ChatHealth, ChatItem, ChatMessage, Money
from connectors.youtube.api import Api, Config

Kind = Literal["text", "paid", "membership", "notice"]

KINDS: dict[str, Kind] = {
    "textMessageEvent": "text",
    "superChatEvent": "paid",
    "superStickerEvent": "paid",
    "fanFundingEvent": "paid",
    "newSponsorEvent": "membership",
    "memberMilestoneChatEvent": "membership",
    "membershipGiftingEvent": "membership",
    "giftMembershipReceivedEvent": "membership",
}
REMEMBERED = 50_000
PAGE = 2000
"""The most a page may hold: a long gap then loses least."""

MINOR_DIGITS = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF"), 0
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
"""ISO 4217 currencies that do not have two decimals."""

Sleep = Callable[[float], Awaitable[None]]


class YouTubeChat:
    """Polls a live chat no faster than YouTube allows. Replies come back with their own id."""

    def __init__(self, session: Session[Config], sleep: Sleep = asyncio.sleep) -> None:
        self._api = Api(session)
        self._floor = session.config.chat_poll_seconds
        self._sleep = sleep

    async def messages(self, ref: str, *, cursor: str | None = None) -> AsyncIterator[ChatItem]:
        """`ref` is the liveChatId. Ends with the chat; a page token YouTube has dropped is survived."""
        seen = Seen()
        token, backlog, announced, restarted = cursor, cursor is None, False, False
        while True:
            try:
                page = await self._page(ref, token)
            except Refused as refused:
                if refused.code == "liveChatEnded":
                    return
                if refused.code != "pageTokenInvalid" or token is None:
                    raise
                # The history comes again: what we know is dropped, the rest is new to us unless
                # this reader is itself new.
                token, restarted, backlog = None, True, not seen
                continue
            items = page.get("items", [])
            if restarted and not any(item["id"] in seen for item in items):
                yield ChatHealth(state="degraded", detail="YouTube forgot our place.", missed=True)
            if not announced or restarted:
                yield ChatHealth(state="connected")
            announced, restarted = True, False
            token = page.get("nextPageToken", token)
            for item in with_cursor([chat_item(i, backlog) for i in items if seen.first(i["id"])], token):
                yield item
            if any(item["snippet"]["type"] == "chatEndedEvent" for item in items):
                return
            backlog = False
            # `offlineAt` is not an end: an encoder that drops for a moment sets it too.
            await self._sleep(max(page.get("pollingIntervalMillis", 0) / 1000, self._floor))

    async def _page(self, ref: str, token: str | None) -> dict[str, Any]:
        return await self._api.call(
            lambda youtube: youtube.liveChatMessages().list(
                liveChatId=ref, part="id,snippet,authorDetails", pageToken=token, maxResults=PAGE
            )
        )


class YouTubeReplies:
    """Writes to a live chat. YouTube has no key for repeats: a lost answer is RetryLater(unknown)."""

    def __init__(self, session: Session[Config]) -> None:
        self._api = Api(session)

    async def send(self, ref: str, text: str, *, key: str) -> str:
        """Send once; the message also comes back through the chat with this id."""
        body = {
            "snippet": {
                "liveChatId": ref,
                "type": "textMessageEvent",
                "textMessageDetails": {"messageText": text},
            }
        }
        sent = await self._api.call(
            lambda youtube: youtube.liveChatMessages().insert(part="snippet", body=body)
        )
        return str(sent["id"])


class Seen:
    """The newest ids, to drop what YouTube sends twice."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def first(self, message_id: str) -> bool:
        """True the first time an id is shown."""
        if message_id in self._ids:
            return False
        self._ids[message_id] = None
        if len(self._ids) > REMEMBERED:
            self._ids.popitem(last=False)
        return True


def with_cursor(items: list[ChatItem], token: str | None) -> list[ChatItem]:
    """The page's token on its last message: resuming there skips nothing of the page."""
    for index in range(len(items) - 1, -1, -1):
        item = items[index]
        if isinstance(item, ChatMessage):
            items[index] = item.model_copy(update={"cursor": token})
            break
    return items


def chat_item(item: dict[str, Any], backlog: bool) -> ChatItem:
    """One liveChatMessage resource; unknown types pass as a notice. Source: samples/chat_page.json."""
    snippet = item["snippet"]
    kind = snippet["type"]
    author = item.get("authorDetails", {})
    removed = _removed(item["id"], kind, snippet)
    if removed is not None:
        return removed
    sent_at = snippet.get("publishedAt")
    return ChatMessage(
        id=item["id"],
        text=_text(kind, snippet),
        author_id=author.get("channelId") or snippet.get("authorChannelId"),
        author_name=author.get("displayName"),
        kind=KINDS.get(kind, "notice"),
        money=_money(snippet),
        sent_at=datetime.fromisoformat(sent_at) if sent_at else None,
        ours=author.get("isChatOwner", False),
        backlog=backlog,
    )


def _removed(message_id: str, kind: str, snippet: dict[str, Any]) -> ChatDeletion | None:
    if kind == "tombstone":
        return ChatDeletion(message_ids=(message_id,))
    if kind == "userBannedEvent":
        return ChatDeletion(author_id=snippet["userBannedDetails"]["bannedUserDetails"]["channelId"])
    deleted = snippet.get("messageDeletedDetails", {}).get("deletedMessageId")
    retracted = snippet.get("messageRetractedDetails", {}).get("retractedMessageId")
    return ChatDeletion(message_ids=(deleted or retracted,)) if deleted or retracted else None


def _text(kind: str, snippet: dict[str, Any]) -> str:
    # What the person wrote, where there is such a thing: displayMessage wraps it for paid messages.
    if kind == "textMessageEvent":
        return str(
            snippet.get("textMessageDetails", {}).get("messageText", snippet.get("displayMessage", ""))
        )
    if kind == "superChatEvent":
        return str(snippet["superChatDetails"].get("userComment", ""))
    return str(snippet.get("displayMessage", "" if kind == "chatEndedEvent" else kind))


def _money(snippet: dict[str, Any]) -> Money | None:
    paid = snippet.get("superChatDetails") or snippet.get("superStickerDetails")
    if not paid or "amountMicros" not in paid:
        return None
    digits = MINOR_DIGITS.get(paid["currency"], 2)
    # Integers only: micros of the currency to its minor unit, half up.
    amount = (int(paid["amountMicros"]) * 10**digits + 500_000) // 1_000_000
    return Money(amount=amount, currency=paid["currency"])
