"""A show as it can be played: the feed itself, its smaller renditions and its sound, cut alike.

The leader cuts the feed; every rendition follows its cuts, so that media sequence numbers, part indexes and
segment boundaries mean the same moment everywhere, and a player can go from one to another without guessing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from restream.api import CueSpec
from restream.hls.bell import Bell
from restream.hls.cues import Cues
from restream.hls.cuts import Terms
from restream.hls.ensemble import Ensemble
from restream.hls.finished import FinishedSegment
from restream.hls.leader import Leader
from restream.hls.multivariant import Address, Variant, multivariant
from restream.hls.pictures import Pictures
from restream.hls.playlist import MEDIA, Beside, Report
from restream.hls.rendition import Rendition
from restream.hls.timeline import Timeline
from restream.media import AudioTrack, Reader, VideoTrack


@dataclass(frozen=True, slots=True)
class Rung:
    """One smaller rendition. `name` as in its address: its height and a p, for example 720p."""

    name: str
    width: int
    height: int
    fps: float


class Renditions:
    """Attach `leader` to the Live, open rungs, and let an Origin serve it. Everything in the loop's thread.

    `first_number` is the first media sequence number: take one above whatever an earlier run used. `part_ms`
    and `segment_ms` are wishes; PART-TARGET and TARGETDURATION are measured, and then stay.
    """

    def __init__(self, first_number: int, part_ms: int, segment_ms: int) -> None:
        self.bell = Bell()
        """Rings after every change of any rendition; each rendition has one of its own."""
        self.door = ""
        """What stands before a rendition's name in its address: empty, or a secret and a slash."""
        self.language = "und"
        """Of the sound, BCP 47."""
        self.version = 0
        """Grows with every change."""
        self.segment_seconds = segment_ms / 1000
        self.on_segment: Callable[[FinishedSegment], None] | None = None
        """Told of each finished segment of each rendition; called in the loop, must not block or raise."""
        self._terms = Terms()
        self._cues = Cues()
        self._ensemble = Ensemble(self._terms, self._changed)
        self._leader = Leader(first_number, part_ms, segment_ms, self._terms, self._ensemble)
        self._ensemble.source.measured = lambda: self._leader.fps
        self._ensemble.closed_segment = self._segment_closed
        for rendition in self._ensemble:
            rendition.on_segment = self._finished

    @property
    def leader(self) -> Reader:
        """Takes the feed: picture and sound."""
        return self._leader

    @property
    def playable(self) -> bool:
        """Whether a player that asks now gets something to play."""
        return bool(self.current())

    @property
    def timeline(self) -> Timeline:
        """Of the feed itself: `source`, or `audio` for a feed without pictures."""
        source, audio = self._ensemble.source, self._ensemble.audio
        led_by_sound = audio.current and not source.current
        return audio.timeline if led_by_sound else source.timeline

    @property
    def over(self) -> bool:
        """The show has ended."""
        return self._ensemble.source.timeline.ended

    @property
    def waiting(self) -> int:
        """Requests that wait for something to come."""
        return sum(len(one.bell) for one in self._ensemble)

    def open_rung(self, rung: Rung) -> Reader:
        """Where to push a rung's frames: header first, then pictures on the leader's timeline.

        A picture's dts + cts is that of the source picture it was made from, and keyframes are where the
        source has them. A name that was used before goes on where it stopped, with a gap between. What comes
        later than a second (or three parts) after the leader is a gap too.
        """
        before = self._ensemble.rungs.get(rung.name)
        if before is not None:
            before.reopen(rung.fps)
            return before
        opened = Pictures(rung.name, self._terms, self._changed, rung.fps)
        opened.on_segment = self._finished
        self._ensemble.add(opened)
        return opened

    def close_rung(self, name: str) -> None:
        """The rung is over: no longer offered, gaps for who still watches. Harmless when unknown."""
        rung = self._ensemble.rungs.get(name)
        if rung is not None:
            rung.close()

    def set_lengths(self, part_ms: int, segment_ms: int) -> None:
        """Other wishes for parts and segments, before anything came; later ones are for the next show."""
        if self._leader.wish(part_ms, segment_ms):
            self.segment_seconds = segment_ms / 1000

    def set_cues(self, cues: Sequence[CueSpec]) -> None:
        """The show's moments so far. What was told once stays as it was told, but for its end."""
        timeline = self.timeline
        changed = self._cues.set(cues, timeline.ends)
        if changed:
            self._cues.expire(_begins(timeline), timeline.ends)
            for rendition in self._ensemble:
                rendition.touch()

    def ended(self) -> None:
        """Nobody packages for now; what comes next, if anything, begins a discontinuity."""
        self._leader.ended()

    def finish(self) -> None:
        """The show is over: ENDLIST everywhere."""
        if self.over:
            return
        self._leader.finish()
        for rendition in list(self._ensemble):
            rendition.finish()

    def rendition(self, name: str) -> Rendition | None:
        """One that is served, offered or not."""
        return next((one for one in self._ensemble if one.name == name), None)

    def current(self) -> list[Rendition]:
        """Those that are offered to players: pictures by height, largest first, then sound."""
        offered = [
            one
            for one in self._ensemble
            if one.current or (self.over and one.timeline.playable and not one.forgotten)
        ]
        return sorted(offered, key=lambda one: -one.height)

    def index(self, token: str = "") -> str:
        """The multivariant playlist. `token` goes with the addresses of all playlists."""
        variants = [_variant(one) for one in self.current()]
        videos = [one for one in variants if one.height]
        audio = next((one for one in variants if not one.height), None)
        independent = all(one.timeline.independent_segments for one in self.current())
        address = Address(self.door, token)
        return multivariant(videos, audio, address, language=self.language, independent=independent)

    def beside(self, rendition: Rendition) -> Beside:
        """What a rendition's playlist says of the rest."""
        others = [one for one in self.current() if one is not rendition]
        reports = [Report(f"../{one.name}/{MEDIA}", *one.timeline.newest) for one in others]
        return Beside(self._cues, reports)

    def _changed(self) -> None:
        self.version += 1
        self.bell.ring()

    def _segment_closed(self) -> None:
        timeline = self.timeline
        self._cues.expire(_begins(timeline), timeline.ends)
        rungs = self._ensemble.rungs
        for name in [name for name, rung in rungs.items() if rung.over and rung.forgotten]:
            del rungs[name]

    def _finished(self, segment: FinishedSegment) -> None:
        if self.on_segment:
            self.on_segment(segment)


def _begins(timeline: Timeline) -> float:
    listed = timeline.listed()
    return listed[0].wall if listed else 0.0


def _variant(one: Rendition) -> Variant:
    track, timeline = one.shown, one.timeline
    video = track if isinstance(track, VideoTrack) else None
    return Variant(
        name=one.name,
        codec=one.codec,
        peak=timeline.peak,
        average=timeline.average,
        keyframes=timeline.keyframes,
        width=video.width if video else 0,
        height=video.height if video else 0,
        fps=one.fps,
        channels=track.channels if isinstance(track, AudioTrack) else 0,
    )
