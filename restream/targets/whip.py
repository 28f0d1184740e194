"""The way over WHIP (RFC 9725): an ffmpeg child that is fed FLV. Pictures are copied, sound becomes Opus.

What the far end has got is not told: ffmpeg shows its own progress, which begins when ICE and DTLS are done.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final, Literal

import httpx

from restream.api import TargetSpec
from restream.media import Frame, Kind
from restream.targets.bundler import Bundle
from restream.targets.door import Door
from restream.targets.piped import Piped, start_piped
from restream.targets.way import Tally, Terms, Unfit

AUDIO_KBPS: Final = 128
H264: Final = 7
PROOF_BLOCKS: Final = 2
"""Progress reports, each with more media out than the one before."""
B_FRAMES: Final = (
    "WHIP cannot carry B-frames. Turn them off in the encoder (0 B-frames, or tune zerolatency), or choose a "
    "profile for this target; then switch the target on again."
)
NOT_H264: Final = "WHIP carries H.264 here. Set the encoder to H.264, or choose a profile for this target."


def output(address: str) -> list[str]:
    """ffmpeg's options behind the input."""
    return [
        *("-map", "0:v:0", "-c:v", "copy"),
        *("-map", "0:a:0?", "-c:a", "libopus", "-b:a", f"{AUDIO_KBPS}k", "-ar", "48000", "-ac", "2"),
        *("-progress", "pipe:1", "-stats_period", "0.5", "-f", "whip", address),
    ]


async def open_whip(spec: TargetSpec, terms: Terms, tally: Tally) -> WhipWay:
    """Start the child; the far end is asked when it is fed. Raises Unfit or OSError."""
    if not _names_a_server(spec.url):
        raise Unfit("The address must name a server: https://server/path.")
    token = spec.key.get_secret_value()
    door = Door(spec.url, token, terms.context, terms.pace.step)
    await door.open()
    try:
        piped = await start_piped(
            f"whip {spec.id}", output(door.address), terms, tally, secrets=(token, spec.url, door.address)
        )
    except BaseException:
        await door.close()
        raise
    return WhipWay(piped, door, terms, tally)


class WhipWay:
    """A child, and the door it speaks through (`way.Way`)."""

    def __init__(self, piped: Piped, door: Door, terms: Terms, tally: Tally) -> None:
        self._piped = piped
        self._door = door
        self._terms = terms
        self._tally = tally
        self._unfit: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._moved_at = asyncio.get_running_loop().time()
        self._out_time = self._blocks = 0
        self._seen = (0, 0)

    @property
    def proven(self) -> bool:
        """The far end took the offer, ICE and DTLS are through, and media goes out."""
        return self._door.accepted and self._blocks >= PROOF_BLOCKS

    @property
    def acknowledged(self) -> int:
        """Nothing is said about that."""
        return 0

    def push(self, frame: Frame) -> None:
        """Feed the child, as long as WebRTC can carry what comes."""
        if frame.kind is Kind.VIDEO:
            if not frame.header and frame.cts:
                return self._cannot(B_FRAMES)
            if frame.header and frame.payload[0] & 15 != H264:
                return self._cannot(NOT_H264)
        self._piped.push(frame)
        self._tally.bytes += len(frame.payload)
        return None

    def push_bundle(self, bundle: Bundle) -> None:
        """One after the other."""
        for frame in bundle.frames:
            self.push(frame)

    def ended(self) -> None:
        """The child waits; the connection stays."""
        self._piped.ended()

    async def follow(self) -> str:
        """Until the child ends, or cannot go on with what it gets."""
        reading = asyncio.create_task(self._read_progress())
        ends: set[asyncio.Future[None] | asyncio.Future[str]] = {reading, self._unfit}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self._unfit.done():
                raise Unfit(self._unfit.result())
            await self._piped.child.wait()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        if self._door.refusal:
            raise self._door.refusal
        if self._door.accepted and not self.proven:
            return "The platform took the offer, but no media connection came about."
        return self._door.failure or f"The connection to the platform broke{self._why()}."

    def look(self, now: float) -> str | None:
        """Media goes in and nothing comes out?"""
        self._piped.count()
        seen = (self._out_time, self._piped.fed)
        if seen[0] > self._seen[0] or seen[1] == self._seen[1]:
            self._moved_at = now
        self._seen = seen
        patience = self._terms.pace.stuck if self.proven else 2 * self._terms.pace.step
        if now - self._moved_at > patience:
            return f"The platform has taken nothing for {patience:.0f} seconds."
        return None

    def delay(self) -> tuple[float, Literal["sent", "acknowledged"]] | None:
        """Until it was given to the child."""
        after = self._piped.written_after
        return None if after is None else (after * 1000, "sent")

    async def close(self, *, polite: bool) -> None:
        """End the child, then the session at the platform."""
        await self._piped.close(polite=polite and self.proven)
        await self._door.close()

    def _cannot(self, sentence: str) -> None:
        if not self._unfit.done():
            self._unfit.set_result(sentence)

    async def _read_progress(self) -> None:
        """Blocks of lines, each closed by `progress`; the last, `end`, also counts what was never sent."""
        rest, out_time = b"", 0
        while data := await self._piped.child.read():
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                name, _, value = line.strip().partition(b"=")
                if name == b"out_time_us" and value.isdigit():
                    out_time = int(value)
                elif (name, value) == (b"progress", b"continue") and out_time > self._out_time:
                    self._out_time = out_time
                    self._blocks += 1

    def _why(self) -> str:
        words = self._piped.child.last_words().splitlines()
        said = re.sub(r"\[[^\]]*\] *", "", words[-1]) if words else ""
        return f" ({said[:160].rstrip('.')})" if said else ""


def _names_a_server(url: str) -> bool:
    try:
        return bool(httpx.URL(url).host)
    except httpx.InvalidURL:
        return False
