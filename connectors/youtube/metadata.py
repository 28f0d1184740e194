"""What YouTube says about a broadcast: written when it is made, changed part by part afterwards.

An update replaces everything in the parts it names, so each part is read, changed and written whole, and
a part in which nothing changes is not named (discovery revision 20261104, liveBroadcasts.update).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from connectors.base import Session
from connectors.errors import Refused
from connectors.oauth import utc_now
from connectors.types import Broadcast
from connectors.youtube.api import Api
from connectors.youtube.broadcasts import Broadcasts, life
from connectors.youtube.config import Config

LATENCIES = {"normal": "normal", "low": "low", "ultra_low": "ultraLow"}
SOON = timedelta(seconds=60)
"""YouTube refuses a start in the past, and clocks differ."""
NOT_BEGUN = frozenset({"created", "ready"})
DEPRECATED = ("enableLowLatency", "enableClosedCaptions", "startWithSlate")
DESCRIPTION_BYTES = 5_000
PICTURE_BYTES = 2_097_152
"""Google's pages say 2 MB and 50 MB; the smaller is always taken."""


class YouTubeMetadata:
    """Changes a broadcast. Repeatable: what is so already costs no write, the picture apart."""

    def __init__(
        self, session: Session[Config], now: Callable[[], datetime] = utc_now, api: Api | None = None
    ) -> None:
        self._api = api or Api(session, now)
        self._broadcasts = Broadcasts(self._api)
        self._now = now

    async def set(self, ref: str, broadcast: Broadcast) -> None:
        """Everything YouTube still lets us change; Refused, after that, for what came too late."""
        found = await self._broadcasts.one(ref, "urgent")
        begun = life(found) not in NOT_BEGUN
        changes = {
            "snippet": self._snippet(broadcast, begun),
            "status": _status(broadcast),
            "contentDetails": {} if begun else _details(broadcast),
        }
        for part, change in changes.items():
            kept = {name: value for name, value in found.get(part, {}).items() if name not in DEPRECATED}
            if any(kept.get(name) != value for name, value in change.items()):
                body = {"id": ref, part: {**kept, **change}}
                await self._api.call("liveBroadcasts.update", weight="urgent", part=part, body=body)
        await self.dress(ref, broadcast)
        now = found.get("contentDetails", {}).get("latencyPreference")
        if begun and _details(broadcast).get("latencyPreference", now) != now:
            raise Refused("YouTube sets the latency only before the show begins. The rest is changed.")

    async def dress(self, ref: str, broadcast: Broadcast) -> None:
        """The picture, and the texts that belong to the broadcast's video; repeatable."""
        if broadcast.thumbnail is not None:
            picture = broadcast.thumbnail
            if len(picture.data) > PICTURE_BYTES:
                raise Refused("YouTube takes thumbnails of at most 2 MB. Choose a smaller picture.")
            await self._api.call("thumbnails.set", weight="urgent", picture=picture, videoId=ref)
        if broadcast.tags or broadcast.language:
            await self._set_video(ref, broadcast)

    async def _set_video(self, ref: str, broadcast: Broadcast) -> None:
        listed = await self._api.call("videos.list", weight="urgent", part="snippet", id=ref)
        for video in listed.get("items", []):
            change: dict[str, Any] = {"tags": list(broadcast.tags)} if broadcast.tags else {}
            if broadcast.language:
                change["defaultLanguage"] = broadcast.language
            if any(video["snippet"].get(name) != value for name, value in change.items()):
                body = {"id": ref, "snippet": {**video["snippet"], **change}}
                await self._api.call("videos.update", weight="urgent", part="snippet", body=body)

    def _snippet(self, broadcast: Broadcast, begun: bool) -> dict[str, Any]:
        snippet = described(broadcast)
        if broadcast.starts_at and not begun and broadcast.starts_at > self._now() + SOON:
            snippet["scheduledStartTime"] = start_of(broadcast, self._now())
        return snippet


def new_body(broadcast: Broadcast, config: Config, now: datetime) -> dict[str, Any]:
    """The resource for liveBroadcasts.insert: the show's wishes, and the connection's where it has none."""
    status = {"selfDeclaredMadeForKids": config.made_for_kids, **_status(broadcast)}
    return {
        "snippet": {**described(broadcast), "scheduledStartTime": start_of(broadcast, now)},
        "status": status,
        "contentDetails": {
            "latencyPreference": config.latency,
            **_details(broadcast),
            # Off unless the brand chose it: with them YouTube races our transitions, and a short drop
            # of the encoder ends the show.
            "enableAutoStart": config.auto_start,
            "enableAutoStop": config.auto_stop,
            # Without a monitor stream a ready broadcast may go live in one step.
            "monitorStream": {"enableMonitorStream": False},
        },
    }


def described(broadcast: Broadcast) -> dict[str, Any]:
    """Title, description with the marker at its end, and the category if it is one of YouTube's numbers."""
    end = f"\n\n{broadcast.marker}"
    room = DESCRIPTION_BYTES - len(end.encode())
    # Limits are told in characters, YouTube counts bytes: three for each of a Japanese text.
    text = broadcast.description.encode()[:room].decode(errors="ignore")
    snippet = {"title": broadcast.title, "description": f"{text}{end}".strip()}
    if broadcast.category and broadcast.category.isdecimal():
        snippet["categoryId"] = broadcast.category
    return snippet


def start_of(broadcast: Broadcast, now: datetime) -> str:
    """The scheduled start in YouTube's spelling, never in the past."""
    starts_at = max(broadcast.starts_at or now, now + SOON)
    return starts_at.astimezone(now.tzinfo).strftime("%Y-%m-%dT%H:%M:%SZ")


def _status(broadcast: Broadcast) -> dict[str, Any]:
    status: dict[str, Any] = {"privacyStatus": broadcast.privacy}
    if broadcast.made_for_kids is not None:
        status["selfDeclaredMadeForKids"] = broadcast.made_for_kids
    return status


def _details(broadcast: Broadcast) -> dict[str, Any]:
    return {"latencyPreference": LATENCIES[broadcast.latency]} if broadcast.latency else {}
