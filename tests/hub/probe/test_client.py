"""A player without a screen: what our packager writes it plays, and it counts as a viewer would."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.clock import Clock, wall_clock
from hub.engines.nats import free_port
from hub.probe.client import Played, play_plainly
from hub.probe.playhead import Playhead
from hub.probe.playlist import Unreadable, asking, carried, choose, moved, read
from restream.hls.playlist import Beside, media
from tests.hub.probe.venue import venue
from tests.restream.hls.feed import Shape, Studio, pictures, stream

URL = "https://cdn.example/live/evening/index.m3u8?token=abc"
MULTI = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Show",DEFAULT=YES,URI="audio/live.m3u8?token=abc"
#EXT-X-STREAM-INF:BANDWIDTH=5000000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1920x1080,AUDIO="audio"
source/live.m3u8?token=abc
#EXT-X-STREAM-INF:BANDWIDTH=2800000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,AUDIO="audio"
720p/live.m3u8?token=abc
#EXT-X-STREAM-INF:BANDWIDTH=700000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=640x360,AUDIO="audio"
360p/live.m3u8?token=abc
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100,CODECS="avc1.64001f",RESOLUTION=640x360,URI="360p/iframes.m3u8"
"""


def test_it_chooses_the_largest_picture_up_to_720_lines_and_its_sound() -> None:
    base = "https://cdn.example/live/evening"
    found = choose(MULTI, URL, 720)
    assert found.playlists == (f"{base}/720p/live.m3u8?token=abc", f"{base}/audio/live.m3u8?token=abc")
    assert found.height == 720
    assert choose(MULTI, URL, 240).height == 360  # none is that small: the smallest
    assert choose("#EXTM3U\n#EXTINF:2,\na.m4s\n", URL, 720).playlists == (URL,)
    for text in ("<html>", "#EXTM3U\n"):
        with pytest.raises(Unreadable):
            choose(text, URL, 720)


def test_the_playlists_of_our_packager_are_read() -> None:
    studio = Studio()
    frames = stream(Shape(seconds=10))
    last = pictures(frames)[145].body
    assert any(frame.body == last for frame in studio.publish(frames))
    found = read(media(studio.timeline, Beside()), URL)
    assert found.following == (2, 2)  # the third segment has two parts
    assert [one.place for one in found.pieces[-2:]] == [(2, 0), (2, 1)]
    assert not found.ended
    index, skipped = found.beginning()
    behind = sum(one.seconds for one in found.pieces[index:])
    assert found.pieces[index].independent
    assert behind - skipped == pytest.approx(found.hold_back)
    wall = found.pieces[index].wall
    assert wall
    assert wall.timestamp() == pytest.approx(1_700_000_000 + 5 - behind, abs=0.4)
    assert asking(URL, (2, 2)) == f"{URL}&_HLS_msn=2&_HLS_part=2"


def test_an_ordinary_playlist_is_played_by_segments() -> None:
    text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n" + "#EXTINF:2,\na.m4s\n" * 6
    found = read(text, URL)
    assert [one.segment for one in found.pieces] == [7, 8, 9, 10, 11, 12]
    assert found.following is None
    assert found.beginning() == (3, 0)  # three target durations behind the end
    assert read(text + "#EXT-X-ENDLIST\n", URL).beginning() == (0, 0)
    with pytest.raises(Unreadable):
        read(text.replace("7", "seven"), URL)


def test_another_origin_keeps_path_and_token() -> None:
    edge = "https://sin.example/"
    assert moved(URL, edge, known=True) == "https://sin.example/live/evening/index.m3u8?token=abc"
    assert moved(URL, None, known=True) == URL


def test_a_cdns_signature_goes_with_every_request_and_the_token_with_none_that_has_it_not() -> None:
    given = f"{URL}&Policy=a_~-&Signature=b%2F&Key-Pair-Id=c"
    signed = "Policy=a_~-&Signature=b%2F&Key-Pair-Id=c"
    part = "https://cdn.example/live/evening/source/s1.0.m4s"
    assert carried(part, given) == f"{part}?{signed}"
    assert carried(asking(f"{part}?token=abc", (2, 1)), given) == (
        f"{part}?token=abc&_HLS_msn=2&_HLS_part=1&{signed}"
    )
    assert carried(given, given) == given
    assert carried("https://other.example/x", given) == "https://other.example/x"
    assert carried(part, URL) == part


