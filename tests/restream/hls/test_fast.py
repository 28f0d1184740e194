"""The fast path: the same answers as by ASGI, whatever a client sends and however it is cut."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import random
from collections.abc import AsyncIterator

import pytest
from uvicorn.protocols.http import flow_control, httptools_impl

from restream.hls.respond import Answer, Request, ranged
from tests.restream.hls.wire import Desk, Got, House, Wire, house, request, until

NOW = "/live/show/now"
BROWSER = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64)",
    "Accept-Encoding: gzip, deflate, br",
    "Connection: keep-alive",
    "Cookie: a=" + "b" * 500,
)


@pytest.fixture
def desk() -> Desk:
    return Desk(big=bytes(range(256)) * 1000)


@pytest.fixture
async def port(desk: Desk) -> AsyncIterator[House]:
    async with house(desk) as opened:
        yield opened


def without_date(got: Got) -> tuple[int, dict[str, str], bytes]:
    return got.status, {name: value for name, value in got.headers.items() if name != "date"}, got.body


async def test_what_players_send_never_reaches_the_asgi_app(desk: Desk, port: House) -> None:
    wire = await port.wire()
    for number in range(3):
        got = await wire.get(f"{NOW}?{number}", *BROWSER)
        assert (got.status, got.body) == (200, f"now {number}".encode())
    assert (await wire.get("/live/show/big")).body == desk.big
    assert (await wire.get("/live/other")).status == 404
    assert (desk.fast, desk.usual) == (5, 0)


@pytest.mark.parametrize("target", [NOW, "/live/show/big", "/live/show/0.m3u8", "/live/other"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_both_ways_send_the_same_header_fields_and_bytes(
    desk: Desk, port: House, target: str, method: str
) -> None:
    wire = await port.wire()
    fast = await wire.get(target, method=method)
    usual = await wire.get(target, "Content-Length: 0", method=method)
    assert (desk.fast, desk.usual) == (1, 1)
    assert without_date(fast) == without_date(usual)
    assert "date" in fast.headers
    assert (fast.body == b"") == (method == "HEAD")


@pytest.mark.parametrize(
    "unusual",
    [
        request(NOW, "Content-Length: 3") + b"abc",
        request(NOW, "Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\n\r\n",
        request(NOW.replace("now", "%6eow")),
        request(NOW, "Upgrade: h2c", "Connection: Upgrade"),
        b"\r\n" + request(NOW),
    ],
)
async def test_an_unusual_request_is_answered_and_the_next_is_fast_again(
    desk: Desk, port: House, unusual: bytes
) -> None:
    wire = await port.wire()
    await wire.send(unusual)
    assert (await wire.got()).body == b"now "
    assert (desk.fast, desk.usual) == (0, 1)
    assert (await wire.get(NOW)).body == b"now "
    assert (desk.fast, desk.usual) == (1, 1)


@pytest.mark.parametrize(
    "last",
    [
        request(NOW, "Connection: close"),
        request(NOW, "connection: Keep-Alive, Close"),
        request(NOW).replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
)
async def test_the_connection_is_closed_for_who_wants_that(port: House, last: bytes) -> None:
    wire = await port.wire()
    await wire.send(last)
    got = await wire.got()
    assert (got.body, got.headers["connection"]) == (b"now ", "close")
    assert await wire.closed() == b""


@pytest.mark.parametrize(
    "broken",
    [
        b"GET  HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        request(NOW, "Bad Name: x"),
        request(NOW, "Transfer-Encoding : chunked"),
        request(NOW, "X: a\nY: b\r\n\0"),
        request(NOW, "Content-Length: 1", "Content-Length: 2"),
    ],
)
async def test_what_is_no_http_is_refused(desk: Desk, port: House, broken: bytes) -> None:
    wire = await port.wire()
    await wire.send(broken)
    assert (await wire.got()).status == 400
    await wire.closed()
    assert desk.fast == 0


async def test_however_requests_are_cut_every_one_is_answered_in_order(desk: Desk, port: House) -> None:
    targets = [NOW, "/live/show/0.m3u8", "/live/show/big", f"{NOW}?2", "/elsewhere", f"{NOW}?3"]
    whole = b"".join(request(target, *BROWSER) for target in targets)
    single = await port.wire()
    wanted = [(await single.get(target)).body for target in targets]
    for seed in range(12):
        chance, wire = random.Random(seed), await port.wire()
        reading = asyncio.create_task(read(wire, len(targets)))
        cuts = sorted(chance.sample(range(1, len(whole)), chance.randint(0, 6)))
        for begins, ends in zip([0, *cuts], [*cuts, len(whole)], strict=True):
            await wire.send(whole[begins:ends])
            await asyncio.sleep(chance.choice([0, 0.002]))
        assert await reading == wanted, (seed, cuts)


async def read(wire: Wire, count: int) -> list[bytes]:
    return [(await wire.got()).body for _ in range(count)]


async def test_a_request_sent_while_another_waits_is_answered_after_it(desk: Desk, port: House) -> None:
    wire = await port.wire()
    await wire.send(request("/live/show/1.m3u8"))
    await until(lambda: len(desk.bell) == 1)
    await wire.send(request(f"{NOW}?after"))
    await wire.send(request("/live/show/2.m3u8") + request(f"{NOW}?last"))
    desk.ring()
    assert (await wire.got()).body == b"1"
    assert (await wire.got()).body == b"now after"
    await until(lambda: len(desk.bell) == 1)
    desk.ring()
    assert (await wire.got()).body == b"2"
    assert (await wire.got()).body == b"now last"


async def test_methods_and_other_addresses_go_to_the_app(desk: Desk, port: House) -> None:
    wire = await port.wire()
    preflight = await wire.get(NOW, "Origin: https://shop.example", method="OPTIONS")
    assert (preflight.status, preflight.headers["access-control-allow-methods"]) == (
        204,
        "GET, HEAD, OPTIONS",
    )
    refused = await wire.get(NOW, "Content-Length: 0", method="POST")
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert (await wire.get("/healthz")).status == 404
    assert (desk.fast, desk.usual) == (0, 3)
    assert (await wire.get(NOW)).headers["access-control-allow-origin"] == "*"


async def test_our_own_mistake_costs_one_answer_and_not_the_connection(port: House) -> None:
    wire = await port.wire()
    assert (await wire.get("/live/show/broken")).status == 500
    assert (await wire.get(NOW)).status == 200


@pytest.mark.parametrize("usual", [(), ("Content-Length: 0",)], ids=["fast", "asgi"])
@pytest.mark.parametrize(
    ("asked", "status", "place"),
    [
        ("bytes=0-3", 206, (0, 4)),
        ("bytes=255999-", 206, (255_999, 256_000)),
        ("bytes=1000-999999999", 206, (1000, 256_000)),
        ("bytes=-10", 206, (255_990, 256_000)),
        ("bytes=-999999999", 206, (0, 256_000)),
        ("bytes=256000-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=5-3", 200, (0, 256_000)),
        ("bytes=0-1,4-5", 200, (0, 256_000)),
        ("seconds=1-2", 200, (0, 256_000)),
        ("bytes=-", 200, (0, 256_000)),
    ],
)
async def test_a_range_of_media_is_served_alone(
    desk: Desk, port: House, usual: tuple[str, ...], asked: str, status: int, place: tuple[int, int] | None
) -> None:
    got = await (await port.wire()).get("/live/show/big", f"Range: {asked}", *usual)
    assert got.status == status
    if status == 416:
        assert got.headers["content-range"] == "bytes */256000"
    if place:
        assert got.body == desk.big[place[0] : place[1]]
    if status == 206 and place:
        assert got.headers["content-range"] == f"bytes {place[0]}-{place[1] - 1}/256000"


async def test_a_range_of_a_version_we_cannot_know_and_of_head_is_the_whole(desk: Desk, port: House) -> None:
    wire = await port.wire()
    got = await wire.get("/live/show/big", "Range: bytes=0-3", 'If-Range: "x"')
    assert (got.status, len(got.body)) == (200, len(desk.big))
    head = await wire.get("/live/show/big", "Range: bytes=0-3", method="HEAD")
    assert (head.status, head.headers["content-length"]) == (200, str(len(desk.big)))


def test_a_range_is_cut_from_pieces_without_joining_them() -> None:
    answer = Answer(200, "x/y", "no-store", (b"abc", b"def", b"ghi"), ranges=True)
    for begins in range(9):
        for ends in range(begins + 1, 10):
            asked = Request("GET", "/", head=b"\r\nrange: bytes=%d-%d" % (begins, ends - 1))
            assert b"".join(ranged(answer, asked).body) == b"abcdefghi"[begins:ends]


def test_header_fields_are_found_whatever_their_case_and_number() -> None:
    asked = Request(
        "GET", "/", head=b"\r\nAccept-Encoding: br \r\nX-A: 1\r\naccept-encoding:gzip;q=0.5\r\nEmpty:"
    )
    assert asked.header(b"accept-encoding") == b"br, gzip;q=0.5"
    assert asked.header(b"x-a") == b"1"
    assert asked.header(b"empty") == asked.header(b"encoding") == asked.header(b"a") == b""
    assert asked.takes_gzip


def test_uvicorn_is_the_one_this_was_written_for() -> None:
    """When this fails: read what changed in uvicorn's connection, look at `restream/hls/fast.py`."""
    source = inspect.getsource(httptools_impl) + inspect.getsource(flow_control)
    assert (
        hashlib.sha256(source.encode()).hexdigest()
        == "ea814cf42e50628dba76b72e12900943da6801b4bcf097f11dff4ea2cdc99455"
    )
