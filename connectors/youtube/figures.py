"""How many watch, and how YouTube likes what it receives."""

from __future__ import annotations

from typing import Any, Literal

from connectors.base import Session
from connectors.types import Audience, IngestHealth
from connectors.youtube.api import Api
from connectors.youtube.broadcasts import Broadcasts
from connectors.youtube.config import Config

SHED = 300
"""With fewer units than this for reading, viewers go uncounted: the chat needs them more."""

HEALTH: dict[str, Literal["good", "fair", "bad", "nothing"]] = {
    "good": "good",
    "ok": "fair",
    "bad": "bad",
    "noData": "nothing",
    "revoked": "nothing",
}
KEYFRAMES = "Set the encoder's keyframe interval to 2 seconds."
BOTH = "The two feeds YouTube receives differ in {}. Both must come from the same encoder settings."

ISSUES = {
    "gopSizeOver": f"Keyframes are more than 4 seconds apart, so viewers stall. {KEYFRAMES}",
    "gopSizeLong": f"Keyframes are too far apart. {KEYFRAMES}",
    "gopSizeShort": f"Keyframes are too close together, which costs picture quality. {KEYFRAMES}",
    "openGop": "The encoder uses open GOPs. Switch it to closed GOPs.",
    "badContainer": "YouTube can't read the container of the stream. Send FLV over RTMP.",
    "audioBitrateHigh": "The sound's bitrate is higher than YouTube needs. Set it to 128 kbit/s.",
    "audioBitrateLow": "The sound's bitrate is low. Set it to 128 kbit/s.",
    "audioSampleRate": "YouTube does not like the sound's sample rate. Set it to 44.1 or 48 kHz.",
    "bitrateHigh": "The bitrate is higher than YouTube advises for this resolution. Lower it.",
    "bitrateLow": "The bitrate is too low for this resolution, so the picture is poor. Raise it, or lower "
    "the resolution.",
    "audioCodec": "YouTube can't use this sound format. Set the encoder's sound to AAC.",
    "videoCodec": "YouTube can't use this video format. Set the encoder to H.264.",
    "noAudioStream": "YouTube receives no sound. Check the microphone and the encoder's sound.",
    "noVideoStream": "YouTube receives no picture. Check the camera and the encoder.",
    "multipleVideoStreams": "YouTube receives more than one picture. Send only one.",
    "multipleAudioStreams": "YouTube receives more than one sound track. Send only one.",
    "audioTooManyChannels": "The sound has too many channels. Send stereo or mono.",
    "interlacedVideo": "The picture is interlaced. Switch the encoder to progressive.",
    "frameRateHigh": "The frame rate is higher than YouTube takes. Set it to 60 or less.",
    "resolutionMismatch": BOTH.format("resolution"),
    "videoCodecMismatch": BOTH.format("video format"),
    "videoInterlaceMismatch": BOTH.format("interlacing"),
    "videoProfileMismatch": BOTH.format("the H.264 profile"),
    "videoBitrateMismatch": BOTH.format("video bitrate"),
    "framerateMismatch": BOTH.format("frame rate"),
    "gopMismatch": BOTH.format("keyframe interval"),
    "audioSampleRateMismatch": BOTH.format("the sound's sample rate"),
    "audioStereoMismatch": BOTH.format("the sound's channels"),
    "audioCodecMismatch": BOTH.format("sound format"),
    "audioBitrateMismatch": BOTH.format("the sound's bitrate"),
    "videoResolutionSuboptimal": "The picture's size is unusual. Send 1280x720 or 1920x1080.",
    "videoResolutionUnsupported": "YouTube takes no picture of this size. Send 1280x720 or 1920x1080.",
    "videoIngestionStarved": "YouTube receives the picture too slowly, so viewers stall. The line is "
    "too slow for the bitrate: lower the bitrate.",
    "videoIngestionFasterThanRealtime": "The picture comes faster than it plays. Check the encoder's clock.",
}
"""LiveStreamConfigurationIssue.type of discovery revision 20261104, and what to do about each."""


class YouTubeHealth:
    """YouTube's word on our stream: two units."""

    def __init__(self, session: Session[Config]) -> None:
        self._broadcasts = Broadcasts(Api(session))

    async def now(self, ref: str) -> IngestHealth:
        """The health of the stream the broadcast is bound to; `nothing` without one."""
        ingest = await self._broadcasts.ingest(await self._broadcasts.one(ref))
        told = ingest.get("healthStatus", {})
        if ingest.get("streamStatus") == "error":
            return IngestHealth(state="bad", issues=("YouTube can't use the stream it receives.",))
        issues = [_sentence(issue) for issue in told.get("configurationIssues", [])]
        return IngestHealth(
            state=HEALTH.get(told.get("status", "noData"), "fair"), issues=tuple(dict.fromkeys(issues))
        )


class YouTubeAudience:
    """Viewers and likes: one unit, and the first thing to go when units run short."""

    def __init__(self, session: Session[Config]) -> None:
        self._api = Api(session)
        self._budget = session.budget

    async def now(self, ref: str) -> Audience:
        """What YouTube tells; it tells no viewers where the owner hides them, and when the show is over."""
        left = await self._budget.left()
        if left is not None and left < SHED:
            return Audience()
        listed = await self._api.call("videos.list", part="liveStreamingDetails,statistics", id=ref)
        for video in listed.get("items", []):
            return Audience(
                viewers=_count(video.get("liveStreamingDetails", {}), "concurrentViewers"),
                reactions=_count(video.get("statistics", {}), "likeCount"),
            )
        return Audience()


def _count(figures: dict[str, Any], name: str) -> int | None:
    return int(figures[name]) if name in figures else None


def _sentence(issue: dict[str, Any]) -> str:
    told = issue.get("description") or issue.get("reason")
    return ISSUES.get(issue.get("type", ""), str(told or "YouTube is not content with the stream."))
