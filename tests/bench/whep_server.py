"""Our side of the WHEP benchmark: a live fed from a file in real time, and the door to it.

`python -m tests.bench.whep_server FILE HOST PORT PROCESSES`; the sender processes are its children.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from dataclasses import replace
from pathlib import Path

import uvloop

from restream.live import Live, at_time
from restream.media import Frame, Kind
from restream.rtmp.flv import audio_frame, video_frame
from restream.rtmp.flv_file import FlvReader
from restream.serving import serving
from restream.webrtc.door import Terms, WhepDoor
from restream.webrtc.watch import WatchFeed

MOST = 1000


def frames_of(file: Path) -> list[Frame]:
    """Its frames."""
    frames = []
    for tag in FlvReader().feed(file.read_bytes()):
        if tag.kind in (Kind.VIDEO, Kind.AUDIO):
            read = video_frame if tag.kind == Kind.VIDEO else audio_frame
            if frame := read(tag.body, tag.timestamp, 0.0):
                frames.append(frame)
    return frames


async def feed(live: Live, frames: list[Frame]) -> None:
    """Over and over, in real time."""
    session = live.open_session("127.0.0.1", "bench", lambda reason: None, time.time())
    length = max(frame.dts for frame in frames) + 33
    began = time.monotonic()
    for turn in itertools.count():
        for frame in frames:
            if frame.header and turn:
                continue
            moment = frame.dts + turn * length
            late = began + moment / 1000 - time.monotonic()
            if late > 0:
                await asyncio.sleep(late)
            session.frame(replace(at_time(frame, moment), arrived=time.time()))


async def main(frames: list[Frame], host: str, port: int, processes: int) -> None:
    """Until killed."""
    live = Live("show")
    watched = WatchFeed(live, "http://127.0.0.1/live/show/index.m3u8", most_viewers=MOST)
    door = WhepDoor(lambda slug: watched if slug == "show" else None, Terms(host, 0, processes))
    async with serving(door, "127.0.0.1", port):
        await feed(live, frames)


if __name__ == "__main__":
    uvloop.run(main(frames_of(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
