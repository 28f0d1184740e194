"""WHEP with a real viewer (aiortc), real sender processes and real ffmpeg; and its HTTP by requests."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from restream.webrtc.channel import Unit, media
from restream.webrtc.watch import Rung, WatchFeed
from tests.restream.hls.feed import Shape
from tests.restream.ingest.studio import children
from tests.restream.webrtc.stage import HLS, SDP, SHAPE, Show, Viewer, show, until, viewer

FRAGMENT = "application/trickle-ice-sdpfrag"


@pytest.fixture
async def stage() -> AsyncIterator[Show]:
    async with show() as found:
        yield found
    assert not senders_and_encoders()


def senders_and_encoders() -> list[str]:
    """Children that WebRTC needs; the database of other tests is a child too."""
    return [line for line in children().values() if "restream.webrtc" in line or "libopus" in line]


async def shown(watching: Viewer, count: int = 5) -> None:
    """So many more pictures, and sound."""
    until_now, sounds = len(watching.pictures), len(watching.sounds)
    await until(lambda: len(watching.pictures) >= until_now + count and len(watching.sounds) > sounds)


async def offered() -> str:
    """An offer that nobody will act upon."""
    async with viewer() as watching:
        return await watching.offer()


async def test_a_viewer_sees_and_hears_the_show(stage: Show) -> None:
    stage.publish()
    async with viewer() as watching:
        await watching.watch(stage.address)
        await shown(watching, 60)
        assert {(width, height) for _, width, height, _ in watching.pictures} == {(320, 180)}
        await until(lambda: stage.door.viewers("show") == 1)
        await until(lambda: stage.door.health("show")[0][1] is not None)
    await until(lambda: stage.door.viewers("show") == 0)


async def test_nothing_runs_before_somebody_watches_and_nothing_is_encoded_for_nobody(stage: Show) -> None:
    stage.publish()
    await until(lambda: stage.live.backlog())
    assert not senders_and_encoders()
    async with viewer() as watching:
        await watching.watch(stage.address)
        await shown(watching)
        assert [line for line in children().values() if "libopus" in line]
    await until(lambda: not [line for line in children().values() if "libopus" in line])


async def test_a_process_stands_by_for_the_first_viewer_of_a_show_that_is_on_the_air(stage: Show) -> None:
    looks = 0

    def shows() -> list[WatchFeed]:
        nonlocal looks
        looks += 1
        return [stage.watched or WatchFeed(stage.live, HLS)]

    standing = asyncio.create_task(stage.door.stand_by(shows, every=0.02))
    try:
        await until(lambda: looks > 2)
        assert not senders_and_encoders()  # nobody publishes
        stage.publish()
        await until(senders_and_encoders)
        before = [pid for pid, line in children().items() if "restream.webrtc" in line]
        async with viewer() as watching:
            await watching.watch(stage.address)
            await shown(watching)
            assert [pid for pid, line in children().items() if "restream.webrtc" in line] == before
    finally:
        standing.cancel()


async def test_a_joiner_gets_the_kept_pictures_and_is_not_behind_afterwards(stage: Show) -> None:
    stage.publish(replace(SHAPE, seconds=8.0, gop=240))  # a keyframe every eight seconds
    async with viewer() as early:
        await early.watch(stage.address)
        await shown(early, 75)
        async with viewer() as late:
            await late.watch(stage.address)
            await shown(late, 170)
        first = late.pictures[0][0] - late.asked_at
        assert first < 2.5, "it waited for a keyframe"
        seconds = late.pictures[-1][0] - late.pictures[-61][0]
        assert 1.6 < seconds < 2.6, "sixty pictures take two seconds"
        # Both saw the newest picture at about the same moment: nothing is kept back for the late one.
        assert abs(early.pictures[-1][0] - late.pictures[-1][0]) < 0.5


async def test_delete_ends_the_session(stage: Show) -> None:
    stage.publish()
    async with viewer() as watching:
        await watching.watch(stage.address)
        await shown(watching)
        assert (await watching.http.delete(watching.location)).status_code == 200
        assert (await watching.http.delete(watching.location)).status_code == 404
        await until(lambda: watching.peer.connectionState == "closed")
        assert stage.door.viewers("show") == 0


async def test_a_viewer_that_leaves_without_a_word_is_forgotten(stage: Show) -> None:
    stage.publish()
    async with viewer() as watching:
        await watching.watch(stage.address)
        await shown(watching)
    async with httpx.AsyncClient() as http:
        await until(lambda: not stage.door._sessions)
        assert (await http.get(watching.location)).status_code == 404


async def test_the_publisher_drops_and_returns(stage: Show) -> None:
    stage.publish()
    async with viewer() as watching:
        await watching.watch(stage.address)
        await shown(watching)
        await stage.drop()
        seen = len(watching.pictures)
        stage.publish(replace(SHAPE, size="640x360"))
        await shown(watching, 30)
        await until(lambda: watching.pictures[-1][1:3] == (640, 360))
        assert len(watching.pictures) > seen
        assert watching.peer.connectionState == "connected"


async def test_a_show_that_ends_ends_its_sessions(stage: Show) -> None:
    stage.publish()
    async with viewer() as watching:
        await watching.watch(stage.address)
        await shown(watching)
        stage.watched = None
        await until(lambda: watching.peer.connectionState == "closed")
        assert (await watching.http.post(stage.address, content="")).status_code == 404


async def test_b_frames_that_begin_mid_show_end_the_sessions_and_are_explained(stage: Show) -> None:
    stage.publish()
    async with viewer() as watching:
        await watching.watch(stage.address)
        await shown(watching)
        await stage.drop()
        stage.publish(replace(SHAPE, bframes=2))
        await until(lambda: not stage.door._sessions)
        answer = await watching.http.post(
            stage.address, content=await offered(), headers={"content-type": SDP}
        )
        assert answer.status_code == 406
        assert "B-frames" in answer.text
        assert HLS in answer.text


async def test_b_frames_are_avoided_by_the_rung(stage: Show) -> None:
    stage.publish(replace(SHAPE, bframes=2))
    await until(lambda: stage.live.backlog())
    async with show() as small:
        small.publish()
        await until(lambda: small.live.backlog())
        stage.watched = WatchFeed(stage.live, HLS, rung=Rung("180p", small.live))
        async with viewer() as watching:
            await watching.watch(stage.address)
            await shown(watching, 30)
            assert list(stage.door._screenings) == [("show", "180p")]
            # The feed itself could be sent now, but nobody who watches is disturbed for that.
            await stage.drop()
            stage.publish()
            await until(lambda: stage.live.backlog())
            await shown(watching, 60)
            assert watching.peer.connectionState == "connected"
            # The rung is gone.
            stage.watched = WatchFeed(stage.live, HLS)
            await until(lambda: watching.peer.connectionState == "closed")


async def test_when_all_places_are_taken_the_player_is_told_where_else_to_go(stage: Show) -> None:
    stage.publish()
    stage.watched = WatchFeed(stage.live, HLS, most_viewers=1)
    async with viewer() as first, viewer() as second:
        await first.watch(stage.address)
        answer = await second.http.post(
            stage.address, content=await second.offer(), headers={"content-type": SDP}
        )
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert HLS in answer.text
        assert stage.door.refused("show") == 1


async def test_places_of_every_process_are_used_before_any_is_refused() -> None:
    async with show(processes=2) as stage:
        stage.publish()
        stage.watched = WatchFeed(stage.live, HLS, most_viewers=1)
        async with viewer() as first, viewer() as second, viewer() as third:
            await first.watch(stage.address)
            await second.watch(stage.address)
            await asyncio.gather(shown(first, 30), shown(second, 30))
            body = await third.offer()
            refused = await third.http.post(stage.address, content=body, headers={"content-type": SDP})
            assert refused.status_code == 503
            assert len([line for line in children().values() if "restream.webrtc" in line]) == 2


async def test_a_process_that_dies_is_followed_by_another() -> None:
    async with show() as stage:
        stage.publish()
        async with viewer() as first, viewer() as second:
            await first.watch(stage.address)
            await shown(first)
            (pid,) = [pid for pid, line in children().items() if "restream.webrtc" in line]
            os.kill(pid, signal.SIGKILL)
            await until(lambda: not stage.door._sessions)
            assert (await first.http.delete(first.location)).status_code == 404
            await second.watch(stage.address)
            await shown(second)


async def test_a_process_that_hangs_costs_the_worker_nothing() -> None:
    async with show() as stage:
        stage.publish(replace(SHAPE, size="640x360"))
        async with viewer() as watching:
            await watching.watch(stage.address)
            await shown(watching)
            (pid,) = [pid for pid, line in children().items() if "restream.webrtc" in line]
            os.kill(pid, signal.SIGSTOP)
            try:
                (seat,) = stage.door._pool.seats  # type: ignore[union-attr]
                message = media(Unit(7, 0, 0.0, False, (bytes(60_000),)))
                for _ in range(200):
                    seat.media(7, message, keyframe=False)
                assert seat._transport is not None
                assert seat._transport.get_write_buffer_size() < 6 << 20
                assert 7 in seat._skipping
            finally:
                os.kill(pid, signal.SIGCONT)
            await shown(watching, 60)


async def test_the_http_is_as_the_standard_says(stage: Show) -> None:
    async with httpx.AsyncClient() as http:
        asked = await http.options(stage.address)
        assert asked.status_code == 200
        assert asked.headers["accept-post"] == SDP
        assert asked.headers["access-control-allow-origin"] == "*"
        assert {"POST", "PATCH", "DELETE"} <= set(
            asked.headers["access-control-allow-methods"].replace(" ", "").split(",")
        )
        assert "authorization" in asked.headers["access-control-allow-headers"]
        assert "stun:stun.example" in asked.headers["link"]
        assert "turn" not in asked.headers["link"]
        head = await http.head(stage.address)
        assert (head.status_code, head.headers["content-type"]) == (200, SDP)
        assert (await http.put(stage.address)).status_code == 405
        assert (await http.post(stage.address.replace("show", "other"))).status_code == 404
        nothing = await http.post(stage.address, content="", headers={"content-type": SDP})
        assert (nothing.status_code, "retry-after" in nothing.headers) == (409, True)
        stage.publish()
        await until(lambda: stage.live.backlog())
        other = await http.post(stage.address, content="x", headers={"content-type": "text/plain"})
        assert other.status_code == 415
        assert (await http.post(stage.address, content="x", headers={"content-type": SDP})).status_code == 400
        body = (await offered()).replace("H264", "VP8")
        unfit = await http.post(stage.address, content=body, headers={"content-type": SDP})
        assert (unfit.status_code, HLS in unfit.text) == (406, True)
        huge = await http.post(stage.address, content="x" * 100_000, headers={"content-type": SDP})
        assert huge.status_code == 413
        assert not senders_and_encoders()


async def test_an_answer_says_how_the_session_is_reached(stage: Show) -> None:
    stage.publish()
    async with httpx.AsyncClient() as http:
        await until(lambda: stage.live.backlog())
        answer = await http.post(stage.address, content=await offered(), headers={"content-type": SDP})
        assert answer.status_code == 201
        assert answer.headers["content-type"] == SDP
        exposed = answer.headers["access-control-expose-headers"]
        assert all(name in exposed for name in ("Location", "ETag", "Link", "Retry-After"))
        assert 'credential-type="password"' in answer.headers["link"]
        assert "secret" not in answer.headers["link"].replace("https", "")
        session = str(answer.url.join(answer.headers["location"]))
        etag = answer.headers["etag"]
        candidate = b"a=ice-ufrag:x\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
        kind = {"content-type": FRAGMENT}

        async def patch(body: bytes, **headers: str) -> httpx.Response:
            return await http.patch(session, content=body, headers=kind | headers)

        bare = candidate.replace(b"a=ice-ufrag:x\r\n", b"")
        assert (await patch(bare, **{"if-match": etag})).status_code == 204
        assert (await patch(b"a=end-of-candidates\r\n", **{"if-match": etag})).status_code == 204
        assert (await patch(bare)).status_code == 428
        assert (await patch(bare, **{"if-match": '"other"'})).status_code == 412
        assert (await patch(candidate, **{"if-match": "*"})).status_code == 400
        assert (await http.patch(session, content="x", headers={"content-type": SDP})).status_code == 415
        assert (await http.get(session)).status_code == 204
        assert (await http.delete(session)).status_code == 200
        assert (await patch(bare, **{"if-match": etag})).status_code == 404


async def test_an_ice_restart_gets_other_names_and_the_session_goes_on(stage: Show) -> None:
    stage.publish()
    async with viewer() as watching:
        await watching.watch(stage.address)
        await shown(watching)
        restart = b"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
        answer = await watching.http.patch(
            watching.location, content=restart, headers={"content-type": FRAGMENT, "if-match": "*"}
        )
        assert answer.status_code == 200
        assert answer.headers["content-type"] == FRAGMENT
        assert answer.headers["etag"] != watching.etag
        (name,) = [line for line in answer.text.splitlines() if line.startswith("a=ice-ufrag:")]
        assert name not in watching.answer
        assert "a=candidate:" in answer.text
        began = time.monotonic()
        await shown(watching, 30)  # by the way it had before
        assert time.monotonic() - began < 20


def test_the_door_loads_nothing_of_webrtc() -> None:
    heavy = "aiortc", "aioice", "pylibsrtp", "OpenSSL", "av", "ifaddr"
    script = f"import sys, restream.webrtc.door; print([one for one in {heavy} if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_sound_comes_when_the_picture_does(stage: Show) -> None:
    stage.publish(Shape(seconds=4.0, rate=44_100, gop=30))
    async with viewer() as watching:
        await watching.watch(stage.address)
        await shown(watching, 90)
        # aiortc's times begin at zero for each, so only their pace can be compared here.
        spans = [
            (track[-1][-1] - track[0][-1], track[-1][0] - track[0][0])
            for track in (watching.pictures[30:], watching.sounds[50:])
        ]
        assert all(abs(media - wall) < 0.35 for media, wall in spans)
