"""One live: the feed of one show, who publishes it, and everybody who reads it.

Readers see one timeline for the whole show: timestamps go on across publishers, and the slate between
them. Who of several publishers is on air is the director's business (`restream.continuity.director`).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from restream.api import PublisherStatus
from restream.continuity.director import GAP_MS as GAP_MS
from restream.continuity.director import Director, Role
from restream.continuity.flow import STEADY, Flow
from restream.continuity.group import LARGEST_GOP as LARGEST_GOP
from restream.continuity.group import LONGEST_GOP as LONGEST_GOP
from restream.continuity.group import Group
from restream.continuity.slate import Shape
from restream.continuity.splice import at_time as at_time
from restream.media import AudioTrack, Frame, Kind, Reader, VideoTrack
from restream.rtmp import amf0
from restream.rtmp.flv import audio_track, video_track

LARGEST_WINDOW: Final = 64 << 20
MOST_IN_WINDOW: Final = 10_000
"""Bytes and frames in four seconds of media. More comes only from a clock that stands still, and whoever cuts
by time would hold all of it."""
LARGEST_BURST: Final = 3 << 20
"""Bytes of a kept group that may go out at once: less than a target may be behind before it drops frames."""
SOUND_ALONE: Final = 1.0
"""Seconds of sound after which a publisher without a picture is taken to be one that has none."""
COMMON_RATES: Final = (10.0, 12.0, 15.0, 20.0, 24000 / 1001, 24.0, 25.0, 30000 / 1001, 30.0, 50.0, 60.0)
NEARLY: Final = 0.01
FASTEST: Final = 120.0


class Live:
    """The meeting point. All methods are called in the event loop's thread and never block."""

    def __init__(self, slug: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.slug = slug
        self.video: VideoTrack | None = None
        self.audio: AudioTrack | None = None
        self._clock = clock
        self._readers: list[Reader] = []
        self._metadata: Frame | None = None
        self._headers: dict[Kind, Frame] = {}
        self._group = Group()
        self._last_dts = -GAP_MS
        self.director = Director(self, clock)

    @property
    def publisher(self) -> Session | None:
        """Who publishes: the encoder with the show's key, else the source that stands in for one."""
        sessions = self.director.sessions
        return sessions.get("primary") or sessions.get("source")

    @property
    def backup(self) -> Session | None:
        """The hot standby."""
        return self.director.sessions.get("backup")

    def attach(self, reader: Reader) -> None:
        """Add a reader; it gets headers and the current group of pictures at once."""
        for frame in self.backlog():
            reader.push(frame)
        self._readers.append(reader)

    def detach(self, reader: Reader) -> None:
        """Remove a reader; harmless when it is gone."""
        if reader in self._readers:
            self._readers.remove(reader)

    def backlog(self) -> Sequence[Frame]:
        """What a late joiner needs: metadata, headers (at the group's time), frames since the keyframe."""
        if self.director.idle:
            return []
        group = self._group.frames
        first = group[0].dts if group else max(self._last_dts, 0)
        opening = [f for f in (self._metadata, *self._headers.values()) if f]
        return [*(at_time(frame, first) for frame in opening), *group]

    def open_session(
        self,
        peer: str,
        encoder: str,
        kick: Callable[[str], None],
        now: float,
        role: Role = "primary",
        protocol: Literal["rtmp", "srt", "whip", "source"] = "rtmp",
    ) -> Session:
        """Admit a publisher (`now` is the wall clock); whoever published in that role before is cut."""
        since = datetime.fromtimestamp(now, UTC)
        status = PublisherStatus(since=since, peer=peer, encoder=encoder, protocol=protocol)
        session = Session(self.director, role, status, kick, self._clock)
        self.director.opened(session)
        return session

    @property
    def now(self) -> int:
        """The newest moment (ms) on the show's timeline; just before zero when nothing came yet."""
        return self._last_dts

    def deliver(self, frame: Frame) -> None:
        """A frame on the show's timeline, to everybody."""
        self._last_dts = max(self._last_dts, frame.dts)
        if frame.header:
            self._header(frame)
        elif frame.kind == Kind.DATA:
            self._metadata = frame
        else:
            self._group.add(frame)
        for reader in self._readers:
            reader.push(frame)

    def change(self, opening: Sequence[Frame]) -> None:
        """Another feed goes on air: its headers. A track that it has not is over, and readers must know."""
        kinds = {frame.kind for frame in opening}
        if any(kind not in kinds for kind in self._headers):
            self.end_readers()
        self.forget()
        for frame in opening:
            self.deliver(at_time(frame, max(self._last_dts, 0)))

    def forget(self) -> None:
        """What the feed before has left for joiners is of no use any more."""
        self._headers.clear()
        self._group.clear()
        self._metadata = self.video = self.audio = None

    def end_readers(self) -> None:
        """What comes next, if anything, begins anew."""
        self._group.clear()
        for reader in self._readers:
            reader.ended()

    def _header(self, frame: Frame) -> None:
        before = self._headers.get(frame.kind)
        self._headers[frame.kind] = frame
        if frame.kind == Kind.VIDEO:
            if before and before.payload != frame.payload:
                self._group.clear()  # its pictures belong to the header before
            self.video = video_track(frame.body)
        else:
            self.audio = audio_track(frame.body)


class Session:
    """One publisher's time on a live; the `Publisher` a server feeds. Its newest group is always kept."""

    def __init__(
        self,
        director: Director,
        role: Role,
        status: PublisherStatus,
        kick: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self.role = role
        self.status = status
        self.video: VideoTrack | None = None
        self.audio: AudioTrack | None = None
        self.group = Group()
        self.on_closed: Callable[[str], None] = lambda reason: None
        self._director = director
        self._kick = kick
        self._clock = clock
        self._flow = Flow(clock())
        self._meter = Meter()
        self._last: dict[Kind, int] = {}
        self._headers: dict[Kind, Frame] = {}
        self._metadata: Frame | None = None
        self._claimed_fps: float | None = None
        self._fps: float | None = None
        self._over = False

    def frame(self, frame: Frame) -> None:
        """One frame; raises BrokenTag for a broken header."""
        if self._over:
            return None
        if frame.header:
            self._header(frame)
            return self._director.header(self, frame)
        now = self._clock()
        kind = frame.kind
        dts = max(frame.dts, self._last.get(kind, frame.dts))
        self._last[kind] = dts
        frame = at_time(frame, dts)
        self._flow.arrived(now)
        if kind == Kind.VIDEO or self.video is None:
            self._flow.timed(dts, now)
        self._meter.count(frame)
        if self._meter.flooded:
            return self.kick("The encoder sends more than any live needs, or its clock stands still.")
        self.group.add(frame)
        return self._director.frame(self, frame, now)

    def metadata(self, values: dict[str, object]) -> None:
        """onMetaData: passed on to targets, and the encoder's name read from it."""
        if self._over:
            return
        kept = {name: value for name, value in values.items() if isinstance(value, bool | float | str)}
        self.status.encoder = str(kept.get("encoder") or self.status.encoder)[:80]
        rate = kept.get("framerate")
        if isinstance(rate, float) and 1 <= rate <= FASTEST:
            self._claimed_fps = rate
        payload = amf0.encode("@setDataFrame", "onMetaData") + amf0.encode_ecma_array(dict(kept))
        self._metadata = Frame(Kind.DATA, 0, payload, payload)
        self._director.metadata(self, self._metadata)

    def closed(self, reason: str) -> None:
        """The publisher is gone; what it sends from now on is ignored."""
        if self._over:
            return
        self._over = True
        self._director.closed(self)
        self.on_closed(reason)

    def kick(self, reason: str) -> None:
        """Cut this publisher."""
        self._kick(reason)

    def replaced(self) -> None:
        """Another publisher took over."""
        self._over = True
        self._kick("Another encoder with the same key took over.")
        self.on_closed("Another encoder took over.")

    def measured(self) -> PublisherStatus:
        """The status with what was measured over the last seconds."""
        meter = self._meter
        return self.status.model_copy(
            update={
                "fps": meter.fps(),
                "bitrate_kbps": meter.kbps(),
                "keyframe_interval_ms": meter.keyframe_interval,
            }
        )

    def opening(self) -> list[Frame]:
        """What a decoder must know before the first frame."""
        headers = (self._headers.get(kind) for kind in (Kind.VIDEO, Kind.AUDIO))
        return [frame for frame in (self._metadata, *headers) if frame]

    def silent_at(self) -> float:
        """When it counts as gone if nothing more comes."""
        return self._flow.silent_at(self._meter.step())

    def ready(self, now: float) -> bool:
        """Whether it can go on air now, with a picture that a decoder can begin with."""
        if not self._flow.caught_up:
            return False
        if self.video is None:
            return bool(self._last) and self._flow.lasted(now) >= SOUND_ALONE
        return bool(self.group.frames) and self.group.bytes <= LARGEST_BURST

    def steady(self, now: float) -> bool:
        """Whether it has sent long enough without a break to be trusted again."""
        return self._flow.lasted(now) >= STEADY

    def shape(self) -> Shape | None:
        """What it sends, as soon as that is known."""
        video, audio = self.video, self.audio
        self._fps = self._fps or self._claimed_fps or self._meter.steady_fps()
        if video is None or self._fps is None:
            return None
        shape = Shape(video.codec, video.width, video.height, self._fps)
        if audio is None or not audio.rate or not audio.channels:
            return shape
        return Shape(
            shape.video, shape.width, shape.height, shape.fps, audio.codec, audio.rate, audio.channels
        )

    def _header(self, frame: Frame) -> None:
        if frame.kind == Kind.VIDEO:
            self.video = video_track(frame.body)
            self.status.video_codec = self.video.codec
            self.status.width, self.status.height = self.video.width, self.video.height
            before = self._headers.get(frame.kind)
            if before and before.payload != frame.payload:
                self.group.clear()
                self._fps = None
        else:
            self.audio = audio_track(frame.body)
            self.status.audio_codec = self.audio.codec
        self._headers[frame.kind] = frame


class Meter:
    """Rates over the last four seconds of media time."""

    WINDOW_MS: Final = 4000
    SETTLED_MS: Final = 1000

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int, bool]] = deque()
        self._bytes = 0
        self._last_keyframe: int | None = None
        self.keyframe_interval: int | None = None

    def count(self, frame: Frame) -> None:
        """One more frame, no header."""
        picture = frame.kind == Kind.VIDEO
        if picture and frame.keyframe:
            if self._last_keyframe is not None:
                self.keyframe_interval = frame.dts - self._last_keyframe
            self._last_keyframe = frame.dts
        self._seen.append((frame.dts, len(frame.payload), picture))
        self._bytes += len(frame.payload)
        while self._seen and frame.dts - self._seen[0][0] > self.WINDOW_MS:
            self._bytes -= self._seen.popleft()[1]

    @property
    def flooded(self) -> bool:
        """More than a live can have in the window."""
        return self._bytes > LARGEST_WINDOW or len(self._seen) > MOST_IN_WINDOW

    def fps(self) -> float | None:
        """Pictures a second."""
        count, lasted = self._pictures()
        return round((count - 1) * 1000 / lasted, 1) if lasted else None

    def steady_fps(self) -> float | None:
        """Pictures a second as the encoder is likely to have been set; None before a second has passed."""
        count, lasted = self._pictures()
        if lasted < self.SETTLED_MS:
            return None
        measured = (count - 1) * 1000 / lasted
        nearest = min(COMMON_RATES, key=lambda rate: abs(rate - measured))
        return nearest if abs(nearest - measured) <= NEARLY * measured else min(round(measured, 2), FASTEST)

    def kbps(self) -> int:
        """Kilobits a second, audio and video."""
        return round(self._bytes * 8 / span) if (span := self._span()) else 0

    def step(self) -> float:
        """The usual distance of two frames, seconds."""
        return self._span() / 1000 / (len(self._seen) - 1) if len(self._seen) > 1 else 0.0

    def _pictures(self) -> tuple[int, int]:
        """How many, and the milliseconds from the first to the last."""
        times = [dts for dts, _, picture in self._seen if picture]
        return len(times), times[-1] - times[0] if times else 0

    def _span(self) -> int:
        return self._seen[-1][0] - self._seen[0][0] if len(self._seen) > 1 else 0
