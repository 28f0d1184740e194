"""What a replay's addresses answer: ranges, conditions, caches, tokens, and who is kept out."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restream.hls.respond import Answer, Request, refusal
from restream.replay.door import ReplayDoor
from restream.replay.files import PIECE, Files, Part, selected
from restream.replay.shelf import Shelf
from tests.restream.record.test_repair import until
from tests.restream.replay.reading import read, variants
from tests.restream.replay.stage import (
    EMPTY_DISK,
    FIRST,
    SECRET,
    Open,
    ask,
    cue,
    kept,
    show,
    signed,
    synthetic,
    wish,
)

BASE = "/live/show/replay/source"
SEGMENT = f"{BASE}/s{FIRST}.m4s"


@pytest.fixture
def running() -> set[str]:
    """The shows that go on."""
    return {"show"}


@pytest.fixture
async def shelf(running: set[str], tmp_path: Path) -> AsyncIterator[Shelf]:
    """A show of eight seconds that still runs."""
    shelf = Shelf(tmp_path, running.__contains__, free=lambda _: EMPTY_DISK)
    await kept(shelf, show(8), wish(cues=[cue("a", 3.0, kind="offer", title="Half price")]))
    yield shelf
    await shelf.stop()


@pytest.fixture
def door(shelf: Shelf) -> ReplayDoor:
    return ReplayDoor(shelf, Open())


async def test_what_is_named_is_there_and_as_it_was_made(door: ReplayDoor) -> None:
    found, sound = variants((await ask(door, "/live/show/dvr.m3u8")).text)
    assert [one.uri for one in found] == ["replay/source/media.m3u8", "replay/180p/media.m3u8"]
    assert sound is not None
    for name, uri in (("source", found[0].uri), ("180p", found[1].uri), ("audio", sound["URI"])):
        media = read((await ask(door, f"/live/show/{uri}")).text)
        made = [one for one in show(8) if one.rendition == name]
        assert len(media.segments) == len(made)
        for listed, segment in zip(media.segments, made, strict=True):
            init = await ask(door, f"/live/show/replay/{name}/{listed.map}")
            assert init.body == segment.init
            assert init.headers["content-type"] == ("audio/mp4" if name == "audio" else "video/mp4")
            body = await ask(door, f"/live/show/replay/{name}/{listed.uri}")
            assert body.body == segment.data[0]
            assert body.headers["content-type"] == "video/iso.segment"


async def test_bandwidths_are_those_of_the_media(door: ReplayDoor) -> None:
    found, _ = variants((await ask(door, "/live/show/dvr.m3u8")).text)
    sizes = {
        name: [len(one.data[0]) for one in show(8) if one.rendition == name]
        for name in ("source", "180p", "audio")
    }
    for variant, name in zip(found, ("source", "180p"), strict=True):
        peak = max(sizes[name]) * 8 / 2 + max(sizes["audio"]) * 8 / 2
        average = (sum(sizes[name]) + sum(sizes["audio"])) / 8 * 8
        assert int(variant.given["BANDWIDTH"]) == pytest.approx(peak, rel=0.02)
        assert int(variant.given["AVERAGE-BANDWIDTH"]) == pytest.approx(average, rel=0.02)


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-99", 206, 0, 99),
        ("bytes=100-", 206, 100, None),
        ("bytes=-50", 206, -50, None),
        ("bytes=0-99999999", 206, 0, None),
        ("bytes=99999999-", 416, None, None),
        ("bytes=-0", 416, None, None),
        ("bytes=9-3", 200, 0, None),
        ("bytes=0-1,5-9", 200, 0, None),
        ("nonsense", 200, 0, None),
    ],
)
async def test_ranges(door: ReplayDoor, asked: str, status: int, first: int | None, last: int | None) -> None:
    whole = show(8)[0].data[0]
    answer = await ask(door, SEGMENT, range=asked)
    assert answer.status == status
    if status == 416:
        assert answer.headers["content-range"] == f"bytes */{len(whole)}"
        return
    expected = whole[first:] if last is None else whole[first : last + 1]
    assert answer.body == expected
    assert int(answer.headers["content-length"]) == len(expected)
    if status == 206:
        begins = len(whole) - len(expected) if last is None else first
        assert begins is not None
        assert answer.headers["content-range"] == (
            f"bytes {begins}-{begins + len(expected) - 1}/{len(whole)}"
        )


@given(
    size=st.integers(1, 5000),
    asked=st.tuples(st.none() | st.integers(0, 6000), st.none() | st.integers(0, 6000)),
)
@settings(deadline=None)
def test_no_range_leads_out_of_a_segment(size: int, asked: tuple[int | None, int | None]) -> None:
    part = Part(Path("file"), 1000, size, "video/iso.segment", "no-store")
    first, last = ("" if value is None else str(value) for value in asked)
    request = Request("GET", "/", b"", f"\r\nrange: bytes={first}-{last}".encode())
    found = selected(part, request)
    if isinstance(found, Answer):
        assert found.status == 416
        return
    status, begins, ends, fields = found
    assert 1000 <= begins < ends <= 1000 + size
    assert dict(fields)[b"content-length"] == str(ends - begins).encode()
    assert (status == HTTPStatus.PARTIAL_CONTENT) == (b"content-range" in dict(fields))


async def test_media_is_kept_by_caches_and_not_sent_twice(door: ReplayDoor) -> None:
    answer = await ask(door, SEGMENT)
    assert answer.headers["cache-control"] == "public, max-age=86400, immutable"
    assert answer.headers["access-control-allow-origin"] == "*"
    tag = answer.headers["etag"]
    again = await ask(door, SEGMENT, if_none_match=f'"other", {tag}')
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == tag
    assert (await ask(door, SEGMENT, if_none_match='"other"')).status == 200
    assert (await ask(door, SEGMENT, range="bytes=0-9", if_range=tag)).status == 206
    assert (await ask(door, SEGMENT, range="bytes=0-9", if_range='"other"')).status == 200


async def test_how_long_playlists_may_be_kept(door: ReplayDoor, shelf: Shelf, running: set[str]) -> None:
    addresses = ("/live/show/dvr.m3u8", f"{BASE}/media.m3u8", "/live/show/chapters.json")
    for address in addresses:
        assert (await ask(door, address)).headers["cache-control"] == "public, max-age=1"
    running.clear()
    await shelf.apply(wish(open=False))
    for address in addresses:
        assert (await ask(door, address)).headers["cache-control"] == "public, max-age=60"


async def test_texts_are_zipped_for_who_takes_it(door: ReplayDoor) -> None:
    for address in (f"{BASE}/media.m3u8", "/live/show/chapters.json"):
        plain = await ask(door, address)
        zipped = await ask(door, address, accept_encoding="br, gzip")
        assert zipped.headers["content-encoding"] == "gzip"
        assert plain.headers["vary"] == zipped.headers["vary"] == "accept-encoding"
        assert zipped.text == plain.text


async def test_head_and_other_methods(door: ReplayDoor) -> None:
    for address in (SEGMENT, f"{BASE}/media.m3u8", "/live/show/dvr.m3u8"):
        whole, head = await ask(door, address), await ask(door, address, "HEAD")
        assert head.body == b""
        assert head.headers == whole.headers
        assert (await ask(door, address, "POST")).status == 405
        preflight = await ask(door, address, "OPTIONS")
        assert (preflight.status, preflight.headers["access-control-allow-methods"]) == (
            204,
            "GET, HEAD, OPTIONS",
        )


async def test_chapters_can_be_jumped_to(door: ReplayDoor) -> None:
    answer = await ask(door, "/live/show/chapters.json")
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.text) == [
        {
            "id": "a",
            "kind": "offer",
            "title": "Half price",
            "reference": "",
            "begins_at": 3.0,
            "ends_at": None,
        }
    ]


@pytest.mark.parametrize(
    "address",
    [
        f"{BASE}/s{FIRST + 999}.m4s",
        f"{BASE}/init{FIRST + 1}.mp4",
        "/live/show/replay/720p/media.m3u8",
        "/live/other/dvr.m3u8",
        "/live/other/replay/source/media.m3u8",
        "/live/show/replay/../../secret",
        "/live/show/replay/source/about.json",
        "/live/show/replay/SOURCE/media.m3u8",
        "/live/../replay/source/media.m3u8",
    ],
)
async def test_nothing_else_is_there(door: ReplayDoor, address: str) -> None:
    answer = await ask(door, address)
    assert answer.status == 404
    assert answer.text.endswith(".\n")


async def test_before_the_first_segment_players_are_told_to_try_again(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, lambda slug: True)
    await shelf.apply(wish())
    door = ReplayDoor(shelf, Open())
    answer = await ask(door, "/live/show/dvr.m3u8")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    await shelf.stop()


async def test_a_token_goes_on_to_the_playlists_and_nowhere_else(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, lambda slug: True, free=lambda _: EMPTY_DISK)
    await kept(shelf, show(8), wish(playback=signed()))
    door = ReplayDoor(shelf, Open())
    found, sound = variants((await ask(door, "/live/show/dvr.m3u8?token=abc.DEF-_9")).text)
    assert sound is not None
    for uri in (found[0].uri, found[1].uri, sound["URI"]):
        assert uri.startswith(f"{SECRET}/replay/")
        assert uri.endswith("/media.m3u8?token=abc.DEF-_9")
        assert "token" not in (await ask(door, f"/live/show/{uri}")).text
    for bad in ('a"b', "a%22b", "a%0Ab", "a" * 2001, ""):
        assert "token" not in (await ask(door, f"/live/show/dvr.m3u8?token={bad}")).text
    await shelf.stop()


class Shut:
    """A guard that lets nobody in, and notes what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def refusal(self, request: Request) -> Answer | None:
        """No."""
        self.asked.append(request.path)
        return refusal(HTTPStatus.UNAUTHORIZED, "no-store", "This show is private.")


