"""A Twitch channel as a place to stream to. `ref` is the channel's user id: Twitch has no broadcasts."""

from __future__ import annotations

from pydantic import SecretStr
from twitchio.models.streams import Stream

from connectors.base import Session
from connectors.errors import Refused
from connectors.twitch.api import INGEST, Config, Helix, understood
from connectors.twitch.ingests import server_for
from connectors.twitch.metadata import TwitchMetadata
from connectors.twitch.oauth import owner_of
from connectors.types import Audience, Broadcast, BroadcastStatus, Ingest

LATE = "Twitch shows a stream up to three minutes after it began."


class TwitchDestination:
    """A channel is live while something is pushed with its key, and at no other time."""

    def __init__(self, session: Session[Config]) -> None:
        self._session = session
        self._helix = Helix(session)

    async def open(self, broadcast: Broadcast) -> Ingest:
        """Reads the channel's key, sets its title and the rest, and chooses a server. Repeatable."""
        if broadcast.privacy != "public":
            raise Refused("Every stream on Twitch is public. Take Twitch out of this show, or publish it.")
        owner = await owner_of(self._session.http)
        answer = await self._helix.get_stream_key(owner.user_id, token_for=owner.user_id)
        with understood():
            key = str(answer["data"][0]["stream_key"])
        await TwitchMetadata(self._session).begin(owner.user_id, broadcast)
        return Ingest(
            ref=owner.user_id,
            url=await self._server(),
            key=SecretStr(key),
            chat_ref=owner.user_id,
            watch_url=f"https://www.twitch.tv/{owner.login}",
        )

    async def _server(self) -> str:
        set_by_hand = self._session.addresses.ingest_url
        if set_by_hand not in (None, INGEST):
            return str(set_by_hand)
        return await server_for(self._session.http, self._session.config.server)

    async def started(self, ref: str) -> BroadcastStatus:
        """Nothing to tell Twitch: it goes live by itself when our stream arrives."""
        status = await self.status(ref)
        return status if status.state == "live" else BroadcastStatus(state="starting", reason=LATE)

    async def status(self, ref: str) -> BroadcastStatus:
        """Live or not, and how many watch; one to three minutes old. Before and after look the same."""
        stream = await stream_of(self._helix, ref)
        if stream is None:
            # Not seen yet, or for a moment, is not the same as not received.
            return BroadcastStatus(state="scheduled", receiving=None)
        return BroadcastStatus(state="live", receiving=True, viewers=stream.viewer_count)

    async def close(self, ref: str) -> None:
        """Nothing to do: a stream on Twitch ends when the push stops, and Twitch offers no other end."""


class TwitchAudience:
    """Counts who watches; Twitch has no reactions."""

    def __init__(self, session: Session[Config]) -> None:
        self._helix = Helix(session)

    async def now(self, ref: str) -> Audience:
        """One to three minutes old; untold while Twitch does not show the stream."""
        stream = await stream_of(self._helix, ref)
        return Audience(viewers=stream.viewer_count if stream else None)


async def stream_of(helix: Helix, channel: str) -> Stream | None:
    """What Twitch shows of the channel's stream; None when it is not live."""
    with understood():
        streams = await helix.get_streams(user_ids=[channel])
        return streams[0] if streams else None
