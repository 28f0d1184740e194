"""How patient the readers of TikTok's chat are."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.errors import Refused


@dataclass(frozen=True)
class Pace:
    """Seconds. A LIVE says something at least every few seconds, if only how many watch.

    A socket that is open, and silent for longer, is dead in secret: `quiet` says so, `dead` leaves it.
    One that dies before `settled` is not tried again at once: every attempt costs a signature.
    """

    tick: float = 1.0
    heartbeat: float = 5.0
    quiet: float = 45.0
    dead: float = 90.0
    settled: float = 60.0
    again: float = 5.0
    again_early: float = 30.0
    not_live: float = 15.0


def suspension() -> Refused:
    """TikTok has taken the LIVE off the air; no way to the chat leads around that."""
    return Refused("TikTok has suspended this LIVE. Look in TikTok for the reason.", code="suspended")
