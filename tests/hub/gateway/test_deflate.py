"""permessage-deflate: what is agreed, that nothing changes on the way, and what is refused."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.gateway.deflate import accepted, deflated, inflated
from hub.gateway.news import HEAD, joined


@given(st.lists(st.text()))
def test_what_is_deflated_comes_out_as_it_was(texts: list[str]) -> None:
    frame = joined(text.encode() for text in texts)
    small = deflated(frame, HEAD)
    assert inflated(bytes(small[HEAD:]), len(frame)) == bytes(frame[HEAD:])


@pytest.mark.parametrize(
    ("offers", "taken"),
    [
        ("permessage-deflate", True),
        ("permessage-deflate; client_max_window_bits", True),
        ("permessage-deflate; client_max_window_bits=12; server_no_context_takeover", True),
        ("Permessage-Deflate;Client_No_Context_Takeover", True),
        ("x-webkit-deflate-frame, permessage-deflate", True),
        ("permessage-deflate; server_max_window_bits=10", False),
        ("permessage-deflate; server_max_window_bits=10, permessage-deflate", True),
        ("permessage-deflate; unheard_of", False),
        ("permessage-bzip2", False),
        ("", False),
    ],
)
def test_an_offer_is_taken_when_we_can_keep_to_it(offers: str, taken: bool) -> None:
    assert accepted(offers) is taken


@pytest.mark.parametrize(
    "payload", [b"\xff\xff\xff", zlib.compress(b"with a header of zlib's own")], ids=["noise", "zlib"]
)
def test_what_was_never_deflated_is_refused(payload: bytes) -> None:
    assert inflated(payload, 1000) is None


@given(st.text(min_size=1))
def test_a_part_of_a_message_is_not_taken_for_the_whole(words: str) -> None:
    payload = bytes(deflated(bytearray(HEAD) + bytearray(words.encode()), HEAD)[HEAD:])
    assert inflated(payload, len(words.encode())) == words.encode()
    for length in range(1, len(payload)):
        # One byte of what did not shrink is the same as an empty message.
        assert inflated(payload[:length], 1000) in (None, b"")
    assert inflated(payload + b"\x01\x00\x00\xff\xff" + b"and more", 1000) is None


def test_a_message_may_end_its_stream_itself() -> None:
    """The example of RFC 7692, 7.2.3.5."""
    assert inflated(b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 5) == b"Hello"
    assert inflated(b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00and more", 1000) is None


def test_a_small_frame_that_would_become_a_huge_text_is_refused() -> None:
    bomb = deflated(bytearray(HEAD) + bytearray(50_000_000), HEAD)[HEAD:]
    assert len(bomb) < 300_000
    assert inflated(bytes(bomb), 32 << 10) is None
