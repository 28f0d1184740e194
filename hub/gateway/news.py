"""News on their way to screens: encoded once, with who may hear them. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from hub.bus import Event

HEAD: Final = 14
"""Bytes before a frame's text. The header of each socket is written there, so that nobody copies the text."""


@dataclass(frozen=True, slots=True)
class News:
    """An event as screens get it. `only` is the one viewer it is for (and staff).

    Of news with the same `latest` only the newest counts; `version` says which, where arrival cannot.
    """

    kind: str
    body: bytes
    seq: int | None = None
    staff_only: bool = False
    only: str | None = None
    latest: str | None = None
    version: int = 0

    @classmethod
    def of(cls, event: Event) -> News:
        """From the bus. Whatever names a viewer is for that viewer alone, whichever kind it is."""
        only, version = event.data.get("viewer_id"), event.data.get("version")
        return cls(
            event.kind,
            encode(event.kind, event.seq, event.data),
            event.seq,
            event.audience != "viewer",
            str(only) if only is not None else None,
            event.latest,
            version if isinstance(version, int) else 0,
        )

    @property
    def private(self) -> bool:
        """Whether not everybody may hear it."""
        return self.staff_only or self.only is not None

    def is_for(self, viewer_id: str | None) -> bool:
        """Whether a viewer may hear it; None is staff, who hear everything."""
        return viewer_id is None or (not self.staff_only and self.only in (None, viewer_id))


def encode(kind: str, seq: int | None, data: object) -> bytes:
    """One event as JSON."""
    return json.dumps({"kind": kind, "seq": seq, "data": data}, separators=(",", ":")).encode()


GAP: Final = News("gap", encode("gap", None, {}), latest="")
"""Something was missed: the screen loads the snapshot."""


def joined(bodies: Iterable[bytes]) -> bytearray:
    """A frame: a JSON array of events, after `HEAD` bytes for the WebSocket's header."""
    return bytearray(b"".join((bytes(HEAD), b"[", b",".join(bodies), b"]")))


def merged(pending: Sequence[News]) -> list[News]:
    """In order, without what is out of date by now."""
    kept: dict[object, News] = {}
    for number, news in enumerate(pending):
        if news.latest is None:
            kept[number] = news
            continue
        key = (news.kind, news.staff_only, news.only, news.latest)
        before = kept.pop(key, None)
        # Several processes send them, so the last to arrive need not be the newest.
        kept[key] = before if before and before.version > news.version else news
    return list(kept.values())
