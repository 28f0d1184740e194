"""Decides who is on air: the primary, the standby, a source, the slate, or nobody.

    nobody ──a publisher comes──▶ on air ──silent or gone──▶ covered: the next best publisher at once,
      ▲                            ▲  ▲                        else the slate
      │                            │  └──at its keyframe─────────┤
      └───────────grace is over────┼─────────────────────────────┘
                                   └── back to the primary, when it has sent steadily again

Nothing here knows an event loop: publishers call in with their frames, and `tick` does what is due by the
clock. Silence is measured by the clock and not by timestamps, so a frozen publisher is like a lost one.
After the grace window readers are told that the feed has ended. Targets then keep their connections for as
long as the platforms do; whoever publishes next begins anew, at the next moment of the same timeline.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from restream.continuity.flow import SILENCE
from restream.continuity.slate import Player, Shape, Slate
from restream.continuity.splice import Splice, at_time
from restream.media import Frame, Kind

if TYPE_CHECKING:
    from restream.live import Live, Session

Role = Literal["primary", "backup", "source"]
"""By whom the feed is sent, the best first: the show's key, its backup key, a source of our own."""
OnAir = Literal["primary", "backup", "slate", "nothing"]

ROLES: Final[tuple[Role, ...]] = ("primary", "backup", "source")
GAP_MS: Final = 40
"""Between the last frame of one publisher and the first of the next: about one frame."""
LONGEST_STEP_MS: Final = 450
"""The timeline follows the clock over a switch, but never by a hole that a player would notice."""
HOLE: Final = 1.0
"""Seconds without anything sent after which readers must begin anew: their clocks have run on."""
SHORTEST_REST: Final = 0.008
IDLE_REST: Final = 0.5
COVER_REST: Final = 0.05


@dataclass(frozen=True)
class Rules:
    """`grace` seconds are covered when everybody is gone; `sticky`: the standby stays until it drops."""

    grace: float = 0.0
    sticky: bool = False


