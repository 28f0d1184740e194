"""From a WHIP client's packets to a publisher's frames: pictures are copied, Opus becomes AAC in an ffmpeg.

Nothing is decoded but the sound. The child is fed FLV with both kinds in it, so that it brings sound and
picture onto one clock and fills the sound's holes.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from restream.encode.pipe import Feeder
from restream.encode.process import Child, ffmpeg_binary, start
from restream.ingest import rtp
from restream.ingest.h264 import Depacketiser, Writer
from restream.ingest.rtc import RemoteBitrateEstimator
from restream.ingest.rtp import BrokenRtp, Packet, Reception, Sequencer, Unwrapper
from restream.media import Frame, Kind
from restream.webrtc.sdp import Offer, Section

log = structlog.get_logger()

KEYFRAME_EVERY: Final = 2.0
"""Seconds without a keyframe after which we ask for one: browsers send them only when they are asked."""
ASK_EVERY: Final = 0.5
"""Seconds between two such questions."""
REPORT_EVERY: Final = 1.0
NTP_UNIT: Final = 1 << 32
OPUS_HEAD: Final = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 312, 48_000, 0, 0)
"""RFC 7845, 5.1: two channels, and the pre-skip that libopus has at 48 kHz."""
OPUS_HEADER: Final = b"\x90Opus" + OPUS_HEAD
OPUS_TAG: Final = b"\x91Opus"
"""Enhanced RTMP's audio tags; ffmpeg reads them."""


async def converter() -> Child:
    """ffmpeg, from FLV with H.264 and Opus to FLV with H.264 and AAC. Raises OSError."""
    quiet = ("-hide_banner", "-loglevel", "error", "-nostats")
    source = ("-analyzeduration", "300000", "-f", "flv", "-i", "pipe:0")
    audio = ("-c:a", "aac", "-b:a", "160k", "-ar", "48000", "-ac", "2", "-af", "aresample=async=1000")
    output = ("-f", "flv", "-flvflags", "no_duration_filesize", "-flush_packets", "1", "pipe:1")
    tracks = ("-map", "0:v:0", "-map", "0:a:0?", "-c:v", "copy")
    return await start(
        "whip converter", [ffmpeg_binary(), *quiet, *source, *tracks, *audio, *output], fed=True, read=True
    )


