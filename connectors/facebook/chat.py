"""Comments of a Facebook live video: pushed where Facebook pushes, read where it does not; replies."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from connectors.base import Session
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.facebook.api import GRAPH, STREAMING, Api, Config
from connectors.facebook.destination import OVER
from connectors.types import ChatDeletion, ChatHealth, ChatItem, ChatMessage

FIELDS = "id,message,from{id,name},created_time,is_hidden"
REMEMBERED = 50_000
NEARLY_THROTTLED = 75.0
"""Percent of a rate limit from which we read a quarter as often."""

Push = dict[str, Any] | Literal["up", "down"]


@dataclass(frozen=True)
class Pace:
    """Seconds between reads: with the push stream (to find what it dropped) and of the video's status."""

    reconcile: float = 20.0
    status: float = 15.0
    reconnect: float = 5.0
    idle: float = 120.0


@dataclass
class Place:
    """Where a reader is: the paging cursor, the ids it has shown, whether pages are still history."""

    ref: str
    after: str | None
    backlog: bool
    pushed: bool = False
    restarted: bool = False
    ids: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def first(self, comment_id: str) -> bool:
        """True the first time an id is shown."""
        if comment_id in self.ids:
            return False
        self.ids[comment_id] = None
        if len(self.ids) > REMEMBERED:
            self.ids.popitem(last=False)
        return True


