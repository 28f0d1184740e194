"""YouTube as a place to stream to: liveStreams, liveBroadcasts, bind, transition.

States and rules: YouTube Data API v3 discovery revision 20261104 and its "Life of a broadcast" guide.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import SecretStr

from connectors.base import Session
from connectors.errors import Refused, RetryLater
from connectors.oauth import utc_now
from connectors.types import BackupIngest, Broadcast, BroadcastStatus, Ingest
from connectors.youtube.api import Api, Config

State = Literal["scheduled", "starting", "live", "ending", "ended", "failed"]

STATES: dict[str, State] = {
    "created": "scheduled",
    "ready": "scheduled",
    "testStarting": "starting",
    "testing": "starting",
    "liveStarting": "starting",
    "live": "live",
    "complete": "ended",
    "revoked": "failed",
}
OVER = frozenset({"complete", "revoked"})
STREAM_TITLE = "Simulcast Hub"
SOON = timedelta(seconds=60)
"""YouTube refuses a start in the past, and clocks differ."""


class YouTubeDestination:
    """Opens, starts, watches and ends a broadcast; `ref` is the broadcast's (and video's) id."""

    def __init__(self, session: Session[Config], now: Callable[[], datetime] = utc_now) -> None:
        self._api = Api(session, now)
        self._config = session.config
        self._ingest_url = session.addresses.ingest_url
        self._now = now

    async def open(self, broadcast: Broadcast) -> Ingest:
        """The marker in the description finds what an earlier, unanswered attempt has made."""
        known = await self._broadcasts()
        found = _marked(known, broadcast.marker) or await self._insert(broadcast)
        if _life(found) in OVER:
            raise Refused("This broadcast has ended on YouTube and cannot be started again.", code="complete")
        bound = found.get("contentDetails", {}).get("boundStreamId")
        stream = await self._stream(bound) if bound else None
        if stream is None:
            stream = await self._free_stream(known)
            await self._bind(found["id"], stream["id"])
        return self._ingest(found, stream)

    async def started(self, ref: str) -> BroadcastStatus:
        """Takes a ready broadcast live; RetryLater while YouTube has no picture from us."""
        found = await self._broadcast(ref)
        if _life(found) in {"created", "ready", "testing"}:
            # One unit here saves the fifty that a refused transition costs.
            if not await self._receiving(found):
                raise RetryLater("YouTube does not see our stream yet.", 3.0)
            await self._go_live(ref)
            found = await self._broadcast(ref)
        return await self._status(found)

    async def status(self, ref: str) -> BroadcastStatus:
        """Life cycle, ingest and viewers, as YouTube reports them."""
        return await self._status(await self._broadcast(ref))

    async def close(self, ref: str) -> None:
        """Ends a live broadcast; takes one that never was live off the channel."""
        try:
            life = _life(await self._broadcast(ref))
            if life in OVER:
                return
            if life in {"liveStarting", "testStarting"}:
                raise RetryLater("YouTube is still starting this broadcast.", 3.0)
            if life in {"created", "ready"}:
                await self._api.call(lambda youtube: youtube.liveBroadcasts().delete(id=ref))
                return
            await self._transition(ref, "complete")
        except Refused as refused:
            if refused.code not in {"liveBroadcastNotFound", "redundantTransition"}:
                raise

    async def _broadcasts(self) -> list[dict[str, Any]]:
        # broadcastType=all: the default hides the persistent one. Paged to the end: a truncated
        # list proves nothing about a lost insert.
        return await self._api.every(
            lambda youtube, *, page: youtube.liveBroadcasts().list(
                part="id,snippet,status,contentDetails",
                mine=True,
                broadcastType="all",
                maxResults=50,
                pageToken=page,
            )
        )

    async def _broadcast(self, ref: str) -> dict[str, Any]:
        answer = await self._api.call(
            lambda youtube: youtube.liveBroadcasts().list(
                part="id,snippet,status,contentDetails,statistics", id=ref
            )
        )
        for item in answer.get("items", []):
            return dict(item)
        raise Refused("YouTube no longer knows this broadcast.", code="liveBroadcastNotFound")

    async def _insert(self, broadcast: Broadcast) -> dict[str, Any]:
        body = self._body(broadcast)
        try:
            return await self._api.call(
                lambda youtube: youtube.liveBroadcasts().insert(
                    part="id,snippet,status,contentDetails", body=body
                )
            )
        except RetryLater as lost:
            if not lost.unknown:
                raise
            found = _marked(await self._broadcasts(), broadcast.marker)
            if found is None:
                raise
            return found

    def _body(self, broadcast: Broadcast) -> dict[str, Any]:
        starts_at = max(broadcast.starts_at or self._now(), self._now() + SOON)
        return {
            "snippet": {
                "title": broadcast.title,
                "description": f"{broadcast.description}\n\n{broadcast.marker}".strip(),
                "scheduledStartTime": starts_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
            "status": {
                "privacyStatus": broadcast.privacy,
                "selfDeclaredMadeForKids": self._config.made_for_kids,
            },
            "contentDetails": {
                "latencyPreference": self._config.latency,
                # Both false: with them YouTube races our transitions, and a short drop of the
                # encoder would end the show.
                "enableAutoStart": False,
                "enableAutoStop": False,
                # Without a monitor stream a ready broadcast may go live in one step.
                "monitorStream": {"enableMonitorStream": False},
            },
        }

    async def _free_stream(self, known: list[dict[str, Any]]) -> dict[str, Any]:
        busy = {
            item.get("contentDetails", {}).get("boundStreamId") for item in known if _life(item) not in OVER
        }
        ours = await self._api.every(
            lambda youtube, *, page: youtube.liveStreams().list(
                part="id,snippet,cdn,status", mine=True, maxResults=50, pageToken=page
            )
        )
        for stream in ours:
            title, state = stream["snippet"]["title"], stream.get("status", {}).get("streamStatus")
            if title == STREAM_TITLE and stream["id"] not in busy and state != "active":
                return stream
        # A lost answer here leaves a spare stream, which the next broadcast takes.
        return await self._api.call(
            lambda youtube: youtube.liveStreams().insert(
                part="id,snippet,cdn,contentDetails,status",
                body={
                    "snippet": {"title": STREAM_TITLE},
                    "cdn": {"ingestionType": "rtmp", "resolution": "variable", "frameRate": "variable"},
                    "contentDetails": {"isReusable": True},
                },
            )
        )

    async def _stream(self, stream_id: str) -> dict[str, Any] | None:
        answer = await self._api.call(
            lambda youtube: youtube.liveStreams().list(part="id,snippet,cdn,status", id=stream_id)
        )
        return next(iter(answer.get("items", [])), None)

    async def _bind(self, ref: str, stream_id: str) -> None:
        await self._api.call(
            lambda youtube: youtube.liveBroadcasts().bind(
                id=ref, streamId=stream_id, part="id,contentDetails"
            )
        )

    async def _transition(self, ref: str, state: str) -> None:
        await self._api.call(
            lambda youtube: youtube.liveBroadcasts().transition(
                id=ref, broadcastStatus=state, part="id,status"
            )
        )

    async def _go_live(self, ref: str) -> None:
        try:
            await self._transition(ref, "live")
        except Refused as refused:
            if refused.code not in {"redundantTransition", "invalidTransition"}:
                raise
            # Somebody (YouTube Studio, our own lost call) was faster, or it really is impossible.
            if _life(await self._broadcast(ref)) not in {"liveStarting", "live"}:
                raise

    async def _receiving(self, broadcast: dict[str, Any]) -> bool:
        stream_id = broadcast.get("contentDetails", {}).get("boundStreamId")
        if not stream_id:
            return False
        # Without `cdn`, so that the stream key is not sent around for nothing.
        answer = await self._api.call(
            lambda youtube: youtube.liveStreams().list(part="id,status", id=stream_id)
        )
        return any(item.get("status", {}).get("streamStatus") == "active" for item in answer.get("items", []))

    async def _status(self, broadcast: dict[str, Any]) -> BroadcastStatus:
        life = _life(broadcast)
        viewers = broadcast.get("statistics", {}).get("concurrentViewers")
        return BroadcastStatus(
            state=STATES.get(life, "starting"),
            receiving=None if life in OVER else await self._receiving(broadcast),
            viewers=None if viewers is None else int(viewers),
            reason="YouTube has removed this broadcast." if life == "revoked" else None,
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


def _marked(broadcasts: list[dict[str, Any]], marker: str) -> dict[str, Any] | None:
    # The marker stands on a line of its own, so that one marker may begin another.
    return next(
        (item for item in broadcasts if marker in item["snippet"].get("description", "").splitlines()), None
    )


def _life(broadcast: dict[str, Any]) -> str:
    return str(broadcast.get("status", {}).get("lifeCycleStatus", "created"))
