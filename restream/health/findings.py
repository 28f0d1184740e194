"""From measurements and limits to sentences a person can act on. Pure.

Each rule looks at one thing. A rule that does not know enough says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from restream.api import ProfileSpec, TargetSpec
from restream.health.limits import LIMITS, PLAYER, Limits
from restream.health.meter import Measurements
from restream.health.uplink import ENOUGH_MBPS, advise, carried_kbps

Severity = Literal["info", "warning", "alarm"]

SETTLED: Final = 3.0
"""Seconds a publisher is watched before anything is said about what it does not send."""
SILENT: Final = 3.0
LATE_MS: Final = 2000
DRIFT_MS: Final = 250
"""Beyond what ITU-R BT.1359 finds acceptable, and beyond how unevenly encoders interleave."""
MISSING: Final = 0.05
SLOW: Final = 0.9
COLLAPSED: Final = 0.25
HARDLY_ANYTHING_KBPS: Final = 500
TOLERANCE: Final = 1.1
"""Rates wobble; what is this near its limit is within it."""
UNEVEN: Final = 0.3
KEYFRAMES_UNEVEN: Final = 0.3
KEYFRAME_LATE: Final = 1.15
"""Of the longest interval a platform takes; where it takes more than it wants, half as much again is late."""
SAFETY: Final = 0.8
"""Share of a connection that should be used."""
FULL_HD: Final = 1080


@dataclass(frozen=True, slots=True)
class Words:
    """Where settings are found. These are OBS's words; a profile has all of them in one place."""

    output: str = "Settings → Output → Streaming"
    video: str = "Settings → Video"
    audio: str = "Settings → Audio"
    audio_output: str = "Settings → Output → Audio"


OBS: Final = Words()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the feed goes, as it is or by a profile: a target's id (or `player`), the row of its platform."""

    id: str
    platform: str
    profile: ProfileSpec | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding before anybody has waited whether it stays."""

    code: str
    severity: Severity
    sentence: str
    target: str | None = None


def judge(
    measured: Measurements, places: Iterable[Place], limits: Mapping[str, Limits] = LIMITS
) -> list[Problem]:
    """Everything that is wrong with the feed, in itself and for each place it goes to."""
    found = list(_feed(measured))
    for place in places:
        row = limits.get(place.platform)
        if row is None:
            continue
        what, words = measured, OBS
        if place.profile:
            what, words = _encoded(measured, place.profile), _words_of(place.profile)
        found += (replace(one, target=place.id) for one in _platform(what, row, words))
    return found


def _encoded(m: Measurements, profile: ProfileSpec) -> Measurements:
    """What a platform gets through a profile: our own encoder's H.264 and AAC."""
    return replace(
        m,
        video_codec="H.264",
        profile=None,
        level=None,
        width=profile.width,
        height=profile.height,
        video_kbps=profile.video_kbps if m.video_kbps else 0.0,
        frame_rate=profile.fps or m.frame_rate,
        keyframe_seconds=profile.keyframe_seconds,
        open_gop=False,
        b_frames=False,
        variation=None,
        audio_codec="AAC",
        audio_rate=profile.audio_rate or m.audio_rate,
        audio_kbps=profile.audio_kbps,
    )


def _words_of(profile: ProfileSpec) -> Words:
    place = f"the profile “{profile.name}”"
    return Words(place, place, place, place)


def _feed(m: Measurements) -> Iterator[Problem]:
    """What is wrong wherever the feed goes."""
    yield from _presence(m)
    yield from _steadiness(m)
    yield from _connection(m)


def _presence(m: Measurements) -> Iterator[Problem]:
    if m.seconds < SETTLED:
        return
    if m.video_silent is None or m.video_silent > SILENT:
        yield Problem(
            "no_video",
            "alarm",
            "No picture arrives from the encoder. Check that a scene with a source is shown, and that the "
            "encoder is not overloaded.",
        )
    if m.audio_silent is None or m.audio_silent > SILENT:
        yield Problem(
            "no_audio",
            "warning",
            "No sound arrives from the encoder. Choose your microphone in "
            f"{OBS.audio} → Global Audio Devices.",
        )


