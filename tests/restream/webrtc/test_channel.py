"""What goes through the Unix socket comes out of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.webrtc.channel import (
    Answered,
    Begin,
    BrokenChannel,
    Control,
    Forget,
    Gone,
    Leave,
    Open,
    Ready,
    Restart,
    Splitter,
    Told,
    Unit,
    control,
    media,
)

CONTROLS: list[Control] = [
    Begin("127.0.0.1", 8190, ["192.0.2.1"]),
    Ready(8190),
    Open(1, "viewer", "v=0\r\n", "42c0", "show", 1, 2),
    Restart(2, "viewer"),
    Answered(1, "v=0\r\n"),
    Leave("viewer"),
    Forget(1),
    Gone("viewer", "It has left."),
    Told({}, 1, 2, 3),
]
units = st.builds(
    Unit,
    st.integers(0, 1 << 31),
    st.integers(-(1 << 40), 1 << 40),
    st.floats(0, 1e10),
    st.booleans(),
    st.lists(st.binary(min_size=1, max_size=1186), max_size=20).map(tuple),
)


@given(st.lists(st.one_of(st.sampled_from(CONTROLS), units)), st.integers(1, 5000))
def test_messages_survive_however_they_are_cut(messages: list[Control | Unit], step: int) -> None:
    data = b"".join(media(one) if isinstance(one, Unit) else control(one) for one in messages)
    splitter = Splitter()
    found = [one for at in range(0, len(data), step) for one in splitter.feed(data[at : at + step])]
    assert found == messages


@given(st.binary(min_size=1, max_size=60))
def test_nonsense_is_noticed(junk: bytes) -> None:
    for kind in (b"\0", b"\1", b"\7"):
        with pytest.raises(BrokenChannel):
            Splitter().feed((len(junk) + 1).to_bytes(4, "big") + kind + junk)
    with pytest.raises(BrokenChannel):
        Splitter().feed(b"\xff\xff\xff\xff")
