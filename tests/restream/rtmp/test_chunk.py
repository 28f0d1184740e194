"""The chunk stream: any message survives any way of cutting it; nothing a peer sends costs without bound."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.rtmp.chunk import EXTENDED, LARGEST_COMMAND, BrokenChunk, ChunkReader, serialise
from restream.rtmp.message import ABORT, AUDIO, SET_CHUNK, VIDEO, Message, u32

TIMES = st.one_of(
    st.integers(0, 0xFFFF_FFFF), st.sampled_from([0, EXTENDED - 1, EXTENDED, EXTENDED + 1, 0xFFFF_FFFF])
)
MESSAGES = st.builds(
    Message,
    st.sampled_from([AUDIO, VIDEO, 18, 20]),
    TIMES,
    st.integers(0, 0xFFFF_FFFF),
    st.binary(max_size=900),
)


def pieces(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """The data cut at some places."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(places)]


def read(data: Iterable[bytes], reader: ChunkReader | None = None) -> list[Message]:
    """What one reader makes of it."""
    reader = reader or ChunkReader()
    return [message for piece in data for message in reader.feed(piece)]


def header(form: int, number: int, time: int, length: int, kind: int, stream: int = 1) -> bytes:
    """A chunk's header as the specification draws it (RTMP 1.0, 5.3.1), for any chunk stream number."""
    if number < 64:
        basic = bytes([form << 6 | number])
    elif number < 320:
        basic = bytes([form << 6, number - 64])
    else:
        basic = bytes([form << 6 | 1]) + struct.pack("<H", number - 64)
    short = min(time, EXTENDED).to_bytes(3, "big")
    full = short + length.to_bytes(3, "big") + bytes([kind]) + stream.to_bytes(4, "little")
    extra = struct.pack(">I", time) if time >= EXTENDED else b""
    return basic + full[: (11, 7, 3, 0)[form]] + extra


@given(
    messages=st.lists(st.tuples(MESSAGES, st.integers(2, 63)), max_size=6),
    chunk_size=st.integers(1, 70_000),
    cuts=st.lists(st.integers(0, 1 << 20), max_size=12),
)
def test_messages_survive_any_chunk_size_and_any_split(
    messages: list[tuple[Message, int]], chunk_size: int, cuts: list[int]
) -> None:
    data = serialise(u32(SET_CHUNK, chunk_size), 2, 128)
    data += b"".join(serialise(message, number, chunk_size) for message, number in messages)
    assert read(pieces(data, cuts))[1:] == [message for message, _ in messages]


def test_byte_by_byte_is_the_same_as_at_once() -> None:
    sent = [Message(VIDEO, 20_000_000 + n, 1, bytes([n]) * 300) for n in range(4)]
    data = b"".join(serialise(message, 6, 128) for message in sent)
    assert read(data[at : at + 1] for at in range(len(data))) == sent


@given(sizes=st.lists(st.integers(1, 700), min_size=2, max_size=5), data=st.data())
def test_messages_may_be_interleaved_chunk_by_chunk(sizes: list[int], data: st.DataObject) -> None:
    """Each chunk stream is its own; the chunks of several come in any order."""
    sent = [Message(VIDEO, 1000 + n, 1, bytes([n]) * size) for n, size in enumerate(sizes)]
    queues = []
    for n, message in enumerate(sent):
        body = [message.payload[at : at + 128] for at in range(0, len(message.payload), 128)]
        number = (3, 70, 400, 65_599, 63)[n]
        first = header(0, number, message.timestamp, len(message.payload), message.kind) + body[0]
        queues.append([first, *(header(3, number, 0, 0, 0) + rest for rest in body[1:])])
    line = []
    while any(queues):
        queue = data.draw(st.sampled_from([queue for queue in queues if queue]))
        line.append(queue.pop(0))
    found = read([b"".join(line)])
    assert sorted(found, key=lambda message: message.timestamp) == sent


def test_short_headers_add_their_delta() -> None:
    data = header(0, 4, 1000, 2, AUDIO) + b"ab"
    data += header(1, 4, 20, 3, AUDIO) + b"cde"
    data += header(2, 4, 30, 0, 0) + b"fgh"
    data += header(3, 4, 0, 0, 0) + b"ijk"
    found = read([data])
    assert [m.timestamp for m in found] == [1000, 1020, 1050, 1080]
    assert [m.payload for m in found] == [b"ab", b"cde", b"fgh", b"ijk"]
    assert {(m.kind, m.stream) for m in found} == {(AUDIO, 1)}


def test_time_wraps_at_32_bits() -> None:
    data = header(0, 4, 0xFFFF_FFFF, 1, AUDIO) + b"a" + header(1, 4, 2, 1, AUDIO) + b"b"
    assert [m.timestamp for m in read([data])] == [0xFFFF_FFFF, 1]


