"""Real ffmpeg, publishing and listening."""

from __future__ import annotations

import asyncio
import functools
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import imageio_ffmpeg

from restream.media import Frame
from tests.restream.hls.feed import Shape, command, frames_of

WAIT_SECONDS = 30.0


@functools.cache
def recorded(shape: Shape) -> bytes:
    """An FLV file."""
    return subprocess.run(command(shape), capture_output=True, timeout=60, check=True).stdout


def expected(shape: Shape) -> list[Frame]:
    """Its frames."""
    return list(frames_of(recorded(shape)))


@asynccontextmanager
async def ffmpeg(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """ffmpeg, running; killed at the end."""
    executable = imageio_ffmpeg.get_ffmpeg_exe()
    process = await asyncio.create_subprocess_exec(
        executable,
        "-hide_banner",
        "-loglevel",
        "info",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def publishing(
    shape: Shape, address: str, *options: str, live: bool = False
) -> AsyncIterator[asyncio.subprocess.Process]:
    """ffmpeg pushes a recording to an RTMP address, at once or (`live`) at its own pace and in a loop."""
    with tempfile.NamedTemporaryFile(suffix=".flv") as file:
        file.write(recorded(shape))
        file.flush()
        pace = ["-re", "-stream_loop", "-1"] if live else []
        output = ["-c", "copy", "-f", "flv", *options, address]
        async with ffmpeg(*pace, "-i", file.name, *output) as process:
            yield process


async def ended(process: asyncio.subprocess.Process) -> tuple[int, str]:
    """Its exit code and what it said."""
    async with asyncio.timeout(WAIT_SECONDS):
        _, said = await process.communicate()
    return process.returncode or 0, said.decode(errors="replace")
