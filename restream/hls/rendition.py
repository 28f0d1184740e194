"""One rendition: turns what comes between the leader's cuts into parts of its own timeline.

A part is made as soon as all that belongs to it is here. What is too late is not waited for: the part
becomes a gap, and so does the rest of its segment, since nothing after it could be decoded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Final, Literal

from restream.hls.bell import Bell
from restream.hls.boxes import VIDEO_SCALE
from restream.hls.cuts import Cut, Plan, Terms
from restream.hls.finished import FinishedSegment
from restream.hls.timeline import Part, Segment, Timeline
from restream.media import AudioTrack, VideoTrack

LATE_SECONDS: Final = 1.0
LATE_PARTS: Final = 3
"""Behind the leader by more than the larger of the two, a part is given up. A player that holds back three
parts would stall; told of a gap, it goes to another rendition."""
MOST_CUTS: Final = 1000


class Rendition(ABC):
    """`bell` rings, and `changed()` is called, after every change of the playlist."""

    kind: Literal["video", "audio"]
    late_seconds = LATE_SECONDS

    def __init__(self, name: str, terms: Terms, changed: Callable[[], None]) -> None:
        self.name = name
        self.terms = terms
        self.bell = Bell()
        self.timeline = Timeline(0, terms)
        self.on_segment: Callable[[FinishedSegment], None] | None = None
        self.over = False
        """Nothing will come any more: gaps at once."""
        self._changed = changed
        self._cuts: deque[Cut] = deque()
        self._flushing = False
        self._newest = 0
        self._plan: Plan | None = None
        self._broken: Plan | None = None
        """The segment that has a gap already."""
        self._number = 0
        self._offset = 0.0
        """How much later (seconds) than the leader's the segment begins that is being made."""

    @property
    def codec(self) -> str:
        """RFC 6381, of the newest segment."""
        track = self.shown
        return track.codec if track else ""

    @property
    @abstractmethod
    def shown(self) -> VideoTrack | AudioTrack | None:
        """What the newest segment holds; stays when the publisher goes."""

    @property
    def height(self) -> int:
        """Of the picture; 0 with sound."""
        return 0

    @property
    def fps(self) -> float | None:
        """Pictures a second, where there are any and it is known."""
        return None

    @property
    def current(self) -> bool:
        """Whether somebody who begins now finds something to play: it is finished, new and whole."""
        last = self.timeline.segments[-1] if self.timeline.segments else None
        return self.timeline.playable and last is not None and not last.gap and not self.over

    @property
    def forgotten(self) -> bool:
        """Nothing that is listed can be played."""
        return all(segment.gap for segment in self.timeline.listed())

    def cut(self, cut: Cut) -> None:
        """A part is over by the leader's clock."""
        if self.timeline.ended:
            return
        self._cuts.append(cut)
        self._newest = cut.ends + cut.plan.shift
        if len(self._cuts) > MOST_CUTS:
            self._give_up()
        self.follow()

    def closed(self, plan: Plan) -> None:
        """The segment of the last cut is over."""
        if self._plan is plan and not self._cuts:
            self._close()

    def close(self) -> None:
        """Nothing comes any more."""
        self.over = True
        self.follow()

    def flush(self) -> None:
        """Nothing more comes of what was cut so far."""
        self._flushing = True
        self.follow()
        self._flushing = False

    def finish(self) -> None:
        """The show is over: what is there is used, then ENDLIST."""
        if self.timeline.ended:
            return
        self.over = True
        self.follow()
        if self._plan is not None:
            self._close()
        self.timeline.ended = True
        self.touch()
        self.bell.ring()
        self._changed()

    def touch(self) -> None:
        """Something else that the playlist shows has changed."""
        self.timeline.version += 1

    def follow(self) -> None:
        """Make what can be made by now."""
        while self._cuts:
            cut = self._cuts[0]
            if cut.index and self._plan is not cut.plan:
                self._broken = cut.plan  # its beginning is missing
            final = self.over or self._flushing or self._late()
            part = None if self._broken is cut.plan else self._make(cut, final=final)
            if part is not None:
                self._publish(self._cuts.popleft(), part)
            elif final or self._broken is cut.plan:
                self._give_up()
            else:
                return

    @abstractmethod
    def _make(self, cut: Cut, *, final: bool) -> Part | None:
        """The part, or None as long as something is missing; `final`: with what there is, or never.

        Sets `_broken` when the segment cannot be made.
        """

    @abstractmethod
    def _skip(self, cut: Cut) -> None:
        """Forget what belongs to a part that was given up."""

    @abstractmethod
    def _initialisation(self) -> bytes:
        """The initialisation section of the segment that begins."""

    @abstractmethod
    def _target(self) -> float | None:
        """PART-TARGET, seconds."""

    def _late(self) -> bool:
        allowed = max(self.late_seconds, LATE_PARTS * (self.terms.part_target or 0.0)) * VIDEO_SCALE
        cut = self._cuts[0]
        return self._newest - (cut.ends + cut.plan.shift) > allowed

    def _give_up(self) -> None:
        cut = self._cuts.popleft()
        self._broken = cut.plan
        self._skip(cut)
        if self.timeline.segments:  # what was missed before the first part is nobody's loss
            self._publish(cut, Part(b"", (cut.ends - cut.begins) / VIDEO_SCALE, independent=False, gap=True))

    def _publish(self, cut: Cut, part: Part) -> None:
        if self._plan is not cut.plan:
            self._open(cut.plan)
        timeline = self.timeline
        timeline.segments[-1].add(part)
        following = self._cuts[0] if self._cuts else None
        timeline.rolls = following.index == 0 if following else cut.rolls
        self._advance()
        if cut.plan.closed and cut.index + 1 == cut.plan.parts:
            self._close()

    def _open(self, plan: Plan) -> None:
        if self._plan is not None:
            self._close()
        timeline = self.timeline
        if not timeline.segments:
            timeline.first_number = timeline.first_listed = plan.number
            timeline.discontinuity_sequence = plan.breaks - plan.discontinuity
        gap = self._broken is plan
        made = timeline.segments[-1].initialisation if gap else self._initialise(plan)
        if timeline.part_target is None:
            timeline.part_target = self._target()
        timeline.independent_segments = timeline.independent_segments and plan.keyframe
        self._plan = plan
        wall = max(plan.wall + self._offset, timeline.ends)  # of sound, the last frame may last longer
        timeline.segments.append(Segment(plan.number, made, wall, plan.discontinuity))

    def _initialise(self, plan: Plan) -> int:
        """The number of its initialisation section: that of the first segment that needs it."""
        timeline, data = self.timeline, self._initialisation()
        if timeline.segments:
            before = timeline.segments[-1].initialisation
            if timeline.initialisations[before] == data:
                return before
        timeline.initialisations[plan.number] = data
        return plan.number

    def _close(self) -> None:
        self._plan = None
        timeline = self.timeline
        segment = timeline.segments[-1]
        timeline.close()
        self._advance()
        if self.on_segment:
            self.on_segment(self._finished(segment))

    def _finished(self, segment: Segment) -> FinishedSegment:
        track = self.shown
        return FinishedSegment(
            rendition=self.name,
            number=segment.number,
            init=self.timeline.initialisations[segment.initialisation],
            init_number=segment.initialisation,
            data=segment.data,
            seconds=segment.seconds,
            wall=segment.wall,
            discontinuity=segment.discontinuity,
            kind=self.kind,
            codec=self.codec,
            width=track.width if isinstance(track, VideoTrack) else 0,
            height=track.height if isinstance(track, VideoTrack) else 0,
            fps=self.fps,
            gap=segment.gap,
        )

    def _advance(self) -> None:
        self.timeline.version += 1
        self.bell.ring()
        self._changed()
