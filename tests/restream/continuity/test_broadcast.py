"""Real encoders drop, freeze, return and stand in for one another; the far end sees one unbroken feed."""

from __future__ import annotations

import signal
import time
from itertools import pairwise
from pathlib import Path

from restream.media import Kind
from restream.rtmp.flv import audio_track, video_track
from tests.restream.continuity.broadcast import (
    KEY,
    STANDBY,
    Broadcast,
    broadcast,
    hashed,
    made_of,
    repeated,
    runs,
    sent_by,
    shown_whole,
)
from tests.restream.continuity.recording import media
from tests.restream.encoder import ended
from tests.restream.hls.feed import Shape

ONE = Shape(seconds=20, gop=30)
TWO = Shape(seconds=20, gop=60, size="480x270", bframes=2)
CD = Shape(seconds=60, gop=30, rate=44_100)
"""Nothing of it may come twice: it is longer than any test."""


async def slated(show: Broadcast) -> None:
    """Until the slate has been on air for a while."""
    await show.until(lambda now: now.on_air == "slate")
    await show.lasts(1.0)


async def test_a_publisher_that_drops_and_returns_costs_the_far_end_nothing(tmp_path: Path) -> None:
    async with broadcast(tmp_path) as show:
        async with show.encoder(ONE):
            slate = await show.ready()
            moments = show.watch()
        await slated(show)
        async with show.encoder(ONE):
            await show.until(lambda now: now.on_air == "primary")
            await show.lasts(1.5)
            frames = await show.finish()
    # Half a second, and what a machine that is busy with other things adds to it.
    assert max(after - before for before, after in pairwise(moments)) < 1.0
    assert runs(frames, sent_by("live", ONE), made_of("slate", slate)) == ["live", "slate", "live"]
    shown_whole(frames)


async def test_a_frozen_publisher_is_covered_and_comes_back(tmp_path: Path) -> None:
    async with broadcast(tmp_path) as show, show.encoder(CD) as process:
        slate = await show.ready()
        process.send_signal(signal.SIGSTOP)
        await slated(show)
        assert show.status().publisher, "it is still connected"
        process.send_signal(signal.SIGCONT)
        await show.until(lambda now: now.on_air == "primary")
        await show.lasts(1.0)
        frames = await show.finish()
    found = runs(frames, sent_by("live", CD), made_of("slate", slate))
    assert found[:3] == ["live", "slate", "live"]
    assert repeated(frames, "live", CD) == 0
    assert {audio_track(f.body).rate for f in frames if f.header and f.kind == Kind.AUDIO} == {44_100}
    shown_whole(frames)


async def test_the_standby_takes_over_within_two_seconds_and_hands_back(tmp_path: Path) -> None:
    async with broadcast(tmp_path) as show, show.encoder(TWO, STANDBY):
        await show.until(lambda now: now.on_air == "backup")
        async with show.encoder(ONE) as process:
            await show.until(lambda now: now.on_air == "primary")
            slates = [await show.ready()]
            process.kill()
            await process.wait()
            gone = time.monotonic()
            await show.until(lambda now: now.on_air == "backup")
            assert time.monotonic() - gone < 2.0
            await show.lasts(1.0)
        async with show.encoder(ONE):
            await show.until(lambda now: now.on_air == "primary")
            await show.lasts(1.0)
            frames = await show.finish()
    origins = [sent_by("one", ONE), sent_by("two", TWO), *(made_of("slate", slate) for slate in slates)]
    assert runs(frames, *origins) == ["two", "one", "two", "one"]
    shown_whole(frames)
    sizes = [video_track(frame.body).width for frame in frames if frame.header and frame.kind == Kind.VIDEO]
    assert sizes == [480, 320, 480, 320]


async def test_a_sticky_standby_covers_a_frozen_primary_and_stays(tmp_path: Path) -> None:
    async with broadcast(tmp_path, failback="sticky") as show, show.encoder(ONE) as process:
        await show.until(lambda now: now.on_air == "primary")
        async with show.encoder(TWO, STANDBY) as standby:
            await show.until(lambda now: now.backup is not None and now.backup.fps is not None)
            slate = await show.ready()
            process.send_signal(signal.SIGSTOP)
            await show.until(lambda now: now.on_air == "backup")
            process.send_signal(signal.SIGCONT)
            await show.lasts(4.0)
            assert show.status().on_air == "backup"
            standby.kill()
            await show.until(lambda now: now.on_air == "primary")
            await show.lasts(0.5)
            frames = await show.finish()
    origins = [sent_by("one", ONE), sent_by("two", TWO), made_of("slate", slate)]
    assert runs(frames, *origins)[:2] == ["one", "two"]
    assert runs(frames, *origins)[-1] == "one"
    shown_whole(frames)


