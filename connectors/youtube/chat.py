"""YouTube live chat: read as it is pushed, or polled where that is cheaper; and written to."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.base import Session
from connectors.errors import Refused, RetryLater
from connectors.oauth import utc_now
from connectors.types import ChatHealth, ChatItem, ChatMessage
from connectors.youtube.api import Api
from connectors.youtube.broadcasts import OVER, Broadcasts, life
from connectors.youtube.config import Config
from connectors.youtube.messages import chat_item
from connectors.youtube.pace import Pace
from connectors.youtube.push import Push

REMEMBERED = 50_000
PAGE = 2000
"""The most a page may hold: a long gap then loses least."""
UNTOLD_WAIT = 2.0
"""Seconds between polls where YouTube names none."""
LEAST_WAIT = 0.2
SLOW = 15.0
"""Seconds between reads from which on a person should know."""
SKEW = timedelta(seconds=30)
LOOK_AGAIN = 90.0
DOUBTFUL = frozenset({"liveChatDisabled", "liveChatNotFound", "forbidden", "403", "404"})
"""Refusals that may mean that the chat is over, and may not."""

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Page:
    """One answer. `token` is where reading resumes after it; `wait`: seconds to the next, 0 when pushed."""

    items: list[dict[str, Any]]
    token: str | None
    wait: float


class YouTubeChat:
    """Reads a live chat no faster than YouTube and its quota allow. Replies come back with their own id."""

    def __init__(
        self,
        session: Session[Config],
        sleep: Sleep = asyncio.sleep,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        config = session.config
        self._api = Api(session, now)
        self._push = Push(session, self._api, now)
        self._pace = Pace(session.budget, floor=config.chat_poll_seconds, hours=config.hours_live, now=now)
        self._sleep = sleep
        self._now = now

    async def messages(self, ref: str, *, cursor: str | None = None) -> AsyncIterator[ChatItem]:
        """`ref` is the liveChatId. Ends with the chat; a page token YouTube has dropped is survived."""
        seen, told = Seen(), ""
        # History goes on for as many pages as it needs; only the first one is surely all history.
        history, first, restarted = cursor is None, cursor is None, False
        begun = self._now() - SKEW
        async with aclosing(self._pages(ref, cursor)) as pages:
            async for page in pages:
                if page is None:
                    # The history comes again: what we know is dropped, the rest is new to us unless
                    # this reader is itself new.
                    restarted, first, history = True, not seen, history or not seen
                    continue
                if restarted and not any(item["id"] in seen for item in page.items):
                    yield ChatHealth(state="degraded", detail="YouTube forgot our place.", missed=True)
                health = health_of(page)
                if restarted or health.state != told:
                    yield health
                told, restarted = health.state, False
                new = [item for item in page.items if seen.first(item["id"])]
                items = [chat_item(item, first or (history and before(item, begun))) for item in new]
                for found in with_cursor([item for item in items if item is not None], page.token):
                    yield found
                if any(item.get("snippet", {}).get("type") == "chatEndedEvent" for item in page.items):
                    return
                first = False

    async def _pages(self, ref: str, token: str | None) -> AsyncGenerator[Page | None, None]:
        """Answers in a row; None where YouTube no longer knows our place and begins again."""
        # `offlineAt` and the end of a connection are no end: an encoder that drops for a moment sets it too.
        least, pushed = UNTOLD_WAIT, False
        while True:
            try:
                wait = await self._pace.wait(least)
                if self._push.pays(wait):
                    messages = 0
                    async with aclosing(self._push.pages(ref, token)) as answers:
                        async for answer in answers:
                            token, items = answer.get("nextPageToken", token), answer.get("items", [])
                            messages, pushed = messages + len(items), True
                            yield Page(items, token, wait=0)
                    self._pace.read(messages, wait)
                    if self._push.pays(wait) and self._push.lived < wait:
                        # Opened again at once, it would cost more than polling.
                        await self._sleep(wait - self._push.lived)
                    continue
                if pushed:
                    # The token is a moment old, and YouTube would call a poll too early.
                    pushed = False
                    await self._sleep(wait)
                answer = await self._poll(ref, token)
            except Refused as refused:
                if refused.code == "pageTokenInvalid" and token is not None:
                    token = None
                    yield None
                    continue
                if await self._over(ref, refused):
                    return
                raise
            token = answer.get("nextPageToken", token)
            least = max(answer.get("pollingIntervalMillis", UNTOLD_WAIT * 1000) / 1000, LEAST_WAIT)
            items = answer.get("items", [])
            wait = await self._pace.wait(least)
            self._pace.read(len(items), wait)
            yield Page(items, token, wait=wait)
            await self._sleep(wait)

    async def _poll(self, ref: str, token: str | None) -> dict[str, Any]:
        return await self._api.call(
            "liveChatMessages.list",
            liveChatId=ref,
            part="id,snippet,authorDetails",
            pageToken=token,
            maxResults=PAGE,
        )

    async def _over(self, ref: str, refused: Refused) -> bool:
        """Whether the refusal means that the show is over: the broadcast itself is asked."""
        if refused.code == "liveChatEnded":
            return True
        if refused.code not in DOUBTFUL:
            return False
        known = await Broadcasts(self._api).all()
        ours = next((one for one in known if one["snippet"].get("liveChatId") == ref), None)
        if ours is None:
            raise Refused(
                "YouTube no longer knows this live chat: its broadcast was deleted or is somebody else's.",
                code="liveChatNotFound",
            )
        if life(ours) in OVER:
            return True
        if refused.code == "liveChatDisabled":
            raise RetryLater(
                "Live chat is switched off for this YouTube broadcast. Switch it on in YouTube Studio.",
                LOOK_AGAIN,
            )
        return False


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
        sent = await self._api.call("liveChatMessages.insert", weight="urgent", part="snippet", body=body)
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


def before(item: dict[str, Any], moment: datetime) -> bool:
    """True when a message says that it was written before the moment."""
    published = item.get("snippet", {}).get("publishedAt")
    return published is not None and datetime.fromisoformat(published) < moment


def health_of(page: Page) -> ChatHealth:
    """How the reader is doing, in the producer's words."""
    if page.wait < SLOW:
        return ChatHealth(state="connected")
    detail = f"Little is left of today's YouTube quota: the chat is read every {page.wait:.0f} seconds."
    return ChatHealth(state="degraded", detail=detail)


def with_cursor(items: list[ChatItem], token: str | None) -> list[ChatItem]:
    """The page's token on its last message: resuming there skips nothing of the page."""
    for index in range(len(items) - 1, -1, -1):
        item = items[index]
        if isinstance(item, ChatMessage):
            items[index] = item.model_copy(update={"cursor": token})
            break
    return items
