"""What thousands ask for is found out once, and never kept longer than it is true."""

from __future__ import annotations

import pytest

from restream.hls.bell import Bell, Waiting
from restream.hls.memo import LONGEST, MOST, Memo
from restream.hls.respond import TEXT, Answer, Request
from tests.restream.hls.wire import LATE


class Origin:
    """Notes what it was asked; the clock is the test's."""

    def __init__(self) -> None:
        self.bell = Bell()
        self.asked: list[Request] = []
        self.now = 100.0
        self.memo = Memo(self._resolve, lambda slug: self if slug == "show" else None, lambda: self.now)

    def _resolve(self, asked: Request) -> Answer | Waiting:
        self.asked.append(asked)
        if asked.path.endswith("/later"):
            return Waiting(self.bell, "later", lambda: None, 1.0, LATE)
        return Answer(404 if asked.path.endswith("/missing") else 200, TEXT, "no-store", (b"x",))


@pytest.fixture
def origin() -> Origin:
    return Origin()


def asked(path: str, query: bytes = b"", head: bytes = b"") -> Request:
    return Request("GET", path, query, head)


@pytest.mark.parametrize("path", ["/live/show/s1.m4s", "/live/show/later"])
def test_the_same_is_found_out_once_and_is_one_object(origin: Origin, path: str) -> None:
    first = origin.memo.resolve(asked(path))
    assert all(origin.memo.resolve(asked(path, head=b"\r\nx: %d" % n)) is first for n in range(1000))
    assert len(origin.asked) == 1


def test_another_address_query_or_encoding_is_another_thing(origin: Origin) -> None:
    different = [
        asked("/live/show/a"),
        asked("/live/show/b"),
        asked("/live/show/a", b"x=1"),
        asked("/live/show/a", b"", b"\r\nAccept-Encoding: gzip"),
    ]
    for _ in range(2):
        for one in different:
            origin.memo.resolve(one)
    assert origin.asked == different


def test_a_ring_makes_everything_new(origin: Origin) -> None:
    origin.memo.resolve(asked("/live/show/a"))
    origin.bell.ring()
    origin.memo.resolve(asked("/live/show/a"))
    assert len(origin.asked) == 2


def test_what_changes_without_a_ring_is_noticed_soon(origin: Origin) -> None:
    for _ in range(2):
        origin.memo.resolve(asked("/live/show/a"))
        origin.now += LONGEST * 0.9
    assert len(origin.asked) == 1
    origin.memo.resolve(asked("/live/show/a"))
    assert len(origin.asked) == 2


def test_a_show_that_began_anew_shares_nothing_with_the_one_before(origin: Origin) -> None:
    origin.memo.resolve(asked("/live/show/a"))
    origin.bell = Bell()
    origin.memo.resolve(asked("/live/show/a"))
    assert len(origin.asked) == 2


def test_refusals_and_unknown_shows_are_not_remembered(origin: Origin) -> None:
    for path in ("/live/show/missing", "/live/other/a"):
        for _ in range(3):
            origin.memo.resolve(asked(path))
    assert len(origin.asked) == 6


def test_made_up_addresses_do_not_fill_the_memory(origin: Origin) -> None:
    for number in range(10 * MOST):
        origin.memo.resolve(asked("/live/show/a", b"x=%d" % number))
    (shelf,) = origin.memo._shelves.values()
    assert len(shelf.found) <= MOST
