"""Tables of what players report: a row per player and show, and the show's figures over time."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Index, String, text
from sqlmodel import Field, SQLModel

from hub.columns import OptionalTime, big, brand, key, one_of, ref, when


class PlaybackSession(SQLModel, table=True):
    """One player that played one show, as its newest beacon (the highest `seq`) told it.

    Counters are those of the whole session. There is nothing in here about who watched: the id was made by
    the player for this one sitting, `device` is one of five words, and `region` mostly a country: `region_by`
    a proxy's word or the browser's time zone, neither of which is kept.
    """

    __tablename__ = "playback_session"
    __table_args__ = (
        one_of("playback_session", "kind", "viewer", "probe"),
        one_of("playback_session", "transport", "hls", "whep", "native"),
        one_of("playback_session", "device", "phone", "tablet", "computer", "tv", "other"),
        one_of("playback_session", "region_by", "proxy", "zone"),
    )

    show_id: UUID = Field(primary_key=True, foreign_key="show.id", ondelete="CASCADE")
    session: UUID = Field(primary_key=True)
    brand_id: UUID = brand()
    kind: str
    device: str
    transport: str
    seq: int
    seen_at: datetime = when()
    ended: bool
    at_ms: int = big()
    startup_ms: int | None
    watched_ms: int = big()
    stalls: int
    stalled_ms: int = big()
    height: int | None
    height_ms: int = big()
    latency_ms: int | None
    dropped: int = big()
    frames: int = big()
    switches: int
    fallbacks: int
    error_codes: list[str] = Field(sa_type=ARRAY(String))
    error_detail: str | None
    region: str | None = None
    region_by: str | None = None


class PlaybackPoint(SQLModel, table=True):
    """A live show's viewers at one moment, every ten seconds. Sums are those of all its sessions so far."""

    __tablename__ = "playback_point"

    show_id: UUID = Field(primary_key=True, foreign_key="show.id", ondelete="CASCADE")
    at: datetime = when(primary_key=True)
    brand_id: UUID = brand()
    viewers: int
    latency_ms: float | None
    height: float | None
    watched_ms: int = big()
    stalled_ms: int = big()
    stalls: int = big()


class RegionPoint(SQLModel, table=True):
    """A live show's viewers in one region, every minute. Sums are those of all its sessions so far.

    `startup_ms` is the median of the `startups` players that began in the ten minutes before.
    """

    __tablename__ = "region_point"

    show_id: UUID = Field(primary_key=True, foreign_key="show.id", ondelete="CASCADE")
    at: datetime = when(primary_key=True)
    region: str = Field(primary_key=True)
    brand_id: UUID = brand()
    viewers: int
    startups: int
    startup_ms: float | None
    latency_ms: float | None
    watched_ms: int = big()
    stalled_ms: int = big()
    stalls: int = big()


class RegionAlarm(SQLModel, table=True):
    """A region that is much worse off than the others, for as long as it is.

    `value` and `median` are the newest: ms until the first picture, or the share of time stood still (0 to
    1). `viewers` is how many players the value rests on.
    """

    __tablename__ = "region_alarm"
    __table_args__ = (
        one_of("region_alarm", "kind", "startup", "stalls"),
        Index(
            "region_alarm_once",
            *("show_id", "region", "kind"),
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: UUID = ref("show.id", ondelete="CASCADE")
    region: str
    kind: str
    value: float
    median: float
    viewers: int
    began_at: datetime = when()
    ended_at: OptionalTime = when(default=None)