async def test_another_size_and_b_frames_from_the_returning_encoder_are_shown(tmp_path: Path) -> None:
    other = Shape(seconds=20, gop=30, size="480x270", bframes=2)
    async with broadcast(tmp_path) as show:
        async with show.encoder(ONE):
            first = await show.ready()
        await slated(show)
        async with show.encoder(other):
            await show.until(lambda _: show.slate not in (None, first))
            second = show.slate
            assert second
            assert video_track(second.headers[0].body).width == 480
        await slated(show)
        frames = await show.finish()
    origins = [sent_by("one", ONE), made_of("slate", first), sent_by("two", other), made_of("big", second)]
    assert runs(frames, *origins) == ["one", "slate", "two", "big"]
    shown_whole(frames)


async def test_a_size_that_changes_in_the_middle_of_a_feed_is_shown_and_the_slate_changes_with_it(
    tmp_path: Path,
) -> None:
    other = Shape(seconds=60, gop=30, size="640x360")
    async with broadcast(tmp_path) as show:
        async with show.encoder(ONE, then=other):
            first = await show.ready()
            await show.until(lambda _: show.slate not in (None, first))
            second = show.slate
        await slated(show)
        frames = await show.finish()
    assert second
    assert video_track(second.headers[0].body).width == 640
    origins = [sent_by("one", ONE), sent_by("two", other), made_of("slate", first), made_of("big", second)]
    assert runs(frames, *origins) == ["one", "two", "big"]
    shown_whole(frames)


async def test_a_video_only_feed_gets_a_slate_without_sound(tmp_path: Path) -> None:
    shape = Shape(seconds=20, gop=30, audio=False)
    async with broadcast(tmp_path) as show:
        async with show.encoder(shape):
            slate = await show.ready()
        await slated(show)
        frames = await show.finish()
    assert media(frames, Kind.AUDIO) == []
    assert runs(frames, sent_by("live", shape), made_of("slate", slate)) == ["live", "slate"]
    shown_whole(frames, audio=False)


async def test_a_feed_that_begins_with_sound_alone_is_shown_and_covered(tmp_path: Path) -> None:
    """Sound from the first moment, pictures two seconds later: an encoder that waits for its camera."""
    async with broadcast(tmp_path) as show:
        async with show.encoder(ONE, camera_after=2.0):
            await show.until(lambda now: now.on_air == "primary")
            assert show.status().targets[0].state == "idle", "no far end can begin without a picture"
            slate = await show.ready()
        await slated(show)
        frames = await show.finish()
    assert runs(frames, sent_by("live", ONE), made_of("slate", slate)) == ["live", "slate"]
    shown_whole(frames)


async def test_after_the_grace_window_the_feed_has_ended_and_the_next_begins_anew(tmp_path: Path) -> None:
    async with broadcast(tmp_path, grace_seconds=1.5) as show:
        async with show.encoder(ONE):
            slate = await show.ready()
        await show.until(lambda now: now.on_air == "slate")
        await show.until(lambda now: now.on_air == "nothing")
        assert show.status().targets[0].state == "live", "how long it waits is for the platform to say"
        async with show.encoder(ONE):
            await show.until(lambda now: now.on_air == "primary")
            await show.lasts(1.0)
            frames = await show.finish()
    assert runs(frames, sent_by("live", ONE), made_of("slate", slate)) == ["live", "slate", "live"]
    shown_whole(frames)


async def test_who_takes_over_is_the_shows_choice(tmp_path: Path) -> None:
    async with broadcast(tmp_path, takeover="refuse") as show, show.encoder(ONE) as first:
        await show.ready()
        async with show.encoder(TWO) as second:
            code, _ = await ended(second)
            assert code != 0
        assert first.returncode is None
        assert show.status().publisher
        await show.wish(takeover="newest")
        async with show.encoder(TWO):
            await ended(first)
            await show.until(lambda now: now.publisher is not None and now.publisher.width == 480)
            await show.lasts(1.0)
            frames = await show.finish()
    assert {video_track(f.body).width for f in frames if f.header and f.kind == Kind.VIDEO} >= {320, 480}
    shown_whole(frames)


async def test_a_changed_key_cuts_whoever_used_it_and_only_them(tmp_path: Path) -> None:
    async with broadcast(tmp_path) as show, show.encoder(ONE, KEY) as one, show.encoder(TWO, STANDBY) as two:
        await show.until(lambda now: now.on_air == "primary" and now.backup is not None)
        await show.ready()
        await show.wish(key_hashes=[hashed("a-third-key")])
        await ended(one)
        status = await show.until(lambda now: now.on_air == "backup")
        assert status.publisher is None
        assert two.returncode is None
        await show.wish(backup_key_hashes=[])
        await ended(two)
        await slated(show)
        frames = await show.finish()
    shown_whole(frames)
