"""What is known of platforms beforehand: where a key is found, how patient they are, which picture they take.

Only what is known for certain: an address that differs from account to account, and where exactly a
platform shows it today, is left to the person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel

from restream.api import ProfileSpec, RetryPlan


class TargetPreset(BaseModel):
    """A form that is half filled in. `url` is empty where every account has its own address."""

    platform: str
    title: str
    url: str = ""
    example: str
    help: str
    key_help: str = "Copy it from the same page."
    vertical: bool = False


PLANS: Final[Mapping[str, RetryPlan]] = {
    "youtube": "youtube",
    "facebook": "facebook",
    "twitch": "twitch",
    "tiktok": "single_use",
    "instagram": "single_use",
}
"""How a broken push is tried again; whoever is not here is tried again steadily."""

TARGET_PRESETS: Final = (
    TargetPreset(
        platform="kick",
        title="Kick",
        example="rtmps://….global-contribute.live-video.net:443/app",
        help="Kick shows them in your account's stream settings. Every account has an address of its own.",
    ),
    TargetPreset(
        platform="x",
        title="X",
        example="rtmps://….pscp.tv:443/x",
        help="Open your RTMP source in Media Studio Producer. The broadcast is started there.",
        key_help="It belongs to the source and stays the same.",
    ),
    TargetPreset(
        platform="linkedin",
        title="LinkedIn",
        example="rtmps://…",
        help="Open your LinkedIn Live event and choose the custom stream. Address and key are made for "
        "every event.",
        key_help="Good for this event only.",
    ),
    TargetPreset(
        platform="amazon",
        title="Amazon Live",
        example="rtmps://…:443/app",
        help="The Amazon Live Creator app shows them when you choose to stream with an encoder. Products are "
        "put on the carousel there, and the show is started there.",
        key_help="Copy it from the app before every show: it may be a new one.",
    ),
    TargetPreset(
        platform="instagram",
        title="Instagram",
        example="rtmps://live-upload.instagram.com:443/rtmp/",
        help="Open Instagram Live Producer in a browser. It shows the address and a new key for every "
        "broadcast, and the broadcast is started there.",
        key_help="Good for one broadcast only. Copy it whole, with everything after the question mark.",
        vertical=True,
    ),
    TargetPreset(
        platform="tiktok",
        title="TikTok",
        example="rtmp://….tiktokcdn.com/…",
        help="TikTok LIVE Producer or LIVE Studio shows them. They are made for every LIVE: fetch them "
        "within the hour before it. The LIVE itself is started there.",
        key_help="Good for one LIVE only. Copy it whole, with everything after the question mark.",
        vertical=True,
    ),
    TargetPreset(
        platform="youtube",
        title="YouTube",
        url="rtmps://a.rtmps.youtube.com:443/live2",
        example="rtmps://a.rtmps.youtube.com:443/live2",
        help="YouTube Studio shows the key. Link the account instead, and broadcasts are made, started and "
        "ended by themselves, with the chat and the backup ingest.",
    ),
    TargetPreset(
        platform="facebook",
        title="Facebook",
        url="rtmps://rtmp-api.facebook.com:443/rtmp/",
        example="rtmps://rtmp-api.facebook.com:443/rtmp/",
        help="Facebook Live Producer shows the key. Link the Page instead, and live videos are made and "
        "ended by themselves, with the comments and the backup ingest.",
        key_help="Copy it whole, with everything after the question mark.",
    ),
    TargetPreset(
        platform="twitch",
        title="Twitch",
        url="rtmps://ingest.global-contribute.live-video.net:443/app",
        example="rtmps://ingest.global-contribute.live-video.net:443/app",
        help="Twitch shows the key in your channel's stream settings. Link the account instead to have "
        "title and chat as well.",
        key_help="It stays the same until you reset it.",
    ),
    TargetPreset(
        platform="",
        title="Any other place",
        example="rtmps://server:443/app, srt://server:9000 or https://server/whip",
        help="Any server that takes RTMP, RTMPS, SRT or WHIP.",
        key_help="RTMP: the stream key. SRT: the stream id. WHIP: the bearer token.",
    ),
)

PROFILE_PRESETS: Final = (
    ProfileSpec(
        name="Vertical 720×1280",
        width=720,
        height=1280,
        fit="crop",
        fps=30,
        video_kbps=3500,
        audio_rate=44_100,
    ),
    ProfileSpec(name="Vertical 1080×1920", width=1080, height=1920, fit="crop", fps=30, video_kbps=5000),
    ProfileSpec(name="720p 3 Mbit/s", width=1280, height=720, video_kbps=3000),
)


def plan_of(platform: str) -> RetryPlan:
    """How a push to this platform is tried again."""
    return PLANS.get(platform, "steady")
