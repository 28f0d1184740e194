"""AMF0: whatever we can say survives; whatever else comes is BrokenAmf."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from restream.rtmp import amf0
from restream.rtmp.amf0 import BrokenAmf, Value

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
VALUES: st.SearchStrategy[Value] = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(VALUES, max_size=5))
def test_values_come_back_as_they_went(values: list[Value]) -> None:
    assert amf0.decode(amf0.encode(*values)) == values


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_an_ecma_array_reads_like_an_object(members: dict[str, Value]) -> None:
    assert amf0.decode(amf0.encode_ecma_array(members)) == [members]


def test_a_long_string_survives() -> None:
    text = "ü" * 60_000
    assert amf0.decode(amf0.encode(text)) == [text]


def test_documented_bytes_read_as_documented() -> None:
    """The examples of the AMF0 specification, 2.2 to 2.14, and what encoders send of them."""
    assert amf0.decode(bytes.fromhex("00 3ff0000000000000 01 01 02 0002 6869 05 06")) == [
        1.0,
        True,
        "hi",
        None,
        None,
    ]
    date = b"\x0b" + struct.pack(">d", 1_700_000_000_000.0) + b"\0\0"
    assert amf0.decode(date + b"\x05") == [1_700_000_000_000.0, None]
    assert amf0.encode("connect", 1.0) == bytes.fromhex("02 0007 636f6e6e656374 00 3ff0000000000000")


@given(st.binary(max_size=200))
@example(b"\x02")
@example(b"\x02\x00")
@example(b"\x0c\xff\xff\xff\xff")
@example(b"\x0a\xff\xff\xff\xff")
@example(b"\x03\x00\x01a")
@example(b"\x02\x00\x01\xff")
@example(b"\x10")
def test_garbage_is_values_or_broken_amf(garbage: bytes) -> None:
    with contextlib.suppress(BrokenAmf):
        amf0.decode(garbage)


@given(values=st.lists(VALUES, min_size=1, max_size=3), cut=st.integers(1, 40))
def test_what_breaks_off_never_reads_as_more_than_was_sent(values: list[Value], cut: int) -> None:
    data = amf0.encode(*values)
    try:
        found = amf0.decode(data[: max(0, len(data) - cut)])
    except BrokenAmf:
        return
    assert found == values[: len(found)]
    assert len(found) < len(values)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(BrokenAmf, match="deep"):
        amf0.decode(b"\x03\x00\x01a" * 500)
    with pytest.raises(BrokenAmf, match="deep"):
        amf0.decode(b"\x0a\x00\x00\x00\x01" * 500)


def test_more_bytes_than_any_command_has_are_refused() -> None:
    with pytest.raises(BrokenAmf, match="more than we take"):
        amf0.decode(b"\x05" * (amf0.LARGEST + 1))
