"""Tables of probes that come again and again: from where, when, and how each run was."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Index, Integer, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, brand, key, now, one_of, ref, when


class ProbePlace(SQLModel, table=True):
    """A region that a brand's shows are probed for.

    `zone` is its IANA time zone, `hours` those of its own day (0 to 23) at which we probe by ourselves; none:
    only machines that stand there report. `base_url`: the origin to play from in place of the players' own.
    """

    __tablename__ = "probe_place"
    __table_args__ = (UniqueConstraint("brand_id", "name", name="probe_place_name_once"),)

    id: UUID = key()
    brand_id: UUID = brand()
    name: str
    zone: str
    base_url: str | None = None
    hours: list[int] = Field(default_factory=list, sa_type=ARRAY(Integer))
    created_at: datetime = now()


class ProbeKey(SQLModel, table=True):
    """What machines elsewhere report with: one for each brand, and of it only the hash."""

    __tablename__ = "probe_key"

    brand_id: UUID = Field(primary_key=True, foreign_key="brand.id")
    token_hash: str = Field(unique=True)
    made_at: datetime = when()


class ProbeRun(SQLModel, table=True):
    """One run. `waiting`: a job will do it. `due_at` is the hour it was made for; None for a reported one.

    `local_hour` is the hour of the place's own day at `at`. `error` is a sentence; a run that has one may
    have no figures. Times in ms. `taken_at`: when a report came in, by our own clock.
    """

    __tablename__ = "probe_run"
    __table_args__ = (
        one_of("probe_run", "state", "waiting", "done"),
        one_of("probe_run", "source", "hub", "there"),
        one_of("probe_run", "how", "client", "browser"),
        CheckConstraint("local_hour BETWEEN 0 AND 23", name="probe_run_local_hour_sane"),
        UniqueConstraint("place_id", "due_at", name="probe_run_due_once"),
        Index("probe_run_taken", "place_id", "taken_at"),
        Index("probe_run_at", "at"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    place_id: UUID = ref("probe_place.id", ondelete="CASCADE")
    show_id: OptionalId = ref("show.id", default=None, ondelete="SET NULL")
    state: str
    source: str
    how: str
    due_at: OptionalTime = when(default=None)
    at: datetime = when()
    taken_at: OptionalTime = when(default=None)
    local_hour: int
    startup_ms: int | None = None
    watched_ms: int = 0
    stalls: int = 0
    stalled_ms: int = 0
    latency_ms: int | None = None
    height: int | None = None
    error: str | None = None
