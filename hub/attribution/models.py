"""Tables of attribution: one row for each time all credits were reckoned anew."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.columns import OptionalTime, big, brand, key, now, one_of, when


class AttributionRun(SQLModel, table=True):
    """One version of a brand's credits. Never changed once it is done: reckoning anew is a new version.

    `path` is the Parquet file under the data folder; None before it is written and after it was let go of to
    make room. `step` is what it does right now, `percent` how far it has come. `notes` are sentences about
    what a model could not do, `failed` runs say why in `reason_failed`. `model_version`: that of the
    models it was reckoned by (`words.MODEL_VERSION`); 0 before it began.
    """

    __tablename__ = "attribution_run"
    __table_args__ = (
        one_of("attribution_run", "state", "waiting", "running", "done", "failed", "pruned"),
        one_of("attribution_run", "reason", "staff", "show_ended", "daily"),
        UniqueConstraint("brand_id", "version"),
        # Whoever asks twice before it began gets the same one.
        Index("attribution_run_waiting", "brand_id", unique=True, postgresql_where="state = 'waiting'"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    version: int
    reason: str
    author: str | None = None
    model_version: int = 0
    state: str = "waiting"
    step: str = ""
    percent: int = 0
    orders: int = big()
    touches: int = big()
    from_at: OptionalTime = when(default=None)
    to_at: OptionalTime = when(default=None)
    path: str | None = None
    size: int = big()
    notes: list[str] = Field(default_factory=list, sa_type=JSON)
    took_ms: int = big()
    reason_failed: str = ""
    created_at: datetime = now()
    started_at: OptionalTime = when(default=None)
    done_at: OptionalTime = when(default=None)
