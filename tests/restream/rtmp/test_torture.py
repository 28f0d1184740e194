"""RTMP as nobody should send it and somebody does; the bytes are made here and not by the code under test."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest

from restream.media import Frame, Kind
from restream.rtmp import handshake
from restream.rtmp.message import AUDIO, SET_CHUNK, VIDEO, u32
from restream.rtmp.server import Patience, RtmpServer, serve
from tests.restream.hls.feed import Shape, stream
from tests.restream.rtmp.churn import churn, held
from tests.restream.rtmp.peers import NotingGate, Peer, peer

SHAPE = Shape(seconds=1, gop=30, bframes=2)
LONG = 0xFFFFFF


def chunked(frame: Frame, chunk_size: int, *, later: int = 0, repeat: bool = True, number: int = 6) -> bytes:
    """A frame as a type 0 header and continuations, which `repeat` an extended timestamp or don't."""
    time, body = (frame.dts + later) & 0xFFFF_FFFF, frame.payload
    extended = time.to_bytes(4, "big") if time >= LONG else b""
    head = min(time, LONG).to_bytes(3, "big") + len(body).to_bytes(3, "big") + bytes([frame.kind, 1, 0, 0, 0])
    more = bytes([0xC0 | number]) + (extended if repeat else b"")
    pieces = [body[at : at + chunk_size] for at in range(0, len(body), chunk_size)]
    return bytes([number]) + head + extended + more.join(pieces)


async def arrives(
    gate: NotingGate, encoder: Peer, chunk_size: int, data: bytes, wanted: list[Frame], later: int = 0
) -> None:
    """Publish, send the bytes, and find the frames behind the server."""
    await encoder.publish()
    encoder.send(u32(SET_CHUNK, chunk_size), 2)
    encoder.writer.write(data)
    intake = await gate.intake()
    await intake.until(lambda: len(intake.frames) >= len(wanted) or intake.over.is_set())
    assert intake.reason == ""
    assert [(f.kind, f.dts, f.cts, f.payload) for f in intake.frames] == [
        (f.kind, f.dts + later, f.cts, f.payload) for f in wanted
    ]


@pytest.mark.parametrize("chunk_size", [1, 128, 65536])
async def test_any_chunk_size_is_read(chunk_size: int, gate: NotingGate, encoder: Peer) -> None:
    frames = list(stream(SHAPE))
    data = b"".join(chunked(frame, chunk_size) for frame in frames)
    await arrives(gate, encoder, chunk_size, data, frames)


@pytest.mark.parametrize("chunk_size", [1, 128, 65536])
@pytest.mark.parametrize("repeat", [True, False], ids=["repeated", "left out"])
async def test_extended_timestamps_are_read_whether_continuations_repeat_them_or_not(
    chunk_size: int, repeat: bool, gate: NotingGate, encoder: Peer
) -> None:
    """From a little before 4.7 hours, where they begin, to a little after."""
    later, frames = LONG - 500, list(stream(SHAPE))
    data = b"".join(chunked(frame, chunk_size, later=later, repeat=repeat) for frame in frames)
    await arrives(gate, encoder, chunk_size, data, frames, later)


async def test_who_leaves_the_extended_timestamp_out_is_not_kept_waiting_for_it(
    gate: NotingGate, encoder: Peer
) -> None:
    """A last continuation of less than four bytes is read at once, not with the next message."""
    picture = b"\x17\x01\0\0\0" + bytes(range(1, 126))  # 128 bytes and two
    frames = [Frame(Kind.VIDEO, LONG + n, picture, picture[5:], keyframe=True) for n in range(2)]
    long = Frame(Kind.VIDEO, LONG, picture * 3, b"", keyframe=True)
    data = b"".join(chunked(frame, 128, repeat=False) for frame in (long, *frames))
    await arrives(gate, encoder, 128, data, [long, *frames])


async def test_the_clock_may_wrap_in_the_middle(gate: NotingGate, encoder: Peer) -> None:
    later, frames = (1 << 32) - 500, [f for f in stream(SHAPE) if not f.header]
    data = b"".join(chunked(frame, 128, later=later) for frame in frames)
    await arrives(gate, encoder, 128, data, frames, later)


async def test_a_header_of_one_byte_may_begin_a_message(gate: NotingGate, encoder: Peer) -> None:
    """Type 3 for a message like the last one: same length, same step in time."""
    sounds = [b"\xaf\x01" + bytes([n]) * 10 for n in range(6)]
    head = (1000).to_bytes(3, "big") + (12).to_bytes(3, "big") + bytes([AUDIO, 1, 0, 0, 0])
    delta = (21).to_bytes(3, "big")
    data = b"\x04" + head + sounds[0] + b"\x84" + delta + sounds[1]
    data += b"".join(b"\xc4" + sound for sound in sounds[2:])
    wanted = [Frame(Kind.AUDIO, 1000 + 21 * n, sound, sound[2:]) for n, sound in enumerate(sounds)]
    await arrives(gate, encoder, 128, data, wanted)


