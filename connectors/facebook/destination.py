"""A Facebook Page as a place to stream to: live_videos. `ref` is the LiveVideo's id."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import SecretStr

from connectors.base import Session
from connectors.errors import Refused, RetryLater
from connectors.facebook.api import Api, Config
from connectors.facebook.videos import ANNOUNCED, GONE, OVER, LiveVideos, described
from connectors.oauth import utc_now
from connectors.types import BackupIngest, Broadcast, BroadcastStatus, Ingest

State = Literal["scheduled", "starting", "live", "ending", "ended", "failed"]

STATES: dict[str, State] = {
    "UNPUBLISHED": "scheduled",
    "SCHEDULED_UNPUBLISHED": "scheduled",
    "SCHEDULED_LIVE": "scheduled",
    "LIVE": "live",
    "LIVE_STOPPED": "ending",
    "PROCESSING": "ending",
    "VOD": "ended",
    "SCHEDULED_EXPIRED": "failed",
    "SCHEDULED_CANCELED": "failed",
}
SECOND = "secure_stream_secondary_urls"
UNUSED = timedelta(hours=24)
"""A stream address must be used within this time of the live video's creation."""
NOTICE, AHEAD = timedelta(minutes=10), timedelta(days=7)
"""Facebook takes announcements for a time between these two from now."""
WAITING = "Facebook waits for the stream."
HIDDEN = "Only people who manage the Page can see this live video."
LAPSED = "Facebook has given up this announcement because nothing was streamed. Start the show again."


class FacebookDestination:
    """Public shows go live when Facebook receives us; others stay visible to the Page's people only."""

    def __init__(self, session: Session[Config], now: Callable[[], datetime] = utc_now) -> None:
        self._api = Api(session)
        self._page = session.config.page_id
        self._videos = LiveVideos(self._api, self._page)
        self._ingest_url = session.addresses.ingest_url
        self._now = now

    async def open(self, broadcast: Broadcast) -> Ingest:
        """Finds the marker among the Page's newest live videos before it makes one."""
        # Facebook has no "unlisted": what must not be public is never published at all.
        status = "LIVE_NOW" if broadcast.privacy == "public" else "UNPUBLISHED"
        found = await self._videos.find(broadcast.marker) or await self._videos.made(broadcast, status)
        return await self._ingest(found)

    async def plan(self, broadcast: Broadcast) -> Ingest:
        """Announces a public show; one that is not public is made ready and shown to nobody."""
        if broadcast.privacy != "public":
            return await self.open(broadcast)
        found = await self._videos.find(broadcast.marker)
        if found is None:
            start = self._start(broadcast)
            found = await self._videos.made(broadcast, "SCHEDULED_UNPUBLISHED", event_params=start)
        return await self._ingest(found)

    async def set(self, ref: str, broadcast: Broadcast) -> None:
        """Title and description, and the time of a show that is only announced."""
        changes = {"title": broadcast.title, "description": described(broadcast)}
        if broadcast.starts_at and await self._videos.status(ref) in ANNOUNCED:
            changes["event_params"] = self._start(broadcast)
        await self._api.post(ref, **changes)

    async def started(self, ref: str) -> BroadcastStatus:
        """Facebook publishes a LIVE_NOW video when our stream arrives; an announced one we publish."""
        word, status = await self._look(ref)
        if status.state != "scheduled":
            return status
        if not status.receiving:
            return status.model_copy(update={"state": "starting", "reason": WAITING})
        if word in ANNOUNCED:
            await self._api.post(ref, status="LIVE_NOW")
            return (await self._look(ref))[1]
        return status.model_copy(update={"state": "live", "reason": HIDDEN})

    async def status(self, ref: str) -> BroadcastStatus:
        """Status, ingest and viewers as Facebook reports them."""
        return (await self._look(ref))[1]

    async def close(self, ref: str) -> None:
        """Ends the live video; when Facebook objects, its status decides whether that matters.

        An announced one that never began is cancelled: it would be announced for ever otherwise.
        """
        try:
            if await self._videos.status(ref) in ANNOUNCED:
                await self._api.post(ref, status="SCHEDULED_CANCELED")
            else:
                await self._api.post(ref, end_live_video="true")
        except Refused as refused:
            if refused.code != GONE and await self._videos.status(ref) not in OVER:
                raise

    async def _look(self, ref: str) -> tuple[str, BroadcastStatus]:
        video = await self._api.get(ref, fields="status,live_views,ingest_streams{stream_health}")
        word, streams = str(video.get("status")), video.get("ingest_streams")
        state = STATES.get(word, "starting")
        return word, BroadcastStatus(
            state=state,
            # Inner names of stream_health are undocumented: a stream that has any health is received.
            receiving=None if streams is None else any(stream.get("stream_health") for stream in streams),
            viewers=video.get("live_views"),
            reason=LAPSED if state == "failed" else None,
        )

    async def _ingest(self, video: dict[str, Any]) -> Ingest:
        ref, word = str(video["id"]), video.get("status")
        if word in OVER:
            raise Refused("This live video has ended on Facebook and cannot be started again.", code="ended")
        url, key = split_key(video.get("secure_stream_url") or video["stream_url"])
        permalink, made = video.get("permalink_url"), video.get("creation_time")
        # Webhooks name the post. Only where we can look live videos up can its chat be read by that name
        # in full (the push stream and the end of the live video want the live video's own id).
        post = await self._videos.post_of(ref) if self._videos.listed else None
        unused = None if word in ANNOUNCED or word == "LIVE" else made
        return Ingest(
            ref=ref,
            url=self._ingest_url or url,
            key=SecretStr(key),
            backup=None if self._ingest_url else await self._backup(ref),
            chat_ref=post or ref,
            watch_url=f"https://www.facebook.com{permalink}" if permalink else None,
            expires_at=datetime.fromisoformat(unused) + UNUSED if unused else None,
        )

    async def _backup(self, ref: str) -> BackupIngest | None:
        """The second entrance of a live video that has one, asked for alone like the post."""
        try:
            video = await self._api.get(ref, fields=SECOND)
        except Refused:
            return None
        for address in video.get(SECOND) or []:
            url, key = split_key(address)
            return BackupIngest(url=url, key=SecretStr(key))
        return None

    def _start(self, broadcast: Broadcast) -> str:
        """`event_params`: a bare UNIX time, as Facebook's scheduling guide has it."""
        if broadcast.starts_at is None:
            raise Refused("To announce the show on Facebook, give it a time.", code="no_time")
        ahead = broadcast.starts_at - self._now()
        if ahead > AHEAD:
            raise RetryLater(
                "Facebook takes announcements seven days ahead at most; this one is made then.",
                (ahead - AHEAD).total_seconds(),
            )
        if ahead < NOTICE:
            raise Refused(
                "Facebook announces a show ten minutes before it at the latest. Start it without.",
                code="too_late",
            )
        return str(int(broadcast.starts_at.astimezone(UTC).timestamp()))


def split_key(address: str) -> tuple[str, str]:
    """rtmps://host:443/rtmp/KEY?query → (rtmps://host:443/rtmp, KEY?query)."""
    path, mark, query = address.partition("?")
    url, _, key = path.rpartition("/")
    return url, f"{key}{mark}{query}"
