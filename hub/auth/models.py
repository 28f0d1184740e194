"""Tables of brands, members and their sessions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from hub.columns import OptionalTime, brand, key, now, one_of, ref, when


class Brand(SQLModel, table=True):
    """A tenant."""

    id: UUID = key()
    name: str
    slug: str = Field(unique=True)
    currency: str = "EUR"
    created_at: datetime = now()


class Member(SQLModel, table=True):
    """A brand's staff. `password_hash` is argon2id; without one, nobody can sign in.

    Who is removed stays as a row: what they did keeps its author.
    """

    __table_args__ = (one_of("member", "role", "owner", "producer", "moderator", "viewer"),)

    id: UUID = key()
    brand_id: UUID = brand()
    email: str = Field(unique=True)
    name: str
    password_hash: str
    role: str = "owner"
    created_at: datetime = now()
    removed_at: OptionalTime = when(default=None)


class MemberInvite(SQLModel, table=True):
    """A link by which a member chooses their password, once; only a hash of its token is kept."""

    __tablename__ = "member_invite"

    id: UUID = key()
    brand_id: UUID = brand()
    member_id: UUID = Field(unique=True, foreign_key="member.id", ondelete="CASCADE")
    token_hash: str = Field(unique=True)
    expires_at: datetime = when()


class StaffSession(SQLModel, table=True):
    """One signed-in browser; only a hash of its token is kept."""

    __tablename__ = "staff_session"

    id: UUID = key()
    brand_id: UUID = brand()
    member_id: UUID = ref("member.id", ondelete="CASCADE")
    token_hash: str = Field(unique=True)
    created_at: datetime = now()
    expires_at: datetime = when()