async def test_so_it_may_with_long_steps_and_long_messages(gate: NotingGate, encoder: Peer) -> None:
    """An extended delta is repeated by each type 3 header, those that begin messages too."""
    step, sounds = LONG + 7, [b"\xaf\x01" + bytes([n]) * 198 for n in range(4)]
    wide = step.to_bytes(4, "big")
    head = (0).to_bytes(3, "big") + (200).to_bytes(3, "big") + bytes([AUDIO, 1, 0, 0, 0])
    first, rest = [sound[:128] for sound in sounds], [sound[128:] for sound in sounds]
    data = b"\x04" + head + first[0] + b"\xc4" + rest[0]
    data += b"\x84\xff\xff\xff" + wide + first[1] + b"\xc4" + wide + rest[1]
    for n in (2, 3):
        data += b"\xc4" + wide + first[n] + b"\xc4" + wide + rest[n]
    wanted = [Frame(Kind.AUDIO, step * n, sound, sound[2:]) for n, sound in enumerate(sounds)]
    await arrives(gate, encoder, 128, data, wanted)


async def test_chunks_of_pictures_and_sound_may_take_turns(gate: NotingGate, encoder: Peer) -> None:
    """On channels with one, two and three bytes of header, as the specification allows them."""
    picture = b"\x17\x01\0\0\0" + bytes(1000)
    sound = b"\xaf\x01" + bytes(300)
    pieces = []
    for basic, kind, body in ((b"\x00\x10", VIDEO, picture), (b"\x01\x10\x10", AUDIO, sound)):
        more = bytes([basic[0] | 0xC0]) + basic[1:]
        head = bytes(3) + len(body).to_bytes(3, "big") + bytes([kind, 1, 0, 0, 0])
        cut = [body[at : at + 128] for at in range(0, len(body), 128)]
        pieces.append([basic + head + cut[0], *(more + one for one in cut[1:])])
    line = []
    while any(pieces):
        line += [some.pop(0) for some in pieces if some]
    wanted = [Frame(Kind.AUDIO, 0, sound, b""), Frame(Kind.VIDEO, 0, picture, b"")]
    await arrives(gate, encoder, 128, b"".join(line), wanted)


async def test_bytes_may_come_one_by_one(gate: NotingGate, encoder: Peer) -> None:
    frames = list(stream(Shape(seconds=0.2, gop=30, size="64x36")))
    data = b"".join(chunked(frame, 128) for frame in frames)
    await encoder.publish()
    intake = await gate.intake()
    for at in range(len(data)):
        encoder.writer.write(data[at : at + 1])
        await encoder.writer.drain()
        await asyncio.sleep(0)
    await intake.until(lambda: len(intake.frames) == len(frames))
    assert [(f.dts, f.payload) for f in intake.frames] == [(f.dts, f.payload) for f in frames]


async def test_junk_ends_the_connection_it_comes_on_and_no_other(
    gate: NotingGate, server: RtmpServer, encoder: Peer
) -> None:
    await encoder.publish()
    good = await gate.intake()
    chance = random.Random(7)
    for turn in range(30):
        async with peer(server.port) as other:
            if turn % 3 == 0:
                other.writer.write(bytes([chance.choice([3, 6, 22, 71])]) + chance.randbytes(5000))
            elif turn % 3 == 1:
                await other.greet()
                other.writer.write(chance.randbytes(5000))
            else:
                await other.publish()
                other.writer.write(chance.randbytes(5000))
            await other.hung_up()
    frames = list(stream(SHAPE))
    encoder.writer.write(b"".join(chunked(frame, 128) for frame in frames))
    await good.until(lambda: len(good.frames) == len(frames))
    assert not good.over.is_set()
    for intake in gate.intakes[1:]:
        await intake.until(intake.over.is_set)


async def test_who_greets_byte_by_byte_for_ever_is_cut_in_time(gate: NotingGate) -> None:
    """Slowloris: each byte is proof of life, and none of them publishes."""
    server = await serve(gate, "127.0.0.1", 0, patience=Patience(greeting=1.0))
    async with peer(server.port) as good, contextlib.AsyncExitStack() as stack:
        await good.publish()
        slow = [await stack.enter_async_context(peer(server.port)) for _ in range(40)]
        dripping = [asyncio.create_task(drip(one)) for one in slow]
        await asyncio.gather(*(one.left() for one in slow))
        for task in dripping:
            task.cancel()
        await asyncio.gather(*dripping, return_exceptions=True)
        assert len(server._connections) == 1
        intake = await gate.intake()
        good.writer.write(b"".join(chunked(frame, 128) for frame in stream(SHAPE)))
        await intake.until(lambda: len(intake.frames) == len(stream(SHAPE)))
    await server.close()


async def drip(one: Peer) -> None:
    """One byte after the other, each a little later."""
    with contextlib.suppress(OSError):
        for byte in bytes([handshake.VERSION]) + handshake.hello():
            one.writer.write(bytes([byte]))
            await one.writer.drain()
            await asyncio.sleep(0.02)


async def test_two_hundred_connections_leave_nothing_behind(gate: NotingGate, server: RtmpServer) -> None:
    await churn(server, 0, 20)
    descriptors, _ = held(gate)
    await churn(server, 0, 200)
    assert held(gate)[0] <= descriptors
