"""One live: the feed of one show, who publishes it, and everybody who reads it.

Readers see one timeline for the whole show: timestamps go on across publishers. A second publisher with
a valid key takes over, because the person holding the key who connects last is the one who is there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from restream.api import PublisherStatus
from restream.media import AudioTrack, Frame, Kind, Reader, VideoTrack
from restream.rtmp import amf0
from restream.rtmp.flv import audio_track, video_track

GAP_MS: Final = 40
"""Between the last frame of one publisher and the first of the next: about one frame."""
LONGEST_GOP: Final = 1000
LARGEST_GOP: Final = 64 << 20
"""Frames and bytes kept for joiners; a publisher that sends fewer keyframes makes them wait for the next."""
LARGEST_WINDOW: Final = 64 << 20
MOST_IN_WINDOW: Final = 10_000
"""Bytes and frames in four seconds of media. More comes only from a clock that stands still, and whoever cuts
by time would hold all of it."""


class Live:
    """The meeting point. All methods are called in the event loop's thread and never block."""

    def __init__(self, slug: str) -> None:
        self.slug = slug
        self.video: VideoTrack | None = None
        self.audio: AudioTrack | None = None
        self.publisher: Session | None = None
        self._readers: list[Reader] = []
        self._metadata: Frame | None = None
        self._headers: dict[Kind, Frame] = {}
        self._group: list[Frame] = []
        self._group_bytes = 0
        self._last_dts = -GAP_MS

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
        if self.publisher is None:
            return []
        first = self._group[0].dts if self._group else max(self._last_dts, 0)
        opening = [f for f in (self._metadata, *self._headers.values()) if f]
        return [*(at_time(frame, first) for frame in opening), *self._group]

    def open_session(self, peer: str, encoder: str, kick: Callable[[str], None], now: float) -> Session:
        """Admit a publisher; whoever published before is cut."""
        before = self.publisher
        session = Session(self, peer, encoder, kick, now)
        self.publisher = session
        if before:
            before.replaced()
            self._end_readers()
        self._headers.clear()
        self._group.clear()
        self._metadata = self.video = self.audio = None
        return session

    def close_session(self, session: Session) -> bool:
        """The publisher is gone; False when it had been replaced already."""
        if self.publisher is not session:
            return False
        self.publisher = None
        self._group.clear()
        self._end_readers()
        return True

    def _end_readers(self) -> None:
        for reader in self._readers:
            reader.ended()

    @property
    def now(self) -> int:
        """The newest moment (ms) on the show's timeline; just before zero when nothing came yet."""
        return self._last_dts

    def deliver(self, frame: Frame) -> None:
        """A frame on the show's timeline, to everybody."""
        self._last_dts = max(self._last_dts, frame.dts)
        if frame.header:
            self._headers[frame.kind] = frame
        elif frame.kind == Kind.DATA:
            self._metadata = frame
        else:
            self._keep(frame)
        for reader in self._readers:
            reader.push(frame)

    def _keep(self, frame: Frame) -> None:
        """Add a frame to the group of pictures, which a keyframe begins."""
        group = self._group
        if frame.kind == Kind.VIDEO and frame.keyframe:
            group.clear()
            self._group_bytes = 0
        elif not group:
            return
        self._group_bytes += len(frame.payload)
        if len(group) < LONGEST_GOP and self._group_bytes <= LARGEST_GOP:
            group.append(frame)
        else:
            group.clear()  # a group without its beginning is of no use to anybody


