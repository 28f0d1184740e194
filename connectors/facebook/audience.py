"""What Facebook counts and measures while a live video runs. `ref` is the LiveVideo's id."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal

from connectors.base import Session
from connectors.errors import Refused
from connectors.facebook.api import Api, Config
from connectors.oauth import utc_now
from connectors.types import Audience, IngestHealth

COUNTED = "live_views,reactions.limit(0).summary(total_count)"
LATELY = timedelta(minutes=1)
"""How old an error of a live video may be to count as one of now."""
NO_SOUND = "Facebook receives no sound. Check the encoder's audio."
FEW_PICTURES = "Facebook receives {:.0f} pictures a second. Check the encoder and the connection."
THIN = "Facebook receives only {:.1f} Mbit/s of picture. Check the upload speed."
LEAST_PICTURES, LEAST_BITS, GOOD_BITS = 20.0, 600_000.0, 1_500_000.0
"""Bits per second of 480p at least and of 720p at least, by Facebook's recommended settings."""


class FacebookAudience:
    """Viewers of this moment and all reactions so far."""

    def __init__(self, session: Session[Config]) -> None:
        self._api = Api(session)

    async def now(self, ref: str) -> Audience:
        """RetryLater when a rate limit is nearly used up: figures are the first thing to do without."""
        try:
            video = await self._api.get(ref, spare=True, fields=COUNTED)
        except Refused as refused:
            if refused.code != "100":
                raise
            # An app that may not read reactions may still read viewers.
            video = await self._api.get(ref, spare=True, fields="live_views")
        total = (video.get("reactions") or {}).get("summary", {}).get("total_count")
        return Audience(viewers=video.get("live_views"), reactions=total)


class FacebookHealth:
    """The main stream as Facebook measures it, and what Facebook complains of."""

    def __init__(self, session: Session[Config], now: Callable[[], datetime] = utc_now) -> None:
        self._api = Api(session)
        self._now = now

    async def now(self, ref: str) -> IngestHealth:
        """RetryLater when a rate limit is nearly used up: figures are the first thing to do without."""
        video = await self._api.get(ref, spare=True, fields="ingest_streams{is_master,stream_health}")
        streams = sorted(video.get("ingest_streams") or [], key=lambda one: not one.get("is_master"))
        measured = next((one["stream_health"] for one in streams if one.get("stream_health")), None)
        if measured is None:
            return IngestHealth(state="nothing")
        state, issues = judged(measured)
        complaints = await self._complaints(ref)
        return IngestHealth(
            state="bad" if complaints else state, issues=tuple(dict.fromkeys((*issues, *complaints)))
        )

    async def _complaints(self, ref: str) -> list[str]:
        try:
            page = await self._api.get(f"{ref}/errors", spare=True)
        except Refused:
            return []
        since = self._now() - LATELY
        return [
            str(error["error_message"])
            for error in page.get("data", [])
            if error.get("error_message") and datetime.fromisoformat(error["creation_time"]) >= since
        ]


def judged(measured: dict[str, Any]) -> tuple[Literal["good", "fair", "bad"], list[str]]:
    """From stream_health. Its names are undocumented: one that is missing says nothing, good or bad."""
    issues: list[str] = []
    bits, pictures = measured.get("video_bitrate"), measured.get("video_framerate")
    if measured.get("audio_bitrate") == 0:
        issues.append(NO_SOUND)
    if pictures is not None and pictures < LEAST_PICTURES:
        issues.append(FEW_PICTURES.format(pictures))
    if bits is not None and bits < GOOD_BITS:
        issues.append(THIN.format(bits / 1e6))
    poor = bits is not None and bits < LEAST_BITS
    fair_at_most: Literal["good", "fair"] = "fair" if issues else "good"
    return ("bad" if poor or len(issues) > 1 else fair_at_most), issues
