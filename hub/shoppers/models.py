"""Tables of buyers' sessions, sign-in codes and passkeys."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, big, brand, key, now, one_of, ref, when


class ShopperSession(SQLModel, table=True):
    """One browser a buyer is signed in on; only a hash of its token is kept.

    `proved_at` and `proved_by`: when and how the person last showed that it is they.
    """

    __tablename__ = "shopper_session"
    __table_args__ = (one_of("shopper_session", "proved_by", "code", "passkey"),)

    id: UUID = key()
    brand_id: UUID = brand()
    customer_id: UUID = ref("customer.id", ondelete="CASCADE")
    identity_id: OptionalId = Field(default=None, index=True)
    token_hash: str = Field(unique=True)
    created_at: datetime = now()
    expires_at: datetime = when()
    last_seen_at: datetime = now()
    proved_at: datetime = when()
    proved_by: str


class SignInCode(SQLModel, table=True):
    """A code that was sent to an address. Both are kept as keyed hashes."""

    __tablename__ = "sign_in_code"

    id: UUID = key()
    brand_id: UUID = brand()
    email_hash: str = Field(index=True)
    code_hash: str
    tries: int = 0
    used: bool = False
    created_at: datetime = now()
    expires_at: datetime = when()


class Passkey(SQLModel, table=True):
    """A public key of a buyer's device."""

    id: UUID = key()
    brand_id: UUID = brand()
    customer_id: UUID = ref("customer.id", ondelete="CASCADE")
    identity_id: OptionalId = Field(default=None, index=True)
    credential_id: bytes = Field(unique=True)
    public_key: bytes
    sign_count: int = big()
    created_at: datetime = now()
    last_used_at: OptionalTime = when(default=None)


class PasskeyChallenge(SQLModel, table=True):
    """What a device is to sign: good once, for a few minutes, for one purpose."""

    __tablename__ = "passkey_challenge"
    __table_args__ = (one_of("passkey_challenge", "purpose", "register", "sign_in", "confirm"),)

    id: UUID = key()
    brand_id: UUID = brand()
    customer_id: OptionalId = Field(default=None)
    challenge: bytes
    purpose: str
    expires_at: datetime = when(index=True)
