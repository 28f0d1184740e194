"""From the rungs of a ladder to ffmpeg's command line. Pure.

The feed's pictures come in as FLV through one pipe; each rung goes out as FLV through a pipe of its own. A
picture is decoded once, and each rung is scaled from the one above it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import ffmpeg

from restream.encode.ffmpeg import SOON, Preset
from restream.encode.process import ffmpeg_binary
from restream.encode.rungs import Step

QUALITY: Final = 23
"""x264's constant rate factor: an easy picture needs less than its cap, and then it shall not take it."""
BUFFER_SECONDS: Final = 0.5
"""How far the rate may run ahead of its cap: players choose by the cap, and large keyframes are late."""
REFUGE_HEIGHT: Final = 480
"""Up to here a rung is one that players flee to when their network gives way."""
REFUGE_SECONDS: Final = 1.0
"""A fleeing player must load from a keyframe on: with the feed's own, often two seconds of it at once."""


def argv(
    steps: Sequence[Step], preset: Preset, begins: Mapping[str, int], *, media_fd: int, fds: Mapping[str, int]
) -> list[str]:
    """ffmpeg with the media on one inherited descriptor, and a descriptor for each rung's name.

    What lies before a rung's `begins` (ms on the child's clock) is not encoded. The largest comes first.
    """
    media = ffmpeg.input(f"pipe:{media_fd}", format="flv", threads=1, **SOON)
    picture = media.video
    outputs = []
    for step in steps:
        picture = picture.filter("scale", step.rung.width, step.rung.height, flags="bicubic")
        if step is not steps[-1]:
            both = picture.filter_multi_output("split")
            mine, picture = both[0], both[1]
        else:
            mine = picture
        name = step.rung.name
        outputs.append(
            ffmpeg.output(
                mine.filter("trim", start_pts=begins[name]),
                f"pipe:{fds[name]}",
                format="flv",
                flvflags="no_duration_filesize",
                flush_packets=1,
                **_options(step, preset),
            )
        )
    calm = ("-hide_banner", "-loglevel", "error", "-nostats", "-nostdin", "-copyts")
    threads = ("-filter_complex_threads", str(max(step.threads for step in steps)))
    line: list[str] = ffmpeg.merge_outputs(*outputs).global_args(*calm, *threads).compile(cmd=ffmpeg_binary())
    return line


def _options(step: Step, preset: Preset) -> dict[str, Any]:
    """Constrained Baseline, which every browser's WebRTC takes; no look-ahead; the feed's own keyframes, and
    in small rungs one each second.

    Each picture keeps its own timestamp. x264 would take the clock's millisecond for the distance of
    pictures, so it is told their rate; the other way, letting it read the timestamps (`force-cfr=0`), makes
    it hold each picture until the next one is there.
    """
    return {
        "vcodec": "libx264",
        "preset": preset,
        "tune": "zerolatency",
        "profile:v": "baseline",
        "pix_fmt": "yuv420p",
        "threads": step.threads,
        "crf": QUALITY,
        "maxrate": f"{step.kbps}k",
        "bufsize": f"{round(step.kbps * BUFFER_SECONDS)}k",
        "force_key_frames": "source",
        "forced-idr": 1,
        "fps_mode": "passthrough",
        "enc_time_base:v": "1/1000",
        "x264-params": f"keyint={_keyint(step)}:scenecut=0:open-gop=0:fps={step.rung.fps:g}",
    }


def _keyint(step: Step) -> str:
    """Pictures after which a keyframe comes in any case."""
    if step.rung.height > REFUGE_HEIGHT:
        return "infinite"
    return str(max(1, round(step.rung.fps * REFUGE_SECONDS)))
