"""Broadcasts and streams as YouTube keeps them: found, read, and what their words mean."""

from __future__ import annotations

from typing import Any, Literal

from connectors.errors import Refused
from connectors.youtube.api import Api, Weight

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
PARTS = "id,snippet,status,contentDetails"


class Broadcasts:
    """Reads the channel's broadcasts and the streams they are bound to."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def all(self, weight: Weight = "routine") -> list[dict[str, Any]]:
        """Every broadcast of the channel, ended ones included: one unit for fifty."""
        # broadcastType=all: the default hides the persistent one. Paged to the end: a truncated
        # list proves nothing about a lost insert.
        return await self._api.every(
            "liveBroadcasts.list", weight=weight, part=PARTS, mine=True, broadcastType="all", maxResults=50
        )

    async def one(self, ref: str, weight: Weight = "routine") -> dict[str, Any]:
        """A broadcast by its id, with its statistics; Refused when there is none."""
        answer = await self._api.call(
            "liveBroadcasts.list", weight=weight, part=f"{PARTS},statistics", id=ref
        )
        for item in answer.get("items", []):
            return dict(item)
        raise Refused("YouTube no longer knows this broadcast.", code="liveBroadcastNotFound")

    async def stream(self, stream_id: str, weight: Weight = "routine") -> dict[str, Any] | None:
        """A stream with its key."""
        return await self._stream(stream_id, "id,snippet,cdn,status", weight)

    async def ingest(self, broadcast: dict[str, Any], weight: Weight = "routine") -> dict[str, Any]:
        """The `status` of the stream a broadcast is bound to; empty without one."""
        stream_id = broadcast.get("contentDetails", {}).get("boundStreamId")
        # Without `cdn`, so that the stream key is not sent around for nothing.
        found = await self._stream(stream_id, "id,status", weight) if stream_id else None
        return dict((found or {}).get("status", {}))

    async def _stream(self, stream_id: str, part: str, weight: Weight) -> dict[str, Any] | None:
        answer = await self._api.call("liveStreams.list", weight=weight, part=part, id=stream_id)
        return next(iter(answer.get("items", [])), None)


def marked(broadcasts: list[dict[str, Any]], marker: str) -> dict[str, Any] | None:
    """The broadcast with our marker, which stands on a line of its own: one marker may begin another."""
    return next(
        (item for item in broadcasts if marker in item["snippet"].get("description", "").splitlines()), None
    )


def life(broadcast: dict[str, Any]) -> str:
    """YouTube's word for where a broadcast is."""
    return str(broadcast.get("status", {}).get("lifeCycleStatus", "created"))


def receives(ingest: dict[str, Any]) -> bool:
    """True when our picture arrives: only an active stream may be taken live."""
    return ingest.get("streamStatus") == "active"
