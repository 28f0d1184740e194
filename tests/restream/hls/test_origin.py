"""The origin: who waits and for how long, what is refused, what is shared and cached."""

from __future__ import annotations

import asyncio
import io
import itertools

import av
import pytest

from restream.hls.origin import Origin
from restream.hls.renditions import Renditions, Rung
from restream.media import Frame
from tests.restream.hls.browser import Browser, Response
from tests.restream.hls.feed import Shape, Studio, pictures, stream
from tests.restream.hls.linter import attributes, lint
from tests.restream.hls.parsing import runs

SHAPE = Shape(seconds=10)
BASE = "/live/show/source"
LIVE = f"{BASE}/live.m3u8"


class Stage:
    """A show with an origin and a browser; `play` publishes up to a picture."""

    def __init__(self, patience: float = 1000.0) -> None:
        self.studio = Studio()
        self.origin = Origin(self._find, patience)
        self.browser = Browser(self.origin)
        self._frames = self.studio.publish(stream(SHAPE))

    def _find(self, slug: str) -> Renditions | None:
        return self.studio.renditions if slug == "show" else None

    @property
    def waiting(self) -> int:
        """How many requests are blocked."""
        return len(self.studio.source.bell)

    def play(self, picture: int | None = None) -> Frame | None:
        """Publish until that picture was sent, or to the end."""
        last = pictures(stream(SHAPE))[picture].body if picture is not None else None
        return next((frame for frame in self._frames if frame.body == last), None)

    async def asked(self, address: str, method: str = "GET") -> asyncio.Task[Response | None]:
        """A request that is blocked by now."""
        before = self.waiting
        task = asyncio.create_task(self.browser.get(address, method))
        while self.waiting == before:
            assert not task.done(), task
            await asyncio.sleep(0)
        return task


@pytest.fixture
def stage() -> Stage:
    """A show whose first two segments are finished and whose third has two parts."""
    built = Stage()
    built.play(145)
    assert built.studio.timeline.newest == (2, 1)
    return built


async def test_before_the_show_players_are_told_to_try_again() -> None:
    stage = Stage()
    for address in (LIVE, "/live/show/index.m3u8"):
        answer = await stage.browser.get(address)
        assert answer is not None
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert answer.headers["cache-control"] == "no-store"


async def test_a_request_before_the_show_waits_for_its_first_segment() -> None:
    stage = Stage()
    task = await stage.asked(f"{LIVE}?_HLS_msn=0&_HLS_part=0")
    stage.play(70)
    answer = await task
    assert answer is not None
    assert lint(answer.text).segments[0].uri == "s0.m4s"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("?_HLS_msn=0", 200),  # long past
        ("?_HLS_msn=2&_HLS_part=1", 200),  # there
        ("?_HLS_msn=1&_HLS_part=99", 200),  # past the end of a finished one
        ("?_HLS_msn=4", 400),
        ("?_HLS_msn=2&_HLS_part=40", 400),
        ("?_HLS_part=1", 400),
        ("?_HLS_msn=-1", 400),
        ("?_HLS_msn=x", 400),
        ("?_HLS_msn=2&_HLS_part=", 400),
    ],
)
async def test_what_is_answered_at_once(stage: Stage, query: str, status: int) -> None:
    answer = await stage.browser.get(LIVE + query)
    assert answer is not None
    assert answer.status == status
    if status == 400:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.text.endswith(".\n")


@pytest.mark.parametrize(
    ("query", "then"),
    [
        ("?_HLS_msn=2&_HLS_part=2", (2, 2)),
        ("?_HLS_msn=2&_HLS_part=3", (2, 3)),
        ("?_HLS_msn=2", (2, 5)),
        ("?_HLS_msn=3", (3, -1)),
    ],
)
async def test_who_asks_for_what_comes_waits_until_it_is_there(
    stage: Stage, query: str, then: tuple[int, int]
) -> None:
    task = await stage.asked(LIVE + query)
    for frame in range(146, 180):
        stage.play(frame)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if stage.studio.timeline.newest < then and then[0] == 2:
            assert not task.done()
    stage.play()
    stage.studio.renditions.finish()
    answer = await task
    assert answer is not None
    linted = lint(answer.text)
    newest = linted.segments[-1]
    assert (newest.number, len(newest.parts) - 1) >= then


