"""Moments of a show as EXT-X-DATERANGE tags (draft-pantos-hls-rfc8216bis, 4.4.5.1)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from restream.api import CueSpec

CLASS: Final = "com.simulcast."
REMEMBERED_SECONDS: Final = 600.0
"""How long a cue that left is told of; the hub's list may name it for longer, and then it stays gone."""
MOST_CUES: Final = 200
"""Listed at one time; the oldest leave first."""


@dataclass(slots=True)
class Told:
    """A cue as it was first told. Times are wall clock, seconds; `changed`: when it last was news."""

    cue: CueSpec
    changed: float
    begins: float
    ends: float | None


class Cues:
    """What players are told. `now` is always the wall clock at the end of what they have (seconds)."""

    def __init__(self) -> None:
        self._told: dict[str, Told] = {}
        self._gone: dict[str, float] = {}

    def set(self, cues: Sequence[CueSpec], now: float) -> bool:
        """All cues of the show; whether anything changed. One is taken back by leaving it out."""
        changed = False
        wanted = {cue.id for cue in cues}
        self._gone = {n: at for n, at in self._gone.items() if n in wanted or now - at < REMEMBERED_SECONDS}
        for known in [known for known in self._told if known not in wanted]:
            self._remove(known, now)
            changed = True
        for cue in cues:
            told = self._told.get(cue.id)
            ends = cue.ends_at.timestamp() if cue.ends_at and cue.ends_at >= cue.begins_at else None
            if told is None and cue.id not in self._gone:
                self._told[cue.id] = Told(cue, now, cue.begins_at.timestamp(), ends)
                changed = True
            elif told and told.ends is None and ends is not None and ends >= told.begins:
                told.ends, told.changed = ends, now
                changed = True
        return changed

    def expire(self, begins: float, now: float) -> None:
        """Forget what was over before `begins`, where the playlists begin. What has no end lasts until the
        next of its kind."""
        newest: dict[str, Told] = {}
        for told in sorted(self._told.values(), key=lambda one: one.begins):
            if told.begins < begins:
                newest[told.cue.kind] = told
        for name, told in list(self._told.items()):
            over = told.begins < begins and newest[told.cue.kind] is not told
            if told.ends < begins if told.ends is not None else over:
                self._remove(name, now)
        for name in sorted(self._told, key=lambda one: self._told[one].begins)[:-MOST_CUES]:
            self._remove(name, now)

    def tags(self, since: float | None = None) -> list[str]:
        """The tags, by their beginning; with `since` only those that were told or changed after it."""
        told = sorted(self._told.values(), key=lambda one: (one.begins, one.cue.id))
        return [tag(one) for one in told if since is None or one.changed > since]

    def removed(self, since: float) -> list[str]:
        """Ids of those that left after `since`."""
        return [name for name, at in self._gone.items() if at > since and name not in self._told]

    def _remove(self, name: str, now: float) -> None:
        del self._told[name]
        self._gone[name] = now


def tag(told: Told) -> str:
    """One line."""
    cue = told.cue
    attributes = [
        f'ID="{cue.id}"',
        f'CLASS="{CLASS}{cue.kind}"',
        f'START-DATE="{date(told.begins)}"',
    ]
    if told.ends is not None:
        attributes.append(f'END-DATE="{date(told.ends)}"')
    if cue.title:
        attributes.append(f'X-TITLE="{quoted(cue.title)}"')
    if cue.reference:
        attributes.append(f'X-REFERENCE="{quoted(cue.reference)}"')
    return f"#EXT-X-DATERANGE:{','.join(attributes)}"


def quoted(text: str) -> str:
    """What may stand between quotation marks: no such marks, no control characters, NFC (section 4.1)."""
    normal = unicodedata.normalize("NFC", text).replace('"', "”")
    return "".join(" " if unicodedata.category(one) in ("Cc", "Zl", "Zp", "Cs") else one for one in normal)


def date(moment: float) -> str:
    """ISO 8601, milliseconds, UTC."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
