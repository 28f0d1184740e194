"""How fast this machine encodes, compared to the one the planner's figures are from."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import tempfile
from pathlib import Path
from typing import Final

from pydantic import BaseModel, Field, ValidationError

from restream.api import ProfileSpec
from restream.encode import process
from restream.encode.ffmpeg import LAYERS_PER_SECOND, Facts, Job, argv
from restream.encode.planner import cost

SECONDS: Final = 4
FACTS: Final = Facts(1280, 720, 30.0, 48_000)
PROFILE: Final = ProfileSpec(name="measure", width=720, height=1280, fit="crop", video_kbps=2500)
PATIENCE: Final = 120.0
BENCH: Final = re.compile(r"bench: utime=([\d.]+)s stime=([\d.]+)s")


class Kept(BaseModel):
    """What is remembered of a measurement."""

    processor: str
    factor: float = Field(gt=0)


class NotMeasured(Exception):
    """The trial did not work; the sentence says why."""


async def measure(scratch: Path) -> float:
    """The factor for `plan`: 1 is as fast as the figures say, 2 is half as fast. Raises NotMeasured.

    Takes a core for a few seconds, and a few megabytes in the folder `scratch` as long.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="measure-", dir=scratch) as name:
            async with asyncio.timeout(PATIENCE):
                await _run(_trial(Path(name) / "feed.flv"))
                seconds = await _encode(Path(name))
    except TimeoutError:
        raise NotMeasured("The trial took far too long; this machine can't encode.") from None
    except OSError as error:
        raise NotMeasured(f"The trial could not be run ({error.strerror}).") from error
    return max(0.1, round(seconds / SECONDS / cost(PROFILE, FACTS, "superfast"), 2))


async def _encode(folder: Path) -> float:
    """Seconds of a core that our own command line took for the trial feed."""
    feed, layers = folder / "feed.flv", folder / "layers"
    with layers.open("wb") as empty:  # a hole: zeros, which are transparent, without a byte on the disk
        empty.truncate(PROFILE.width * PROFILE.height * 4 * LAYERS_PER_SECOND * (SECONDS + 2))
    with feed.open("rb") as media, layers.open("rb") as pictures:
        fds = (media.fileno(), pictures.fileno())
        line = argv(Job(PROFILE, FACTS), media_fd=fds[0], layers_fd=fds[1])
        said = await _run([*line, "-benchmark", "-loglevel", "info"], *fds)
    if not (found := BENCH.search(said)):
        raise NotMeasured("The trial did not say how long it took.")
    return float(found[1]) + float(found[2])


async def _run(argv: list[str], *pass_fds: int) -> str:
    """Run a child to its end; what it said."""
    child = await process.start("measure", argv, read=True, pass_fds=pass_fds)
    try:
        while await child.read():
            pass  # what it encodes is of no interest
        if await child.wait():
            raise NotMeasured("The trial failed: ffmpeg does not work here.")
    finally:
        await child.stop()
    return child.last_words()


def _trial(feed: Path) -> list[str]:
    """A busy picture, as a publisher would send it."""
    size = f"{FACTS.width}x{FACTS.height}"
    picture = f"testsrc2=size={size}:rate={FACTS.fps:g}:duration={SECONDS},noise=alls=12:allf=t"
    line = [process.ffmpeg_binary(), "-loglevel", "error", "-f", "lavfi", "-i", picture]
    line += ["-f", "lavfi", "-i", f"sine=sample_rate={FACTS.audio_rate}:duration={SECONDS}"]
    line += ["-c:v", "libx264", "-preset", "superfast", "-bf", "0", "-g", "60", "-pix_fmt", "yuv420p"]
    return [*line, "-b:v", "4M", "-maxrate", "4M", "-bufsize", "4M", "-c:a", "aac", "-f", "flv", str(feed)]


def remembered(file: Path) -> float | None:
    """What was measured on this machine before; None when it has other processors, or never was."""
    try:
        kept = Kept.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None
    return kept.factor if kept.processor == processor() else None


def remember(file: Path, factor: float) -> None:
    """For the next start."""
    kept = Kept(processor=processor(), factor=factor)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(kept.model_dump_json())


def processor() -> str:
    """Its model and how many there are."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{os.cpu_count()} x {model or platform.machine()}"
