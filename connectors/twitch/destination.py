"""A Twitch channel as a place to stream to. `ref` is the channel's user id: Twitch has no broadcasts."""

from __future__ import annotations

from pydantic import SecretStr

from connectors.base import Session
from connectors.errors import Refused
from connectors.twitch.api import INGEST, Config, Helix, understood
from connectors.twitch.oauth import account_of
from connectors.types import Broadcast, BroadcastStatus, Ingest

LONGEST_TITLE = 140
LATE = "Twitch shows a stream up to three minutes after it began."


class TwitchDestination:
    """A channel is live while something is pushed with its key, and at no other time."""

    def __init__(self, session: Session[Config]) -> None:
        self._helix = Helix(session)
        self._http = session.http
        self._ingest_url = session.addresses.ingest_url or INGEST

    async def open(self, broadcast: Broadcast) -> Ingest:
        """Reads the channel's key and sets its title. Repeatable: both are there already."""
        if broadcast.privacy != "public":
            raise Refused("Every stream on Twitch is public. Take Twitch out of this show, or publish it.")
        account = await account_of(self._http)
        answer = await self._helix.get_stream_key(account.user_id, token_for=account.user_id)
        with understood():
            key = str(answer["data"][0]["stream_key"])
        if title := broadcast.title.strip()[:LONGEST_TITLE]:
            await self._helix.patch_channel_info(
                broadcaster_id=account.user_id, token_for=account.user_id, title=title
            )
        return Ingest(
            ref=account.user_id,
            url=self._ingest_url,
            key=SecretStr(key),
            chat_ref=account.user_id,
            watch_url=f"https://www.twitch.tv/{account.login}",
        )

    async def started(self, ref: str) -> BroadcastStatus:
        """Nothing to tell Twitch: it goes live by itself when our stream arrives."""
        status = await self.status(ref)
        return status if status.state == "live" else BroadcastStatus(state="starting", reason=LATE)

    async def status(self, ref: str) -> BroadcastStatus:
        """Live or not, and how many watch; one to three minutes old. Before and after look the same."""
        with understood():
            streams = await self._helix.get_streams(user_ids=[ref])
        if not streams:
            # Not seen yet is not the same as not received.
            return BroadcastStatus(state="scheduled", receiving=None)
        return BroadcastStatus(state="live", receiving=True, viewers=streams[0].viewer_count)

    async def close(self, ref: str) -> None:
        """Nothing to do: a stream on Twitch ends when the push stops, and Twitch offers no other end."""
