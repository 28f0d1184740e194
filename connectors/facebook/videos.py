"""Live videos of a Page: finding them again, and making them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from connectors.errors import Refused, RetryLater
from connectors.facebook.api import Api
from connectors.types import Broadcast

OVER = frozenset({"LIVE_STOPPED", "PROCESSING", "VOD", "SCHEDULED_EXPIRED", "SCHEDULED_CANCELED"})
ANNOUNCED = frozenset({"SCHEDULED_UNPUBLISHED", "SCHEDULED_LIVE"})
LAPSED = frozenset({"SCHEDULED_EXPIRED", "SCHEDULED_CANCELED"})
"""Announcements that came to nothing: a show may still be made anew."""
GONE = "100/33"
PAGES = 3
FIELDS = "id,status,description,secure_stream_url,stream_url,permalink_url,creation_time"


class LiveVideos:
    """The Page's live videos. `listed` is None until Facebook was asked for them all."""

    def __init__(self, api: Api, page: str) -> None:
        self._api = api
        self._page = page
        self.listed: bool | None = None

    async def find(self, marker: str) -> dict[str, Any] | None:
        """The one with this line in its description, among the newest."""
        async for video in self._newest(FIELDS):
            if marker in (video.get("description") or "").splitlines() and video.get("status") not in LAPSED:
                return video
        return None

    async def made(self, broadcast: Broadcast, status: str, **more: str) -> dict[str, Any]:
        """Create one; after a lost answer look for it instead of making a second."""
        try:
            created = await self._api.post(
                f"{self._page}/live_videos",
                title=broadcast.title,
                description=described(broadcast),
                status=status,
                enable_backup_ingest="true",
                **more,
            )
        except RetryLater as lost:
            found = await self.find(broadcast.marker) if lost.unknown else None
            if found is None:
                raise
            return found
        return await self._api.get(str(created["id"]), fields=FIELDS)

    async def post_of(self, ref: str) -> str | None:
        """The post that shows a live video, by which webhooks name it; None while there is none."""
        try:
            # Asked for alone: Graph refuses a whole call for one field an app may not read.
            answer = await self._api.get(ref, fields="video{id,post_id}")
        except Refused:
            return None
        post = (answer.get("video") or {}).get("post_id")
        return str(post) if post and "_" in str(post) else None

    async def of_post(self, post: str) -> str | None:
        """The live video behind a post, as far as Facebook lets us look."""
        async for video in self._newest("id,video{id,post_id}"):
            if (video.get("video") or {}).get("post_id") == post:
                return str(video["id"])
        return None

    async def status(self, ref: str) -> str:
        """Facebook's word for the state of one."""
        return str((await self._api.get(ref, fields="status")).get("status"))

    async def _newest(self, fields: str) -> AsyncIterator[dict[str, Any]]:
        paging: dict[str, Any] = {}
        for _ in range(PAGES):
            try:
                page = await self._api.get(f"{self._page}/live_videos", fields=fields, limit=100, **paging)
            except Refused:
                # Facebook's reference says that apps may not read this edge; some can.
                self.listed = False
                return
            self.listed = True
            for video in page["data"]:
                yield dict(video)
            if "next" not in page.get("paging", {}):
                return
            paging = {"after": page["paging"]["cursors"]["after"]}


def described(broadcast: Broadcast) -> str:
    """The description with the marker as its last line."""
    return f"{broadcast.description}\n\n{broadcast.marker}".strip()
