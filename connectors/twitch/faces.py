"""Pictures of a chat's authors, which EventSub does not bring along."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from connectors.errors import ConnectorError, RetryLater
from connectors.twitch.api import Helix, understood

REMEMBERED = 20_000
MOST_IDS = 100
"""Of one call to Twitch."""
WAITING = 1000
PAUSE = 1.0


class Faces:
    """Asks for many authors at once and beside the chat: no message waits for a picture.

    So somebody's first message has none yet; the next ones do.
    """

    def __init__(self, helix: Helix, pause: float = PAUSE) -> None:
        self._helix = helix
        self._pause = pause
        self._known: OrderedDict[str, str | None] = OrderedDict()
        self._wanted: dict[str, None] = {}
        self._asked = asyncio.Event()

    def of(self, author: str | None) -> str | None:
        """A picture's address, if it is known already."""
        if author is None or author in self._known:
            return self._known.get(author or "")
        if len(self._wanted) < WAITING:
            self._wanted[author] = None
            self._asked.set()
        return None

    async def run(self) -> None:
        """Ask until cancelled, or until Twitch will not have it: pictures are not worth a chat."""
        while True:
            await self._asked.wait()
            authors = list(self._wanted)[:MOST_IDS]
            try:
                self._learn(authors, await self._look_up(authors))
                wait = self._pause
            except RetryLater as later:
                wait = later.after
            except ConnectorError:
                return
            if not self._wanted:
                self._asked.clear()
            await asyncio.sleep(wait)

    async def _look_up(self, authors: list[str]) -> dict[str, str]:
        answer = await self._helix.get_users(ids=list(authors))
        with understood():
            return {str(user["id"]): str(user["profile_image_url"]) for user in answer["data"]}

    def _learn(self, authors: list[str], found: dict[str, str]) -> None:
        for author in authors:
            self._wanted.pop(author, None)
            self._known[author] = found.get(author) or None
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
