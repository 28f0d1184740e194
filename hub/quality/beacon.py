"""What a player reports while it plays a show.

Every counter is of the whole session: a beacon that was lost, repeated or overtaken harms nothing, the one
with the highest `seq` tells everything.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

LARGEST: Final = 8 << 10
"""Bytes of one beacon."""
MOST_ERRORS: Final = 50
DETAIL: Final = 200
"""Characters kept of what an error said."""
A_DAY_MS: Final = 24 * 3600 * 1000
A_MONTH_MS: Final = 31 * A_DAY_MS
TALLEST: Final = 8640

Ms = Annotated[int, Field(ge=0, le=A_MONTH_MS)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Few = Annotated[int, Field(ge=0, le=1_000_000)]
Kind = Literal["viewer", "probe"]
Transport = Literal["hls", "whep", "native"]
Device = Literal["phone", "tablet", "computer", "tv", "other"]


class Fault(BaseModel):
    """One error of the player: a stable code for counting, and what it said."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    code: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")
    detail: str = Field(default="", max_length=2000)


class Beacon(BaseModel):
    """The body of `POST /api/v1/public/shows/{slug}/quality`, as text/plain or application/json.

    `errors` are those of the whole session too, the newest last; a player that has more leaves some out.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    version: Literal[1] = Field(alias="schema")
    session: UUID = Field(description="made by the player, for this sitting only")
    seq: Few = Field(description="goes up with each beacon of the session")
    at_ms: Ms = Field(description="since the session began")
    transport: Transport
    startup_ms: Annotated[int, Field(ge=0, le=A_DAY_MS)] | None = Field(
        description="from the wish to play to the first picture; null before it"
    )
    watched_ms: Ms = Field(description="in which the picture moved")
    stalls: Few = Field(description="times that the picture stopped although it should have moved")
    stalled_ms: Ms
    height: Annotated[int, Field(ge=0, le=TALLEST)] | None = Field(description="lines of the picture now")
    height_ms: Annotated[int, Field(ge=0, le=TALLEST * A_MONTH_MS)] | None = Field(
        default=None, description="sum of height × ms watched at it; for the average over the session"
    )
    latency_ms: Annotated[int, Field(ge=0, le=3_600_000)] | None = Field(
        description="from the encoder to the screen, now; null when not live or not known"
    )
    dropped: Count = Field(description="pictures decoded and not shown, of `frames`")
    frames: Count
    switches: Few = Field(description="changes of rendition")
    fallbacks: Few = Field(description="changes of transport")
    errors: list[Fault] = Field(max_length=MOST_ERRORS)
    ended: bool = Field(description="the last beacon of the session")
    kind: Kind = "viewer"
    zone: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$")] | None = Field(
        default=None, description="the browser's time zone; its country is kept, the zone is not"
    )

    @property
    def height_sum(self) -> int:
        """For players that keep no sum of their own: as if they had played the rendition of now all along."""
        return (self.height or 0) * self.watched_ms if self.height_ms is None else self.height_ms

    @property
    def last_words(self) -> str | None:
        """What the newest error said, without the addresses in it: they may carry a viewer's token."""
        said = self.errors[-1].detail if self.errors else ""
        return "".join(filter(str.isprintable, ADDRESS.sub("…", said)))[:DETAIL] or None


ADDRESS: Final = re.compile(r"\S*[?&/=]\S*")
TABLET: Final = re.compile(r"ipad|tablet|kindle|silk|android(?!.*mobile)", re.IGNORECASE)
TV: Final = re.compile(
    r"smart-?tv|tizen|web0s|webos|appletv|android tv|googletv|bravia|aft[bmst]", re.IGNORECASE
)
PHONE: Final = re.compile(r"iphone|ipod|mobile", re.IGNORECASE)
COMPUTER: Final = re.compile(r"windows nt|macintosh|x11|cros", re.IGNORECASE)


def device_of(user_agent: str) -> Device:
    """All that is kept of a browser's name."""
    text = user_agent[:500]
    if TV.search(text):
        return "tv"
    if TABLET.search(text):
        return "tablet"
    if PHONE.search(text):
        return "phone"
    return "computer" if COMPUTER.search(text) else "other"