def test_what_does_not_come_in_time_is_a_stall() -> None:
    head = Playhead(tracks=1, wished_at=10.0)
    head.arrived(0, 2.0, 10.8)
    assert head.startup == pytest.approx(0.8)
    head.arrived(0, 2.0, 12.0)  # in time
    head.look(16.8)  # 4 s played, 2 s late
    assert (head.watched, head.stalled, head.stalls) == pytest.approx((4.0, 2.0, 1))
    head.look(17.8)  # the same one goes on
    assert (head.stalled, head.stalls) == pytest.approx((3.0, 1))
    head.arrived(0, 1.0, 17.8)
    head.look(18.85)  # so little late that nobody sees it
    assert (head.watched, head.stalls) == pytest.approx((5.0, 1))


def test_without_its_sound_a_picture_does_not_play() -> None:
    head = Playhead(tracks=2, wished_at=0.0)
    head.begin(0, 0.5)
    head.arrived(0, 2.0, 0.1)
    assert head.startup is None
    head.arrived(1, 1.0, 0.4)
    assert head.startup == pytest.approx(0.4)
    head.look(2.4)
    assert (head.watched, head.stalled) == pytest.approx((1.0, 1.0))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5)), max_size=30))
def test_every_moment_since_the_first_picture_is_watched_or_stalled(steps: list[tuple[float, float]]) -> None:
    head, now = Playhead(tracks=1, wished_at=0.0), 0.0
    for pause, seconds in steps:
        now += pause
        head.arrived(0, seconds, now)
    head.look(now)
    begun = now - (head.startup if head.startup is not None else now)
    assert head.watched + head.stalled == pytest.approx(begun, abs=1e-3)
    assert head.watched <= sum(seconds for _, seconds in steps) + 1e-6


async def test_a_live_show_plays_without_a_stall_as_late_as_the_server_wants() -> None:
    async with venue(60) as show:
        await first_part(show.url())
        played = await plays(show.url(), 5.0, show.clock)
    assert played.error is None
    assert played.startup_ms is not None
    assert played.startup_ms < 3_000
    assert played.watched_ms > 1_500
    assert played.stalled_ms < 0.2 * played.watched_ms  # none, but for a very busy machine
    assert played.latency_ms is not None
    assert 900 < played.latency_ms < 4_000
    waited = [one for one in show.asked if "_HLS_msn" in one]
    assert len(waited) >= 5  # it waited for each part as players do
    assert any("/audio/" in one for one in waited)


async def plays(url: str, seconds: float, clock: Clock = wall_clock) -> Played:
    """By the plain client, for which this machine is the hub's own."""
    return await play_plainly(url, seconds, clock, own=(url,))


async def first_part(url: str) -> None:
    """The show plays."""
    while (await plays(url, 3.0)).startup_ms is None:
        pass


async def test_a_server_that_goes_away_is_a_stall_and_then_an_error() -> None:
    async with venue(60) as show:
        await first_part(show.url())
        show.away = True
        played = await plays(show.url(), 20.0, show.clock)
    assert played.startup_ms is None
    assert played.error is not None
    assert played.error.startswith("The playlist did not come: the server answered 503")


async def test_nobody_there_is_said_in_a_sentence_without_the_address() -> None:
    played = await plays(f"http://127.0.0.1:{free_port()}/live/x/index.m3u8?token=abc", 20.0)
    assert played.error
    assert "could not be reached" in played.error
    assert "token" not in played.error
    short = await plays(f"http://127.0.0.1:{free_port()}/live/x/index.m3u8", 1.0)
    assert short.error == "No picture came within 1 s."


async def test_a_replay_plays_from_its_beginning_to_its_end() -> None:
    async with venue(3) as show:
        while not show.studio.renditions.over:
            await plays(show.url(), 1.0)
        played = await plays(show.url(), 10.0, show.clock)
    assert played.error is None
    assert played.watched_ms == pytest.approx(3_000, abs=400)
    assert (played.stalls, played.latency_ms) == (0, None)
