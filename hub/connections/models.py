"""Tables of linked accounts, of those being linked, and of what their platforms allow in a day."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, big, brand, key, now, one_of, ref, when


class Connection(SQLModel, table=True):
    """A linked account. Config and tokens are sealed; the lease says which worker follows it.

    `orders_read_at`: orders changed before this have been read, whatever became of their webhooks.
    `account_*`: whom the platform named when it was linked by consent; None for what was pasted.
    `login_id`: accounts linked by the same consent share it, and may share one login.
    `tokens_at`: when the tokens were given out. `key_entered_at`: when a person last entered a stream key.
    `alarm`: the alarm that screens were told of.
    """

    __table_args__ = (one_of("connection", "state", "ok", "reconnect", "off"),)

    id: UUID = key()
    brand_id: UUID = brand()
    connector: str
    name: str
    config_sealed: bytes
    tokens_sealed: bytes | None = None
    token_expires_at: OptionalTime = when(default=None)
    state: str = "ok"
    reason: str | None = None
    leased_by: str | None = None
    leased_until: OptionalTime = when(default=None)
    orders_read_at: OptionalTime = when(default=None)
    created_at: datetime = now()
    account_id: str | None = None
    account_detail: str | None = None
    account_picture: str | None = None
    login_id: OptionalId = Field(default=None)
    tokens_at: OptionalTime = when(default=None)
    key_entered_at: OptionalTime = when(default=None)
    alarm: str | None = None


class Linking(SQLModel, table=True):
    """A login under way, for the member who began it, until `expires_at`.

    First it waits for the platform to send the person back: `state_hash` finds it, once, and afterwards only
    for whoever loads that page again. Then it waits for their choice of accounts: `found_sealed` holds the
    login, as soon as we have it, and the accounts. `problem`: what the platform said instead.
    """

    id: UUID = key()
    brand_id: UUID = brand()
    member_id: UUID = ref("member.id", ondelete="CASCADE")
    connector: str
    app_sealed: bytes
    state_hash: str | None = Field(default=None, unique=True)
    verifier_sealed: bytes | None = None
    reconnect_id: OptionalId = ref("connection.id", default=None, ondelete="CASCADE")
    found_sealed: bytes | None = None
    problem: str | None = None
    expires_at: datetime = when(index=True)


class Revocation(SQLModel, table=True):
    """A login to be given back to its platform: all that is left of an unlinked account's secrets."""

    id: UUID = key()
    brand_id: UUID = brand()
    connector: str
    app_sealed: bytes
    tokens_sealed: bytes
    created_at: datetime = now()


class QuotaUse(SQLModel, table=True):
    """Units used of a platform's daily allowance; `day` is the platform's own.

    `pot` is a hash that the brand is part of.
    """

    __tablename__ = "quota_use"

    pot: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    units: int = big()
