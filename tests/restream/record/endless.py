"""A process that records for ever, a second of show every few milliseconds, until somebody kills it."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from pathlib import Path

from restream.api import RecordingSpec
from restream.live import at_time
from restream.record.recorder import Recorder
from tests.restream.hls.feed import Shape, stream


async def record(root: Path) -> None:
    """Until killed."""
    frames = stream(Shape(seconds=4, gop=30))
    recorder = Recorder(root, "show", RecordingSpec(least_free_gb=0))
    recorder.start()
    for frame in frames:
        if frame.header:
            recorder.push(frame)
    turn = 0
    while True:
        for frame in frames:
            if not frame.header:
                recorder.push(replace(at_time(frame, frame.dts + turn * 4000), arrived=time.time()))
                if frame.keyframe and frame.kind == 9:
                    await asyncio.sleep(0.02)
        turn += 1


if __name__ == "__main__":
    asyncio.run(record(Path(sys.argv[1])))