async def test_a_thousand_waiters_get_one_rendering(stage: Stage) -> None:
    tasks = [await stage.asked(f"{LIVE}?_HLS_msn=2&_HLS_part=2") for _ in range(1000)]
    assert stage.waiting == 1000
    stage.play(155)
    answers = await asyncio.gather(*tasks)
    shared = stage.origin._lists[stage.studio.source]["full"].plain
    assert {answer.body for answer in answers if answer} == {shared}
    assert stage.waiting == 0


async def test_who_waits_too_long_is_told_to_come_again() -> None:
    stage = Stage(patience=0.0)
    stage.play(145)
    for address in (f"{LIVE}?_HLS_msn=2&_HLS_part=2", "/live/show/source/s2.2.m4s"):
        answer = await stage.browser.get(address)
        assert answer is not None
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    await asyncio.sleep(0)
    assert stage.waiting == 0


async def test_who_leaves_while_waiting_is_forgotten(stage: Stage) -> None:
    for address in (f"{LIVE}?_HLS_msn=2&_HLS_part=2", "/live/show/source/s2.2.m4s"):
        task = await stage.asked(address)
        stage.browser.leave()
        assert await task is None
        assert stage.waiting == 0
        stage.browser = Browser(stage.origin)


async def test_the_hinted_part_waits_and_comes_whole(stage: Stage) -> None:
    hint = lint((await stage.browser.ok(LIVE)).text).hint
    assert hint == "s2.2.m4s"
    task = await stage.asked(f"{BASE}/{hint}")
    stage.play(155)
    answer = await task
    assert answer is not None
    assert answer.body == stage.studio.timeline.segments[2].parts[2].data
    assert answer.headers["content-type"] == "video/iso.segment"


async def test_a_hint_that_was_wrong_is_answered_with_404() -> None:
    stage = Stage()
    stage.play(139)  # the last picture of a part: the publisher leaves before the next
    task = await stage.asked("/live/show/source/s2.2.m4s")
    stage.studio.renditions.ended()
    answer = await task
    assert answer is not None
    assert answer.status == 404


@pytest.mark.parametrize(
    ("address", "cache"),
    [
        ("/live/other/source/live.m3u8", "public, max-age=1"),
        ("/live/show/999p/live.m3u8", "public, max-age=1"),
        ("/live/show/live.m3u8", "public, max-age=1"),
        (f"{BASE}/s9.m4s", "no-store"),  # somebody may want it tomorrow, and caches must not hide it then
        (f"{BASE}/s2.m4s", "no-store"),  # not finished
        (f"{BASE}/s2.4.m4s", "no-store"),  # not hinted
        (f"{BASE}/init9.mp4", "no-store"),
        (f"{BASE}/s0.99.m4s", "public, max-age=2"),
        (f"{BASE}/init1.mp4", "public, max-age=2"),
        ("/live/show/", "public, max-age=1"),
        (f"{BASE}/s-1.m4s", "public, max-age=1"),
        ("/live/show/../show/source/live.m3u8", "public, max-age=1"),
        (f"{BASE}/s{'9' * 16}.m4s", "public, max-age=1"),
        ("/", "public, max-age=1"),
    ],
)
async def test_what_is_not_there_is_404_and_cached_no_longer_than_true(
    stage: Stage, address: str, cache: str
) -> None:
    answer = await stage.browser.get(address)
    assert answer is not None
    assert (answer.status, answer.headers["cache-control"]) == (404, cache)
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_caches_may_keep_what_never_changes_and_blocked_answers(stage: Stage) -> None:
    expected = {
        LIVE: "public, max-age=1",
        f"{LIVE}?_HLS_msn=2&_HLS_part=1": "public, max-age=12",
        "/live/show/index.m3u8": "public, max-age=1",
        "/live/show/source/s0.m4s": "public, max-age=12, immutable",
        "/live/show/source/s2.1.m4s": "public, max-age=12, immutable",
        "/live/show/source/init0.mp4": "public, max-age=12, immutable",
    }
    for address, cache in expected.items():
        answer = await stage.browser.ok(address)
        assert answer.headers["cache-control"] == cache, address
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["content-length"] == str(len(answer.body))
        assert "age" not in answer.headers


