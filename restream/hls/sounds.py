"""The sound of a show as a rendition of its own.

Time is counted in samples; RTMP's milliseconds only correct it when they are far off. Where the feed has no
sound for a while, there is silence: a player whose sound stops would stop altogether.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from restream.hls.boxes import VIDEO_SCALE, Sample, fragment, initialisation
from restream.hls.cuts import Cut, Terms
from restream.hls.leader import audio_part_target
from restream.hls.rendition import Rendition
from restream.hls.silence import frame_samples, silence, sound_samples
from restream.hls.timeline import Part
from restream.media import AudioTrack, Frame

RESYNC_FRAMES: Final = 2
LATE_SECONDS: Final = 2.0
"""Broadcast encoders send sound up to a second after the picture; only then there is silence."""
MOST_SOUNDS: Final = 1000
"""Frames kept until they are cut, about twenty seconds; pictures may stop and sound go on for hours."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One audio frame at its time, in samples."""

    begins: int
    lasts: int
    body: bytes

    @property
    def ends(self) -> int:
        """Where the next one is due."""
        return self.begins + self.lasts


class Sounds(Rendition):
    """`tune` tells the track, `sound` gives the frames."""

    kind: Literal["video", "audio"] = "audio"
    late_seconds = LATE_SECONDS

    def __init__(self, name: str, terms: Terms, changed: Callable[[], None]) -> None:
        super().__init__(name, terms, changed)
        self._track: AudioTrack | None = None
        self._shown: AudioTrack | None = None
        self._held: deque[Sound] = deque()
        self._due: int | None = None
        """Where the next frame to come is expected, samples."""
        self._made: int | None = None
        """Where the next part begins, samples."""
        self._mute = False
        """Sound was waited for in vain, and is not waited for until there is some."""

    @property
    def shown(self) -> AudioTrack | None:
        """What the newest segment holds."""
        return self._shown

    def tune(self, track: AudioTrack | None) -> None:
        """What comes from now on; None for a feed without sound."""
        if track == self._track:
            return
        self.flush()
        self._track = track
        self._held.clear()
        self._due = None

    def sound(self, frame: Frame) -> None:
        """An audio frame. Time never goes back: frames too many are left out."""
        track = self._track
        if track is None or not (lasts := sound_samples(track, frame.body)):
            return
        self._mute = False
        claimed = frame.dts * track.rate // 1000
        begins = claimed if self._due is None else self._due
        if begins - claimed > RESYNC_FRAMES * lasts:
            return
        if claimed - begins > RESYNC_FRAMES * lasts:
            begins = claimed
        self._held.append(Sound(begins, lasts, frame.body))
        self._due = begins + lasts
        if len(self._held) > MOST_SOUNDS:
            for _ in range(MOST_SOUNDS // 2):
                self._held.popleft()
        self.follow()

    def _make(self, cut: Cut, *, final: bool) -> Part | None:
        first = self._plan is not cut.plan
        track = (self._track or self._shown) if first else self._shown
        if track is None:
            return None
        if first and (track != self._shown or cut.plan.discontinuity):
            self._made = None
        begins, ends = (_samples(at + cut.plan.shift, track) for at in (cut.begins, cut.ends))
        here = track == self._track
        usual = frame_samples(track)
        if here and not final and not self._mute and (self._due is None or self._due < ends - usual / 2):
            return None
        heard = self._heard(begins, ends - usual // 2) if here else []
        if not heard and not self.timeline.segments:
            return None  # a rendition does not begin with silence
        self._shown = track
        samples, time = self._fill(heard, begins, ends, track)
        if not samples:
            self._broken = cut.plan
            return None
        self._offset = (time - begins) / track.rate
        self._made = time + sum(sample.duration for sample in samples)
        if here and (final or self._mute):
            self._mute = not heard and not self._held
            self._due = max(self._due or 0, self._made)
        self._number += 1
        data = fragment(self._number, 0, (), time, samples)
        return Part(data, (self._made - time) / track.rate, independent=True)

    def _heard(self, begins: int, until: int) -> list[Sound]:
        """What begins within the part; what is older was waited for in vain."""
        floor = begins if self._made is None else self._made
        heard: list[Sound] = []
        while self._held and self._held[0].begins < until:
            sound = self._held.popleft()
            if sound.begins + sound.lasts // 2 >= floor:
                heard.append(sound)
        return heard

    def _fill(
        self, heard: list[Sound], begins: int, ends: int, track: AudioTrack
    ) -> tuple[list[Sample], int]:
        """Samples from where the part before ended, silence where nothing was heard; and where they begin."""
        quiet, usual = silence(track), frame_samples(track)
        at = self._made
        if at is None:
            at = heard[0].begins if heard else begins
            if quiet:
                at -= max(0, round((at - begins) / usual)) * usual
        elif not quiet and heard:
            at = max(at, heard[0].begins)
        time, samples = at, list[Sample]()
        most = time + self._most(track)
        for index, sound in enumerate(heard):
            while quiet and sound.begins - at >= usual and at + usual <= most:
                samples.append(Sample(quiet, usual))
                at += usual
            if max(at, sound.begins) + sound.lasts > most and samples:
                self._held.extendleft(reversed(heard[index:]))
                return samples, time
            if samples and sound.begins > at:  # less than a frame, or nothing better is known
                last = samples[-1]
                samples[-1] = Sample(last.data, last.duration + sound.begins - at)
                at = sound.begins
            samples.append(Sample(sound.body, sound.lasts))
            at += sound.lasts
        while quiet and at < ends - usual // 2 and at + usual <= most:
            samples.append(Sample(quiet, usual))
            at += usual
        return samples, time

    def _most(self, track: AudioTrack) -> int:
        """Samples in the longest part: PART-TARGET, or what a track that came later cannot do without."""
        frozen = self.timeline.part_target or 0.0
        return math.ceil(max(frozen, audio_part_target(self.terms.part_target or 1.0, track)) * track.rate)

    def _skip(self, cut: Cut) -> None:
        track = self._track
        if track is None:
            return
        ends = _samples(cut.ends + cut.plan.shift, track)
        while self._held and self._held[0].ends < ends:
            self._held.popleft()

    def _initialisation(self) -> bytes:
        return initialisation(None, self._shown)

    def _target(self) -> float | None:
        return audio_part_target(self.terms.part_target or 1.0, self._shown)


def _samples(ticks: int, track: AudioTrack) -> int:
    return math.floor(ticks * track.rate / VIDEO_SCALE)
