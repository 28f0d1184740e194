"""YouTube as a place to stream to: liveStreams, liveBroadcasts, bind, transition.

States and rules: YouTube Data API v3 discovery revision 20261104 and its "Life of a broadcast" guide.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from connectors.base import Session
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.oauth import utc_now
from connectors.types import BackupIngest, Broadcast, BroadcastStatus, Ingest
from connectors.youtube.api import Api, Weight
from connectors.youtube.broadcasts import OVER, PARTS, STATES, Broadcasts, life, marked, receives
from connectors.youtube.config import Config
from connectors.youtube.metadata import YouTubeMetadata, new_body

STREAM_TITLE = "Simulcast Hub"
UNSEEN = "YouTube does not see our stream yet."


class YouTubeDestination:
    """Plans, opens, starts, watches and ends a broadcast; `ref` is the broadcast's (and video's) id."""

    def __init__(self, session: Session[Config], now: Callable[[], datetime] = utc_now) -> None:
        self._api = Api(session, now)
        self._broadcasts = Broadcasts(self._api)
        self._metadata = YouTubeMetadata(session, now, self._api)
        self._config = session.config
        self._ingest_url = session.addresses.ingest_url
        self._now = now

    async def plan(self, broadcast: Broadcast) -> Ingest:
        """Announce a show. What is made is whole, key included, and `open` takes it up by the marker."""
        return await self.open(broadcast)

    async def open(self, broadcast: Broadcast) -> Ingest:
        """The marker in the description finds what an earlier, unanswered attempt has made."""
        known = await self._broadcasts.all("urgent")
        found = marked(known, broadcast.marker) or await self._insert(broadcast)
        if life(found) in OVER:
            raise Refused("This broadcast has ended on YouTube and cannot be started again.", code="complete")
        bound = found.get("contentDetails", {}).get("boundStreamId")
        stream = await self._broadcasts.stream(bound, "urgent") if bound else None
        if stream is None:
            # Binding comes last, so that what is bound has its picture. A picture YouTube does not like
            # keeps no show from being opened; whoever sets it afterwards is told.
            with contextlib.suppress(Refused):
                await self._metadata.dress(found["id"], broadcast)
            stream = await self._free_stream(known)
            await self._bind(found["id"], stream["id"])
        return self._ingest(found, stream)

    async def started(self, ref: str) -> BroadcastStatus:
        """Takes a broadcast live, through a test where it has one; RetryLater while there is no picture."""
        found = await self._broadcasts.one(ref, "urgent")
        details = found.get("contentDetails", {})
        if life(found) not in {"created", "ready", "testing"}:
            return await self._status(found, "urgent")
        # One unit here saves the fifty that a refused transition costs.
        if not receives(await self._broadcasts.ingest(found, "urgent")):
            raise RetryLater(UNSEEN, 3.0)
        if details.get("enableAutoStart"):
            # A transition of ours would only race YouTube's own.
            return BroadcastStatus(
                state="starting", receiving=True, reason="YouTube is starting this broadcast by itself."
            )
        monitored = details.get("monitorStream", {}).get("enableMonitorStream", False)
        await self._advance(ref, "testing" if monitored and life(found) != "testing" else "live")
        return await self._status(await self._broadcasts.one(ref, "urgent"), "urgent")

    async def status(self, ref: str) -> BroadcastStatus:
        """Life cycle, ingest and viewers, as YouTube reports them."""
        return await self._status(await self._broadcasts.one(ref), "routine")

    async def close(self, ref: str) -> None:
        """Ends a live broadcast; takes one that never was live off the channel. Never short of quota."""
        try:
            state = life(await self._broadcasts.one(ref, "anyway"))
            if state in OVER:
                return
            if state in {"liveStarting", "testStarting"}:
                raise RetryLater("YouTube is still starting this broadcast.", 3.0)
            if state in {"created", "ready"}:
                await self._api.call("liveBroadcasts.delete", weight="anyway", id=ref)
                return
            await self._transition(ref, "complete")
        except Refused as refused:
            if refused.code == "liveBroadcastNotFound":
                return
            if refused.code not in {"redundantTransition", "invalidTransition"}:
                raise
            # YouTube (auto-stop), somebody in YouTube Studio or our own lost call was faster.
            if life(await self._broadcasts.one(ref, "anyway")) not in OVER:
                raise Refused(
                    "YouTube does not let us end this broadcast. End it in YouTube Studio."
                ) from None

    async def _insert(self, broadcast: Broadcast) -> dict[str, Any]:
        await self._check_channel()
        body = new_body(broadcast, self._config, self._now())
        try:
            return await self._api.call("liveBroadcasts.insert", weight="urgent", part=PARTS, body=body)
        except RetryLater as lost:
            if not lost.unknown:
                raise
            found = marked(await self._broadcasts.all("urgent"), broadcast.marker)
            if found is None:
                raise
            return found

    async def _check_channel(self) -> None:
        # A login belongs to the channel that was picked at consent, and a person may pick another one
        # the next time. Nothing is announced on the wrong channel.
        wanted = self._config.channel_id
        if wanted is None:
            return
        mine = await self._api.call("channels.list", weight="urgent", part="id", mine=True)
        if wanted not in {channel["id"] for channel in mine.get("items", [])}:
            raise Reconnect(
                "This login belongs to another YouTube channel. Link the account again and pick this one."
            )

    async def _free_stream(self, known: list[dict[str, Any]]) -> dict[str, Any]:
        busy = {
            item.get("contentDetails", {}).get("boundStreamId") for item in known if life(item) not in OVER
        }
        ours = await self._api.every(
            "liveStreams.list", weight="urgent", part="id,snippet,cdn,status", mine=True, maxResults=50
        )
        for stream in ours:
            title, state = stream["snippet"]["title"], stream.get("status", {}).get("streamStatus")
            if title == STREAM_TITLE and stream["id"] not in busy and state != "active":
                return stream
        # A lost answer here leaves a spare stream, which the next broadcast takes.
        return await self._api.call(
            "liveStreams.insert",
            weight="urgent",
            part="id,snippet,cdn,contentDetails,status",
            body={
                "snippet": {"title": STREAM_TITLE},
                "cdn": {"ingestionType": "rtmp", "resolution": "variable", "frameRate": "variable"},
                "contentDetails": {"isReusable": True},
            },
        )

    async def _bind(self, ref: str, stream_id: str) -> None:
        part = "id,contentDetails"
        await self._api.call("liveBroadcasts.bind", weight="urgent", id=ref, streamId=stream_id, part=part)

    async def _transition(self, ref: str, state: str) -> None:
        await self._api.call(
            "liveBroadcasts.transition",
            weight="anyway" if state == "complete" else "urgent",
            id=ref,
            broadcastStatus=state,
            part="id,status",
        )

    async def _advance(self, ref: str, state: str) -> None:
        try:
            await self._transition(ref, state)
        except Refused as refused:
            if refused.code not in {"redundantTransition", "invalidTransition"}:
                raise
            # Somebody (YouTube Studio, our own lost call) was faster, or it really is impossible.
            if STATES.get(life(await self._broadcasts.one(ref, "urgent"))) not in {"starting", "live"}:
                raise

    async def _status(self, broadcast: dict[str, Any], weight: Weight) -> BroadcastStatus:
        state = life(broadcast)
        viewers = broadcast.get("statistics", {}).get("concurrentViewers")
        return BroadcastStatus(
            state=STATES.get(state, "starting"),
            receiving=None if state in OVER else receives(await self._broadcasts.ingest(broadcast, weight)),
            viewers=None if viewers is None else int(viewers),
            reason="YouTube has removed this broadcast. See YouTube Studio." if state == "revoked" else None,
        )

    def _ingest(self, broadcast: dict[str, Any], stream: dict[str, Any]) -> Ingest:
        info = stream["cdn"]["ingestionInfo"]
        key = SecretStr(info["streamName"])
        second = info.get("rtmpsBackupIngestionAddress") or info.get("backupIngestionAddress")
        # What stands in for the first entrance has no second one.
        backup = BackupIngest(url=second, key=key) if second and not self._ingest_url else None
        return Ingest(
            ref=broadcast["id"],
            url=self._ingest_url or info.get("rtmpsIngestionAddress") or info["ingestionAddress"],
            key=key,
            backup=backup,
            chat_ref=broadcast["snippet"].get("liveChatId"),
            watch_url=f"https://www.youtube.com/watch?v={broadcast['id']}",
        )
