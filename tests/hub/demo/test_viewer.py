"""The demo's player tells delay and stalls as a real one would have them."""

from __future__ import annotations

import pytest

from hub.demo.viewer import Playback, newest, parts

PLAYLIST = """#EXTM3U
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.0
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-PART:DURATION=0.33333,URI="s7.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.33333,URI="s7.1.m4s"
#EXTINF:0.66666,
s7.m4s
#EXT-X-PART:DURATION=0.33333,URI="s8.0.m4s",INDEPENDENT=YES
"""


def test_it_asks_for_the_part_after_the_newest() -> None:
    assert newest(PLAYLIST) == (8, 1)
    assert newest(PLAYLIST + "#EXTINF:0.33333,\ns8.m4s\n") == (9, 0)
    assert parts(PLAYLIST)[2] == ("s8.0.m4s", 0.33333, True)


def test_delay_is_hold_back_plus_transport() -> None:
    playback = Playback(hold_back=1.0, lead=0.0)
    for index in range(30):
        captured = 1_000.0 + index / 30
        playback.frame(pts=index / 30, burned=int(captured * 1000), now=captured + 0.2)
    report = playback.report()
    assert report["stalls"] == 0
    assert abs(int(str(report["latency_ms"])) - 1200) <= 1


def test_late_frames_are_one_stall_and_play_later_as_long_as_they_are_late() -> None:
    playback = Playback(hold_back=0.5, lead=0.0)
    for index in range(60):
        captured = 1_000.0 + index / 30
        hiccup = 2.0 if index >= 30 else 0.0
        playback.frame(pts=index / 30, burned=int(captured * 1000), now=captured + hiccup)
    assert playback.stalls == 1
    assert playback.delays_ms[-1] == 2000


@pytest.mark.parametrize(("hiccup", "seconds"), [(1.2, 9), (4.0, 1)])
def test_the_delay_of_a_stall_is_made_up_or_skipped(hiccup: float, seconds: float) -> None:
    playback = Playback(hold_back=0.5, lead=0.0)
    behind = 1_000.0 + 1.0 + hiccup
    for index in range(30 + int((hiccup + seconds) * 30)):
        captured = 1_000.0 + index / 30
        late = behind if 30 <= index < 30 + hiccup * 30 else captured
        playback.frame(pts=index / 30, burned=int(captured * 1000), now=max(captured, late))
    assert playback.stalls == 1
    assert abs(playback.delays_ms[-1] - 500) <= 100


def test_frames_before_the_starting_point_are_not_shown() -> None:
    playback = Playback(hold_back=0.5, lead=2.0)
    for index in range(90):
        playback.frame(pts=index / 30, burned=None, now=1_000.0 + max(0.0, index / 30 - 2.0))
    assert playback.frames == 90 - 45
    assert playback.stalls == 0
