"""An ffmpeg child that is fed a live as FLV, with the counting every piped way needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from restream.encode.pipe import Feeder
from restream.encode.process import Child, ffmpeg_binary, start
from restream.media import Frame, Kind
from restream.targets.way import Tally, Terms

PROBE_SECONDS: Final = 1
"""How long ffmpeg may wait for a track that never comes."""


class Piped:
    """The child's command line holds no secret: everybody on the machine can read it."""

    def __init__(self, child: Child, terms: Terms, tally: Tally) -> None:
        self.child = child
        self.arrived = 0.0
        self.written_after: float | None = None
        self._terms = terms
        self._tally = tally
        self._feeder = Feeder(child, terms.buffer)
        self._frames = self._dropped = 0

    def push(self, frame: Frame) -> None:
        """Feed it; frames are dropped to the next keyframe when it is too slow."""
        self._feeder.push(frame)
        if frame.header or not frame.arrived:
            return
        self.arrived = frame.arrived
        if frame.keyframe and frame.kind is Kind.VIDEO:
            self.written_after = self._terms.since(frame.arrived)

    def ended(self) -> None:
        """What comes next begins with headers and a keyframe."""
        self._feeder.ended()

    @property
    def fed(self) -> int:
        """Frames it was given."""
        return self._feeder.frames

    def count(self) -> None:
        """Bring the target's tally up to date."""
        feeder, tally = self._feeder, self._tally
        tally.frames += feeder.frames - self._frames
        tally.dropped += feeder.dropped - self._dropped
        self._frames, self._dropped = feeder.frames, feeder.dropped

    async def close(self, *, polite: bool) -> None:
        """End the child."""
        self.count()
        if not polite:
            self.child.kill()
        await self.child.stop()


async def start_piped(
    name: str, output: Sequence[str], terms: Terms, tally: Tally, secrets: Sequence[str] = ()
) -> Piped:
    """ffmpeg from FLV on its input to `output`, which are its options behind the input. Raises OSError."""
    before = ("-hide_banner", "-nostats", "-loglevel", "warning")
    # Not `-fflags nobuffer`: it throws away what comes while the input is looked at.
    probing = ("-analyzeduration", str(PROBE_SECONDS * 1_000_000), "-fpsprobesize", "0")
    argv = [ffmpeg_binary(), *before, *probing, "-f", "flv", "-i", "pipe:0", *output]
    return Piped(await start(name, argv, fed=True, read=True, secrets=secrets), terms, tally)
