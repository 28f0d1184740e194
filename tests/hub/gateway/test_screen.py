"""What one connection may do, in made-up time."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from picows import WSCloseCode

from hub.gateway.door import Door
from hub.gateway.screen import STAFF_STAYS, Screen, Visit
from tests.hub.gateway.test_misses_nothing import MadeUpTime


class Transport:
    """Picows's, as far as a screen knows it."""

    def __init__(self) -> None:
        self.closed: list[tuple[WSCloseCode, float]] = []
        self.underlying_transport = SimpleNamespace(
            set_write_buffer_limits=lambda high, low: None, get_extra_info=lambda name: ("198.51.100.7", 4711)
        )

    def send_close(self, code: WSCloseCode) -> None:
        self.closed.append((code, asyncio.get_running_loop().time()))

    def disconnect(self, *, graceful: bool) -> None:
        assert graceful


class House:
    """Everybody is welcome."""

    def came(self, screen: Screen, peer: str) -> bool:
        return True

    def left(self, screen: Screen) -> None:
        pass

    def slowed(self, screen: Screen, *, behind: bool) -> None:
        pass

    def annoyed(self) -> None:
        pass

    def told(self, screen: Screen, frame: bytes, *, too_often: bool) -> None:
        pass


@pytest.mark.parametrize(
    ("viewer_id", "closed"), [(None, [(WSCloseCode.SERVICE_RESTART, STAFF_STAYS)]), ("ana", [])]
)
def test_staff_need_a_fresh_ticket_after_a_while(
    viewer_id: str | None, closed: list[tuple[WSCloseCode, float]]
) -> None:
    async def stay() -> list[tuple[WSCloseCode, float]]:
        transport: Any = Transport()
        screen = Screen(House(), Visit(uuid4(), viewer_id, None))
        screen.on_ws_connected(transport)
        await asyncio.sleep(2 * STAFF_STAYS)
        screen.on_ws_disconnected(transport)
        told: list[tuple[WSCloseCode, float]] = transport.closed
        return told

    with asyncio.Runner(loop_factory=MadeUpTime) as runner:
        assert runner.run(stay()) == closed


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("198.51.100.7", "203.0.113.1", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.1", "203.0.113.1"),
        ("::ffff:127.0.0.1", "203.0.113.9, 203.0.113.1, 10.0.0.2", "203.0.113.1"),
        ("10.0.0.9", "2001:db8::1", "2001:db8::1"),
        ("127.0.0.1", "", None),
        ("127.0.0.1", "10.0.0.3,", None),
        ("not an address", "203.0.113.1", "not an address"),
    ],
)
def test_a_viewers_address_is_what_the_last_foreign_hop_was(
    peer: str, forwarded: str, address: str | None
) -> None:
    assert Door(most=1, proxies="127.0.0.1, 10.0.0.0/8,::1").address(peer, forwarded) == address


def test_who_leaves_makes_room_for_another() -> None:
    door = Door(most=2, proxies="", each=1)
    assert [door.enter("a"), door.enter("a"), door.enter(None)] == [True, False, True]
    before = door.full
    door.leave("a")
    assert (before, door.full, door.enter("a")) == (True, False, True)
