"""What ffmpeg is told for a source: argument lists and playlists. Pure but for looking at files.

Addresses to pull go in through standard input as a playlist of one, because they carry keys and everybody
on the machine can read command lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from restream.api import SourceSpec
from restream.encode.process import ffmpeg_binary

PULLED: Final = frozenset({"rtmp", "rtmps", "srt", "http", "https", "rtsp", "rtsps", "rtp", "udp"})
FETCHED: Final = frozenset({"http", "https"})
"""May deliver faster than real time, so we pace them; the others are live and pace themselves."""
PROTOCOLS: Final = "pipe,rtmp,rtmpt,rtmps,srt,http,https,httpproxy,tcp,tls,udp,rtp,srtp,crypto"
"""Neither file nor anything else that reaches into this machine's disk; pipe is the playlist itself."""
CONTAINERS: Final = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,flv,mpegts,mpeg,avi,mp3,aac,wav,ogg,flac"
"""What a file may be: nothing that names other files, as HLS and concat playlists do."""

QUIET: Final = ("-hide_banner", "-nostats", "-loglevel", "info")
TRACKS: Final = ("-map", "0:v:0?", "-map", "0:a:0?", "-sn", "-dn")
FLV: Final = ("-f", "flv", "-flvflags", "no_duration_filesize", "-flush_packets", "1", "pipe:1")
FIT: Final = (
    "scale='min(1920,iw)':'min(1080,ih)':force_original_aspect_ratio=decrease:force_divisible_by=2,setsar=1"
)
PICTURE: Final = (
    *("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-pix_fmt", "yuv420p", "-bf", "0"),
    *("-b:v", "4500k", "-maxrate", "4500k", "-bufsize", "9000k", "-fpsmax", "60"),
    *("-force_key_frames", "expr:gte(t,n_forced*2)"),
)
SOUND: Final = (*("-c:a", "aac", "-b:a", "160k", "-ar", "48000", "-ac", "2", "-af", "aresample=async=1000"),)
PATTERN: Final = (
    *("-re", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30"),
    *("-f", "lavfi", "-i", "sine=frequency=440:beep_factor=4:sample_rate=48000"),
    *("-map", "0:v", "-map", "1:a", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
    *("-b:v", "2500k", "-maxrate", "2500k", "-bufsize", "2500k", "-g", "60", "-keyint_min", "60", "-bf", "0"),
    *("-c:a", "aac", "-b:a", "128k", "-ac", "2"),
)
"""testsrc2 draws a running clock itself, so no font is needed."""
STREAM: Final = re.compile(r"Stream #0:\d+\S*: (Video|Audio): (\w+)")
PATIENCE_US: Final = 15_000_000


class BadSource(ValueError):
    """The source cannot be played as it is written; the sentence is for a person."""


@dataclass(frozen=True)
class Plan:
    """Which tracks are copied; the others are encoded."""

    video: bool = True
    audio: bool = True


@dataclass(frozen=True)
class Command:
    """`argv` of ffmpeg and what goes into its standard input, if anything."""

    argv: list[str]
    playlist: str | None = field(default=None, repr=False)


def items(spec: SourceSpec) -> list[str]:
    """What is played one after the other; the pattern is one item without a name. Raises BadSource."""
    addresses = [address.get_secret_value() for address in spec.addresses]
    if spec.kind == "pattern":
        return [""]
    if not addresses:
        raise BadSource("The source has no address. Add one.")
    if spec.kind != "playlist" and len(addresses) > 1:
        raise BadSource("This kind of source has one address. Use a playlist for several files.")
    return addresses


def command(spec: SourceSpec, item: str, folder: Path | None, plan: Plan) -> Command:
    """How one item is played at its own pace as FLV. Raises BadSource."""
    if spec.kind == "pattern":
        return Command([ffmpeg_binary(), *QUIET, *PATTERN, *FLV])
    if spec.kind == "pull":
        scheme = _pullable(item)
        pace = ("-re",) if scheme in FETCHED else ()
        whole = ("-f", "concat", "-safe", "0", "-protocol_whitelist", PROTOCOLS, "-i", "pipe:0")
        return Command(_encoded([*pace, *whole], plan), _playlist(item, scheme))
    again = ("-stream_loop", "-1") if spec.kind == "file" and spec.loop else ()
    guarded = ("-protocol_whitelist", "file", "-format_whitelist", CONTAINERS)
    return Command(_encoded(["-re", *again, *guarded, "-i", f"file:{inside(folder, item)}"], plan))


def inside(folder: Path | None, name: str) -> Path:
    """A file below the folder, wherever its name pretends to be. Raises BadSource."""
    if folder is None:
        raise BadSource("This media worker has no folder for source files. Set one, or pull an address.")
    root = folder.resolve()
    try:
        file = (root / name).resolve()
        found = file.is_relative_to(root) and file.is_file()
    except (OSError, ValueError):
        found = False
    if not found:
        raise BadSource("There is no such file in the folder for source files. Look at its name.")
    return file


def plan_after(plan: Plan, said: str) -> Plan:
    """What to copy the next time, from what ffmpeg said of the streams it found; never more than before."""
    found = dict(reversed(STREAM.findall(said)))  # the first of each kind is the one we take
    next_plan = Plan(plan.video and found.get("Video") == "h264", plan.audio and found.get("Audio") == "aac")
    return next_plan if next_plan != plan else Plan(video=False, audio=False)


def _encoded(source: list[str], plan: Plan) -> list[str]:
    video = ("-c:v", "copy") if plan.video else ("-vf", FIT, *PICTURE)
    audio = ("-c:a", "copy") if plan.audio else SOUND
    return [ffmpeg_binary(), *QUIET, *source, *TRACKS, *video, *audio, *FLV]


def _pullable(address: str) -> str:
    try:
        scheme = urlsplit(address).scheme.lower()
    except ValueError:
        scheme = ""
    if scheme not in PULLED or not address.isprintable():
        known = ", ".join(sorted(PULLED))
        raise BadSource(f"This address cannot be pulled. It must begin with one of: {known}.")
    return scheme


def _playlist(address: str, scheme: str) -> str:
    quoted = address.replace("'", r"'\''")
    lines = ["ffconcat version 1.0", f"file '{quoted}'"]
    if scheme in ("rtsp", "rtsps"):
        lines.append("option rtsp_transport tcp")
    else:
        lines.append(f"option rw_timeout {PATIENCE_US}")
    return "\n".join(lines) + "\n"
