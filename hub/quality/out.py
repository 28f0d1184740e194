"""How viewers see a show, as the studio gets it. Times in ms, ratios from 0 to 1."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from hub.quality.bars import Grade

AlarmKind = Literal["startup", "stalls"]


class ViewersNow(BaseModel):
    """Players that reported in the last 25 s and have not said goodbye."""

    all: int
    hls: int
    whep: int
    native: int


class Figure(BaseModel):
    """A middle and a worst-but-5-%, how many players measured it, and what it must stay below."""

    median: float | None
    p95: float | None
    measured: int
    bar: float
    grade: Grade | None = Field(description="of the 95th percentile")


class Ratio(BaseModel):
    """One figure of all players together, and what it must stay below."""

    value: float | None
    bar: float
    grade: Grade | None


class Rung(BaseModel):
    """How many watch at this height now."""

    height: int
    viewers: int


class ErrorCount(BaseModel):
    """How often players met this error, how many of them did, and the newest thing that one of them said."""

    code: str
    count: int
    sessions: int
    detail: str | None


class SessionOut(BaseModel):
    """One player. `average_height` is weighted by the time watched at each."""

    session: UUID
    device: str
    transport: str
    seen_at: datetime
    now: bool
    ended: bool
    at_ms: int
    startup_ms: int | None
    watched_ms: int
    stalls: int
    stalled_ms: int
    rebuffer_ratio: float | None
    latency_ms: int | None
    height: int | None
    average_height: float | None
    dropped_ratio: float | None
    switches: int
    fallbacks: int
    error_codes: list[str]
    error_detail: str | None


class RegionOut(BaseModel):
    """Viewers of one region. `alarms`: in what it is more than twice as bad as the regions' median now."""

    region: str | None = Field(description="mostly a country (ISO 3166); null: nobody knows")
    by: Literal["proxy", "zone", "both"] | None = Field(
        description="who says so: a CDN or proxy, or the time zones of the browsers"
    )
    sessions: int
    without_picture: int
    viewers: int = Field(description="now")
    startup: Figure
    latency: Figure = Field(description="of the viewers now")
    rebuffer: Ratio
    stalls: int
    watched_hours: float
    alarms: list[AlarmKind]


class AlarmOut(BaseModel):
    """A region that is, or was, more than twice as bad as the median of the regions.

    `value` and `median`: ms for `startup`; from 0 to 1 for `stalls`, the share of time stood still.
    """

    id: UUID
    show_id: UUID
    show_title: str
    region: str
    kind: AlarmKind
    value: float
    median: float
    viewers: int = Field(description="players that the value rests on")
    began_at: datetime
    ended_at: datetime | None


class RegionPointOut(BaseModel):
    """The minute that begins at `at`, in one region."""

    region: str
    at: datetime
    viewers: int
    startup_ms: float | None = Field(description="median of who began in the ten minutes before")
    latency_ms: float | None
    rebuffer_ratio: float | None = Field(description="of this minute alone")
    stalls: int = Field(description="in this minute alone")


class QualityOut(BaseModel):
    """A show's viewers now and since it began. Probes are listed apart and never counted in."""

    at: datetime
    sessions: int
    without_picture: int = Field(description="sessions that are over and never saw one")
    viewers: ViewersNow
    startup: Figure = Field(description="of all sessions")
    latency: Figure = Field(description="of the viewers now")
    rebuffer: Ratio = Field(description="stalled / (stalled + watched), of all sessions")
    stalls_per_hour: float | None = Field(description="per hour watched")
    watched_hours: float
    rungs: list[Rung]
    average_height: float | None = Field(description="of all sessions, by the time watched at each height")
    dropped_ratio: float | None
    switches: int
    fallbacks: int
    errors: list[ErrorCount]
    probes: list[SessionOut] = Field(description="the newest 20")
    regions: list[RegionOut] = Field(description="at most 50, those with most viewers first")


class PointOut(BaseModel):
    """Ten seconds, or a minute, that end at `at`."""

    at: datetime
    viewers: int
    latency_ms: float | None
    height: float | None
    rebuffer_ratio: float | None = Field(description="of this time alone")
    stalls: int = Field(description="in this time alone")
