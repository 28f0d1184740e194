"""What one connection may cost: time, memory, and its place among the others."""

from __future__ import annotations

import asyncio
import gc

import pytest

from restream.hls.fast import LARGEST_HEAD, FastProtocol, Limits
from tests.restream.hls.wire import LATE, Desk, Wire, house, request, until

NOW = "/live/show/now"
SOON = Limits(head=0.2, idle=0.2, stalled=0.2, look=0.02)
BIG = bytes(16 << 20)


def connections() -> list[FastProtocol]:
    """All that are open in this process."""
    return [one for one in gc.get_objects() if isinstance(one, FastProtocol) and one in one.connections]


async def taken(wire: Wire) -> int:
    """Read everything, and count it."""
    return len(await wire.closed())


@pytest.mark.parametrize("usual", [(), ("Content-Length: 0",)], ids=["fast", "asgi"])
async def test_who_does_not_read_holds_one_answer_and_no_more(usual: tuple[str, ...]) -> None:
    desk = Desk(big=BIG)
    async with house(desk) as port:
        wire = await port.wire(receive_buffer=4096)
        for _ in range(20):
            await wire.send(request("/live/show/big", *usual))
        await until(lambda: desk.fast + desk.usual > 0)
        other = await port.wire()
        for _ in range(20):
            assert (await other.get(NOW)).status == 200
        assert desk.fast + desk.usual - 20 <= 2
        held = [one.transport.get_write_buffer_size() for one in connections()]
        assert len(held) == 2
        assert max(held) <= len(BIG) + 4096


async def test_who_reads_slowly_gets_everything_in_order() -> None:
    desk = Desk(big=BIG[: 4 << 20])
    async with house(desk) as port:
        wire = await port.wire(receive_buffer=4096)
        for _ in range(3):
            await wire.send(request("/live/show/big") + request(f"{NOW}?x"))
            await wire.send(request(f"{NOW}?y"))
        for _ in range(3):
            assert len((await wire.got()).body) == 4 << 20
            assert (await wire.got()).body == b"now x"
            assert (await wire.got()).body == b"now y"


@pytest.mark.parametrize("usual", [(), ("Content-Length: 0",)], ids=["fast", "asgi"])
async def test_who_stops_reading_is_cut_off(usual: tuple[str, ...]) -> None:
    desk = Desk(big=BIG)
    async with house(desk, SOON) as port:
        wire = await port.wire(receive_buffer=4096)
        await wire.send(request("/live/show/big", *usual))
        await until(lambda: desk.fast + desk.usual > 0)
        await until(lambda: not connections())
        assert await taken(wire) < len(BIG)


async def test_a_small_answer_nobody_reads_does_not_keep_a_closed_connection() -> None:
    desk = Desk(big=BIG[: 40 << 10])
    async with house(desk, Limits(idle=2, stalled=0.2, look=0.02)) as port:
        wire = await port.wire(receive_buffer=2048)
        await until(lambda: len(connections()) == 1)
        (connection,), answered = connections(), 0
        while not connection.transport.get_write_buffer_size():
            await wire.send(request("/live/show/big"))
            answered += 1
            while desk.fast < answered:
                await asyncio.sleep(0)
        assert not connection.flow.write_paused
        await until(lambda: connection not in connection.connections)


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"GET /live/show/now HTTP/1.1\r\nHost: x\r\n", b"GET"])
async def test_a_request_that_does_not_come_in_time_ends_the_connection(sent: bytes) -> None:
    async with house(Desk(), SOON) as port:
        wire = await port.wire()
        await wire.send(sent)
        last = await wire.closed()
        assert (b" 408 " in last) == (sent.startswith(b"GET"))


async def test_a_head_that_trickles_gets_no_more_time_with_each_byte() -> None:
    async with house(Desk(), SOON) as port:
        wire = await port.wire()

        async def trickle() -> None:
            await wire.send(request(NOW)[:-2])
            while True:
                await wire.send(b"X: y\r\n")
                await asyncio.sleep(0.01)

        trickling = asyncio.create_task(trickle())
        last = await wire.closed()
        assert b" 408 " in last or not last  # a reset may overtake it, as we go on sending
        trickling.cancel()
        await asyncio.gather(trickling, return_exceptions=True)


