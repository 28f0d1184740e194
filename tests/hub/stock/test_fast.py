"""The fast lane at the socket: however a request arrives, it gets the answer it would get the usual way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.server import ServerState

from hub.clock import wall_clock
from hub.errors import Conflict
from hub.stock.fast import HoldsProtocol, is_plain, value_of
from hub.stock.lane import LanedApp
from hub.stock.reserve import Waiter
from tests.hub.market import Market, Trade

PATH = "/api/v1/public/holds"


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade(units=9)


class Wire:
    """One connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def answer(self) -> tuple[int, dict[str, str], Any]:
        """The next answer: status, headers, body."""
        head = (await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 30)).decode()
        status, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        if headers.get("transfer-encoding") == "chunked":
            raise AssertionError("the answers of this lane have a length")
        return (
            int(status.split()[1]),
            headers,
            json.loads(await self._reader.readexactly(int(headers["content-length"]))),
        )

    async def line(self) -> bytes:
        """The next line, whatever follows."""
        return await asyncio.wait_for(self._reader.readline(), 30)

    async def ended(self) -> bool:
        """Whether the server closes it."""
        return await asyncio.wait_for(self._reader.read(), 30) == b""


@asynccontextmanager
async def wired(market: Market) -> AsyncIterator[Wire]:
    """A connection to the hub."""
    host, _, port = market.origin.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


@pytest.fixture
async def ask(market: Market) -> Any:
    """Makes whole requests of one viewer."""
    viewer = await market.viewer()
    token = viewer.http.http.headers["authorization"]

    def made(key: str, *more: str, body: bytes | None = None, without: str = "") -> bytes:
        wish = {"show": market.shop.slug, "variant_id": str(market.shop.variant_id), "key": key}
        body = json.dumps(wish).encode() if body is None else body
        lines = [f"POST {PATH} HTTP/1.1", "Host: shop.example", f"AUTHORIZATION: {token}"]
        lines += [f"content-Length: {len(body)}", "Content-Type: application/json", *more]
        head = "\r\n".join(line for line in lines if not (without and line.lower().startswith(without)))
        return head.encode() + b"\r\n\r\n" + body

    return made


def pieces(request: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Ways in which one request may arrive."""
    end = request.index(b"\r\n\r\n") + 4
    yield "whole", [request]
    yield "head, then body", [request[:end], request[end:]]
    yield "in the middle of the head", [request[:40], request[40:]]
    yield "byte by byte", [request[n : n + 1] for n in range(len(request))]


async def test_the_same_key_gets_the_same_answer_however_it_arrives(market: Market, ask: Any) -> None:
    request = ask("click-number-1")
    held = set()
    async with wired(market) as wire:
        for _, parts in pieces(request):
            for part in parts:
                wire.writer.write(part)
                await wire.writer.drain()
            status, headers, body = await wire.answer()
            assert (status, headers["cache-control"]) == (201, "no-store")
            assert headers["content-type"] == "application/json"
            assert "date" in headers
            held.add(body["hold_id"])
    assert len(held) == 1
    assert await market.shop.stock() == (9, 1, 0)


FORWARDED: list[tuple[list[str], str | None]] = [
    ([], None),
    (["X-Forwarded-For: 8.8.8.8"], "8.8.8.8"),
    (["x-forwarded-for:  9.9.9.9, 8.8.8.8 "], "8.8.8.8"),
    (["X-Forwarded-For: 8.8.8.8, 127.0.0.1"], "8.8.8.8"),
    (["X-Forwarded-For: 9.9.9.9", "X-Forwarded-For: 8.8.8.8"], "8.8.8.8"),
    (["X-Forwarded-For: [2a01:4f8:1:2::1]:443"], "2a01:4f8:1:2::7"),
    (["X-Forwarded-For:"], None),
]


@pytest.mark.parametrize(("lines", "address"), FORWARDED)
async def test_where_a_request_comes_from_is_read_alike_however_it_arrives(
    market: Market, ask: Any, lines: list[str], address: str | None
) -> None:
    ways = len([*pieces(ask("click-number-0"))])
    async with wired(market) as wire:
        for n in range(ways):
            _, parts = [*pieces(ask(f"click-number-{n}", *lines))][n]
            for part in parts:
                wire.writer.write(part)
                await wire.writer.drain()
            assert (await wire.answer())[0] == 201
    rows = await market.sql("SELECT DISTINCT network_hash FROM hold")
    assert [row["network_hash"] for row in rows] == [market.hub.networks.of(market.shop.show_id, address)]


async def test_requests_sent_without_waiting_are_answered_in_their_order(market: Market, ask: Any) -> None:
    async with wired(market) as wire:
        bad = ask("click-number-2", body=b"{")
        unknown = b"GET /api/v1/nothing-here HTTP/1.1\r\nHost: a\r\n\r\n"
        wire.writer.write(ask("click-number-1"))
        await wire.writer.drain()
        wire.writer.write(bad + unknown + ask("click-number-1"))
        statuses = [(await wire.answer())[0] for _ in range(4)]
    assert statuses == [201, 422, 404, 201]


async def test_a_refusal_is_a_problem_document_and_the_connection_goes_on(market: Market, ask: Any) -> None:
    async with wired(market) as wire:
        for request, status, code in (
            (ask("click-number-1", without="authorization"), 401, "token_missing"),
            (ask("short"), 422, "bad_input"),
            (ask("click-number-1", body=b"x" * 5000), 422, "bad_input"),
            (
                ask("click-number-1", "Transfer-Encoding: chunked", body=b"0\r\n\r\n", without="content-l"),
                422,
                "",
            ),
        ):
            wire.writer.write(request)
            found, headers, problem = await wire.answer()
            assert (found, headers["content-type"]) == (status, "application/problem+json")
            assert problem["code"] == (code or problem["code"])
        wire.writer.write(ask("click-number-1"))
        assert (await wire.answer())[0] == 201


async def test_a_client_that_wants_to_close_is_let_go(market: Market, ask: Any) -> None:
    async with wired(market) as wire:
        wire.writer.write(ask("click-number-1", "Connection: close"))
        assert (await wire.answer())[0] == 201
        assert await wire.ended()


async def test_two_lengths_are_nobodys_request(market: Market, ask: Any) -> None:
    async with wired(market) as wire:
        wire.writer.write(ask("click-number-1", "Content-Length: 5"))
        assert b" 400 " in await wire.line()
    assert await market.shop.stock() == (9, 0, 0)


async def test_a_buyer_who_leaves_before_the_answer_costs_nobody_theirs(market: Market, ask: Any) -> None:
    async with wired(market) as gone:
        gone.writer.write(ask("click-number-1"))
        await gone.writer.drain()
        gone.writer.transport.abort()
    async with wired(market) as wire:
        wire.writer.write(ask("click-number-2"))
        assert (await wire.answer())[0] == 201


class Timer:
    """One that rings unless it was cancelled."""

    def __init__(self, at: float, ring: Callable[[], None]) -> None:
        self.at, self.ring, self.cancelled = at, ring, False

    def cancel(self) -> None:
        self.cancelled = True


class MadeUpLoop:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, ring: Callable[[], None]) -> Timer:
        self.timers.append(timer := Timer(self.now + seconds, ring))
        return timer

    def pass_to(self, moment: float) -> None:
        while due := [one for one in self.timers if one.at <= moment and not one.cancelled]:
            self.timers.remove(first := min(due, key=lambda one: one.at))
            self.now = first.at
            first.ring()
        self.now = moment


class Line(asyncio.Transport):
    """The client's end."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def resume_reading(self) -> None:
        """It always reads."""


@dataclass
class Connected:
    """A connection without a socket, in made-up time; who asks is answered when a test says so."""

    loop: MadeUpLoop
    line: Line
    protocol: HoldsProtocol
    asked: list[Waiter]


@pytest.fixture
def connected() -> Connected:
    loop, line, asked = MadeUpLoop(), Line(), list[Waiter]()
    app = LanedApp()
    reservations = SimpleNamespace(queue=lambda _, waiter: asked.append(waiter))
    app.state.services = SimpleNamespace(reservations=reservations, clock=wall_clock)
    app.holds.asked = lambda *_: None  # type: ignore[method-assign, assignment]
    config = uvicorn.Config(app, timeout_keep_alive=5, log_config=None)
    protocol = HoldsProtocol(app, config=config, server_state=ServerState(), app_state={}, _loop=loop)
    protocol.connection_made(line)
    return Connected(loop, line, protocol, asked)


REQUEST = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}" % PATH.encode()


