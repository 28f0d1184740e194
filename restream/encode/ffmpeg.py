"""From a profile and the feed's facts to ffmpeg's command line, and to the lines that steer it. Pure.

Media comes in as FLV through one pipe, the layers as raw RGBA pictures through another; FLV goes out on the
standard output. The standard input stays free: ffmpeg takes commands to its filters there, so the crop moves
and layers come and go without a new encoder. It does so only while no input is called `pipe:`, hence /dev/fd.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import ffmpeg

from restream.api import ProfileSpec
from restream.encode.process import ffmpeg_binary

Preset = Literal["superfast", "ultrafast"]
LAYERS_PER_SECOND: Final = 2
"""Pictures of the layers a second, fed whether they change or not: the overlay waits for the next one."""
SOON: Final = {"probesize": 64 << 10, "analyzeduration": 200_000, "fpsprobesize": 0}
"""Begin at once: the headers say all, and waiting to learn the rate of pictures from them costs seconds."""
BLUR_SHRINK: Final = 8
"""The blurred enlargement is made from a picture this many times smaller: nobody sees it, it costs 1/64."""
BUFFER_SECONDS: Final = 1.0
"""How far the rate may run ahead of its cap (x264's VBV buffer); what the platforms recommend."""


@dataclass(frozen=True)
class Facts:
    """What is known of the feed. `fps` pictures a second; `audio_rate` in Hz, None without sound.

    `codecs` are the families alone (avc1, mp4a): a slate has another level than the live it stands in for.
    """

    width: int
    height: int
    fps: float = 30.0
    audio_rate: int | None = 48_000
    codecs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Box:
    """A part of a picture, in pixels."""

    width: int
    height: int


@dataclass(frozen=True)
class Job:
    """One encoder's work. What lies before `begins` (ms on its own clock) is decoded, but not encoded."""

    profile: ProfileSpec
    facts: Facts
    preset: Preset = "superfast"
    threads: int = 1
    begins: int = 0


def argv(job: Job, *, media_fd: int, layers_fd: int) -> list[str]:
    """ffmpeg with the media on one inherited descriptor and the layers' pictures on the other."""
    video, audio, size = job.profile, job.facts.audio_rate, f"{job.profile.width}x{job.profile.height}"
    begins = job.begins / 1000
    media = ffmpeg.input(f"/dev/fd/{media_fd}", format="flv", threads=1, **SOON)
    layers = ffmpeg.input(
        f"/dev/fd/{layers_fd}",
        format="rawvideo",
        pix_fmt="rgba",
        s=size,
        framerate=LAYERS_PER_SECOND,
        itsoffset=begins,
        **SOON,
    )
    picture = media.video.filter("trim", start=begins)
    if video.fps:
        picture = picture.filter("fps", video.fps)
    picture = _fitted(picture, video, job.facts)
    shown = int(bool(video.layers))
    picture = ffmpeg.filter([picture, layers.video], "overlay@layers", shortest=1, enable=shown)
    picture = picture.filter("format", "yuv420p")
    streams = [picture, media.audio] if audio else [picture]
    output = ffmpeg.output(
        *streams,
        "pipe:1",
        format="flv",
        flvflags="no_duration_filesize",
        flush_packets=1,
        max_interleave_delta=500_000,  # µs a track waits for one that has fallen silent
        **_video_options(job),
        **(_audio_options(job) if audio else {}),
    )
    calm = ("-hide_banner", "-loglevel", "error", "-nostats", "-stats_period", "0.1", "-copyts")
    line: list[str] = output.global_args(*calm, "-filter_complex_threads", str(job.threads)).compile(
        cmd=ffmpeg_binary()
    )
    return line


def crop_command(profile: ProfileSpec) -> bytes:
    """Moves the crop of a running encoder to the profile's `crop_x`."""
    return f"ccrop@view -1 x {_crop_x(profile)}\n".encode()


def layers_command(shown: bool) -> bytes:
    """Shows or hides the layers of a running encoder; hidden ones cost nothing."""
    return f"coverlay@layers -1 enable {int(shown)}\n".encode()


def content(profile: ProfileSpec) -> str:
    """All settings but the name: profiles that have these in common are one encoding."""
    return profile.model_dump_json(exclude={"name"})


def fixed_part(profile: ProfileSpec) -> str:
    """The settings that need another encoder when they change."""
    return profile.model_dump_json(exclude={"name", "crop_x", "layers"})


def letterboxed(facts: Facts, profile: ProfileSpec) -> Box:
    """The whole picture, as large as fits into the profile's."""
    factor = min(profile.width / facts.width, profile.height / facts.height)
    return _even(facts.width * factor, facts.height * factor, profile.width, profile.height)


def cropped(facts: Facts, profile: ProfileSpec) -> Box:
    """The largest part of the picture that has the profile's shape."""
    factor = max(profile.width / facts.width, profile.height / facts.height)
    return _even(profile.width / factor, profile.height / factor, facts.width, facts.height)


def _even(width: float, height: float, most_width: int, most_height: int) -> Box:
    """Even numbers, as 4:2:0 pictures need, and never beyond the limits."""
    return Box(
        min(max(2, round(width / 2) * 2), most_width - most_width % 2),
        min(max(2, round(height / 2) * 2), most_height - most_height % 2),
    )


def _crop_x(profile: ProfileSpec) -> str:
    return f"(iw-ow)*{profile.crop_x:.4f}"


def _fitted(picture: Any, profile: ProfileSpec, facts: Facts) -> Any:
    size = (profile.width, profile.height)
    if profile.fit == "crop":
        part = cropped(facts, profile)
        picture = picture.filter(
            "crop@view", w=part.width, h=part.height, x=_crop_x(profile), y="(ih-oh)/2"
        ).filter("scale", *size, flags="bilinear")
    elif (whole := letterboxed(facts, profile)) == Box(*size):
        picture = picture.filter("scale", *size, flags="bilinear")
    elif profile.fit == "letterbox":
        picture = picture.filter("scale", whole.width, whole.height, flags="bilinear").filter(
            "pad", *size, x="(ow-iw)/2", y="(oh-ih)/2", color="black"
        )
    else:
        both = picture.filter_multi_output("split")
        front = both[1].filter("scale", whole.width, whole.height, flags="bilinear")
        back = _blurred(both[0], profile, facts)
        picture = ffmpeg.filter([back, front], "overlay", x="(W-w)/2", y="(H-h)/2")
    return picture.filter("setsar", 1)


def _blurred(picture: Any, profile: ProfileSpec, facts: Facts) -> Any:
    part = cropped(facts, profile)
    small = (max(16, profile.width // BLUR_SHRINK // 2 * 2), max(16, profile.height // BLUR_SHRINK // 2 * 2))
    return (
        picture.filter("crop", w=part.width, h=part.height)
        .filter("scale", *small, flags="fast_bilinear")
        .filter("avgblur", 3)
        .filter("scale", profile.width, profile.height, flags="fast_bilinear")
    )


def _video_options(job: Job) -> dict[str, Any]:
    """H.264 for live: no B-frames, no look-ahead, closed groups of exactly the wanted length, a capped rate.

    Without a wanted rate of pictures each keeps its own timestamp, so the clock's unit is a millisecond and
    x264 must not take it for the distance of pictures (`force-cfr`, which zerolatency switches on).
    """
    profile, fps = job.profile, job.profile.fps or job.facts.fps
    options: dict[str, Any] = {
        "vcodec": "libx264",
        "preset": job.preset,
        "tune": "zerolatency",
        "threads": job.threads,
        "b:v": f"{profile.video_kbps}k",
        "maxrate": f"{profile.video_kbps}k",
        "bufsize": f"{round(profile.video_kbps * BUFFER_SECONDS)}k",
        "force_key_frames": f"expr:gte(t+{0.5 / fps:.4f},n_forced*{profile.keyframe_seconds})",
        "forced-idr": 1,
        "g": round(fps * profile.keyframe_seconds * 2),  # a net below: `force_key_frames` comes first
        "x264-params": "scenecut=0:open-gop=0",
    }
    if profile.fps:
        return options | {"fps_mode": "cfr", "r": profile.fps}
    options["x264-params"] += ":force-cfr=0"
    return options | {"fps_mode": "passthrough", "enc_time_base:v": "1/1000"}


def _audio_options(job: Job) -> dict[str, Any]:
    """AAC. Gaps in the feed's sound are filled with silence, so that sound and picture stay together."""
    options: dict[str, Any] = {
        "acodec": "aac",
        "b:a": f"{job.profile.audio_kbps}k",
        "ar": job.profile.audio_rate or job.facts.audio_rate,
        "ac": 2,
        "af": f"atrim=start={job.begins / 1000},aresample=async=1",
    }
    return options
