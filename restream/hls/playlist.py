"""Playlists as text. Pure: the same timeline gives the same bytes."""

from __future__ import annotations

from datetime import UTC, datetime

from restream.hls.timeline import Segment, Timeline
from restream.media import AudioTrack, VideoTrack

MEDIA = "live.m3u8"


def multivariant(video: VideoTrack, audio: AudioTrack | None, bandwidth: int, fps: float | None) -> str:
    """The address players get. `bandwidth` is bits a second."""
    codecs = ",".join([video.codec] + ([audio.codec] if audio else []))
    attributes = [
        f"BANDWIDTH={bandwidth}",
        f'CODECS="{codecs}"',
        f"RESOLUTION={video.width}x{video.height}",
    ]
    if fps:
        attributes.append(f"FRAME-RATE={fps:.3f}")
    return (
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        f"#EXT-X-STREAM-INF:{','.join(attributes)}\n{MEDIA}\n"
    )


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
        "#EXT-X-INDEPENDENT-SEGMENTS",
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
    lines.append("#EXT-X-ENDLIST" if timeline.ended else _hint(segments))
    return "\n".join(lines) + "\n"


def _head(segment: Segment, shown: int | None) -> list[str]:
    lines = []
    if segment.discontinuity and shown is not None:
        lines.append("#EXT-X-DISCONTINUITY")
    if segment.initialisation != shown:
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


def _hint(segments: list[Segment]) -> str:
    """Where the next part will be."""
    last = segments[-1] if segments else None
    if last is None:
        uri = "s0.0.m4s"
    elif last.closed:
        uri = f"s{last.number + 1}.0.m4s"
    else:
        uri = f"s{last.number}.{len(last.parts)}.m4s"
    return f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{uri}"'