def _steadiness(m: Measurements) -> Iterator[Problem]:
    if m.missing_share > MISSING:
        yield Problem(
            "frames_missing",
            "alarm",
            f"{m.missing_share:.0%} of the pictures are missing. The encoder is overloaded or its connection "
            f"too slow: close other programs, or lower Video Bitrate or the resolution in {OBS.output}.",
        )
    if m.declared_fps and m.frame_rate and m.frame_rate < SLOW * m.declared_fps:
        yield Problem(
            "fps_low",
            "warning",
            f"The encoder promises {m.declared_fps:g} pictures a second and sends {m.frame_rate:.0f}. It is "
            f"overloaded: choose a faster preset in {OBS.output}, or a smaller Output Resolution in "
            f"{OBS.video}.",
        )
    if m.drift_ms is not None and abs(m.drift_ms) > DRIFT_MS:
        which = "later" if m.drift_ms > 0 else "earlier"
        yield Problem(
            "drift",
            "warning",
            f"The sound is {abs(m.drift_ms):.0f} ms {which} than the picture. Correct the Sync Offset of "
            "your microphone in Edit → Advanced Audio Properties, or restart the stream.",
        )
    shortest, longest = m.shortest_keyframe_seconds, m.longest_keyframe_seconds
    if shortest and longest and longest - shortest > max(0.5, KEYFRAMES_UNEVEN * longest):
        yield Problem(
            "keyframes_uneven",
            "info",
            f"Keyframes come after {shortest:.1f} to {longest:.1f} s. Set Keyframe Interval to 2 s instead "
            f"of 0 (auto) in {OBS.output}, and switch scene-cut detection off.",
        )


def _connection(m: Measurements) -> Iterator[Problem]:
    usual, shown = m.typical_kbps, m.video_silent is not None and m.video_silent <= SILENT
    if usual and shown and m.video_kbps < min(COLLAPSED * usual, HARDLY_ANYTHING_KBPS):
        yield Problem(
            "bitrate_collapsed",
            "alarm",
            f"The bit rate has fallen from {usual:,.0f} to {m.video_kbps:,.0f} Kbps. Check the encoder's "
            "internet connection; use a cable instead of Wi-Fi.",
        )
    if m.late_ms is not None and m.late_ms > LATE_MS:
        yield Problem("feed_late", "alarm", f"The feed arrives {m.late_ms / 1000:.1f} s late{_remedy(m)}")


def _remedy(m: Measurements) -> str:
    """What to do about a late feed, as the end of a sentence."""
    carried = carried_kbps(m)
    if carried is None:
        return ". Restart the stream in the encoder, or use a cable instead of Wi-Fi."
    if carried < ENOUGH_MBPS * 1000 and m.width and m.height and min(m.width, m.height) >= FULL_HD:
        return f" and gets later. {advise(carried / 1000)}"
    bitrate = max(500, round((SAFETY * carried - m.audio_kbps) / 100) * 100)
    return (
        f" and gets later: the connection carries about {carried:,.0f} Kbps. "
        f"Lower Video Bitrate to {bitrate:,} Kbps in {OBS.output}."
    )


def _platform(m: Measurements, row: Limits, words: Words) -> Iterator[Problem]:
    """What is wrong for one platform."""
    yield from _keyframes(m, row, words)
    yield from _picture(m, row, words)
    yield from _bitrate(m, row, words)
    yield from _sound(m, row, words)


def _keyframes(m: Measurements, row: Limits, words: Words) -> Iterator[Problem]:
    wanted, found = row.keyframe_seconds, m.keyframe_seconds
    if wanted and found:
        longest = row.longest_keyframe_seconds or wanted
        if found > min(KEYFRAME_LATE * longest, 1.5 * wanted):
            yield Problem(
                "keyframe_interval",
                "warning",
                f"{row.title} wants a keyframe every {wanted:g} s; yours come every {found:.1f} s. "
                f"Set Keyframe Interval to {wanted:g} s in {words.output}.",
            )
    if row.closed_gop and m.open_gop:
        yield Problem(
            "open_gop",
            "warning",
            f"{row.title} wants closed groups of pictures. Add open-gop=0 to x264 Options in {words.output}, "
            "or choose another encoder.",
        )
    if row.b_frames is False and m.b_frames:
        yield Problem(
            "b_frames",
            "info" if row.browsers else "warning",
            f"{row.title}: pictures are sent out of order (B-frames), which costs delay and can't be played "
            f"with the lowest one. Set Max B-frames to 0 in {words.output}.",
        )


def _picture(m: Measurements, row: Limits, words: Words) -> Iterator[Problem]:
    if m.video_codec and row.video_codecs and m.video_codec not in row.video_codecs:
        yield _other_codec(m.video_codec, row, words)
    if row.highest_level and m.level and m.video_codec == "H.264" and m.level > row.highest_level:
        yield Problem(
            "level_high",
            "warning",
            f"{row.title} takes H.264 up to level {row.highest_level:g}; yours is {m.level:g}. Lower Output "
            f"Resolution or FPS in {words.video}.",
        )
    if m.frame_rate and row.most_fps and m.frame_rate > row.most_fps * TOLERANCE:
        yield Problem(
            "fps_high",
            "warning",
            f"{row.title} takes up to {row.most_fps} pictures a second; yours are {m.frame_rate:.0f}. Lower "
            f"FPS in {words.video}.",
        )
    if m.width and m.height:
        yield from _size(m.width, m.height, row, words)


def _other_codec(codec: str, row: Limits, words: Words) -> Problem:
    if row.browsers:
        sentence = f"Not every viewer's browser plays {codec}. Set Video Encoder to H.264 in {words.output}."
        return Problem("video_codec", "warning", sentence)
    return Problem(
        "video_codec",
        "alarm",
        f"{row.title} does not take {codec}. Set Video Encoder to {row.video_codecs[0]} in {words.output}, "
        "or choose a profile for this target.",
    )


