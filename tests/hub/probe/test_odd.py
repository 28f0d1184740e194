"""Whatever a server sends or names, a probe costs the hub little and goes nowhere it should not."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
import pytest

from connectors.errors import RetryLater
from hub.engines.nats import free_port
from hub.probe.client import UNHELD, Played, play_plainly
from hub.probe.playlist import Unreadable, choose, moved, read
from hub.probe.reach import Line, public
from restream.hls.respond import Receive, Scope, Send
from restream.serving import serving

URL: Final = "https://cdn.example/live/evening/index.m3u8?token=abc"
PLAIN: Final = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n"
PIECE: Final = "#EXTINF:2,\na.m4s\n"
MEGABYTE: Final = bytes(1_000_000)


class Odd:
    """Answers every playlist with `playlist` and all else with `megabytes`; counts what it was asked."""

    def __init__(self) -> None:
        self.origin = ""
        self.playlist = b""
        self.packed = False
        self.megabytes = 0
        self.asked: list[str] = []
        self.hosts: set[bytes] = set()

    @property
    def url(self) -> str:
        return f"{self.origin}/live/evening/index.m3u8"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self.asked.append(scope["path"])
        self.hosts |= {value for name, value in scope["headers"] if name == b"host"}
        packed = [(b"content-encoding", b"gzip")] if self.packed else []
        await send({"type": "http.response.start", "status": 200, "headers": packed})
        if scope["path"].endswith(".m3u8"):
            await send({"type": "http.response.body", "body": self.playlist})
            return
        for _ in range(self.megabytes):
            await send({"type": "http.response.body", "body": MEGABYTE, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def played(self, seconds: float = 10.0) -> Played:
        return await play_plainly(self.url, seconds, own=(self.url,))


@pytest.fixture
async def odd() -> AsyncIterator[Odd]:
    opened = Odd()
    async with serving(opened, "127.0.0.1", 0) as port:
        opened.origin = f"http://127.0.0.1:{port}"
        yield opened


@pytest.mark.parametrize("line", ["#EXTINF:1e300,", "#EXTINF:nan,", '#EXT-X-PART:DURATION=-1,URI="a"'])
def test_a_length_that_is_none_makes_a_playlist_unreadable(line: str) -> None:
    with pytest.raises(Unreadable):
        read(f"{PLAIN}#EXT-X-PROGRAM-DATE-TIME:2026-11-24T18:00:00Z\n{line}\na.m4s\n", URL)


@pytest.mark.parametrize("time_of_day", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
def test_a_time_outside_our_millennium_makes_a_playlist_unreadable(time_of_day: str) -> None:
    with pytest.raises(Unreadable):
        read(f"{PLAIN}#EXT-X-PROGRAM-DATE-TIME:{time_of_day}\n#EXTINF:2,\na.m4s\n", URL)


def test_an_address_that_is_none_makes_a_playlist_unreadable() -> None:
    with pytest.raises(Unreadable):
        choose("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://[::1/live.m3u8\n", URL, 720)


def test_a_date_without_a_zone_is_utc() -> None:
    text = f"{PLAIN}#EXT-X-PROGRAM-DATE-TIME:2026-11-24T18:00:00\n#EXTINF:2,\na.m4s\n"
    assert read(text, URL).pieces[0].wall == datetime(2026, 11, 24, 18, tzinfo=UTC)


async def test_a_show_with_a_date_without_a_zone_plays_and_its_delay_is_known(odd: Odd) -> None:
    began = (datetime.now(UTC) - timedelta(seconds=12)).replace(tzinfo=None).isoformat()
    odd.playlist = f"{PLAIN}#EXT-X-PROGRAM-DATE-TIME:{began}\n{PIECE * 6}".encode()
    odd.megabytes = 1
    played = await odd.played(1.5)
    assert played.error is None
    assert played.latency_ms == pytest.approx(6_000, abs=1_500)


async def test_media_is_counted_and_not_kept(odd: Odd) -> None:
    odd.playlist = f"{PLAIN}#EXTINF:2,\na.m4s\n#EXT-X-ENDLIST\n".encode()
    odd.megabytes = 40
    tracemalloc.start()
    try:
        played = await odd.played()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert played.error is None
    assert played.watched_ms > 1_000
    assert most < 16_000_000


async def test_media_without_end_is_given_up(odd: Odd) -> None:
    odd.playlist = f"{PLAIN}#EXTINF:2,\na.m4s\n#EXT-X-ENDLIST\n".encode()
    odd.megabytes = 70
    assert (await odd.played(30.0)).error == "A piece of the media is larger than any piece is."


async def test_a_few_bytes_that_unpack_to_very_many_are_given_up(odd: Odd) -> None:
    odd.playlist, odd.packed = gzip.compress(PLAIN.encode() + bytes(60_000_000)), True
    tracemalloc.start()
    try:
        played = await odd.played()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert played.error == "The playlist is larger than any playlist is."
    assert most < 16_000_000


async def test_a_packed_playlist_is_read(odd: Odd) -> None:
    odd.playlist, odd.packed = gzip.compress(PLAIN.encode() + b"#EXTINF:1,\na.m4s\n#EXT-X-ENDLIST\n"), True
    played = await odd.played(5.0)
    # The media says it is packed, too: what it is made of does not matter.
    assert (played.error, played.stalls) == (None, 0)
    assert played.watched_ms == pytest.approx(1_000, abs=400)


@pytest.mark.parametrize(
    "target", [pytest.param(2, id="it-ignores-the-wish"), pytest.param(0, id="it-has-no-target")]
)
async def test_a_server_that_does_not_hold_requests_is_asked_seldom_and_found_out(
    odd: Odd, target: int
) -> None:
    odd.playlist = (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:{target}\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n"
        "#EXTINF:1,\na.m4s\n"
    ).encode()
    played = await odd.played(3.0)
    assert played.error == UNHELD
    assert len(odd.asked) < 40


async def test_a_playlist_without_a_target_is_not_asked_for_over_and_over(odd: Odd) -> None:
    odd.playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:0\n#EXTINF:1,\na.m4s\n"
    await odd.played(2.0)
    assert len(odd.asked) < 30


async def test_pieces_that_take_no_time_are_not_all_asked_for_at_once(odd: Odd) -> None:
    odd.playlist = f"{PLAIN}{PIECE.replace('2', '0') * 5_000}#EXT-X-ENDLIST\n".encode()
    await odd.played(2.0)
    assert len(odd.asked) < 600


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "240.0.0.1", "::1", "::", "fe80::1", "fd00::1", "ff0e::1", "::ffff:127.0.0.1"),
        *("64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1"),
    ],
)
def test_an_address_inside_a_network_is_not_public(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101"])
def test_an_address_on_the_internet_is_public(address: str) -> None:
    assert public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "127.1"])
async def test_a_probe_does_not_go_into_a_private_network(odd: Odd, host: str) -> None:
    port = odd.origin.rpartition(":")[2]
    odd.playlist = f"{PLAIN}#EXTINF:2,\na.m4s\n#EXT-X-ENDLIST\n".encode()
    played = await play_plainly(f"http://{host}:{port}/live/x/index.m3u8", 3.0)
    assert played.error == "It leads into a private network, where a probe does not go."
    assert odd.asked == []


async def test_nor_where_a_playlist_of_our_own_sends_it(odd: Odd) -> None:
    async with serving(inner := Odd(), "127.0.0.1", 0) as port:
        odd.playlist = f"{PLAIN}#EXTINF:2,\nhttp://127.0.0.1:{port}/secret\n#EXT-X-ENDLIST\n".encode()
        played = await odd.played(3.0)
    assert played.error == "It leads into a private network, where a probe does not go."
    assert inner.asked == []


async def test_a_name_of_which_one_address_is_private_is_not_asked(odd: Odd) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["1.1.1.1", "127.0.0.1"]

    played = await play_plainly("http://cdn.example/live/x/index.m3u8", 3.0, resolve=resolve)
    assert played.error == "It leads into a private network, where a probe does not go."


@pytest.mark.parametrize("address", ["file:///etc/passwd", "http://[::1/x", "ftp://cdn.example/x"])
async def test_what_is_no_web_address_is_given_up_with_a_sentence(odd: Odd, address: str) -> None:
    odd.playlist = f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{address}\n".encode()
    played = await odd.played(3.0)
    assert played.error
    assert "address" in played.error


async def test_an_own_server_is_told_its_name_at_any_port(odd: Odd) -> None:
    odd.playlist = f"{PLAIN}#EXTINF:1,\na.m4s\n#EXT-X-ENDLIST\n".encode()
    await odd.played(3.0)
    assert odd.hosts == {odd.origin.removeprefix("http://").encode()}


async def test_a_server_is_asked_at_the_address_that_was_checked_and_by_its_name(odd: Odd) -> None:
    odd.playlist = PLAIN.encode()
    host = f"cdn.example:{odd.origin.rpartition(':')[2]}"
    line = Line(["127.0.0.9", "127.0.0.1"])  # nobody listens at the first one
    try:
        with pytest.raises(RetryLater):
            await line.text(httpx.URL(f"http://{host}/live.m3u8"))
        assert await line.text(httpx.URL(f"http://{host}/live.m3u8?token=a%2F")) == PLAIN
    finally:
        await line.close()
    assert odd.hosts == {host.encode()}


async def test_a_name_that_nobody_knows_is_said() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise OSError

    began = time.monotonic()
    played = await play_plainly(f"http://cdn.example:{free_port()}/x.m3u8", 20.0, resolve=resolve)
    assert played.error
    assert "nobody knows its name" in played.error
    assert time.monotonic() - began < 15


def test_what_opens_a_private_show_goes_to_its_own_servers_alone() -> None:
    edge, plain = "https://sin.example/", "https://sin.example/live/evening/index.m3u8"
    assert moved(URL, edge, known=True) == f"{plain}?token=abc"
    assert moved(f"{URL}&Signature=b", edge, known=False) == plain
    assert moved("https://cdn.example/live/evening/index.m3u8?v=1", edge, known=False) == f"{plain}?v=1"
