"""Tables of people: the nodes that lead to them, the evidence that joins those, and what was changed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, Numeric, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, brand, key, now, one_of, ref, when


class Customer(SQLModel, table=True):
    """A person: the nodes that belong together. All but the id is worked out from those nodes.

    `merged_into` points to whom they turned out to be; members have joined the brand.
    """

    id: UUID = key()
    brand_id: UUID = brand()
    name: str | None = None
    email_sealed: bytes | None = None
    phone_sealed: bytes | None = None
    merged_into: OptionalId = ref("customer.id", default=None)
    member_since: OptionalTime = when(default=None)
    created_at: datetime = now()


class Identity(SQLModel, table=True):
    """A node: one handle of a person. Of its value a keyed hash, a sealed copy and a masked hint are kept.

    `customer_id`: the person it belongs to now, worked out by `hub/customers/graph.py`. `home_id`: the person
    it was made with, and belongs to when nothing joins it to others. `met`: somebody came with it (bought,
    signed in); else it was only mentioned. `state`: `ignored` is nobody's by its nature (a role's mailbox, a
    relay), `shared` is used by several people; neither joins anybody. `name` is how its owner called
    themselves last, `named_at` when. `loose_hash` and `likeness_hash` are good for suggestions only: the
    address without +tag and dots, and name with postcode.
    """

    __table_args__ = (
        one_of("identity", "kind", "email", "phone", "platform_user", "visitor", "account", "payment"),
        one_of("identity", "state", "ok", "shared", "ignored"),
        UniqueConstraint("brand_id", "kind", "value_hash"),
        Index("identity_loose", "brand_id", "loose_hash", postgresql_where=text("loose_hash IS NOT NULL")),
        Index(
            "identity_like", "brand_id", "likeness_hash", postgresql_where=text("likeness_hash IS NOT NULL")
        ),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    customer_id: UUID = ref("customer.id")
    home_id: UUID = ref("customer.id")
    kind: str
    value_hash: str
    value_sealed: bytes | None = None
    hint: str = ""
    source: str
    state: str = "ok"
    met: bool = False
    verified_at: OptionalTime = when(default=None)
    name: str | None = None
    named_at: OptionalTime = when(default=None)
    member_since: OptionalTime = when(default=None)
    loose_hash: str | None = None
    likeness_hash: str | None = None
    created_at: datetime = now()


class IdentityEdge(SQLModel, table=True):
    """Evidence that two nodes are one person's; `a_id` is the smaller id.

    `proof` joins, a `hint` only suggests. `at`: when what it rests on happened. What is revoked stays as a
    row: a person's no is remembered, and can be taken back.
    """

    __tablename__ = "identity_edge"
    __table_args__ = (
        one_of("identity_edge", "kind", "order", "sign_in", "claim", "oauth", "cookie", "staff", "import"),
        one_of("identity_edge", "strength", "proof", "hint"),
        UniqueConstraint("brand_id", "source_type", "source_id", "a_id", "b_id"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    a_id: UUID = ref("identity.id", ondelete="CASCADE")
    b_id: UUID = ref("identity.id", ondelete="CASCADE")
    kind: str
    strength: str
    source_type: str
    source_id: str
    note: str = ""
    at: datetime = when()
    created_at: datetime = now()
    revoked_at: OptionalTime = when(default=None)
    revoked_by: str | None = None


class PersonChange(SQLModel, table=True):
    """What was changed about who is who: why, by whom, and how it was before. Rows are only added.

    `before`: what undoing needs (the edges that were revoked or made, people by node). `undone_at` is the one
    thing that is written later.
    """

    __tablename__ = "person_change"
    __table_args__ = (
        one_of(
            "person_change",
            "kind",
            *("merged", "split", "confirmed", "dismissed", "quarantined", "undone"),
        ),
        Index("person_change_newest", "brand_id", "at"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    customer_id: UUID = ref("customer.id")
    other_id: OptionalId = ref("customer.id", default=None)
    kind: str
    why: str
    edge_id: OptionalId = Field(default=None)
    author: str | None = None
    before: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    at: datetime = now()
    undone_at: OptionalTime = when(default=None)


class Suggestion(SQLModel, table=True):
    """Two people who may be one. `a` is the older; `reasons` are sentences. What was dismissed stays so."""

    __table_args__ = (
        one_of("suggestion", "state", "open", "confirmed", "dismissed"),
        UniqueConstraint("brand_id", "a", "b"),
        Index("suggestion_open", "brand_id", "state", "confidence"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    a: UUID = ref("customer.id")
    b: UUID = ref("customer.id")
    confidence: Decimal = Field(sa_type=Numeric(3, 2))
    reasons: list[str] = Field(default_factory=list, sa_type=JSON)
    state: str = "open"
    author: str | None = None
    created_at: datetime = now()
    decided_at: OptionalTime = when(default=None)
