"""Comments of a Facebook live video: pushed where Facebook pushes, read in any case."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from connectors.base import Session
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.facebook.api import GRAPH, STREAMING, Api, Config
from connectors.facebook.comments import comment_id, comments_of, message
from connectors.facebook.errors import classify
from connectors.facebook.videos import OVER, LiveVideos
from connectors.http import Patience
from connectors.types import ChatDeletion, ChatHealth, ChatItem, ChatMessage

FIELDS = "id,message,from{id,name},created_time,is_hidden,parent{id}"
RICH = "id,message,from{id,name,picture{url}},created_time,is_hidden,parent{id},message_tags,attachment"
REMEMBERED = 50_000
PAGES = 3
"""Of a read, before what was pushed meanwhile has its turn."""
UNREAD = 1000
"""Pushed comments that wait for their reader; the push itself is made to wait beyond that."""

Push = dict[str, Any] | Literal["up", "down"]


@dataclass(frozen=True)
class Pace:
    """Seconds between reads: with the push stream (to find what it dropped) and of the video's status.

    `page`: between two parts of a read that has many pages.
    """

    reconcile: float = 20.0
    page: float = 0.2
    status: float = 15.0
    reconnect: float = 5.0
    idle: float = 120.0


@dataclass
class Place:
    """Where a reader is: the start of the newest page, the ids it has shown, whether pages are history.

    The newest page is read again until it is full, so that what Facebook puts in late is found as well.
    """

    ref: str
    start: str | None
    backlog: bool
    pushed: bool = False
    restarted: bool = False
    fields: str = RICH
    ids: OrderedDict[str, bool] = field(default_factory=OrderedDict)
    """Each with whether it is hidden."""

    def first(self, key: str) -> bool:
        """True the first time an id is shown."""
        if key in self.ids:
            return False
        self.ids[key] = False
        if len(self.ids) > REMEMBERED:
            self.ids.popitem(last=False)
        return True

    def hidden(self, key: str, hidden: bool) -> bool:
        """True when a comment that was shown has been hidden since."""
        changed = self.ids.get(key) is False and hidden
        if key in self.ids:
            self.ids[key] = hidden
        return changed


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
        self._videos = LiveVideos(self._api, self._page_id)
        self._webhooks = bool(session.config.verify_token.get_secret_value())
        self._pace = pace or Pace()
        self._alone = session.config.chat_poll_seconds
        self._sleep = sleep
        addresses = session.addresses
        moved = addresses.base_url != GRAPH and addresses.ws_url == STREAMING
        # Whoever moves only the Graph address must never have a login sent to the real stream host.
        self._streaming = addresses.base_url if moved or not addresses.ws_url else addresses.ws_url

    async def messages(self, ref: str, *, cursor: str | None = None) -> AsyncIterator[ChatItem]:
        """`ref` is the post or the live video. Ends when the live video has ended, after one last read."""
        place = Place(ref, cursor, backlog=cursor is None)
        inbox: asyncio.Queue[Push] = asyncio.Queue(maxsize=UNREAD)
        await self._subscribe()
        live = await self._videos.of_post(ref) if "_" in ref else ref
        listener = asyncio.create_task(self._listen(live, inbox))
        clock, patience = asyncio.get_running_loop().time, Patience()
        checked, rest, over = clock(), 0.0, False
        try:
            while True:
                behind = False
                try:
                    # A push that comes back must not make us read sooner than we were told.
                    if clock() < rest:
                        raise RetryLater("Facebook asks us to slow down.", rest - clock())
                    read = 0
                    async with aclosing(self._pages(place)) as pages:
                        async for page in pages:
                            for item in page:
                                yield item
                            read += 1
                            # In a storm there are many pages: what is pushed meanwhile does not wait for all.
                            behind = place.pushed and not place.backlog and read == PAGES
                            if behind:
                                break
                    if over:
                        return
                    if live and clock() - checked >= self._pace.status * self._api.slower:
                        checked, over = clock(), await self._videos.status(live) in OVER
                        if over:
                            continue
                    if rest:
                        rest = 0.0
                        yield health(place.pushed)
                except RetryLater as later:
                    if not place.pushed:
                        raise
                    # Reading is throttled or down, the push is neither: go on with what we have.
                    rest = clock() + later.after
                    yield ChatHealth(state="degraded", detail=later.reason)
                until = max(rest, clock() + (self._pace.page if behind else self._interval(place.pushed)))
                while (push := await pushed(inbox, until - clock(), patience)) is not None:
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

    async def _subscribe(self) -> None:
        """Have the Page's news sent to the brand's app; without them the chat is read all the same."""
        if self._webhooks:
            with suppress(ConnectorError):
                await self._api.post(f"{self._page_id}/subscribed_apps", subscribed_fields="feed,live_videos")

    async def _pages(self, place: Place) -> AsyncGenerator[list[ChatItem]]:
        while True:
            try:
                page = await self._page(place)
            except Refused as refused:
                if refused.code != "100":
                    raise
                if place.fields == RICH:
                    # Graph refuses a whole call for one field an app may not read.
                    place.fields = FIELDS
                elif place.start is None:
                    raise
                else:
                    # Cursors are short-lived: begin again, and drop what was shown.
                    place.start, place.restarted, place.backlog = None, True, not place.ids
                    place.fields = RICH
                continue
            known = any(comment_id(place.ref, raw["id"]) in place.ids for raw in page["data"])
            items = self._items(place, page["data"])
            if place.restarted and not known:
                items.insert(
                    0, ChatHealth(state="degraded", detail="Facebook forgot our place.", missed=True)
                )
            paging = page.get("paging", {})
            place.restarted = False
            after = paging.get("cursors", {}).get("after", place.start)
            # A page may be short or empty and still have a next one: comments were deleted.
            more = "next" in paging
            if more:
                place.start = after
            else:
                place.backlog = False
            yield with_cursor(items, after)
            if not more:
                return

    async def _page(self, place: Place) -> dict[str, Any]:
        paging: dict[str, Any] = {"after": place.start} if place.start else {}
        # The defaults hide replies and whatever Facebook thinks is of low quality.
        return await self._api.get(
            f"{place.ref}/comments",
            fields=place.fields,
            filter="stream",
            live_filter="no_filter",
            order="chronological",
            limit=100,
            **paging,
        )

    def _interval(self, pushed: bool) -> float:
        return (self._pace.reconcile if pushed else self._alone) * self._api.slower

    def _items(self, place: Place, comments: list[dict[str, Any]]) -> list[ChatItem]:
        items: list[ChatItem] = []
        for raw in comments:
            key, hidden = comment_id(place.ref, raw["id"]), bool(raw.get("is_hidden"))
            # A pushed comment does not say whether it is hidden, so it unhides nothing.
            if "is_hidden" in raw and place.hidden(key, hidden):
                items.append(ChatDeletion(message_ids=(key,)))
            elif not hidden and place.first(key):
                items.append(message(place.ref, raw, self._page_id, place.backlog))
        return items

    async def _listen(self, live: str | None, inbox: asyncio.Queue[Push]) -> None:
        told: Push | None = None
        while True:
            offered = live is not None
            try:
                if live is not None:
                    async with aclosing(self._stream(live)) as stream:
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

    async def _stream(self, live: str) -> AsyncGenerator[list[dict[str, Any]]]:
        proof = self._api.proof(await self._api.token())
        # The login travels in the header that session.http adds, not in the address, which is logged.
        params = {
            "comment_rate": "one_hundred_per_second",
            "fields": "id,message,from{name,id},created_time,parent{id}",
            "appsecret_proof": proof,
        }
        url = f"{self._streaming.rstrip('/')}/{live}/live_comments"
        accept = {"Accept": "text/event-stream"}
        async with self._http.stream(
            "GET", url, params=params, headers=accept, idle=self._pace.idle
        ) as response:
            if "event-stream" not in response.headers.get("content-type", ""):
                # A 200 with an error, or a page: either way no stream.
                body = await response.aread()
                raise classify(response.status_code, {}, body) or Refused("Facebook pushes nothing.")
            yield []
            data: list[str] = []
            async for line in response.aiter_lines():
                if line.startswith("data:"):
                    data.append(line[5:])
                elif not line and data:
                    yield comments_of("\n".join(data))
                    data = []


async def pushed(inbox: asyncio.Queue[Push], seconds: float, patience: Patience) -> Push | None:
    """The next word of the push; None when there is none for so long."""
    if not inbox.empty():
        return inbox.get_nowait()
    try:
        return await patience.wait(inbox.get(), max(0.0, seconds))
    except TimeoutError:
        return None


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
