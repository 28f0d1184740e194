"""A finished segment of a rendition, for whoever keeps the show. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class FinishedSegment:
    """`data` is its parts in order, each one or more moof+mdat; empty when `gap` is set (nothing to play).

    `number` is the media sequence number, the same in every rendition; `init` (bytes) is initialisation
    section `init_number` of this rendition. `seconds` is its length, `wall` the wall clock (seconds) of its
    first picture, `discontinuity` says that nothing before it is continued. `width` and `height` are 0 and
    `fps` is None with sound.
    """

    rendition: str
    number: int
    init: bytes
    init_number: int
    data: tuple[bytes, ...]
    seconds: float
    wall: float
    discontinuity: bool
    kind: Literal["video", "audio"]
    codec: str
    width: int
    height: int
    fps: float | None
    gap: bool