class Director:
    """One per live. `slate` is what fits the feed, None until there is one; `shape` is what it must fit.

    `on_switch(on_air, reason)` is called after every change of what is on air.
    """

    def __init__(self, live: Live, clock: Callable[[], float]) -> None:
        self.rules = Rules()
        self.slate: Slate | None = None
        self.shape: Shape | None = None
        self.sessions: dict[Role, Session] = {}
        self.on_switch: Callable[[OnAir, str], None] = lambda on_air, reason: None
        self._live = live
        self._clock = clock
        self._air: Session | None = None
        self._begun = False
        self._player: Player | None = None
        self._covering = False
        self._splice = Splice(live.now, GAP_MS)
        self._sent_at = self._live_at = clock()
        self._said: OnAir = "nothing"
        self._why = ""

    @property
    def idle(self) -> bool:
        """Nobody is on air and nobody is waited for."""
        return self._air is None and not self._covering

    @property
    def on_air(self) -> OnAir:
        """What readers get."""
        if self._player:
            return "slate"
        if self._air is None or not self._begun:
            return "nothing"
        return "backup" if self._air.role == "backup" else "primary"

    def opened(self, session: Session) -> None:
        """A publisher has been admitted; whoever had its role is cut."""
        before = self.sessions.get(session.role)
        self.sessions[session.role] = session
        if before:
            before.replaced()
            if before is self._air:
                self._uncover("Another encoder took over.")
        if self.idle:
            self._begin(session)

    def closed(self, session: Session) -> None:
        """A publisher is gone."""
        if self.sessions.get(session.role) is session:
            del self.sessions[session.role]
        if session is self._air:
            other = self._standby(self._clock())
            if other:
                self._cut_to(other, "The encoder is gone.")
            else:
                self._uncover("The encoder is gone.")

    def finish(self) -> None:
        """The show is over: nothing is covered any more."""
        if not self.idle:
            self._end("The show has ended.")

    def header(self, session: Session, frame: Frame) -> None:
        """A header of a publisher."""
        if session is self._air:
            self._live.deliver(self._splice.place(frame))

    def metadata(self, session: Session, frame: Frame) -> None:
        """What a publisher says about itself."""
        if session is self._air:
            self._live.deliver(at_time(frame, max(self._live.now, 0)))

    def frame(self, session: Session, frame: Frame, now: float) -> None:
        """A frame of a publisher, on air or not."""
        if session is self._air:
            self._sent_at = self._live_at = now
            self._live.deliver(self._splice.place(frame))
            if not self._begun:
                self._begun = True
                self._say("The encoder sends.")
        elif self.idle:
            if begins(session, frame):
                self._begin(session)
                self.frame(session, frame, now)
        elif self._may_follow(session, frame, now):
            self._cut_to(session, "The encoder sends.")
            if not session.group.frames:
                self.frame(session, frame, now)

    def tick(self) -> float:
        """Do what is due by the clock; the answer is for how many seconds nothing more will be."""
        now = self._clock()
        air = self._air
        if air and self._begun:
            self.shape = air.shape() or self.shape
        if air and now >= air.silent_at():
            self._fell_silent(air, now)
        if self._covering:
            self._cover(now)
        return self._rest(now)

    def _begin(self, session: Session) -> None:
        """Put a publisher on air where nobody was."""
        self._air, self._begun = session, False
        self._splice = Splice(self._live.now, GAP_MS)
        self._live.forget()
        self._live.change(session.opening())

    def _may_follow(self, session: Session, frame: Frame, now: float) -> bool:
        """Whether a publisher that is not on air goes on air with this frame."""
        air = self._air
        if air is None:
            return session.ready(now)
        if not begins(session, frame):
            return False
        if air.role == "source":
            return session.ready(now)
        if air.role != "backup" or session.role != "primary" or self.rules.sticky:
            return False
        return session.ready(now) and session.steady(now)

    def _standby(self, now: float) -> Session | None:
        """The best publisher that could go on air at once."""
        found = (self.sessions.get(role) for role in ROLES)
        others = (session for session in found if session and session is not self._air)
        return next((one for one in others if now < one.silent_at() and one.ready(now)), None)

    def _cut_to(self, session: Session, reason: str) -> None:
        """Put a publisher on air in the place of whatever was, beginning with its current keyframe."""
        now = self._clock()
        if now - self._sent_at > HOLE:
            self._live.end_readers()
        self._player, self._covering = None, False
        self._live.change(session.opening())
        self._splice = Splice(max(self._live.now, 0), self._step(now))
        self._air, self._begun = session, True
        self._sent_at = self._live_at = now
        if session.group.frames:
            for frame in self._splice.squeeze(session.group.frames, time.time()):
                self._live.deliver(frame)
        self._say(reason)

    def _fell_silent(self, air: Session, now: float) -> None:
        """The publisher on air sends nothing. Where nothing better is at hand, it is waited for."""
        other = self._standby(now)
        if other is None and not (self.slate and self._begun and self.rules.grace):
            return
        air.group.clear()  # it has been shown: should this publisher come back, then with its next keyframe
        if other:
            self._cut_to(other, "The encoder has fallen silent.")
        else:
            self._uncover("The encoder has fallen silent.")

    def _uncover(self, reason: str) -> None:
        """Nobody is on air: wait for a publisher within the grace window, if there was one to wait for."""
        if not self.rules.grace or not self._begun:
            return self._end(reason)
        self._air, self._covering, self._why = None, True, reason
        return None

    def _cover(self, now: float) -> None:
        """The slate, paced by the clock, until the grace window is over."""
        if now - self._live_at >= self.rules.grace:
            return self._end("Nobody has come back in time.")
        if self._player and self._player.slate is not self.slate:
            self._player = None
        if now - self._live_at >= SILENCE:
            if self._player is None and self.slate:
                self._live.change(self.slate.headers)
                self._player = Player(self.slate, self._live.now + self._step(now), now)
            self._say(self._why)
        if self._player:
            for frame in self._player.due(now, time.time()):
                self._live.deliver(frame)
                self._sent_at = now
        return None

    def _end(self, reason: str) -> None:
        self._air, self._covering, self._player = None, False, None
        self._live.end_readers()
        self._say(reason)

    def _step(self, now: float) -> int:
        """Milliseconds from the newest frame to what is sent now."""
        return min(max(int((now - self._sent_at) * 1000), 1), LONGEST_STEP_MS)

    def _rest(self, now: float) -> float:
        if self._player:
            return max(SHORTEST_REST, self._player.wait(now))
        if self._covering:
            due = self._live_at + SILENCE - now
            return due if 0 < due < COVER_REST else COVER_REST
        if self._air:
            due = self._air.silent_at() - now
            return min(max(due, SHORTEST_REST), IDLE_REST) if due > 0 else COVER_REST
        return IDLE_REST

    def _say(self, reason: str) -> None:
        if self.on_air != self._said:
            self._said = self.on_air
            self.on_switch(self._said, reason)


def begins(session: Session, frame: Frame) -> bool:
    """Whether a publisher can go on air with this frame: nothing before it is needed to show it."""
    return frame.keyframe and (frame.kind == Kind.VIDEO or not session.video)