async def test_the_guard_is_asked_about_every_address(shelf: Shelf) -> None:
    guard = Shut()
    door = ReplayDoor(shelf, guard)
    addresses = [
        "/live/show/dvr.m3u8",
        "/live/show/index.m3u8",
        "/live/show/chapters.json",
        f"{BASE}/media.m3u8",
        SEGMENT,
        f"{BASE}/init{FIRST}.mp4",
    ]
    for address in addresses:
        assert (await ask(door, address)).status == 401
        assert door.resolve(Request("GET", address)) is not None
    assert guard.asked == [address for address in addresses for _ in range(2)]


async def test_what_is_known_is_answered_at_once_and_media_from_the_disk(
    shelf: Shelf, door: ReplayDoor, tmp_path: Path
) -> None:
    playlist = Request("GET", f"{BASE}/media.m3u8")
    first = door.resolve(playlist)
    assert first is not None
    assert door.resolve(playlist) is first, "one answer for everybody"
    assert door.resolve(Request("GET", SEGMENT)) is None
    shelf.take("show", next(iter(synthetic(1))))
    await shelf.apply(wish(open=False))
    other = Shelf(tmp_path, free=lambda _: EMPTY_DISK)
    await other.scan()
    again = ReplayDoor(other, Open())
    assert again.resolve(playlist) is None, "not loaded yet"
    assert (await ask(again, f"{BASE}/media.m3u8")).status == 200
    assert again.resolve(playlist) is not None
    await other.stop()