class FacebookChat:
    """One stream of comments out of two unreliable ones.

    Push (server-sent events) is fast but has no ids to resume at and drops comments on purpose;
    reading is complete but slow. Every (re)connect of the push is followed by a read.
    """

    def __init__(
        self,
        session: Session[Config],
        pace: Pace | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._api = Api(session)
        self._http = session.http
        self._page_id = session.config.page_id
        self._pace = pace or Pace()
        self._alone = session.config.chat_poll_seconds
        self._sleep = sleep
        addresses = session.addresses
        moved = addresses.base_url != GRAPH and addresses.ws_url == STREAMING
        # Whoever moves only the Graph address must never have a login sent to the real stream host.
        self._streaming = addresses.base_url if moved or not addresses.ws_url else addresses.ws_url

    async def messages(self, ref: str, *, cursor: str | None = None) -> AsyncIterator[ChatItem]:
        """`ref` is the LiveVideo's id. Ends when the live video has ended, after one last read."""
        place = Place(ref, cursor, backlog=cursor is None)
        inbox: asyncio.Queue[Push] = asyncio.Queue(maxsize=1000)
        listener = asyncio.create_task(self._listen(ref, inbox))
        clock = asyncio.get_running_loop().time
        checked, over = clock(), False
        try:
            while True:
                pause = 0.0
                try:
                    async for page in self._pages(place):
                        for item in page:
                            yield item
                    if over:
                        return
                    if clock() - checked >= self._pace.status:
                        checked, over = clock(), await self._over(ref)
                        if over:
                            continue
                except RetryLater as later:
                    if not place.pushed:
                        raise
                    # Reading is throttled or down, the push is neither: go on with what we have.
                    pause = later.after
                    yield ChatHealth(state="degraded", detail=later.reason)
                until = clock() + max(pause, self._interval(place.pushed))
                while (push := await self._pushed(inbox, until - clock())) is not None:
                    if isinstance(push, str):
                        place.pushed = push == "up"
                        yield health(place.pushed)
                        break
                    for item in self._items(place, [push]):
                        yield item
                if listener.done() and not listener.cancelled():
                    # It ends by itself only where push is not offered; anything else is a bug to show.
                    listener.result()
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    async def _pages(self, place: Place) -> AsyncIterator[list[ChatItem]]:
        while True:
            try:
                page = await self._page(place)
            except Refused as refused:
                # Cursors are short-lived: begin again, and drop what was shown.
                if place.after is None or refused.code != "100":
                    raise
                place.after, place.restarted, place.backlog = None, True, not place.ids
                continue
            known = any(comment_id(place.ref, raw["id"]) in place.ids for raw in page["data"])
            items = self._items(place, page["data"])
            if place.restarted and not known:
                items.insert(
                    0, ChatHealth(state="degraded", detail="Facebook forgot our place.", missed=True)
                )
            paging = page.get("paging", {})
            place.restarted = False
            place.after = paging.get("cursors", {}).get("after", place.after)
            yield with_cursor(items, place.after)
            # A page may be short or empty and still have a next one: comments were deleted.
            if "next" not in paging:
                place.backlog = False
                return

    async def _page(self, place: Place) -> dict[str, Any]:
        paging = {"after": place.after} if place.after else {}
        page = await self._api.read(
            lambda graph: graph.get_connections(
                place.ref,
                "comments",
                fields=FIELDS,
                # The defaults hide replies and whatever Facebook thinks is of low quality.
                filter="stream",
                live_filter="no_filter",
                order="chronological",
                limit=100,
                **paging,
            )
        )
        return dict(page)

    async def _over(self, ref: str) -> bool:
        video = await self._api.read(lambda graph: graph.get_object(ref, fields="status"))
        return video["status"] in OVER

    def _interval(self, pushed: bool) -> float:
        interval = self._pace.reconcile if pushed else self._alone
        return interval * 4 if self._api.used >= NEARLY_THROTTLED else interval

    def _items(self, place: Place, comments: list[dict[str, Any]]) -> list[ChatItem]:
        items: list[ChatItem] = []
        for raw in comments:
            key = comment_id(place.ref, raw["id"])
            if raw.get("is_hidden"):
                if key in place.ids:
                    items.append(ChatDeletion(message_ids=(key,)))
            elif place.first(key):
                items.append(message(key, raw, self._page_id, place.backlog))
        return items

    async def _pushed(self, inbox: asyncio.Queue[Push], seconds: float) -> Push | None:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                return await inbox.get()
        except TimeoutError:
            return None

    async def _listen(self, ref: str, inbox: asyncio.Queue[Push]) -> None:
        told: Push | None = None
        while True:
            offered = True
            try:
                async with aclosing(self._stream(ref)) as stream:
                    async for comments in stream:
                        if told != "up":
                            told = "up"
                            await inbox.put(told)
                        for comment in comments:
                            await inbox.put(comment)
            except RetryLater:
                # The same as a stream that ends by itself: say so, wait, connect again.
                pass
            except (Reconnect, Refused):
                # Not for this app, or the login is dead: the next read finds out and says so.
                offered = False
            if told != "down":
                told = "down"
                await inbox.put(told)
            if not offered:
                return
            await self._sleep(self._pace.reconnect)

    async def _stream(self, ref: str) -> AsyncGenerator[list[dict[str, Any]]]:
        proof = self._api.proof(await self._api.token())
        # The login travels in the header that session.http adds, not in the address, which is logged.
        params = {
            "comment_rate": "one_hundred_per_second",
            "fields": "id,message,from{name,id},created_time",
            "appsecret_proof": proof,
        }
        url = f"{self._streaming.rstrip('/')}/{ref}/live_comments"
        accept = {"Accept": "text/event-stream"}
        async with self._http.stream(
            "GET", url, params=params, headers=accept, idle=self._pace.idle
        ) as response:
            yield []
            data: list[str] = []
            async for line in response.aiter_lines():
                if line.startswith("data:"):
                    data.append(line[5:])
                elif not line and data:
                    yield comments_of("\n".join(data))
                    data = []


class FacebookReplies:
    """Writes comments as the Page. A lost answer is RetryLater(unknown): Facebook has no repeat key."""

    def __init__(self, session: Session[Config]) -> None:
        self._api = Api(session)

    async def send(self, ref: str, text: str, *, key: str) -> str:
        """Comment once; it comes back through the chat with this id."""
        made = await self._api.write(lambda graph: graph.put_object(ref, "comments", message=text))
        return comment_id(ref, made["id"])


def comment_id(ref: str, spelling: str) -> str:
    """One id for `c`, `post_c` and `video_c`: the last part is the comment, the rest depends on the way."""
    return f"{ref}_{spelling.rpartition('_')[2]}"


def comments_of(data: str) -> list[dict[str, Any]]:
    """One event: a comment, or an array of them. An unreadable one is left to the next read."""
    try:
        event = json.loads(data)
    except ValueError:
        return []
    events = event if isinstance(event, list) else [event]
    return [comment for comment in events if isinstance(comment, dict) and "id" in comment]


def message(key: str, raw: dict[str, Any], page: str, backlog: bool) -> ChatMessage:
    """One comment. `from` is missing without the right permission. Source: samples/comments.json."""
    author = raw.get("from") or {}
    sent_at = raw.get("created_time")
    return ChatMessage(
        id=key,
        text=raw.get("message", ""),
        author_id=author.get("id"),
        author_name=author.get("name"),
        sent_at=datetime.fromisoformat(sent_at) if sent_at else None,
        ours=author.get("id") == page,
        backlog=backlog,
    )


def with_cursor(items: list[ChatItem], after: str | None) -> list[ChatItem]:
    """The page's cursor on its last message: resuming there skips nothing of the page."""
    for index in range(len(items) - 1, -1, -1):
        item = items[index]
        if isinstance(item, ChatMessage):
            items[index] = item.model_copy(update={"cursor": after})
            break
    return items


def health(pushed: bool) -> ChatHealth:
    """What the reader says when the push stream comes or goes."""
    if pushed:
        return ChatHealth(state="connected")
    return ChatHealth(state="degraded", detail="Facebook does not push comments now; they are read instead.")