@pytest.mark.parametrize("repeated", [True, False])
def test_continuations_may_repeat_the_extended_timestamp_or_not(repeated: bool) -> None:
    """The specification repeats it; librtmp's relatives do not."""
    body = bytes(range(256)) * 2
    time = 0x0123_4567
    more = header(3, 6, time if repeated else 0, 0, 0)
    data = header(0, 6, time, len(body), VIDEO) + body[:128]
    data += b"".join(more + body[at : at + 128] for at in range(128, len(body), 128))
    assert read([data]) == [Message(VIDEO, time, 1, body)]
    assert read(data[at : at + 3] for at in range(0, len(data), 3)) == [Message(VIDEO, time, 1, body)]


def test_a_new_chunk_size_holds_for_the_chunks_that_follow_even_inside_a_message() -> None:
    body = bytes(1000)
    data = header(0, 6, 5, 1000, VIDEO) + body[:128]
    data += serialise(u32(SET_CHUNK, 4096), 2, 128)
    data += header(3, 6, 0, 0, 0) + body[128:]
    reader = ChunkReader()
    assert read([data], reader)[-1] == Message(VIDEO, 5, 1, body)
    assert reader.chunk_size == 4096


def test_the_top_bit_of_a_chunk_size_is_not_part_of_it() -> None:
    reader = ChunkReader()
    reader.feed(serialise(u32(SET_CHUNK, 0x8000_1000), 2, 128))
    assert reader.chunk_size == 4096


def test_abort_throws_the_unfinished_message_away() -> None:
    data = header(0, 6, 5, 1000, VIDEO) + bytes(128)
    data += serialise(u32(ABORT, 6), 2, 128)
    data += header(0, 6, 9, 3, VIDEO) + b"new"
    assert read([data])[-1] == Message(VIDEO, 9, 1, b"new")


def test_a_new_header_throws_the_unfinished_message_away() -> None:
    data = header(0, 6, 5, 1000, VIDEO) + bytes(128) + header(0, 6, 9, 3, VIDEO) + b"new"
    assert read([data]) == [Message(VIDEO, 9, 1, b"new")]


def test_an_empty_message_is_a_message() -> None:
    assert read([header(0, 4, 7, 0, AUDIO)]) == [Message(AUDIO, 7, 1, b"")]


def test_a_chunk_stream_cannot_begin_in_the_middle() -> None:
    for form in (2, 3):
        with pytest.raises(BrokenChunk, match="without a header"):
            ChunkReader().feed(header(form, 6, 0, 0, 0) + bytes(20))


def test_a_chunk_size_of_nothing_is_refused() -> None:
    with pytest.raises(BrokenChunk):
        ChunkReader().feed(serialise(u32(SET_CHUNK, 0), 2, 128))


def test_a_message_that_is_too_long_is_refused_before_its_bytes_are_awaited() -> None:
    reader = ChunkReader(LARGEST_COMMAND)
    with pytest.raises(BrokenChunk, match="more than we take"):
        reader.feed(header(0, 6, 0, LARGEST_COMMAND + 1, VIDEO))
    reader = ChunkReader(LARGEST_COMMAND)
    reader.largest = LARGEST_COMMAND + 1
    reader.feed(header(0, 6, 0, LARGEST_COMMAND + 1, VIDEO))


def test_unfinished_messages_are_held_up_to_a_limit() -> None:
    reader = ChunkReader(1000)
    for number in range(3, 3 + 2000 // 128):
        reader.feed(header(0, number, 0, 1000, VIDEO) + bytes(128))
    for number in range(3, 3 + 2000 // 128):
        reader.feed(header(0, number, 0, 1000, VIDEO) + bytes(128))
    with pytest.raises(BrokenChunk, match="unfinished"):
        reader.feed(header(0, 50, 0, 1000, VIDEO) + bytes(128))
    held = sum(len(stream.partial) for stream in reader._streams.values())
    assert held <= 2 * 1000 + 128


def test_finished_aborted_and_replaced_messages_do_not_count_as_unfinished() -> None:
    reader = ChunkReader(1000)
    for _ in range(20):
        reader.feed(serialise(Message(VIDEO, 0, 1, bytes(1000)), 6, 128))
        reader.feed(header(0, 7, 0, 1000, VIDEO) + bytes(128) + serialise(u32(ABORT, 7), 2, 128))
        reader.feed(header(0, 8, 0, 1000, VIDEO) + bytes(128))


def test_chunk_streams_are_opened_up_to_a_limit() -> None:
    with pytest.raises(BrokenChunk, match="too many chunk streams"):
        ChunkReader().feed(b"".join(header(0, number, 0, 0, AUDIO) for number in range(3, 80)))


@given(st.lists(st.binary(max_size=400), max_size=4))
def test_garbage_gives_messages_or_broken_chunk(garbage: list[bytes]) -> None:
    reader = ChunkReader()
    try:
        for piece in garbage:
            reader.feed(piece)
    except BrokenChunk:
        return
    assert len(reader._rest) <= 17