async def test_hours_are_written_while_others_are_served(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, free=lambda _: EMPTY_DISK)
    await shelf.apply(wish())
    for turn in range(4):
        for segment in list(synthetic(3200, ("source",)))[800 * turn : 800 * (turn + 1)]:
            shelf.take("show", segment)
        await until(shelf._live["show"]._queue.empty)
    await shelf.apply(wish(open=False))
    door = ReplayDoor(shelf, Open())
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    answer = await ask(door, f"{BASE}/media.m3u8")
    task.cancel()
    assert len(read(answer.text).segments) == 3200
    assert turns >= 5
    await shelf.stop()


async def test_a_large_segment_is_sent_in_pieces_as_it_is_read(tmp_path: Path) -> None:
    data = bytes(range(256)) * 4096 + b"end"
    file = tmp_path / "file"
    file.write_bytes(b"before" + data)
    pieces: list[bytes] = []

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        pieces.append(message.get("body", b""))

    async def in_thread(work: object) -> bytes:
        assert callable(work)
        return bytes(await asyncio.to_thread(work))

    part = Part(file, 6, len(data), "video/iso.segment", "no-store")
    await Files(in_thread).send(part, Request("GET", "/"), send)
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) <= PIECE
    assert len(pieces) == 1 + 5


async def test_more_than_the_disk_can_do_is_refused(door: ReplayDoor, shelf: Shelf) -> None:
    stalled = threading.Event()
    for _ in range(8):
        shelf._threads.submit(stalled.wait, 60)
    door._files = Files(shelf.in_thread, most_reads=3)
    waiting = [asyncio.create_task(ask(door, SEGMENT)) for _ in range(3)]
    await asyncio.sleep(0)
    busy = await ask(door, SEGMENT)
    assert (busy.status, busy.headers["retry-after"]) == (503, "1")
    stalled.set()
    assert [one.status for one in await asyncio.gather(*waiting)] == [200, 200, 200]