@pytest.mark.parametrize(
    ("encoding", "zipped"),
    [("gzip", True), ("br, gzip;q=0.8", True), ("", False), ("gzip;q=0", False), ("br", False)],
)
async def test_playlists_are_zipped_for_who_takes_it(stage: Stage, encoding: str, zipped: bool) -> None:
    answer = await stage.browser.ok(LIVE, encoding)
    assert (answer.headers.get("content-encoding") == "gzip") == zipped
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    lint(answer.text)


async def test_one_version_is_rendered_and_zipped_once(stage: Stage) -> None:
    await stage.browser.ok(LIVE)
    lists = stage.origin._lists[stage.studio.source]
    rendered = lists["full"]
    await stage.browser.ok(LIVE, "gzip")
    assert lists["full"] is rendered
    stage.play(155)
    await stage.browser.ok(LIVE)
    assert lists["full"] is not rendered


async def test_head_has_the_headers_and_no_body(stage: Stage) -> None:
    for address in (LIVE, "/live/show/source/s0.m4s", "/live/show/nothing"):
        got, head = await stage.browser.get(address), await stage.browser.get(address, "HEAD")
        assert got is not None
        assert head is not None
        assert (head.status, head.headers, head.body) == (got.status, got.headers, b"")


async def test_other_methods_are_refused_and_preflights_allowed(stage: Stage) -> None:
    refused = await stage.browser.get(LIVE, "POST")
    assert refused is not None
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    allowed = await stage.browser.get(LIVE, "OPTIONS")
    assert allowed is not None
    assert (allowed.status, allowed.headers["access-control-allow-methods"]) == (204, "GET, HEAD, OPTIONS")


async def test_the_multivariant_playlist_says_what_is_in_it(stage: Stage) -> None:
    lines = (await stage.browser.ok("/live/show/index.m3u8")).text.splitlines()
    assert lines[0] == "#EXTM3U"
    media = attributes(next(li for li in lines if li.startswith("#EXT-X-MEDIA:")).partition(":")[2])
    assert media == {
        "TYPE": "AUDIO",
        "GROUP-ID": "audio",
        "NAME": "Show",
        "LANGUAGE": "und",
        "DEFAULT": "YES",
        "AUTOSELECT": "YES",
        "CHANNELS": "2",
        "URI": "audio/live.m3u8",
    }
    place = lines.index("source/live.m3u8")
    stream_info = attributes(lines[place - 1].removeprefix("#EXT-X-STREAM-INF:"))
    assert stream_info["RESOLUTION"] == "320x180"
    assert stream_info["AUDIO"] == "audio"
    assert float(stream_info["FRAME-RATE"]) == pytest.approx(30, abs=0.1)
    assert stream_info["CODECS"].split(",")[1] == "mp4a.40.2"
    peaks = [
        max(s.size * 8 / s.seconds for s in one.timeline.listed() if s.closed)
        for one in (stage.studio.source, stage.studio.audio)
    ]
    assert int(stream_info["BANDWIDTH"]) >= sum(peaks) - 2
    keyframes = attributes(lines[-1].removeprefix("#EXT-X-I-FRAME-STREAM-INF:"))
    assert (keyframes["URI"], keyframes["RESOLUTION"]) == ("source/iframes.m3u8", "320x180")


async def test_a_token_goes_with_every_playlist_and_only_a_token(stage: Stage) -> None:
    text = (await stage.browser.ok("/live/show/index.m3u8?token=eyJ.a-b_c.D&x=1")).text
    assert text.count(".m3u8") == text.count(".m3u8?token=eyJ.a-b_c.D") == 3
    for odd in ('a"b', "a%0Ab", "a/b", "x" * 2001, ""):
        text = (await stage.browser.ok(f"/live/show/index.m3u8?token={odd}")).text
        assert "token" not in text


async def test_behind_a_door_nothing_is_served_without_it(stage: Stage) -> None:
    stage.studio.renditions.door = f"{'s3cret' * 4}/"
    lines = (await stage.browser.ok("/live/show/index.m3u8")).text.splitlines()
    assert f"{'s3cret' * 4}/source/live.m3u8" in lines
    assert await stage.browser.status(LIVE) == 404
    assert await stage.browser.status(f"{BASE}/s0.m4s") == 404
    assert await stage.browser.status(f"/live/show/{'other' * 4}/source/live.m3u8") == 404
    for name in ("live.m3u8", "iframes.m3u8", "init0.mp4", "s0.m4s", "s2.1.m4s"):
        await stage.browser.ok(f"/live/show/{'s3cret' * 4}/source/{name}")
    text = (await stage.browser.ok(f"/live/show/{'s3cret' * 4}/source/live.m3u8")).text
    assert set(lint(text).reports) == {"../audio/live.m3u8"}


