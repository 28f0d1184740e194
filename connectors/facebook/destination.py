"""A Facebook Page as a place to stream to: live_videos. `ref` is the LiveVideo's id."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import SecretStr

from connectors.base import Session
from connectors.errors import Refused, RetryLater
from connectors.facebook.api import Api, Config
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
OVER = frozenset({"LIVE_STOPPED", "PROCESSING", "VOD", "SCHEDULED_EXPIRED", "SCHEDULED_CANCELED"})
GONE = "100/33"
PAGES = 3
SECOND = "secure_stream_secondary_urls"
FIELDS = "id,status,description,secure_stream_url,stream_url,permalink_url"


class FacebookDestination:
    """Public shows go live when Facebook receives us; others stay visible to the Page's people only."""

    def __init__(self, session: Session[Config]) -> None:
        self._api = Api(session)
        self._page = session.config.page_id
        self._ingest_url = session.addresses.ingest_url

    async def open(self, broadcast: Broadcast) -> Ingest:
        """Finds the marker among the Page's newest live videos before it makes one."""
        found = await self._find(broadcast.marker)
        if found is None:
            ref = await self._create(broadcast)
            found = await self._api.read(lambda graph: graph.get_object(ref, fields=FIELDS))
        if found.get("status") in OVER:
            raise Refused("This live video has ended on Facebook and cannot be started again.", code="ended")
        url, key = split_key(found.get("secure_stream_url") or found["stream_url"])
        permalink = found.get("permalink_url")
        return Ingest(
            ref=found["id"],
            url=self._ingest_url or url,
            key=SecretStr(key),
            backup=None if self._ingest_url else await self._backup(found["id"]),
            chat_ref=found["id"],
            watch_url=f"https://www.facebook.com{permalink}" if permalink else None,
        )

    async def started(self, ref: str) -> BroadcastStatus:
        """Nothing to tell Facebook: it publishes a LIVE_NOW video by itself when our stream arrives."""
        status = await self.status(ref)
        if status.state != "scheduled":
            return status
        if status.receiving:
            shown_to = "Only people who manage the Page can see this live video."
            return status.model_copy(update={"state": "live", "reason": shown_to})
        return status.model_copy(update={"state": "starting"})

    async def status(self, ref: str) -> BroadcastStatus:
        """Status, ingest and viewers as Facebook reports them."""
        fields = "status,live_views,ingest_streams{stream_health}"
        video = await self._api.read(lambda graph: graph.get_object(ref, fields=fields))
        streams = video.get("ingest_streams")
        return BroadcastStatus(
            state=STATES.get(video["status"], "starting"),
            # Inner names of stream_health are undocumented: a stream that has any health is received.
            receiving=None if streams is None else any(stream.get("stream_health") for stream in streams),
            viewers=video.get("live_views"),
        )

    async def close(self, ref: str) -> None:
        """Ends the live video; when Facebook objects, its status decides whether that matters."""
        try:
            await self._api.write(
                lambda graph: graph.request(f"{graph.version}/{ref}", post_args={"end_live_video": "true"})
            )
        except Refused as refused:
            if refused.code != GONE and not await self._over(ref):
                raise

    async def _backup(self, ref: str) -> BackupIngest | None:
        """The second entrance of a live video that has one.

        Asked for alone: Graph refuses a whole call for one field an app may not read.
        """
        try:
            video = await self._api.read(lambda graph: graph.get_object(ref, fields=SECOND))
        except Refused:
            return None
        for address in video.get(SECOND) or []:
            url, key = split_key(address)
            return BackupIngest(url=url, key=SecretStr(key))
        return None

    async def _over(self, ref: str) -> bool:
        video = await self._api.read(lambda graph: graph.get_object(ref, fields="status"))
        return video["status"] in OVER

    async def _find(self, marker: str) -> dict[str, Any] | None:
        after: str | None = None
        for _ in range(PAGES):
            try:
                page = await self._newest(after)
            except Refused:
                # Facebook's reference says of some apps that they may not read this edge.
                return None
            for video in page["data"]:
                if marker in (video.get("description") or "").splitlines():
                    return dict(video)
            if "next" not in page.get("paging", {}):
                return None
            after = page["paging"]["cursors"]["after"]
        return None

    async def _newest(self, after: str | None) -> Any:
        paging = {"after": after} if after else {}
        return await self._api.read(
            lambda graph: graph.get_connections(self._page, "live_videos", fields=FIELDS, limit=100, **paging)
        )

    async def _create(self, broadcast: Broadcast) -> str:
        # Facebook has no "unlisted": what must not be public is never published at all.
        status = "LIVE_NOW" if broadcast.privacy == "public" else "UNPUBLISHED"
        try:
            made = await self._api.write(
                lambda graph: graph.put_object(
                    self._page,
                    "live_videos",
                    title=broadcast.title,
                    description=f"{broadcast.description}\n\n{broadcast.marker}".strip(),
                    status=status,
                    enable_backup_ingest="true",
                )
            )
        except RetryLater as lost:
            found = await self._find(broadcast.marker) if lost.unknown else None
            if found is None:
                raise
            made = found
        return str(made["id"])


def split_key(address: str) -> tuple[str, str]:
    """rtmps://host:443/rtmp/KEY?query → (rtmps://host:443/rtmp, KEY?query)."""
    path, mark, query = address.partition("?")
    url, _, key = path.rpartition("/")
    return url, f"{key}{mark}{query}"
