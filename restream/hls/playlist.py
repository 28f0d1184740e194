"""Media playlists as text. Pure: the same timeline gives the same bytes.

Source: draft-pantos-hls-rfc8216bis 4.4 (tags), 6.2.5.1 (deltas), section 8 (versions).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from restream.hls.cues import Cues, date
from restream.hls.timeline import Segment, Timeline

MEDIA: Final = "live.m3u8"
IFRAMES: Final = "iframes.m3u8"
HOLD_BACK_TARGETS: Final = 3
SKIP_TARGETS: Final = 6
PART_TARGETS: Final = 3
"""Parts are listed for this many target durations."""
TAB: Final = "\t"
VERSION, VERSION_OF_SKIPPED_CUES, VERSION_OF_IFRAMES = 9, 10, 5
"""9 for EXT-X-SKIP, which full playlists announce; 10 where it stands for dateranges too; 5 for EXT-X-MAP
among I-frames."""

Skip = Literal["YES", "v2"]


@dataclass(frozen=True, slots=True)
class Report:
    """Where another rendition is: its playlist as seen from ours, and its newest part."""

    uri: str
    msn: int
    part: int


@dataclass(frozen=True, slots=True)
class Beside:
    """What a playlist says beside its own media."""

    cues: Cues = field(default_factory=Cues)
    reports: Sequence[Report] = ()


def media(timeline: Timeline, beside: Beside, skip: Skip | None = None) -> str:
    """The low-latency playlist, or its delta. Needs `playable`: all that is frozen is frozen by then."""
    target, part_target, hold_back = _frozen(timeline)
    segments = timeline.listed()
    skipped = _skippable(segments, SKIP_TARGETS * target) if skip and not timeline.ended else 0
    without_cues = skip == "v2" and skipped > 0
    control = (
        f"CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={hold_back:.3f},HOLD-BACK={HOLD_BACK_TARGETS * target},"
        f"CAN-SKIP-UNTIL={SKIP_TARGETS * target},CAN-SKIP-DATERANGES=YES"
    )
    version = VERSION_OF_SKIPPED_CUES if without_cues else VERSION
    lines = _opening(timeline, version, target, control)
    lines.insert(-2, f"#EXT-X-PART-INF:PART-TARGET={part_target:.3f}")
    since = timeline.ends - SKIP_TARGETS * target if without_cues else None
    lines += beside.cues.tags(since)
    if skipped:
        lines.append(_skip_tag(skipped, beside.cues.removed(since) if since is not None else None))
    oldest_part = _oldest_with_parts(segments, target)
    shown: int | None = None
    for segment in segments[skipped:]:
        lines += _head(segment, shown)
        shown = segment.initialisation
        if segment.number >= oldest_part:
            lines += _parts(segment)
        if segment.closed:
            lines += _tail(segment)
    lines += _ending(timeline, beside.reports)
    return "\n".join(lines) + "\n"


def iframes(timeline: Timeline) -> str:
    """The keyframe each segment begins with, as bytes of the segment. One of each, so that numbers mean the
    same as in the other playlists."""
    target, _, _ = _frozen(timeline)
    control = f"CAN-BLOCK-RELOAD=YES,HOLD-BACK={HOLD_BACK_TARGETS * target}"
    lines = _opening(timeline, VERSION_OF_IFRAMES, target, control)
    lines.insert(2, "#EXT-X-I-FRAMES-ONLY")
    shown: int | None = None
    for segment in timeline.listed():
        if not segment.closed:
            continue
        lines += _head(segment, shown)
        shown = segment.initialisation
        key = 0 if segment.gap else segment.parts[0].key
        lines.append(f"#EXT-X-BYTERANGE:{key}@0" if key else "#EXT-X-GAP")
        lines += [f"#EXTINF:{segment.seconds:.5f},", f"s{segment.number}.m4s"]
    if timeline.ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _frozen(timeline: Timeline) -> tuple[int, float, float]:
    terms = timeline.terms
    if terms.target_duration is None or timeline.part_target is None or terms.hold_back is None:
        raise ValueError("nothing is playable yet")
    return terms.target_duration, timeline.part_target, terms.hold_back


def _opening(timeline: Timeline, version: int, target: int, control: str) -> list[str]:
    return [
        "#EXTM3U",
        f"#EXT-X-VERSION:{version}",
        f"#EXT-X-TARGETDURATION:{target}",
        *(["#EXT-X-INDEPENDENT-SEGMENTS"] if timeline.independent_segments else []),
        f"#EXT-X-SERVER-CONTROL:{control}",
        f"#EXT-X-MEDIA-SEQUENCE:{timeline.first_listed}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{timeline.discontinuity_sequence}",
    ]


def _skippable(segments: Sequence[Segment], boundary: float) -> int:
    """How many of the oldest end before the boundary, counted from the end of the newest finished one."""
    after = sum(segment.seconds for segment in segments if segment.closed)
    for index, segment in enumerate(segments):
        after -= segment.seconds
        if after < boundary or not segment.closed:
            return index
    return 0


def _skip_tag(skipped: int, removed: Sequence[str] | None) -> str:
    text = f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}"
    if removed is not None:
        text += f',RECENTLY-REMOVED-DATERANGES="{TAB.join(removed)}"'
    return text


def _head(segment: Segment, shown: int | None) -> list[str]:
    """What applies to a segment, before its first part. The oldest segment keeps its DISCONTINUITY: it is
    counted in DISCONTINUITY-SEQUENCE only when it has left."""
    lines = []
    if segment.discontinuity:
        lines.append("#EXT-X-DISCONTINUITY")
    if segment.discontinuity or segment.initialisation != shown:
        lines.append(f'#EXT-X-MAP:URI="init{segment.initialisation}.mp4"')
    lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{date(segment.wall)}")
    return lines


def _parts(segment: Segment) -> list[str]:
    return [
        f'#EXT-X-PART:DURATION={part.seconds:.5f},URI="s{segment.number}.{index}.m4s"'
        + (",INDEPENDENT=YES" if part.independent else "")
        + (",GAP=YES" if part.gap else "")
        for index, part in enumerate(segment.parts)
    ]


def _tail(segment: Segment) -> list[str]:
    lines = ["#EXT-X-GAP"] if segment.gap else []
    return [*lines, f"#EXTINF:{segment.seconds:.5f},", f"s{segment.number}.m4s"]


def _oldest_with_parts(segments: Sequence[Segment], target: int) -> int:
    left = float(PART_TARGETS * target)
    for segment in reversed(segments):
        left -= segment.seconds
        if left <= 0:
            return segment.number
    return segments[0].number if segments else 0


def _ending(timeline: Timeline, reports: Sequence[Report]) -> list[str]:
    """Where the next part will be, and how far the others are."""
    if timeline.ended:
        return ["#EXT-X-ENDLIST"]
    number, part = timeline.hint
    return [
        f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="s{number}.{part}.m4s"',
        *(
            f'#EXT-X-RENDITION-REPORT:URI="{one.uri}",LAST-MSN={one.msn},LAST-PART={one.part}'
            for one in reports
        ),
    ]
