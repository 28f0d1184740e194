"""What each platform takes, as data. A number nobody has published is left out, not guessed.

Sources: the platforms' own encoder pages as collected in October 2026 (`docs`), obs-studio's
plugins/rtmp-services/data/services.json (`obs`), third parties where a platform says nothing (named).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

FAST_FPS: Final = 40
"""More pictures a second than this count as 60."""
SAME_SIZE: Final = 0.1
"""A picture's shorter side may be this far from a rung's and still be of its kind."""


@dataclass(frozen=True, slots=True)
class Rung:
    """Video bit rates (kbps) for one size, named by the picture's shorter side, and frame rate."""

    side: int
    fps: int
    least_kbps: int | None = None
    most_kbps: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """One platform. None, or empty: it says nothing about that."""

    title: str
    source: str
    video_codecs: tuple[str, ...] = ()
    rungs: tuple[Rung, ...] = ()
    most_kbps: int | None = None
    largest_side: int | None = None
    most_fps: int | None = None
    keyframe_seconds: float | None = None
    longest_keyframe_seconds: float | None = None
    closed_gop: bool = False
    constant_bitrate: bool = False
    b_frames: bool | None = None
    highest_level: float | None = None
    upright: bool | None = None
    audio_required: bool = False
    audio_codecs: tuple[str, ...] = ()
    audio_rates: tuple[int, ...] = ()
    most_audio_kbps: int | None = None
    most_channels: int | None = None
    browsers: bool = False
    """The limits are those of viewers' browsers: some can do what others can't."""

    def rung(self, width: int, height: int, fps: float) -> Rung | None:
        """The row for a picture of this size and pace; a row of the other pace where there is no other."""
        side = min(width, height)
        near = [rung for rung in self.rungs if abs(rung.side - side) <= SAME_SIZE * rung.side]
        wanted = 60 if fps > FAST_FPS else 30
        return min(near, key=lambda rung: abs(rung.fps - wanted), default=None)


PLAYER: Final = "player"
"""The row of our own LL-HLS and WebRTC playback."""

LIMITS: Final[Mapping[str, Limits]] = MappingProxyType(
    {
        "youtube": Limits(
            title="YouTube",
            source="docs: support.google.com/youtube/answer/2853702; audio ceiling: obs",
            video_codecs=("H.264", "HEVC", "AV1"),
            rungs=(
                Rung(720, 30, 3000, 8000),
                Rung(1080, 30, 5000, 14_000),
                Rung(1080, 60, 6000, 17_000),
                Rung(1440, 60, 8000, 34_000),
                Rung(2160, 60, 14_000, 50_000),
            ),
            most_kbps=51_000,
            most_fps=60,
            keyframe_seconds=2,
            longest_keyframe_seconds=4,
            closed_gop=True,
            constant_bitrate=True,
            audio_codecs=("AAC", "MP3"),
            audio_rates=(44_100, 48_000),
            most_audio_kbps=384,
            most_channels=6,
        ),
        "facebook": Limits(
            title="Facebook",
            source="docs: Facebook Live encoder settings",
            video_codecs=("H.264",),
            rungs=(
                Rung(480, 30, 600, 2000),
                Rung(720, 30, 1500, 4000),
                Rung(720, 60, 2250, 6000),
                Rung(1080, 30, 3000, 6000),
                Rung(1080, 60, 4500, 9000),
            ),
            most_kbps=9000,
            largest_side=1080,
            most_fps=60,
            keyframe_seconds=2,
            longest_keyframe_seconds=4,
            highest_level=4.2,
            audio_required=True,
            audio_codecs=("AAC",),
            audio_rates=(44_100, 48_000),
            most_audio_kbps=256,
        ),
        "twitch": Limits(
            title="Twitch",
            source="docs: help.twitch.tv broadcasting guidelines; audio ceiling: obs",
            video_codecs=("H.264",),
            most_kbps=6000,
            most_fps=60,
            keyframe_seconds=2,
            audio_codecs=("AAC",),
            audio_rates=(44_100, 48_000),
            most_audio_kbps=320,
            upright=False,
        ),
        "tiktok": Limits(
            title="TikTok",
            source="third parties, TikTok publishes no encoder page; guides differ",
            video_codecs=("H.264",),
            rungs=(Rung(1080, 30, 2500, 5400),),
            largest_side=1080,
            keyframe_seconds=2,
            longest_keyframe_seconds=2,
            constant_bitrate=True,
            upright=True,
            audio_codecs=("AAC",),
        ),
        "instagram": Limits(
            title="Instagram",
            source="docs: Instagram Live Producer; keyframes: common practice, not published",
            video_codecs=("H.264",),
            rungs=(Rung(720, 30, 2250, 6000), Rung(720, 60, 2250, 6000)),
            most_kbps=6000,
            most_fps=60,
            keyframe_seconds=2,
            upright=True,
            audio_codecs=("AAC",),
            audio_rates=(44_100,),
            most_audio_kbps=256,
            most_channels=2,
        ),
        "kick": Limits(
            title="Kick",
            source="nothing published was found",
        ),
        "x": Limits(
            title="X",
            source="obs (service Twitter)",
            video_codecs=("H.264",),
            most_kbps=12_000,
            most_fps=60,
            keyframe_seconds=3,
            most_audio_kbps=128,
        ),
        "linkedin": Limits(
            title="LinkedIn",
            source="third party: help.syncwords.com/live/send-captions-to-linkedin-rtmp-608",
            video_codecs=("H.264",),
            largest_side=1080,
            keyframe_seconds=2,
            upright=False,
            audio_codecs=("AAC",),
            audio_rates=(48_000,),
        ),
        PLAYER: Limits(
            title="Your own player",
            source="ours: segments last 2 s and begin at keyframes; WebRTC shows no B-frames",
            video_codecs=("H.264",),
            keyframe_seconds=2,
            longest_keyframe_seconds=4,
            b_frames=False,
            browsers=True,
        ),
    }
)
