"""Players for tests: what they report, said in as few words as the test needs."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from hub.quality.beacon import Beacon, Device
from hub.quality.store import Report

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/19.0 Mobile/15E148 Safari/604.1"
)


def said(session: UUID | None = None, **more: Any) -> dict[str, Any]:
    """A beacon as JSON: a viewer who has watched 10 s of 720p by LL-HLS without a stall."""
    return {
        "schema": 1,
        "session": str(session or uuid4()),
        "seq": 1,
        "at_ms": 11_000,
        "transport": "hls",
        "startup_ms": 800,
        "watched_ms": 10_000,
        "stalls": 0,
        "stalled_ms": 0,
        "height": 720,
        "latency_ms": 1_500,
        "dropped": 0,
        "frames": 300,
        "switches": 0,
        "fallbacks": 0,
        "errors": [],
        "ended": False,
        "kind": "viewer",
        **more,
    }


def report(slug: str, session: UUID | None = None, /, device: Device = "phone", **more: Any) -> Report:
    """The same, as the store takes it."""
    body = said(session, **more)
    errors = [{"detail": "", **one} for one in body["errors"]]
    beacon = Beacon.model_validate(body | {"session": UUID(body["session"]), "errors": errors})
    return Report(slug, device, beacon)
