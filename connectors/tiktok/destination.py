"""TikTok as a place to stream to: the server and the key that a person brought."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from connectors.base import Session
from connectors.errors import Refused
from connectors.tiktok.config import Config
from connectors.tiktok.rooms import Rooms
from connectors.types import Broadcast, BroadcastStatus, Ingest

NO_KEY = (
    "Enter the server URL and the stream key of this LIVE: TikTok LIVE Producer shows both, "
    "new ones for every LIVE."
)
NOBODY_SAYS = (
    "TikTok doesn't tell programs whether a LIVE is on. "
    "Look in TikTok itself; it may want you to press Go LIVE."
)
CLOSED = (
    "TikTok takes our stream, but no LIVE of @{name} is on. Press Go LIVE in TikTok. "
    "If that LIVE is over already, its key is too: enter the new one."
)
EXPIRES = re.compile(r"[?&]expire=([0-9]{10})(?![0-9])")
"""TikTok's keys often say themselves until when they are good, in unix seconds."""


class TikTokDestination:
    """Hands out what was entered and claims nothing.

    TikTok accepts a stream before "Go LIVE" is pressed, and even on a key whose LIVE is over: that our
    push is taken proves nothing. Where a chat is set up, TikTok's website is asked whether the LIVE is on;
    elsewhere no state but `starting` would be honest.
    """

    def __init__(self, session: Session[Config]) -> None:
        self._config = session.config
        self._rooms = Rooms(session)
        self._ingest_url = session.addresses.ingest_url

    async def open(self, broadcast: Broadcast) -> Ingest:
        """The entered address; the marker is the reference. The chat is named only where it is set up."""
        if not self._config.url:
            raise Refused(NO_KEY)
        name = self._config.unique_id
        return Ingest(
            ref=broadcast.marker,
            url=self._ingest_url or self._config.url,
            key=self._config.key,
            chat_ref=name if self._config.chat_is_on else None,
            watch_url=f"https://www.tiktok.com/@{name}/live" if name else None,
            expires_at=expiry_of(self._config.key.get_secret_value()),
        )

    async def started(self, ref: str) -> BroadcastStatus:
        """There is nobody to tell; a person presses Go LIVE. While we push, a closed room waits for them."""
        closed = CLOSED.format(name=self._config.unique_id)
        return await self._asked(BroadcastStatus(state="starting", reason=closed))

    async def status(self, ref: str) -> BroadcastStatus:
        """Whether the LIVE is on, where somebody can be asked; a room that is closed has ended."""
        over = f"No LIVE of @{self._config.unique_id} is on."
        return await self._asked(BroadcastStatus(state="ended", reason=over))

    async def close(self, ref: str) -> None:
        """Nothing to call: a LIVE ends in TikTok, or some time after we stop pushing."""

    async def _asked(self, closed: BroadcastStatus) -> BroadcastStatus:
        if not self._config.chat_is_on:
            return BroadcastStatus(state="starting", reason=NOBODY_SAYS)
        try:
            room = await self._rooms.find(self._config.unique_id)
        except Refused as unknown:
            # The stream needs neither the name nor the site: a wrong name must not fail it.
            return BroadcastStatus(state="starting", reason=f"{unknown.reason} {NOBODY_SAYS}")
        if not room.on_air:
            return closed
        # TikTok keeps a room only while a picture arrives.
        return BroadcastStatus(state="live", receiving=True, viewers=room.viewers)


def expiry_of(key: str) -> datetime | None:
    """Until when a key says it is good."""
    found = EXPIRES.search(key)
    return datetime.fromtimestamp(int(found[1]), UTC) if found else None
