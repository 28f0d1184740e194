"""Tables of rights: what people asked for, whom we forgot, how long things are kept, and who looked."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, JSON, CheckConstraint, Index, String, text
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, big, brand, key, now, one_of, when


class RightsRequest(SQLModel, table=True):
    """A copy of what is kept about a person, or their erasure.

    `asked_by`: the member who asked; None when the person did it themself. `step` counts the areas that are
    done. `who_sealed` is whom it is about, in words, so that a repeated erasure still knows what to look for;
    it is gone once it is done. `file_path` is a sealed file in the data folder, until `expires_at`.
    """

    __tablename__ = "rights_request"
    __table_args__ = (
        one_of("rights_request", "kind", "export", "erase"),
        one_of("rights_request", "state", "queued", "working", "done", "failed", "expired"),
        # Two members who press the button at once ask for one erasure.
        Index(
            "rights_request_once",
            "customer_id",
            "kind",
            unique=True,
            postgresql_where=text("state IN ('queued', 'working')"),
        ),
        Index("rights_request_newest", "brand_id", "asked_at"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    customer_id: UUID = Field(index=True)
    kind: str
    state: str = "queued"
    asked_by: OptionalId = None
    asked_at: datetime = now()
    done_at: OptionalTime = when(default=None)
    step: int = 0
    steps: int = 0
    problem: str = ""
    proof: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    file_path: str | None = None
    expires_at: OptionalTime = when(default=None)
    who_sealed: bytes | None = None


class Erasure(SQLModel, table=True):
    """A tombstone: somebody we forgot, and must forget again after a backup comes back.

    Both lists are keyed hashes (`hub/privacy/tombstones.py`) that stand in no other table.
    """

    __table_args__ = (
        Index("erasure_of_node", "node_hashes", postgresql_using="gin"),
        Index("erasure_of_visitor", "visitor_ids", postgresql_using="gin"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    request_id: UUID = Field(unique=True)
    node_hashes: list[str] = Field(sa_type=ARRAY(String))
    visitor_ids: list[str] = Field(sa_type=ARRAY(String))
    at: datetime = when()


class RetentionRule(SQLModel, table=True):
    """How many days a brand keeps a subject; `days` None: for ever. Without a row the default holds."""

    __tablename__ = "retention_rule"
    __table_args__ = (CheckConstraint("days BETWEEN 1 AND 36500", name="retention_rule_days_sane"),)

    brand_id: UUID = Field(primary_key=True, foreign_key="brand.id")
    subject: str = Field(primary_key=True)
    days: int | None = None
    updated_at: datetime = now()


class RetentionRun(SQLModel, table=True):
    """What a rule removed at one time: everything older than `before`."""

    __tablename__ = "retention_run"
    __table_args__ = (Index("retention_run_newest", "brand_id", "at"),)

    id: UUID = key()
    brand_id: UUID = brand()
    subject: str
    before: datetime = when()
    removed: int = big()
    at: datetime = when()


class LookLog(SQLModel, table=True):
    """A member saw personal data in the open: whose, and which. Rows are only ever added."""

    __tablename__ = "look_log"
    __table_args__ = (Index("look_log_newest", "brand_id", "at"),)

    id: UUID = key()
    brand_id: UUID = brand()
    member_id: UUID = Field(index=True)
    subject: str
    subject_id: UUID = Field(index=True)
    fields: list[str] = Field(sa_type=ARRAY(String))
    at: datetime = when()
