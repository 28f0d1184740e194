"""The chat's streaming endpoint: GET liveChat/messages/stream, one JSON array that grows.

It is meant to stay open, and has been seen to be closed every ten seconds; each opening costs as much as
a read. How long connections live is therefore measured, and pushing is used while it is the cheaper way.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

from connectors.base import Session
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.oauth import utc_now
from connectors.youtube.api import Api
from connectors.youtube.config import Config
from connectors.youtube.pieces import Pieces
from connectors.youtube.refusals import UsedUp, error_in

STREAM = "youtube/v3/liveChat/messages/stream"
SILENCE = 60.0
"""Seconds without a byte after which a connection counts as dead."""
AGAIN = timedelta(minutes=10)
"""Pushing is tried again after this, when it failed or was too dear."""
TRUE_ANSWERS = frozenset(
    {"liveChatEnded", "liveChatDisabled", "liveChatNotFound", "forbidden", "pageTokenInvalid"}
)
"""Refusals that are about the chat, and that polling would bring as well."""


class Push:
    """Opens the stream; knows whether it pays."""

    def __init__(self, session: Session[Config], api: Api, now: Callable[[], datetime] = utc_now) -> None:
        self._http = session.http
        self._api = api
        self._now = now
        self._life: float | None = None
        self.lived = 0.0
        """Seconds from the opening to the end of the last connection that brought something."""
        self._not_before = now()

    def pays(self, wait: float) -> bool:
        """True when a connection may be expected to outlive the wait between two polls."""
        if self._life is not None and self._life < wait:
            # Polling is cheaper. Look again later, from the beginning.
            self._life, self._not_before = None, self._now() + AGAIN
        return self._now() >= self._not_before

    async def pages(self, ref: str, token: str | None) -> AsyncGenerator[dict[str, Any], None]:
        """What one connection brings; ends when it is closed, which says nothing about the chat."""
        opened, brought = self._now(), False
        try:
            async with aclosing(self._read(ref, token)) as read:
                async for page in read:
                    brought = True
                    yield page
        except RetryLater as lost:
            if isinstance(lost, UsedUp):
                await self._api.dry()
                raise
        except Refused as refused:
            if refused.code in TRUE_ANSWERS:
                raise
        if not brought:
            # No stream here, or something in between that keeps it to itself. Polling tells what is wrong.
            self._not_before = self._now() + AGAIN
            return
        self.lived = (self._now() - opened).total_seconds()
        self._life = self.lived if self._life is None else 0.7 * self._life + 0.3 * self.lived

    async def _read(self, ref: str, token: str | None) -> AsyncGenerator[dict[str, Any], None]:
        await self._api.pay("liveChatMessages.stream")
        for attempt in (1, 2):
            login = self._http.login
            held = await login.access() if login else ""
            try:
                async with aclosing(self._one(ref, token)) as one:
                    async for page in one:
                        token = page.get("nextPageToken", token)
                        yield page
                return
            except Reconnect:
                # `Http.stream` leaves the renewal of a login to its caller.
                if attempt == 2 or login is None:
                    raise
                await login.renew(held)

    async def _one(self, ref: str, token: str | None) -> AsyncGenerator[dict[str, Any], None]:
        params = {"liveChatId": ref, "part": "id,snippet,authorDetails"} | (
            {"pageToken": token} if token else {}
        )
        # Uncompressed: a compressor in between may hold elements back.
        plain = {"Accept-Encoding": "identity"}
        pieces = Pieces()
        async with self._http.stream("GET", STREAM, params=params, headers=plain, idle=SILENCE) as answer:
            async for data in answer.aiter_bytes():
                try:
                    found = pieces.feed(data)
                except ValueError:
                    raise RetryLater("YouTube's stream of chat messages can't be read.") from None
                for piece in found:
                    error = error_in(piece, self._now())
                    if error is not None:
                        raise error
                    yield piece
