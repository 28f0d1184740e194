"""Probes that come again and again, as the API takes and gives them. Times in ms."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from hub.quality.beacon import A_DAY_MS, TALLEST

How = Literal["client", "browser"]
Ms = Annotated[int, Field(ge=0, le=A_DAY_MS)]


def known_zone(name: str) -> str:
    """A time zone that there is."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("There is no such time zone. Write it as in Asia/Singapore.") from error
    return name


def origin(url: str | None) -> str | None:
    """An http or https origin without anything behind it."""
    if not url:
        return None
    try:
        asked = urlsplit(url.strip())
        fine = asked.scheme in ("http", "https") and asked.hostname and asked.port != 0
    except ValueError:
        fine = False
    if not fine or asked.username or asked.query or asked.fragment or asked.path not in ("", "/"):
        raise ValueError("Write the origin alone, as in https://edge.example.com.")
    return f"{asked.scheme}://{asked.netloc}"


def in_order(hours: list[int]) -> list[int]:
    """Each hour once."""
    return sorted({*hours})


Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$")]
Zone = Annotated[str, Field(max_length=64), AfterValidator(known_zone)]
Origin = Annotated[str | None, Field(max_length=300), AfterValidator(origin)]
Hours = Annotated[list[Annotated[int, Field(ge=0, le=23)]], Field(max_length=24), AfterValidator(in_order)]


class PlaceIn(BaseModel):
    """A region to probe. Without `hours` only machines that stand there report."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    zone: Zone = Field(description="IANA time zone, whose hours are meant")
    hours: Hours = Field(default=[], description="of its day, at which the hub probes by itself")
    base_url: Origin = Field(default=None, description="origin to play from in place of the players' own")


class PlaceChange(BaseModel):
    """What is named is changed."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    zone: Zone | None = None
    hours: Hours | None = None
    base_url: Origin = None


class PlaceOut(BaseModel):
    """A region that is probed."""

    id: UUID
    name: str
    zone: str
    hours: list[int]
    base_url: str | None


class RunIn(BaseModel):
    """What a machine that stands in a region found; `region` is the name of the place in the studio."""

    model_config = ConfigDict(extra="forbid")

    region: Name
    show: str | None = Field(default=None, max_length=100, description="slug")
    at: AwareDatetime | None = None
    how: How
    startup_ms: Ms | None
    watched_ms: Ms = 0
    stalls: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    stalled_ms: Ms = 0
    latency_ms: Ms | None = None
    height: Annotated[int, Field(ge=0, le=TALLEST)] | None = None
    error: Annotated[str, Field(max_length=1000)] | None = None


class RunOut(BaseModel):
    """One run. `local_hour`: of the region's own day. `source`: this hub, or a machine that stands there."""

    id: UUID
    place_id: UUID
    show_id: UUID | None
    show_title: str | None
    source: Literal["hub", "there"]
    how: How
    at: datetime
    local_hour: int
    startup_ms: int | None
    watched_ms: int
    stalls: int
    stalled_ms: int
    rebuffer_ratio: float | None
    latency_ms: int | None
    height: int | None
    error: str | None


class TokenOut(BaseModel):
    """For machines that report. It is shown once; the one before is no longer good."""

    token: str


class NextShow(BaseModel):
    """What to play now: the live show, else the newest replay. The address may be good for minutes only."""

    slug: str
    hls_url: str
    replay: bool


WORDS: Final = 300
"""Characters kept of what an error said."""
