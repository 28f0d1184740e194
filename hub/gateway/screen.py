"""One WebSocket: the wire of a room's member, and what it may do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from hub.events.schema import LARGEST_FRAME
from hub.gateway.deflate import inflated
from hub.gateway.news import HEAD, encode, joined
from hub.gateway.room import Member
from hub.gateway.staff import Pass

TOO_FAR_BEHIND: Final = 128 << 10
"""Bytes that wait for one screen; beyond that, and until a quarter is left, it is sent nothing."""
STAFF_STAYS: Final = 1800.0
"""Seconds; then staff need a fresh ticket, and who has left the brand gets none. Pages see to that."""
CALM: Final = 10.0
MOST_SAID: Final = 30
"""Frames that one may send us in `CALM` seconds. Our pages ping three times a minute."""
MOST_TOLD: Final = 12
"""Of them with events, which our pages send every two seconds at most; the rest is for later."""
LARGEST_WORDS: Final = 4096
"""Of any frame but one with events."""
EVENTS: Final = b'{"t":"events"'
"""How a frame with events begins."""
PONG: Final = encode("pong", None, {})


@dataclass(frozen=True)
class Visit:
    """Who wants in, what they have seen, where they come from, and whether they take deflated frames."""

    show_id: UUID
    viewer_id: str | None
    after: int | None
    forwarded: str = ""
    brand_id: UUID | None = None
    staff: Pass | None = None
    inflates: bool = False


class House(Protocol):
    """Where screens live."""

    def came(self, screen: Screen, peer: str) -> bool:
        """It is connected; False when it may not stay."""
        ...

    def left(self, screen: Screen) -> None:
        """It is gone."""
        ...

    def slowed(self, screen: Screen, *, behind: bool) -> None:
        """It takes no more for now, or it does again."""
        ...

    def annoyed(self) -> None:
        """One talked too much."""
        ...

    def told(self, screen: Screen, frame: bytes, *, too_often: bool) -> None:
        """Its page says what happened."""
        ...


class Screen(WSListener):
    """Answers pings of pages, which cannot see those of the protocol; passes on events; says goodbye.

    `stay` names this visit of the room, while it lasts.
    """

    __slots__ = (
        *("_end", "_house", "_said", "_since", "_told", "_transport"),
        *("address", "member", "stay", "stays", "visit"),
    )

    def __init__(self, house: House, visit: Visit) -> None:
        self.visit = visit
        self.member = Member(self, visit.viewer_id, visit.inflates)
        self.address: str | None = None
        self.stays = False
        self.stay: UUID | None = None
        self._house = house
        self._transport: WSTransport | None = None
        self._end: asyncio.TimerHandle | None = None
        self._said = 0
        self._told = 0
        self._since = 0.0

    def on_ws_connected(self, transport: WSTransport) -> None:
        """picows: the handshake is done."""
        self._transport = transport
        transport.underlying_transport.set_write_buffer_limits(TOO_FAR_BEHIND, TOO_FAR_BEHIND // 4)
        peer = transport.underlying_transport.get_extra_info("peername")
        self.stays = self._house.came(self, str(peer[0]) if peer else "")
        if not self.stays:
            self._part(WSCloseCode.TRY_AGAIN_LATER)
        elif self.member.staff:
            self._end = asyncio.get_running_loop().call_later(STAFF_STAYS, self.close)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """picows: a frame."""
        if frame.msg_type == WSMsgType.CLOSE:
            self._part(WSCloseCode.OK)
            return
        now = asyncio.get_running_loop().time()
        if now - self._since > CALM:
            self._since, self._said, self._told = now, 0, 0
        self._said += 1
        words = self._words(frame)
        events = words is not None and words.startswith(EVENTS)
        if words is None or self._said > MOST_SAID or (not events and len(words) > LARGEST_WORDS):
            self._house.annoyed()
            self._part(WSCloseCode.POLICY_VIOLATION)
        elif events:
            self._told += 1
            self._house.told(self, words, too_often=self._told > MOST_TOLD)
        elif words and not self.member.behind:
            self.send(joined([PONG]))

    def _words(self, frame: WSFrame) -> bytes | None:
        """What a text frame says; None when it does not keep to what was agreed.

        Fragments are not agreed on: browsers send in one frame whatever is as short as our pages' words.
        """
        if not frame.fin or frame.msg_type == WSMsgType.CONTINUATION:
            return None
        if frame.msg_type != WSMsgType.TEXT:
            return b"" if frame.payload_size <= LARGEST_WORDS else None
        words = frame.get_payload_as_bytes()
        if not frame.rsv1:
            return words
        return inflated(words, LARGEST_FRAME) if self.visit.inflates else None

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """picows: gone."""
        self._transport = None
        if self._end:
            self._end.cancel()
        if self.stays:
            self.stays = False
            self._house.left(self)

    def pause_writing(self) -> None:
        """picows: more than `TOO_FAR_BEHIND` waits."""
        self._house.slowed(self, behind=True)

    def resume_writing(self) -> None:
        """picows: most of it is taken."""
        self._house.slowed(self, behind=False)

    def send(self, frame: bytearray, small: bytearray | None = None) -> int:
        """One text frame, if the socket is still there. `small`, the same one deflated, where it inflates."""
        if self._transport is None:
            return 0
        # picows' `send` would copy it, and hand what is over 8 KiB to the event loop piece by piece.
        if small is not None and self.member.inflates:
            self._transport.send_reuse_external_bytearray(WSMsgType.TEXT, small, HEAD, True, True)
            return len(small) - HEAD
        self._transport.send_reuse_external_bytearray(WSMsgType.TEXT, frame, HEAD)
        return len(frame) - HEAD

    def close(self) -> None:
        """Hang up; the page calls again."""
        self._part(WSCloseCode.SERVICE_RESTART)

    def _part(self, code: WSCloseCode) -> None:
        if self._transport:
            self._transport.send_close(code)
            # What waits for a slow one may wait for ever.
            self._transport.disconnect(graceful=not self.member.behind)
