"""Instagram as a place to stream to: the server and the key that a person brought from Live Producer."""

from __future__ import annotations

from connectors.base import Session
from connectors.errors import Refused, RetryLater
from connectors.instagram.api import REST, STOP, UNTOLD, Api, Config
from connectors.types import Audience, Broadcast, BroadcastStatus, Ingest

NOT_SHOWN = (
    "Instagram shows no live of this account. Press Go live in Live Producer; "
    "if it was live already, it has ended there."
)
LOOK = f"{UNTOLD} Look in Live Producer; it may want you to press Go live."
NO_KEY = "Enter the stream key first: open Live Producer on instagram.com and copy it from there."


class InstagramDestination:
    """Instagram lets no program begin or end a live; whether one is on it tells, some seconds late."""

    def __init__(self, session: Session[Config]) -> None:
        self._api = Api(session)
        self._config = session.config
        self._ingest_url = session.addresses.ingest_url

    async def open(self, broadcast: Broadcast) -> Ingest:
        """The entered address; the marker is the reference. Comments are named by the account."""
        if not self._config.key.get_secret_value():
            raise Refused(NO_KEY, code="no_key")
        name = self._config.username
        return Ingest(
            ref=broadcast.marker,
            url=self._ingest_url or self._config.url,
            key=self._config.key,
            # Known before the live is: its own id appears only once it is on.
            chat_ref=self._config.account_id if self._api.linked else None,
            watch_url=f"https://www.instagram.com/{name}/live/" if name else None,
        )

    async def started(self, ref: str) -> BroadcastStatus:
        """There is nobody to tell; a person presses Go live."""
        return await self.status(ref)

    async def status(self, ref: str) -> BroadcastStatus:
        """Live only while Instagram shows it, which it does while it receives; our push proves nothing."""
        if not self._api.linked:
            return BroadcastStatus(state="starting", reason=LOOK)
        try:
            live = await self._api.live()
        except Refused:
            return BroadcastStatus(state="starting", reason=LOOK)
        if live is None:
            # Not yet, or no more: Instagram keeps no list of lives that would tell which.
            return BroadcastStatus(state="starting", receiving=False, reason=NOT_SHOWN)
        return BroadcastStatus(state="live", receiving=True, viewers=live.get("current_live_viewer_count"))

    async def close(self, ref: str) -> None:
        """Nothing to call: a live ends in Live Producer, or some time after we stop pushing."""


class InstagramAudience:
    """Viewers, and reactions where Instagram tells them; nothing while no live is shown."""

    def __init__(self, session: Session[Config]) -> None:
        self._api = Api(session)

    async def now(self, ref: str) -> Audience:
        """RetryLater when a rate limit is nearly used up: figures are the first thing to do without."""
        live = await self._api.live() if self._api.linked else None
        if self._api.used >= STOP:
            raise RetryLater("Instagram's rate limit is nearly used up; figures can wait.", REST)
        if live is None:
            return Audience()
        reactions = (live.get("live_reactions") or {}).get("total_reactions")
        return Audience(viewers=live.get("current_live_viewer_count"), reactions=reactions)
