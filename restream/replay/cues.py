"""Cues of a show as chapters: EXT-X-DATERANGE lines for playlists, and a list for our player. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from restream.api import CueSpec
from restream.hls.cues import Told, tag
from restream.replay.index import Index

CHAPTERS: Final = ("product", "offer", "chapter")
"""Kinds a viewer wants to jump to."""


def daterange(cue: CueSpec) -> str:
    """A cue as the live playlists tell it. A second line with its end may follow the first (4.4.5.1)."""
    begins = cue.begins_at.timestamp()
    ends = cue.ends_at.timestamp() if cue.ends_at and cue.ends_at >= cue.begins_at else None
    return tag(Told(cue, begins, begins, ends))


def chapters(cues: Iterable[CueSpec], index: Index, *, ended: bool) -> list[dict[str, Any]]:
    """Where each cue is in the programme, in seconds of its media, the earliest first.

    What was told after the last picture is left out once the show is over: there is nothing to jump to.
    """
    found = []
    for cue in sorted(cues, key=lambda cue: cue.begins_at):
        begins = index.moment(cue.begins_at.timestamp())
        if cue.kind not in CHAPTERS or (ended and begins >= index.lasts):
            continue
        ends = index.moment(cue.ends_at.timestamp()) if cue.ends_at else None
        if ends is not None:
            ends = max(begins, min(ends, index.lasts) if ended else ends)
        found.append(
            {
                "id": cue.id,
                "kind": cue.kind,
                "title": cue.title,
                "reference": cue.reference,
                "begins_at": round(begins, 3),
                "ends_at": None if ends is None else round(ends, 3),
            }
        )
    return found
