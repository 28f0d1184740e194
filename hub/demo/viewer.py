"""A real low-latency HLS client without a screen: it downloads, decodes, reads the burned-in clock.

It plays as our player does: it starts PART-HOLD-BACK behind the live edge and runs in real time. A
frame that comes after its moment is a stall; the delay it leaves is made up by playing a tenth faster,
or skipped when it is long (`dashboards/player/src/catch-up.ts`).
"""

from __future__ import annotations

import asyncio
import os
import statistics
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urljoin

import av

from hub.demo import clock, pictures
from hub.demo.http import Outside, Unexpected

STALL = 0.1
"""Seconds a frame may be late before it counts as a stall."""
REJOIN = 0.5
FASTER = 0.1
SKIPPED = 1.5
"""Seconds too far behind that are skipped, not made up."""


@dataclass
class Playback:
    """The playhead: frames go in as they are decoded, delay and stalls come out.

    `hold_back` is how far behind the live edge playing begins, `lead` how much media (seconds) lies
    between the first frame we decode, a keyframe, and that edge.
    """

    hold_back: float
    lead: float
    started: float | None = None
    begins_at: float = 0.0
    latest: float = 0.0
    stalls: int = 0
    frames: int = 0
    delays_ms: list[int] = field(default_factory=list)

    def begin(self, hold_back: float, lead: float) -> None:
        """A new stream with a time of its own; what was counted stays."""
        self.hold_back, self.lead = hold_back, lead
        self.started = None

    def frame(self, pts: float, burned: int | None, now: float) -> None:
        """One decoded frame: media time in seconds, its clock, and the wall time it was decoded at."""
        if self.started is None:
            self.begins_at = pts + max(0.0, self.lead - self.hold_back)
            self.started = now + self.hold_back - self.lead - pts
        if pts < self.begins_at:
            return  # decoded only to reach the frame we begin with
        shown = self.started + pts
        if now > shown + STALL:
            self.stalls += 1
            self.started += now - shown
        else:
            self._catch_up(pts, shown - now - self.hold_back)
        self.latest = pts
        shown = max(shown, now)
        self.frames += 1
        if burned is not None:
            self.delays_ms.append(clock.delay_ms(burned, int(shown * 1000)))

    def _catch_up(self, pts: float, excess: float) -> None:
        """A frame that is here `excess` seconds before it need be tells how much too late we play."""
        if self.started is None or excess <= 0:
            return
        self.started -= excess if excess > SKIPPED else min(excess, (pts - self.latest) * FASTER)

    def report(self) -> dict[str, object]:
        """Median delay from glass to glass, stalls, and how many frames that rests on."""
        return {
            "latency_ms": round(statistics.median(self.delays_ms)) if self.delays_ms else None,
            "stalls": self.stalls,
            "frames": self.frames,
            "clock_readings": len(self.delays_ms),
        }