def _size(width: int, height: int, row: Limits, words: Words) -> Iterator[Problem]:
    if row.largest_side and min(width, height) > row.largest_side * TOLERANCE:
        yield Problem(
            "size_large",
            "warning",
            f"{row.title} takes up to {row.largest_side}p; yours is {width}x{height}. Lower Output "
            f"Resolution in {words.video}.",
        )
    if row.upright is True and width > height:
        yield Problem(
            "orientation",
            "warning",
            f"{row.title} shows upright pictures; yours is {width}x{height}. Choose a vertical profile.",
        )
    if row.upright is False and height > width:
        yield Problem(
            "orientation",
            "warning",
            f"{row.title} shows wide pictures; yours is {width}x{height}. Give this target a wide profile, "
            f"or turn the canvas in {words.video}.",
        )


def _bitrate(m: Measurements, row: Limits, words: Words) -> Iterator[Problem]:
    if m.seconds < SETTLED or not m.video_kbps or not (m.width and m.height and m.frame_rate):
        return
    rung = row.rung(m.width, m.height, m.frame_rate)
    most = min((k for k in (row.most_kbps, rung and rung.most_kbps) if k), default=None)
    size = f"{min(m.width, m.height)}p at {m.frame_rate:.0f} pictures a second"
    if most and m.video_kbps > most * TOLERANCE:
        yield Problem(
            "bitrate_high",
            "warning",
            f"{row.title} takes up to {most:,} Kbps for {size}; yours is {m.video_kbps:,.0f}. Lower Video "
            f"Bitrate in {words.output}.",
        )
    if rung and rung.least_kbps and m.video_kbps * TOLERANCE < rung.least_kbps:
        yield Problem(
            "bitrate_low",
            "warning",
            f"{row.title} wants at least {rung.least_kbps:,} Kbps for {size}; yours is {m.video_kbps:,.0f}. "
            f"Raise Video Bitrate in {words.output}, or lower Output Resolution in {words.video}.",
        )
    if row.constant_bitrate and m.variation is not None and m.variation > UNEVEN:
        yield Problem(
            "bitrate_varies",
            "info",
            f"{row.title} wants a constant bit rate; yours varies by {m.variation:.0%}. Set Rate Control to "
            f"CBR in {words.output}.",
        )


def _sound(m: Measurements, row: Limits, words: Words) -> Iterator[Problem]:
    gone = m.audio_silent is None or m.audio_silent > SILENT
    if row.audio_required and gone and m.seconds >= SETTLED:
        yield Problem(
            "audio_missing",
            "alarm",
            f"{row.title} refuses a feed without sound. Choose your microphone in {OBS.audio} → Global Audio "
            "Devices; a muted one is enough.",
        )
    if gone:
        return
    if row.audio_codecs and m.audio_codec and m.audio_codec not in row.audio_codecs:
        yield Problem(
            "audio_codec",
            "alarm",
            f"{row.title} does not take {m.audio_codec} sound. Set Audio Encoder to {row.audio_codecs[0]} in "
            f"{words.output}.",
        )
    if row.audio_rates and m.audio_rate and m.audio_rate not in row.audio_rates:
        wanted = " or ".join(f"{rate / 1000:g}" for rate in row.audio_rates)
        yield Problem(
            "audio_rate",
            "warning",
            f"{row.title} wants sound at {wanted} kHz; yours is {m.audio_rate / 1000:g}. Set Sample Rate in "
            f"{words.audio}.",
        )
    if row.most_audio_kbps and m.audio_kbps > row.most_audio_kbps * TOLERANCE:
        yield Problem(
            "audio_bitrate",
            "warning",
            f"{row.title} takes up to {row.most_audio_kbps} Kbps of sound; yours is {m.audio_kbps:.0f}. "
            f"Lower Audio Bitrate in {words.audio_output}.",
        )
    if row.most_channels and m.audio_channels and m.audio_channels > row.most_channels:
        yield Problem(
            "audio_channels",
            "warning",
            f"{row.title} takes up to {row.most_channels} channels of sound; yours has {m.audio_channels}. "
            f"Set Channels to Stereo in {words.audio}.",
        )


def places_of(targets: Sequence[TargetSpec], profiles: Sequence[ProfileSpec], *, player: bool) -> list[Place]:
    """The places a feed goes to: the targets that are wanted, and our player.

    A backup ingest would only repeat its primary's findings.
    """
    named = {profile.name: profile for profile in profiles}
    wanted = [target for target in targets if target.wanted]
    known = {target.id for target in wanted}
    found = [
        Place(target.id, target.platform, named.get(target.profile) if target.profile else None)
        for target in wanted
        if target.platform and target.id.removesuffix(".backup") not in known - {target.id}
    ]
    return [*found, Place(PLAYER, PLAYER)] if player else found