class Session:
    """One publisher's time on a live; the `Publisher` the RTMP server feeds."""

    def __init__(self, live: Live, peer: str, encoder: str, kick: Callable[[str], None], now: float) -> None:
        self._live = live
        self._kick = kick
        self._offset: int | None = None
        self._floor = live.now
        self._last: dict[Kind, int] = {}
        self._meter = Meter()
        self.on_closed: Callable[[str], None] = lambda reason: None
        self.status = PublisherStatus(since=datetime.fromtimestamp(now, UTC), peer=peer, encoder=encoder)

    def frame(self, frame: Frame) -> None:
        """Move a frame to the show's timeline and pass it on; raises BrokenTag for a broken header.

        Headers before the first frame say nothing about time: encoders send them at 0, whatever follows.
        """
        if self._live.publisher is not self:
            return None
        if frame.header:
            self._header(frame)
        begins = self._floor + GAP_MS
        if self._offset is None and not frame.header:
            self._offset = begins - frame.dts
        # Encoders jitter by a millisecond; within a track time must never go back.
        claimed = begins if self._offset is None else frame.dts + self._offset
        dts = max(claimed, self._last.get(frame.kind, self._floor), 0)
        self._last[frame.kind] = dts
        moved = at_time(frame, dts)
        self._meter.count(moved)
        if self._meter.flooded:
            return self.kick("The encoder sends more than any live needs, or its clock stands still.")
        return self._live.deliver(moved)

    def metadata(self, values: dict[str, object]) -> None:
        """onMetaData: passed on to targets, and the encoder's name read from it."""
        if self._live.publisher is not self:
            return
        kept = {name: value for name, value in values.items() if isinstance(value, bool | float | str)}
        self.status.encoder = str(kept.get("encoder") or self.status.encoder)[:80]
        payload = amf0.encode("@setDataFrame", "onMetaData") + amf0.encode_ecma_array(dict(kept))
        self._live.deliver(Frame(Kind.DATA, max(self._live.now, 0), payload, payload))

    def closed(self, reason: str) -> None:
        """Called once by the server."""
        if self._live.close_session(self):
            self.on_closed(reason)

    def kick(self, reason: str) -> None:
        """Cut this publisher."""
        self._kick(reason)

    def replaced(self) -> None:
        """Another publisher took over."""
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

    def _header(self, frame: Frame) -> None:
        if frame.kind == Kind.VIDEO:
            track = video_track(frame.body)
            self._live.video = track
            self.status.video_codec = track.codec
            self.status.width, self.status.height = track.width, track.height
        else:
            self._live.audio = audio_track(frame.body)
            self.status.audio_codec = self._live.audio.codec


class Meter:
    """Rates over the last four seconds of media time."""

    WINDOW_MS: Final = 4000

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int, bool]] = deque()
        self._bytes = 0
        self._pictures = 0
        self._last_keyframe: int | None = None
        self.keyframe_interval: int | None = None

    def count(self, frame: Frame) -> None:
        """One more frame."""
        if frame.header:
            return
        picture = frame.kind == Kind.VIDEO
        if picture and frame.keyframe:
            if self._last_keyframe is not None:
                self.keyframe_interval = frame.dts - self._last_keyframe
            self._last_keyframe = frame.dts
        self._seen.append((frame.dts, len(frame.payload), picture))
        self._bytes += len(frame.payload)
        self._pictures += picture
        while self._seen and frame.dts - self._seen[0][0] > self.WINDOW_MS:
            _, size, was_picture = self._seen.popleft()
            self._bytes -= size
            self._pictures -= was_picture

    @property
    def flooded(self) -> bool:
        """More than a live can have in the window."""
        return self._bytes > LARGEST_WINDOW or len(self._seen) > MOST_IN_WINDOW

    def fps(self) -> float | None:
        """Pictures a second."""
        return round(self._pictures * 1000 / span, 1) if (span := self._span()) else None

    def kbps(self) -> int:
        """Kilobits a second, audio and video."""
        return round(self._bytes * 8 / span) if (span := self._span()) else 0

    def _span(self) -> int:
        return self._seen[-1][0] - self._seen[0][0] if len(self._seen) > 1 else 0


def at_time(frame: Frame, dts: int) -> Frame:
    """The same frame at another moment."""
    if frame.dts == dts:
        return frame
    return Frame(
        frame.kind, dts, frame.payload, frame.body, frame.cts, frame.keyframe, frame.header, frame.arrived
    )
