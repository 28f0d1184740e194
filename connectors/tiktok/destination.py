"""TikTok as a place to stream to: the server and the key that a person brought."""

from __future__ import annotations

from connectors.base import Session
from connectors.tiktok.config import Config
from connectors.types import Broadcast, BroadcastStatus, Ingest

NOBODY_SAYS = (
    "TikTok doesn't tell programs whether a LIVE is on. "
    "Look in TikTok itself; it may want you to press Go LIVE."
)


class TikTokDestination:
    """Hands out what was entered and claims nothing.

    TikTok accepts a stream before "Go LIVE" is pressed, and even on a key whose LIVE is over: that our
    push is taken proves nothing, so no state but `starting` would be honest.
    """

    def __init__(self, session: Session[Config]) -> None:
        self._config = session.config
        self._ingest_url = session.addresses.ingest_url

    async def open(self, broadcast: Broadcast) -> Ingest:
        """The entered address; the marker is the reference. The chat is named only where it is set up."""
        name = self._config.unique_id
        return Ingest(
            ref=broadcast.marker,
            url=self._ingest_url or self._config.url,
            key=self._config.key,
            chat_ref=name if self._config.chat_is_on else None,
            watch_url=f"https://www.tiktok.com/@{name}/live" if name else None,
        )

    async def started(self, ref: str) -> BroadcastStatus:
        """There is nobody to tell; a person presses Go LIVE."""
        return await self.status(ref)

    async def status(self, ref: str) -> BroadcastStatus:
        """Unknown, said in the words there are: `receiving` and `viewers` stay None."""
        return BroadcastStatus(state="starting", reason=NOBODY_SAYS)

    async def close(self, ref: str) -> None:
        """Nothing to call: a LIVE ends in TikTok, or some time after we stop pushing."""
