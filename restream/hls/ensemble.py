"""All renditions of a show, led by one: whatever the leader says goes to each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from restream.hls.cuts import Cut, Plan, Terms
from restream.hls.pictures import Pictures
from restream.hls.rendition import Rendition
from restream.hls.sounds import Sounds
from restream.media import AudioTrack, Frame, VideoTrack

SOURCE = "source"
AUDIO = "audio"


class Ensemble:
    """`cuts.Followers` of a leader. Whatever leads first is told first."""

    def __init__(self, terms: Terms, changed: Callable[[], None]) -> None:
        self.source = Pictures(SOURCE, terms, changed)
        self.audio = Sounds(AUDIO, terms, changed)
        self.rungs: dict[str, Pictures] = {}
        self.closed_segment: Callable[[], None] = lambda: None
        self._open: list[Cut] = []
        """The parts of the segment that is not closed yet."""

    def __iter__(self) -> Iterator[Rendition]:
        yield self.source
        yield from self.rungs.values()
        yield self.audio

    def add(self, rung: Pictures) -> None:
        """Another one. Its encoder is given what the feed has sent since its last keyframe, so it may still
        make the segment that is not closed yet."""
        self.rungs[rung.name] = rung
        for cut in self._open:
            rung.cut(cut)

    def tracks(self, video: VideoTrack | None, audio: AudioTrack | None) -> None:
        """What the feed consists of from now on."""
        self.source.tune(video)
        self.audio.tune(audio)

    def picture(self, frame: Frame) -> None:
        """One of the feed's own pictures."""
        self.source.push(frame)

    def sound(self, frame: Frame) -> None:
        """One of the feed's audio frames."""
        self.audio.sound(frame)

    def cut(self, cut: Cut) -> None:
        """A part is over."""
        if not cut.index:
            self._open.clear()
        self._open.append(cut)
        for rendition in self:
            rendition.cut(cut)

    def closed(self, plan: Plan) -> None:
        """A segment is over."""
        self._open.clear()
        for rendition in self:
            rendition.closed(plan)
        self.closed_segment()
