"""Playlists as text. Pure: the same timeline gives the same bytes."""

from __future__ import annotations

from datetime import UTC, datetime

from restream.hls.timeline import Segment, Timeline
from restream.media import AudioTrack, VideoTrack

MEDIA = "live.m3u8"


def multivariant(timeline: Timeline, video: VideoTrack, audio: AudioTrack | None, fps: float | None) -> str:
    """The address players get. BANDWIDTH is the peak segment bit rate of what is listed now."""
    codecs = ",".join([video.codec] + ([audio.codec] if audio else []))
    attributes = [
        f"BANDWIDTH={timeline.bandwidth}",
        f'CODECS="{codecs}"',
        f"RESOLUTION={video.width}x{video.height}",
    ]
    if fps:
        attributes.append(f"FRAME-RATE={fps:.3f}")
    lines = ["#EXTM3U", "#EXT-X-VERSION:6"]
    if timeline.independent_segments:
        lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
    lines += [f"#EXT-X-STREAM-INF:{','.join(attributes)}", MEDIA]
    return "\n".join(lines) + "\n"


def media(timeline: Timeline) -> str:
    """The media playlist. Needs `playable`: PART-TARGET and TARGETDURATION are frozen by then."""
    part_target, target = timeline.part_target, timeline.target_duration
    if part_target is None or target is None:
        raise ValueError("nothing is playable yet")
    segments = timeline.listed()
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:6",
        f"#EXT-X-TARGETDURATION:{target}",
        *(["#EXT-X-INDEPENDENT-SEGMENTS"] if timeline.independent_segments else []),
        f"#EXT-X-PART-INF:PART-TARGET={part_target:.3f}",
        (
            "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,"
            f"PART-HOLD-BACK={part_target * 3:.3f},HOLD-BACK={target * 3}"
        ),
        f"#EXT-X-MEDIA-SEQUENCE:{segments[0].number if segments else 0}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{timeline.discontinuity_sequence}",
    ]
    oldest_part = _oldest_with_parts(segments, target)
    shown: int | None = None
    for segment in segments:
        lines += _head(segment, shown)
        shown = segment.initialisation
        if segment.number >= oldest_part:
            lines += _parts(segment)
        if segment.closed:
            lines += [f"#EXTINF:{segment.seconds:.5f},", f"s{segment.number}.m4s"]
    lines.append("#EXT-X-ENDLIST" if timeline.ended else _hint(timeline))
    return "\n".join(lines) + "\n"


def _head(segment: Segment, shown: int | None) -> list[str]:
    """What applies to a segment, before its first part. The oldest segment keeps its DISCONTINUITY: it is
    counted in DISCONTINUITY-SEQUENCE only when it has left."""
    lines = []
    if segment.discontinuity:
        lines.append("#EXT-X-DISCONTINUITY")
    if segment.discontinuity or segment.initialisation != shown:
        lines.append(f'#EXT-X-MAP:URI="init{segment.initialisation}.mp4"')
    moment = datetime.fromtimestamp(segment.wall, UTC).isoformat(timespec="milliseconds")
    lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{moment.replace('+00:00', 'Z')}")
    return lines


def _parts(segment: Segment) -> list[str]:
    return [
        f'#EXT-X-PART:DURATION={part.seconds:.5f},URI="s{segment.number}.{index}.m4s"'
        + (",INDEPENDENT=YES" if part.independent else "")
        for index, part in enumerate(segment.parts)
    ]


def _oldest_with_parts(segments: list[Segment], target: int) -> int:
    """Parts are listed for the last three target durations."""
    left = 3.0 * target
    for segment in reversed(segments):
        left -= segment.seconds
        if left <= 0:
            return segment.number
    return segments[0].number if segments else 0


def _hint(timeline: Timeline) -> str:
    """Where the next part will be."""
    number, part = timeline.hint
    return f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="s{number}.{part}.m4s"'
