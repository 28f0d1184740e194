"""FLV as a byte stream: tags survive any way of cutting it; anything else is BrokenFlv."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.rtmp.flv_file import HEADER, LARGEST_TAG, BrokenFlv, FlvReader, Tag, tag
from tests.restream.rtmp.encodings import AV1_OPUS, recorded
from tests.restream.rtmp.test_chunk import pieces

TAGS = st.builds(Tag, st.sampled_from([8, 9, 18]), st.integers(0, 0xFFFF_FFFF), st.binary(max_size=500))


@given(tags=st.lists(TAGS, max_size=8), cuts=st.lists(st.integers(0, 1 << 20), max_size=12))
def test_tags_survive_any_split(tags: list[Tag], cuts: list[int]) -> None:
    data = HEADER + b"".join(tag(one.kind, one.timestamp, one.body) for one in tags)
    reader = FlvReader()
    assert [found for piece in pieces(data, cuts) for found in reader.feed(piece)] == tags


def test_times_are_taken_modulo_32_bits() -> None:
    assert FlvReader().feed(HEADER + tag(9, (1 << 32) + 7, b"x")) == [Tag(9, 7, b"x")]


def test_what_ffmpeg_writes_is_written_the_same_again() -> None:
    data = recorded(AV1_OPUS)
    found = FlvReader().feed(data)
    assert data[13:] == b"".join(tag(one.kind, one.timestamp, one.body) for one in found)
    reader = FlvReader()
    assert [one for at in range(0, len(data), 997) for one in reader.feed(data[at : at + 997])] == found


def test_what_does_not_begin_as_flv_is_refused() -> None:
    with pytest.raises(BrokenFlv, match="does not begin"):
        FlvReader().feed(b"RIFF" + bytes(20))


def test_a_tag_that_is_too_long_is_refused_before_its_bytes_are_awaited() -> None:
    with pytest.raises(BrokenFlv, match="more than we take"):
        FlvReader().feed(HEADER + b"\x09" + (LARGEST_TAG + 1).to_bytes(3, "big") + bytes(7))


@given(st.lists(st.binary(max_size=100), max_size=5), st.booleans())
def test_garbage_is_tags_or_broken(garbage: list[bytes], begun: bool) -> None:
    reader = FlvReader()
    with contextlib.suppress(BrokenFlv):
        if begun:
            reader.feed(HEADER)
        for piece in garbage:
            reader.feed(piece)
