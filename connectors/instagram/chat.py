"""Comments of the live that is on, read newest first; webhooks bring the same ones, by the same ids."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from connectors.base import Session
from connectors.errors import ConnectorError, Refused
from connectors.instagram.api import Api, Config
from connectors.instagram.comments import message
from connectors.instagram.errors import GONE
from connectors.types import ChatDeletion, ChatHealth, ChatItem

FIELDS = "id,text,timestamp,username,from{id,username},parent_id,hidden"
LARGEST = 50
"""Instagram gives no more comments at once."""
DEEPEST = 20
"""Pages that are turned back at most; what lies deeper is reported as missed."""
REMEMBERED = 50_000
LOOK = 10.0
"""Seconds between looks whether the live is on."""
ENDED_AFTER = 2
WAITING = "Instagram does not show the live yet; its comments are read as soon as it does."
SILENT = (
    "Instagram counts comments but shows none: the app may lack Advanced Access, or the account is private. "
    "Write a test comment from another account to check."
)


@dataclass
class Place:
    """Where a reader is in one live. `until`: the comment up to which it was read before."""

    media: str
    until: str | None
    backlog: bool
    silent: int = 0
    told: str | None = None
    ids: OrderedDict[str, bool] = field(default_factory=OrderedDict)
    """Each with whether it is hidden."""

    def remember(self, key: str, hidden: bool) -> None:
        """Note a comment; the oldest is forgotten when there are too many."""
        self.ids[key] = hidden
        if len(self.ids) > REMEMBERED:
            self.ids.popitem(last=False)


class InstagramChat:
    """Comments can be read while the live is on and never again: what is missed then is lost."""

    def __init__(
        self, session: Session[Config], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._api = Api(session)
        self._config = session.config
        self._sleep = sleep

    async def messages(self, ref: str, *, cursor: str | None = None) -> AsyncIterator[ChatItem]:
        """`ref` is the account. Waits for the live, and ends when it is no longer shown twice in a row."""
        if not self._api.linked:
            raise Refused("Link the Instagram account to read its comments.", code="not_linked")
        await self._subscribe()
        place: Place | None = None
        looks = empty = 0
        while True:
            live = await self._api.live()
            empty = 0 if live else empty + 1
            if place and empty >= ENDED_AFTER:
                return
            if live and (place is None or place.media != live["id"]):
                place = begun(str(live["id"]), cursor, first=looks == 0)
            if live and place:
                async for item in self._until_next_look(place, live.get("comments_count") or 0):
                    yield item
            else:
                if not looks:
                    yield ChatHealth(state="degraded", detail=WAITING)
                await self._sleep(LOOK * self._api.slower)
            looks += 1

    async def _subscribe(self) -> None:
        """Have comments sent to the brand's app; without them the chat is read all the same."""
        if not self._config.verify_token.get_secret_value():
            return
        # Through a Page any field of the Page will do: what Instagram sends is set in the Meta app.
        through_page = self._config.host == "graph.facebook.com"
        fields = "feed" if through_page else "live_comments"
        with suppress(ConnectorError):
            await self._api.call(
                "POST", f"{self._api.speaker}/subscribed_apps", params={"subscribed_fields": fields}
            )

    async def _until_next_look(self, place: Place, counted: int) -> AsyncIterator[ChatItem]:
        waited = 0.0
        while waited < LOOK:
            try:
                items = await self._news(place)
            except Refused as refused:
                if refused.code != GONE:
                    raise
                # Comments go the second the live ends, sooner than the live itself.
                items = []
                waited = LOOK
            for item in items:
                yield item
            place.silent = place.silent + 1 if counted and not (place.ids or place.until) else 0
            detail = SILENT if place.silent >= ENDED_AFTER else ""
            if detail != place.told:
                place.told = detail
                yield ChatHealth(state="degraded" if detail else "connected", detail=detail)
            pause = self._config.chat_poll_seconds * self._api.slower
            waited += pause
            await self._sleep(pause)

    async def _news(self, place: Place) -> list[ChatItem]:
        """What was said or hidden since the last read, oldest first."""
        found, met = await self._turn_back(place)
        items: list[ChatItem] = []
        if not met and (place.ids or place.until):
            items.append(ChatHealth(state="degraded", detail="Instagram gave too many to read.", missed=True))
        for raw in reversed(found):
            key, hidden = str(raw["id"]), bool(raw.get("hidden"))
            if hidden and place.ids.get(key) is False:
                items.append(ChatDeletion(message_ids=(key,)))
            elif not hidden and key not in place.ids:
                told = message(
                    raw, self._config.account_id, username=self._config.username, backlog=place.backlog
                )
                items.append(told.model_copy(update={"cursor": f"{place.media}:{key}"}))
            place.remember(key, hidden)
        place.backlog = False
        return items

    async def _turn_back(self, place: Place) -> tuple[list[dict[str, Any]], bool]:
        """Comments, newest first, back to where we were; and whether that place was reached."""
        found: list[dict[str, Any]] = []
        paging: dict[str, str] = {}
        met = False
        for _ in range(DEEPEST):
            page = await self._api.call(
                "GET",
                f"{place.media}/comments",
                params={"fields": FIELDS, "limit": str(LARGEST), **paging},
            )
            for raw in page.get("data", ()):
                if raw["id"] == place.until:
                    return found, True
                # The rest of the page is looked at as well: some come late, some were hidden.
                met = met or raw["id"] in place.ids
                found.append(raw)
            if met or "next" not in page.get("paging", {}):
                return found, True
            paging = {"after": page["paging"]["cursors"]["after"]}
        return found, False


def begun(media: str, cursor: str | None, *, first: bool) -> Place:
    """A live that is on at the first look has a history, unless we were reading before."""
    where, _, comment = (cursor or "").partition(":")
    return Place(media, comment if where == media else None, backlog=cursor is None and first)
