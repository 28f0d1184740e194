"""Where a target is on its way to the platform's audience, in one word. Pure."""

from __future__ import annotations

from typing import Literal

from connectors.base import AnyConnector
from hub.shows.models import Show, ShowTarget

Stage = Literal[
    "off",
    "ready",
    "planned",
    "opening",
    "created",
    "connecting",
    "waiting",
    "starting",
    "live",
    "retrying",
    "failed",
    "ending",
    "ended",
    "by_hand",
]
"""Before the show: `off` (paused), `ready`, `planned` (announced on the platform).
While it is live: `opening` (the platform makes the broadcast), `created` (waits for our push), `connecting`,
`waiting` (pushed, but the platform has not seen it yet), `starting` (seen, not on air), `live` on the
platform, `retrying` (our push broke off), `failed` (with what to do).
After it: `ending`, `ended` (the platform's own word), `by_hand` (a person must end it there).
"""
UNKNOWN = "unknown"
"""The `platform_state` of a broadcast of which nobody says that it has ended."""
ASKED, UNOPENED = "asked", "unopened"
"""A `platform_state` before there is a reference: the broadcast may exist, or certainly does not."""
STARTING = ("scheduled", "starting")
ON_THE_WAY = frozenset({"opening", "created", "connecting", "waiting", "starting"})


def stage_of(show: Show, target: ShowTarget) -> Stage:
    """From what is wanted, what our push does and what the platform says."""
    if show.state == "ended" or target.removed_at:
        return over(target)
    if not target.wanted:
        return "off"
    if show.state == "scheduled":
        return "planned" if target.ref and target.platform_state == "scheduled" else "ready"
    if target.state == "retrying" or target.state == "failed":
        return "retrying" if target.state == "retrying" else "failed"
    if not is_open(target):
        return "opening"
    if target.state == "live":
        return on_air(target)
    return "connecting" if target.state == "connecting" else "created"


def is_open(target: ShowTarget) -> bool:
    """Whether there is a broadcast, and an address of it. Not when it was given up or is to go elsewhere."""
    return target.url_sealed is not None and target.ref is not None


def on_air(target: ShowTarget) -> Stage:
    """We push. That bytes are taken proves nothing: only the platform's own word makes it live."""
    match target.platform_state:
        case "live":
            return "live"
        case "failed" | "ending" | "ended":
            return "failed"
        case "scheduled" | None if not target.receiving:
            return "waiting"
        case _:
            return "waiting" if target.receiving is False else "starting"


def over(target: ShowTarget) -> Stage:
    """Of a show that has ended."""
    if target.platform_state == UNKNOWN:
        return "by_hand"
    return "ended" if target.platform_state == "ended" or target.ref is None else "ending"


def todo_of(show: Show, target: ShowTarget, connector: AnyConnector) -> str | None:
    """What a person has to do on the platform now, because no program can."""
    stage = stage_of(show, target)
    if stage in ("ready", "planned") or stage in ON_THE_WAY:
        return connector.before_start
    return connector.after_end if show.state == "ended" and not show.cancelled and target.ref else None
