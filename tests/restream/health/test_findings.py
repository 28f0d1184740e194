"""What a person is told, for feeds that real encoders make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from restream.api import ProfileSpec
from restream.health.findings import Place, judge, places_of
from restream.health.limits import LIMITS, PLAYER
from restream.health.meter import Measurements
from restream.live import at_time
from restream.media import Frame, Kind
from tests.restream.health.stage import Stage, made, target, without

GOOD = Measurements(
    seconds=60,
    video_codec="H.264",
    profile="High",
    level=4.0,
    width=1920,
    height=1080,
    audio_codec="AAC",
    audio_rate=44_100,
    audio_channels=2,
    video_silent=0.0,
    audio_silent=0.0,
    video_kbps=5500,
    audio_kbps=128,
    arrival_kbps=5600,
    typical_kbps=5500,
    variation=0.05,
    fps=30,
    frame_rate=30,
    declared_fps=30,
    keyframe_seconds=2,
    longest_keyframe_seconds=2,
    shortest_keyframe_seconds=2,
    drift_ms=10,
    late_ms=20,
    falling_behind=0,
)


def told(measured: Measurements, *platforms: str) -> dict[tuple[str, str | None], str]:
    found = judge(measured, [Place(name, name) for name in platforms])
    return {(one.code, one.target): one.sentence for one in found}


def test_a_good_feed_is_praised_with_silence() -> None:
    wide = [name for name, row in LIMITS.items() if not row.upright and name != "linkedin"]
    assert told(GOOD, *wide) == {}


def test_keyframes_every_four_seconds_are_named_with_the_setting_to_change() -> None:
    stage = Stage("youtube", "twitch")
    stage.play(made(gop=120, seconds=24))
    assert "keyframe_interval" in stage.codes("youtube")
    assert "keyframe_interval" in stage.codes("twitch")
    assert stage.sentence("keyframe_interval") == (
        "YouTube wants a keyframe every 2 s; yours come every 4.0 s. "
        "Set Keyframe Interval to 2 s in Settings → Output → Streaming."
    )


def test_two_second_keyframes_are_fine_everywhere() -> None:
    stage = Stage(*(name for name in LIMITS if name != PLAYER), player=True)
    stage.play(made(seconds=24))
    assert not any(finding.code == "keyframe_interval" for finding in stage.health.findings())


def test_b_frames_matter_to_our_player_and_not_to_youtube() -> None:
    stage = Stage("youtube", player=True)
    stage.play(made("-bf", "2"))
    assert "b_frames" in stage.codes(PLAYER)
    assert "b_frames" not in stage.codes("youtube")


@pytest.mark.parametrize(("rate", "complains"), [(44_100, False), (48_000, True)])
def test_instagram_alone_wants_sound_at_44_1_khz(rate: int, complains: bool) -> None:
    stage = Stage("instagram", "facebook", "youtube")
    stage.play(made(rate=rate))
    assert ("audio_rate" in stage.codes("instagram")) is complains
    assert "audio_rate" not in stage.codes("facebook") | stage.codes("youtube")
    if complains:
        assert "44.1 kHz; yours is 48" in stage.sentence("audio_rate")


def test_pictures_without_sound_are_an_alarm_where_the_platform_demands_it() -> None:
    stage = Stage("facebook", "youtube")
    stage.play(made(rate=None))
    (alarm,) = [finding for finding in stage.health.findings() if finding.severity == "alarm"]
    assert (alarm.code, alarm.target) == ("audio_missing", "facebook")
    assert "Facebook refuses a feed without sound" in alarm.sentence
    assert "no_audio" in stage.codes(None)


def test_a_feed_that_begins_with_sound_alone_is_an_alarm_until_the_picture_comes() -> None:
    stage = Stage("youtube")
    frames = made(seconds=24)
    late = [f for f in frames if f.kind != Kind.VIDEO or f.dts >= 8000 or f.header]
    stage.play(frame for frame in late if frame.dts < 8000)
    assert "no_video" in stage.codes(None)
    stage.play((frame for frame in late if frame.dts >= 8000), begins=8.0)
    assert "no_video" not in stage.codes(None)
    assert [finding.code for finding in stage.raised].count("no_video") == 1


def test_half_the_promised_pictures_are_a_warning() -> None:
    stage = Stage()
    stage.publisher.metadata({"framerate": 30.0})
    stage.play(made(fps="15", gop=30))
    assert stage.codes(None) == {"fps_low"}
    assert "promises 30 pictures a second and sends 15" in stage.sentence("fps_low")


def test_an_encoder_that_begins_to_drop_pictures_is_an_alarm() -> None:
    stage = Stage()
    pictures = 0
    kept: list[Frame] = []
    for frame in made():
        pictures += frame.kind == Kind.VIDEO
        if frame.kind == Kind.VIDEO and frame.dts > 6000 and pictures % 4 == 0 and not frame.keyframe:
            continue
        kept.append(frame)
    stage.play(kept)
    assert "frames_missing" in stage.codes(None)
    (alarm,) = [finding for finding in stage.raised if finding.severity == "alarm"]
    assert alarm.code == "frames_missing"


def test_a_connection_that_cannot_carry_the_feed_is_an_alarm_with_a_bit_rate_that_fits() -> None:
    stage = Stage()
    stage.play(
        made("-b:v", "3000k", "-minrate", "3000k", seconds=20), delay=lambda at: max(0.0, at - 4) * 0.5
    )
    assert "feed_late" in stage.codes(None)
    sentence = stage.sentence("feed_late")
    assert "gets later: the connection carries about" in sentence
    measured = stage.health.measured
    assert measured
    assert stage.health.samples()[-1].uplink_kbps == pytest.approx(measured.arrival_kbps, abs=0.1)
    advised = int(sentence.split("Lower Video Bitrate to ")[1].split()[0].replace(",", ""))
    assert advised < measured.arrival_kbps


def test_a_weak_uplink_is_advised_to_send_720p() -> None:
    weak = replace(GOOD, late_ms=4000, falling_behind=300, arrival_kbps=3000)
    sentence = told(weak)[("feed_late", None)]
    assert "4.0 s late and gets later. Your upload is about 3.0 Mbit/s" in sentence
    assert "1280x720" in sentence
    steady = told(replace(weak, falling_behind=0))[("feed_late", None)]
    assert "Restart the stream" in steady


def test_a_bit_rate_that_collapses_is_an_alarm_and_that_it_recovers_clears_it() -> None:
    stage = Stage()
    good = made("-b:v", "1500k", "-minrate", "1500k", "-maxrate", "1500k", "-bufsize", "1500k", seconds=20)
    stage.play(good)
    assert not stage.codes(None)
    thin = [replace(f, payload=f.payload[:20]) if f.kind == Kind.VIDEO and not f.header else f for f in good]
    stage.play(again(thin, 20), begins=20)
    assert "bitrate_collapsed" in stage.codes(None)
    stage.play(again(good, 40), begins=40)
    assert "bitrate_collapsed" not in stage.codes(None)


def again(frames: Iterable[Frame], seconds: int) -> list[Frame]:
    """The pictures and sounds once more, so many seconds later."""
    return [at_time(frame, frame.dts + seconds * 1000) for frame in frames if not frame.header]


def test_sound_out_of_step_names_the_sync_offset() -> None:
    sentence = told(replace(GOOD, drift_ms=-400))[("drift", None)]
    assert "400 ms earlier than the picture" in sentence
    assert "Sync Offset" in sentence


@pytest.mark.parametrize(
    ("code", "platform", "change"),
    [
        ("bitrate_high", "twitch", {"video_kbps": 9000}),
        ("bitrate_high", "x", {"video_kbps": 14_000}),
        ("bitrate_low", "youtube", {"video_kbps": 2500}),
        ("bitrate_low", "facebook", {"video_kbps": 1000}),
        ("bitrate_varies", "youtube", {"variation": 0.6}),
        ("open_gop", "youtube", {"open_gop": True}),
        ("level_high", "facebook", {"level": 5.1}),
        ("fps_high", "twitch", {"frame_rate": 120}),
        ("size_large", "facebook", {"width": 3840, "height": 2160}),
        ("orientation", "tiktok", {}),
        ("orientation", "twitch", {"width": 1080, "height": 1920}),
        ("video_codec", "facebook", {"video_codec": "HEVC"}),
        ("audio_codec", "twitch", {"audio_codec": "Opus"}),
        ("audio_bitrate", "x", {"audio_kbps": 320}),
        ("audio_channels", "instagram", {"audio_channels": 6}),
        ("audio_missing", "facebook", {"audio_silent": None}),
        ("keyframe_interval", "tiktok", {"keyframe_seconds": 3}),
    ],
)
def test_each_limit_has_a_sentence_that_names_the_platform_and_a_setting(
    code: str, platform: str, change: dict[str, object]
) -> None:
    sentence = told(replace(GOOD, **change), platform)[(code, platform)]  # type: ignore[arg-type]
    assert LIMITS[platform].title in sentence
    assert "Settings →" in sentence or "profile" in sentence
    assert sentence.endswith(".")


def test_a_platform_nobody_knows_has_no_findings() -> None:
    assert told(replace(GOOD, keyframe_seconds=10, video_kbps=90_000), "unheard-of", "kick") == {}


def test_nothing_is_said_of_what_is_not_known_yet() -> None:
    assert told(Measurements(seconds=1.0), *LIMITS) == {}


def test_a_backup_says_nothing_that_its_primary_does_not_say() -> None:
    named = {"a": "youtube", "a.backup": "youtube", "c": "", "lone.backup": "facebook"}
    targets = [target(platform, id=name) for name, platform in named.items()]
    found = places_of(targets, [], player=True)
    assert [place.id for place in found] == ["a", "lone.backup", PLAYER]


def test_a_target_with_a_profile_is_judged_by_what_the_profile_makes() -> None:
    upright = ProfileSpec(name="Reels", width=1080, height=1920, fps=30, video_kbps=4000)
    (place,) = places_of([target("tiktok", profile="Reels")], [upright], player=False)
    feed = replace(GOOD, keyframe_seconds=8, b_frames=True, open_gop=True, variation=0.9)
    assert judge(feed, [place]) == []
    slow = upright.model_copy(update={"keyframe_seconds": 5.0, "video_kbps": 9000})
    found = {one.code: one.sentence for one in judge(feed, [Place("tiktok", "tiktok", slow)])}
    assert set(found) == {"keyframe_interval", "bitrate_high"}
    assert found["keyframe_interval"].endswith("Set Keyframe Interval to 2 s in the profile “Reels”.")
    silent = replace(feed, audio_silent=None)
    codes = {one.code for one in judge(silent, [Place("fb", "facebook", upright)]) if one.target}
    assert codes == {"audio_missing"}


def test_a_target_that_is_switched_off_is_not_judged() -> None:
    stage = Stage()
    stage.targets = [target("youtube").model_copy(update={"wanted": False})]
    stage.play(made(gop=120, seconds=24))
    assert not stage.codes("youtube")


def test_a_publisher_that_leaves_takes_its_findings_along() -> None:
    stage = Stage("facebook")
    stage.play(without(made(), Kind.AUDIO))
    assert stage.raised
    stage.leave()
    assert stage.health.findings() == []
    assert len(stage.cleared) == len(stage.raised)


def test_every_row_says_where_it_is_from() -> None:
    assert all(row.source and row.title for row in LIMITS.values())
    for row in LIMITS.values():
        for rung in row.rungs:
            assert (rung.least_kbps or 0) < (rung.most_kbps or 1 << 30)