class Viewer:
    """`await watch()` until cancelled; `playback` fills meanwhile."""

    def __init__(self, hls_url: str) -> None:
        self._url = hls_url
        self.playback: Playback | None = None
        self._pipe: int | None = None
        self._start = 0

    async def watch(self) -> None:
        """Follow the show part by part; begin anew when the media worker did."""
        async with Outside("") as http:
            while True:
                try:
                    if await self._sitting(http):
                        return
                except Unexpected:  # nobody serves us right now
                    await asyncio.sleep(REJOIN)
                if self.playback:
                    self.playback.stalls += 1

    async def _sitting(self, http: Outside) -> bool:
        """From joining until the end (True) or until the stream begins anew (False)."""
        media_url = urljoin(self._url, first_uri(await http.read(self._url)))
        text, self._start = await self._wait_for_keyframe(http, media_url)
        lead = sum(duration for _, duration, _ in parts(text)[self._start :])
        hold_back = attribute(text, "PART-HOLD-BACK")
        if self.playback:
            self.playback.begin(hold_back, lead)
        else:
            self.playback = Playback(hold_back, lead)
        try:
            return await self._follow(http, media_url, text)
        finally:
            if self._pipe is not None:
                os.close(self._pipe)
                self._pipe = None

    async def _follow(self, http: Outside, media_url: str, text: str) -> bool:
        self._decode_in_thread()
        begun = map_uri(text)
        await self._feed(await http.read(urljoin(media_url, begun)))
        seen = {uri for uri, _, _ in parts(text)[: self._start]}
        while "#EXT-X-ENDLIST" not in text:
            if map_uri(text) != begun:
                return False
            for uri, _, _ in parts(text):
                if uri not in seen:
                    seen.add(uri)
                    await self._feed(await http.read(urljoin(media_url, uri)))
            segment, part = newest(text)
            try:
                text = (await http.read(f"{media_url}?_HLS_msn={segment}&_HLS_part={part}")).decode()
            except Unexpected:  # asked too far or too long: ask plainly
                text = (await http.read(media_url)).decode()
        return True

    async def _wait_for_keyframe(self, http: Outside, media_url: str) -> tuple[str, int]:
        """The playlist, once it lists a part that decoding can begin with, and that part's index."""
        while True:
            text = (await http.read(media_url)).decode()
            independent = [index for index, (_, _, begins) in enumerate(parts(text)) if begins]
            if independent:
                return text, independent[-1]
            await asyncio.sleep(0.2)

    async def _feed(self, data: bytes) -> None:
        assert self._pipe is not None  # noqa: S101 (made before anything is fed)
        await asyncio.to_thread(write_all, self._pipe, data)

    def _decode_in_thread(self) -> None:
        read_end, self._pipe = os.pipe()
        threading.Thread(target=self._decode, args=(read_end,), daemon=True).start()

    def _decode(self, read_end: int) -> None:
        assert self.playback is not None  # noqa: S101 (made before the thread)
        with os.fdopen(read_end, "rb") as stream, av.open(stream, format="mp4", mode="r") as container:
            for frame in container.decode(video=0):
                luma = frame.planes[0]
                burned = clock.read(memoryview(luma), luma.line_size, frame.width / pictures.WIDTH)
                self.playback.frame(float(frame.time or 0), burned, time.time())


def write_all(pipe: int, data: bytes) -> None:
    """Write everything; a pipe takes what fits."""
    view = memoryview(data)
    while view:
        view = view[os.write(pipe, view) :]


def first_uri(playlist: bytes) -> str:
    """The first variant of a multivariant playlist."""
    lines = [line for line in playlist.decode().splitlines() if line and not line.startswith("#")]
    if not lines:
        raise Unexpected("The multivariant playlist names no variant.")
    return lines[0]


def attribute(playlist: str, name: str) -> float:
    """A decimal attribute, wherever it stands."""
    return float(playlist.split(f"{name}=")[1].split(",")[0].split("\n")[0])


def map_uri(playlist: str) -> str:
    """The initialisation section."""
    return playlist.rsplit("#EXT-X-MAP:", 1)[1].split('URI="')[1].split('"')[0]


def parts(playlist: str) -> list[tuple[str, float, bool]]:
    """(address, seconds, independent) of each part listed."""
    lines = [line for line in playlist.splitlines() if line.startswith("#EXT-X-PART:")]
    return [
        (line.split('URI="')[1].split('"')[0], attribute(line, "DURATION"), "INDEPENDENT=YES" in line)
        for line in lines
    ]


def newest(playlist: str) -> tuple[int, int]:
    """Media sequence number and part number to ask for next (hls.js's rule)."""
    segment = int(playlist.split("#EXT-X-MEDIA-SEQUENCE:")[1].split("\n")[0])
    part = 0
    for line in playlist.splitlines():
        if line.startswith("#EXT-X-PART:"):
            part += 1
        elif line and not line.startswith("#"):
            segment, part = segment + 1, 0
    return segment, part