class Track:
    """One RTP stream: its order, and its clock. `clock` is monotonic seconds."""

    def __init__(self, section: Section, rate: int, payload_type: int) -> None:
        self.payload_type = payload_type
        self.send_time = section.send_time
        self.sequencer = Sequencer()
        self.source: int | None = None
        self._rate = rate
        self._unwrap = Unwrapper(32)
        self._shift: float | None = None
        self._newest: tuple[int, int] | None = None
        self._report: tuple[int, float] | None = None
        self._told = (0, 0)

    def moment(self, timestamp: int, line: Line) -> int:
        """An RTP timestamp on the session's timeline, in milliseconds."""
        units = self._unwrap.unwrap(timestamp)
        self._newest = (timestamp, units)
        at = units * 1000 / self._rate
        if self._report is None:
            # Until the peer says more, the packet that was the least late tells. An encoder's first are late.
            late = line.now() - at
            self._shift = late if self._shift is None else min(self._shift, late)
        return round(at + (self._shift or 0.0))

    def reported(self, ntp: int, timestamp: int, line: Line, now: float) -> None:
        """The peer has said what its timestamps mean: this is how sound and picture come together."""
        if self._newest is None or self._shift is None:
            return
        self._report = (ntp, now)
        newest, units = self._newest
        distance = (timestamp - newest + (1 << 31)) % (1 << 32) - (1 << 31)
        at = (units + distance) * 1000 / self._rate
        self._shift = line.meaning(ntp * 1000 / NTP_UNIT, at + self._shift) - at

    def reception(self, now: float) -> Reception | None:
        """What a receiver report says about it."""
        if self.source is None:
            return None
        sequencer = self.sequencer
        expected, lost = sequencer.expected, sequencer.lost
        more, missed = expected - self._told[0], lost - self._told[1]
        self._told = (expected, lost)
        fraction = min(255, 256 * missed // more) if more > 0 and missed > 0 else 0
        ntp, heard = self._report or (0, now)
        delay = round((now - heard) * 65536)
        return Reception(self.source, fraction, lost, sequencer.highest, ntp >> 16 & 0xFFFF_FFFF, delay)


class Line:
    """The session's timeline: begins at 0, and gives the peer's wall clock a place on it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._origin: float | None = None

    def now(self) -> float:
        """Milliseconds since it began."""
        return (self._clock() - self._began) * 1000

    def meaning(self, wall: float, otherwise: float) -> float:
        """The place of the peer's wall clock (ms); the first to ask says where that is."""
        if self._origin is None:
            self._origin = wall - otherwise
        return wall - self._origin


class Media:
    """Takes decrypted packets (`take`, `take_control`) and feeds the child; `tend` talks back to the peer."""

    def __init__(self, offer: Offer, child: Child, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._line = Line(clock)
        self._feeder = Feeder(child)
        self._us = secrets.randbits(32)
        self._tracks: dict[int, Track] = {}
        self._video = self._add(offer.section("video"))
        self._audio = self._add(offer.section("audio"))
        self._depacketiser, self._writer = Depacketiser(), Writer()
        self._estimator = RemoteBitrateEstimator()
        self._estimate: tuple[int, list[int]] | None = None
        self._keyframe_at = clock()
        self._asked_at = self._reported_at = 0.0
        self._last = {Kind.VIDEO: -1, Kind.AUDIO: -1}
        self._begun = False

    def take(self, data: bytes) -> None:
        """One RTP packet; what makes no sense, or was not agreed upon, is left out."""
        now = self._clock()
        track = self._tracks.get(data[1] & 127) if len(data) > 1 else None
        if track is None:
            return
        try:
            packet = rtp.parse(data, track.send_time)
        except BrokenRtp:
            return
        if track.source is None:
            track.source = packet.source
        if packet.source != track.source:
            return
        if packet.send_time is not None:
            found = self._estimator.add(
                round(now * 1000), packet.send_time, len(packet.payload), packet.source
            )
            self._estimate = found or self._estimate
        for one in track.sequencer.push(packet, now):
            if track is self._video:
                self._picture(track, one)
            elif one and one.payload:
                self._sound(track, one)

    def take_control(self, data: bytes) -> None:
        """One compound RTCP packet."""
        for report in rtp.sender_reports(data):
            for track in self._tracks.values():
                if track.source == report.source:
                    track.reported(report.ntp, report.timestamp, self._line, self._clock())

    async def tend(self, send: Callable[[bytes], Awaitable[None]]) -> None:
        """Ask for what is missing and for keyframes, and report, until cancelled."""
        while True:
            for message in self.due():
                await send(message)
            await asyncio.sleep(rtp.ASK_EVERY / 2)

    def due(self) -> list[bytes]:
        """What the peer must be told now."""
        now = self._clock()
        messages: list[bytes] = []
        video = self._video
        if video and video.source is not None:
            if numbers := video.sequencer.asked_again(now):
                messages.append(rtp.missing(self._us, video.source, numbers))
            wanted = self._depacketiser.wants_keyframe or now - self._keyframe_at >= KEYFRAME_EVERY
            if wanted and now - self._asked_at >= ASK_EVERY:
                self._asked_at = now
                messages.append(rtp.picture_loss(self._us, video.source))
        if self._estimate:
            messages.append(rtp.most_bits(self._us, *self._estimate))
            self._estimate = None
        if now - self._reported_at >= REPORT_EVERY:
            self._reported_at = now
            blocks = [found for track in self._tracks.values() if (found := track.reception(now))]
            if blocks:
                messages.append(rtp.receiver_report(self._us, blocks))
        return messages

    def _add(self, section: Section | None) -> Track | None:
        if section is None or section.chosen is None:
            return None
        track = Track(section, section.chosen.rate, section.chosen.payload_type)
        self._tracks[track.payload_type] = track
        return track

    def _picture(self, track: Track, packet: Packet | None) -> None:
        for picture in self._depacketiser.push(packet):
            at = track.moment(picture.timestamp, self._line)
            for header, keyframe, body in self._writer.write(picture):
                if not self._begun:
                    self._begin(at)
                if keyframe:
                    self._keyframe_at = self._clock()
                self._feed(Kind.VIDEO, at, body, header=header, keyframe=keyframe)

    def _begin(self, at: int) -> None:
        """The sound's header goes before everything, or the child would not look for sound."""
        self._begun = True
        if self._audio:
            self._feed(Kind.AUDIO, at, OPUS_HEADER, header=True)

    def _sound(self, track: Track, packet: Packet) -> None:
        at = track.moment(packet.timestamp, self._line)
        if self._begun:
            self._feed(Kind.AUDIO, at, OPUS_TAG + packet.payload, keyframe=True)

    def _feed(
        self, kind: Kind, at: int, body: bytes, *, header: bool = False, keyframe: bool = False
    ) -> None:
        at = max(at, self._last[kind], 0)
        self._last[kind] = at
        self._feeder.push(Frame(kind, at, body, body, keyframe=keyframe, header=header, arrived=time.time()))
