"""The demo's camera and OBS in one: draws the studio, burns in the clock, publishes by RTMP.

`python -m hub.demo.encoder` reads the address from SIMULCAST_DEMO_INGEST (the key is in it, and a
command line would show it to everybody on the machine).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time

import ffmpeg
import imageio_ffmpeg

from hub.demo import clock, pictures
from hub.engines.process import open_input, run_for_bytes

FPS = 30
SCENE_SECONDS = 12


def binary() -> str:
    """The ffmpeg to use."""
    return os.environ.get("FFMPEG") or imageio_ffmpeg.get_ffmpeg_exe()


def publish_argv(address: str) -> list[str]:
    """ffmpeg: raw frames on standard input, a quiet tone, H.264 and AAC to `address`."""
    video = ffmpeg.input(
        "pipe:",
        format="rawvideo",
        pix_fmt="yuv420p",
        s=f"{pictures.WIDTH}x{pictures.HEIGHT}",
        r=FPS,
        use_wallclock_as_timestamps=1,
    )
    audio = ffmpeg.input("sine=frequency=196:sample_rate=44100", f="lavfi", re=None).audio.filter(
        "volume", 0.05
    )
    output = ffmpeg.output(
        video,
        audio,
        address,
        format="flv",
        vcodec="libx264",
        preset="ultrafast",
        tune="zerolatency",
        # Constant bit rate, as platforms ask for: still scenes would need almost nothing.
        **{"profile:v": "main", "b:v": "2500k", "b:a": "128k", "fps_mode": "passthrough"},
        **{"x264-params": "nal-hrd=cbr"},
        minrate="2500k",
        maxrate="2500k",
        bufsize="2500k",
        g=FPS * 2,
        acodec="aac",
        flvflags="no_duration_filesize",
    )
    argv: list[str] = output.global_args("-hide_banner", "-loglevel", "error").compile(cmd=binary())
    return argv


async def draw(name: str) -> bytearray:
    """One scene as a raw yuv420p picture."""
    argv = [binary(), "-loglevel", "error", "-i", str(pictures.scene(name)), "-frames:v", "1"]
    return bytearray(await run_for_bytes([*argv, "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"]))


async def publish(address: str) -> int:
    """Publish until cancelled or refused; ffmpeg's exit code."""
    scenes = [await draw(name) for name in pictures.NAMES]
    process = await open_input(publish_argv(address))
    assert process.stdin  # noqa: S101 (opened with a pipe)
    started, count = time.monotonic(), 0
    try:
        while process.returncode is None:
            picture = scenes[count // (FPS * SCENE_SECONDS) % len(scenes)]
            clock.burn(picture, pictures.WIDTH, time.time_ns() // 1_000_000)
            process.stdin.write(bytes(picture))
            await process.stdin.drain()
            count += 1
            await asyncio.sleep(max(0.0, started + count / FPS - time.monotonic()))
    except (BrokenPipeError, ConnectionResetError):
        pass  # ffmpeg has gone; its exit code says why
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)  # ffmpeg then ends the stream; the tone never would,
            process.stdin.close()  # and a read of the next picture would wait for ever
        code = await process.wait()
    return code


async def main() -> int:
    """Publish, and end politely on SIGTERM so that the stream is finished and not torn."""
    task = asyncio.ensure_future(publish(os.environ["SIMULCAST_DEMO_INGEST"]))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