async def test_a_segment_may_be_had_in_pieces(stage: Stage) -> None:
    whole = (await stage.browser.ok(f"{BASE}/s0.m4s")).body
    some = await stage.browser.get(f"{BASE}/s0.m4s", headers={"range": "bytes=10-1999"})
    assert some is not None
    assert (some.status, some.body) == (206, whole[10:2000])
    assert some.headers["content-range"] == f"bytes 10-1999/{len(whole)}"
    past = await stage.browser.get(f"{BASE}/s0.m4s", headers={"range": f"bytes={len(whole)}-"})
    assert past is not None
    assert (past.status, past.headers["content-range"]) == (416, f"bytes */{len(whole)}")


async def test_the_keyframes_are_listed_and_waited_for_like_the_rest(stage: Stage) -> None:
    text = (await stage.browser.ok(f"{BASE}/iframes.m3u8")).text
    assert [line for line in text.splitlines() if line.endswith(".m4s")] == ["s0.m4s", "s1.m4s"]
    task = await stage.asked(f"{BASE}/iframes.m3u8?_HLS_msn=2")
    stage.play(185)
    answer = await task
    assert answer is not None
    assert answer.text.splitlines()[-1] == "s2.m4s"


async def test_a_delta_is_rendered_once_and_only_when_it_spares_something(stage: Stage) -> None:
    assert (await stage.browser.ok(f"{LIVE}?_HLS_skip=YES")).text == (await stage.browser.ok(LIVE)).text
    assert set(stage.origin._lists[stage.studio.source]) == {"YES", "full"}


async def test_a_rung_that_has_nothing_yet_is_503_and_not_offered(stage: Stage) -> None:
    stage.studio.renditions.open_rung(Rung("90p", 160, 90, 30.0))
    assert await stage.browser.status("/live/show/90p/live.m3u8") == 503
    assert "90p" not in (await stage.browser.ok("/live/show/index.m3u8")).text


async def test_the_end_of_the_show_wakes_everybody_and_stays(stage: Stage) -> None:
    tasks = [
        await stage.asked(f"{LIVE}?_HLS_msn=3"),
        await stage.asked(f"{LIVE}?_HLS_msn=2&_HLS_part=3"),
        await stage.asked("/live/show/source/s2.2.m4s"),
    ]
    stage.studio.renditions.finish()
    answers = [answer for task in tasks if (answer := await task)]
    assert all(lint(answer.text).ended for answer in answers[:2])
    assert answers[2].status in (200, 404)
    late = await stage.browser.ok(f"{LIVE}?_HLS_msn=99&_HLS_part=99")
    assert lint(late.text).ended
    assert await stage.browser.status("/live/show/source/s3.0.m4s") == 404


async def test_a_show_that_ends_before_it_began_is_404() -> None:
    stage = Stage()
    stage.studio.renditions.finish()
    assert await stage.browser.status(LIVE) == 404


async def test_what_the_playlist_lists_plays() -> None:
    stage = Stage()
    stage.play()
    stage.studio.renditions.finish()
    linted = lint((await stage.browser.ok(LIVE)).text)
    initialisation = (await stage.browser.ok(f"/live/show/source/{linted.segments[0].map}")).body
    segments = [(await stage.browser.ok(f"/live/show/source/{s.uri}")).body for s in linted.segments]
    parts = [(await stage.browser.ok(f"/live/show/source/{uri}")).body for uri in linted.parts]
    assert b"".join(segments).endswith(b"".join(parts))
    assert len(parts) >= 18
    with av.open(io.BytesIO(initialisation + b"".join(segments)), "r") as container:
        assert len(list(container.decode(video=0))) == len(pictures(stream(SHAPE)))
    lasted = [sum(p.seconds for p in s.parts) for s in linted.segments]
    for segment, body, seconds in zip(linted.segments, segments, lasted, strict=True):
        shown = list(runs(body))
        assert segment.seconds == pytest.approx((shown[-1].ends - shown[0].begins) / 90_000, abs=2e-5)
        assert not segment.parts or seconds == pytest.approx(segment.seconds, abs=1e-4)
        assert all(b.begins == a.ends for a, b in itertools.pairwise(shown))