@pytest.mark.parametrize("usual", [(), ("Content-Length: 0",)], ids=["fast", "asgi"])
async def test_an_idle_connection_is_closed_and_a_used_one_is_not(usual: tuple[str, ...]) -> None:
    async with house(Desk(), Limits(head=30, idle=0.3, look=0.02)) as port:
        used, idle = await port.wire(), await port.wire()
        await idle.get(NOW, *usual)
        closed = asyncio.create_task(idle.closed())
        while not closed.done():
            assert (await used.get(NOW, *usual)).status == 200
            await asyncio.sleep(0.01)
        assert closed.result() == b""
        assert (await used.get(NOW, *usual)).status == 200


async def test_a_body_that_never_ends_does_not_keep_the_connection() -> None:
    desk = Desk()
    async with house(desk, SOON) as port:
        wire = await port.wire()
        await wire.send(request(NOW, "Content-Length: 1000000"))
        assert (await wire.got()).status == 200
        assert await wire.closed() == b""


@pytest.mark.parametrize("line", [b"Cookie: %b\r\n" % (b"x" * 900), b"x" * 900])
async def test_a_head_that_grows_too_large_is_refused(line: bytes) -> None:
    desk = Desk()
    async with house(desk) as port:
        wire = await port.wire()
        await wire.send(request(NOW, "Host: x")[:-2])
        await until(lambda: any(one._head_size is not None for one in connections()))
        await wire.send(line * (LARGEST_HEAD // len(line)))
        await until(lambda: (connections()[0]._head_size or 0) > LARGEST_HEAD - 1000)
        await wire.send(line)
        got = await wire.got()
        assert (got.status, got.headers["connection"]) == (431, "close")
        assert await wire.closed() == b""
        assert (desk.fast, desk.usual) == (0, 0)


async def test_a_large_head_in_one_go_is_refused_too() -> None:
    desk = Desk()
    async with house(desk) as port:
        wire = await port.wire()
        await wire.send(request(NOW, "Cookie: " + "x" * 2 * LARGEST_HEAD))
        assert (await wire.got()).status == 431
        assert (desk.fast, desk.usual) == (0, 0)


async def test_what_is_sent_while_waiting_is_bounded_and_not_lost() -> None:
    desk = Desk()
    async with house(desk) as port:
        wire = await port.wire()
        await wire.send(request("/live/show/1.m3u8"))
        await until(lambda: len(desk.bell) == 1)
        count = 2000
        sending = asyncio.create_task(wire.send(request(NOW) * count))
        (connection,) = connections()
        await until(lambda: connection.flow.read_paused)
        assert len(connection._held) <= LARGEST_HEAD + (256 << 10)
        desk.ring()
        assert (await wire.got()).body == b"1"
        for _ in range(count):
            assert (await wire.got()).status == 200
        await sending


async def test_one_too_many_is_told_to_come_later_and_the_others_go_on() -> None:
    async with house(Desk(), Limits(connections=2)) as port:
        first, second = await port.wire(), await port.wire()
        assert (await first.get(NOW)).status == (await second.get(NOW)).status == 200
        third = await port.wire()
        got = await third.got()
        assert (got.status, got.headers["retry-after"]) == (503, "5")
        second.leave()
        await until(lambda: len(connections()) == 1)
        assert (await (await port.wire()).get(NOW)).status == 200
        assert (await first.get(NOW)).status == 200


async def test_at_the_end_who_waits_is_told_and_who_reads_gets_the_rest() -> None:
    desk = Desk(big=BIG)
    async with house(desk) as port:
        waiting, reading, idle = await port.wire(), await port.wire(), await port.wire()
        await waiting.send(request("/live/show/1.m3u8"))
        await reading.send(request("/live/show/big"))
        await idle.get(NOW)
        await until(lambda: desk.fast == 3)
        rest = [asyncio.create_task(one.closed()) for one in (waiting, reading, idle)]
        port.wires.clear()  # they leave by themselves
    late, big, nothing = await asyncio.gather(*rest)
    assert late.endswith(LATE.body[0])
    assert b"\r\nconnection: close\r\n" in late
    assert big.endswith(BIG)
    assert nothing == b""
    assert not connections()


async def test_the_end_does_not_wait_for_who_does_not_read() -> None:
    desk = Desk(big=BIG)
    async with house(desk) as port:
        wire = await port.wire(receive_buffer=4096)
        await wire.send(request("/live/show/big"))
        await until(lambda: desk.fast == 1)
        port.wires.clear()
    await until(lambda: not connections())
    assert await taken(wire) < len(BIG)