def test_a_connection_is_not_closed_over_a_buyer_who_waits(connected: Connected) -> None:
    """Nor by the clock that was set when another request of it was answered the usual way."""
    connected.protocol.on_response_complete()
    connected.loop.pass_to(3)
    connected.protocol.data_received(REQUEST)
    connected.loop.pass_to(20)
    assert not connected.line.closed
    connected.asked[0].set_exception(Conflict("sold_out", "Sold out."))
    assert b" 409 Conflict\r\n" in connected.line.sent[0]
    connected.loop.pass_to(24.9)
    assert not connected.line.closed
    connected.loop.pass_to(25.1)
    assert connected.line.closed


def test_who_does_not_read_is_not_written_to_for_ever(connected: Connected) -> None:
    connected.protocol.pause_writing()
    assert not connected.protocol._idle
    connected.protocol.resume_writing()
    assert connected.protocol._idle


def test_a_server_that_ends_answers_who_asked_and_asks_nothing_more(connected: Connected) -> None:
    connected.protocol.data_received(REQUEST)
    connected.protocol.data_received(REQUEST)
    connected.protocol.shutdown()
    connected.asked[0].set_exception(Conflict("sold_out", "Sold out."))
    assert b"connection: close\r\n" in connected.line.sent[0]
    assert connected.line.closed
    assert len(connected.asked) == 1


@given(st.binary(max_size=60))
def test_a_strange_head_is_left_to_the_parser(strange: bytes) -> None:
    """Bare line ends, folded lines and NULs, wherever they are."""
    head = b"POST / HTTP/1.1\r\nhost: a\r\n" + strange + b"\r\n"
    lines = head.split(b"\r\n")
    odd = any(c in line for line in lines for c in (b"\r", b"\n", b"\0")) or any(
        line[:1] in (b" ", b"\t") for line in lines[1:]
    )
    if odd:
        assert not is_plain(head.lower())


@given(st.from_regex(rb"[a-z0-9 =/+._-]{0,30}", fullmatch=True))
def test_a_value_is_found_as_it_was_sent(value: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer X" + value + b"\r\nAccept: b\r\n"
    assert value_of(head, head.lower(), b"\r\nauthorization:") == (b"Bearer X" + value).strip()
    assert value_of(head, head.lower(), b"\r\ncookie:") == b""
