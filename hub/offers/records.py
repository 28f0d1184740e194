"""Signed public records of offers: what was promised at go-live, and what it came to at the end.

A record is a JWS (RFC 7515, compact) whose payload is JSON, signed with EdDSA (Ed25519, RFC 8037). The keys
are published as a JWK set (RFC 7517), so that anybody can verify with any JOSE library, or with `python -m
hub.offers.verify`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import wall_clock
from hub.ids import new_id
from hub.offers.models import OfferKey
from hub.secrets import Vault

ALGORITHM: Final = "EdDSA"
TYPE: Final = "simulcast-offer+jws"


class NotGenuine(ValueError):
    """The record is not what was signed, or by nobody we know."""


async def signing_key(session: AsyncSession, vault: Vault, brand_id: UUID) -> OfferKey:
    """The brand's pair, made when it is first wanted."""
    mine = select(OfferKey).where(col(OfferKey.brand_id) == brand_id, col(OfferKey.retired_at).is_(None))
    found = (await session.exec(mine)).first()
    if found is None:
        private = Ed25519PrivateKey.generate()
        public = encoded(private.public_key().public_bytes_raw())
        values = {
            "id": new_id(),
            "brand_id": brand_id,
            "kid": thumbprint(public),
            "public_key": public,
            "private_key_sealed": vault.seal(encoded(private.private_bytes_raw())),
            "created_at": wall_clock(),
        }
        # Two offers may be the first ones at the same moment.
        await session.exec(insert(OfferKey).values(**values).on_conflict_do_nothing())
        found = (await session.exec(mine)).one()
    return found


def signed(record: Mapping[str, Any], key: OfferKey, vault: Vault) -> str:
    """The record as a compact JWS."""
    private = Ed25519PrivateKey.from_private_bytes(decoded(vault.open(key.private_key_sealed)))
    headers = {"kid": key.kid, "typ": TYPE}
    return jwt.PyJWS().encode(canonical(record), private, ALGORITHM, headers=headers)


def verified(jws: str, keys: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """What a JWS says, if one of these JWKs has signed exactly these characters. Raises NotGenuine."""
    try:
        header = jwt.get_unverified_header(jws)
        public = next(key["x"] for key in keys if key.get("kid") == header.get("kid"))
        key = Ed25519PublicKey.from_public_bytes(decoded(public))
        payload: bytes = jwt.PyJWS().decode(jws, key, [ALGORITHM])
        said: dict[str, Any] = json.loads(payload)
    except StopIteration:
        raise NotGenuine("None of these keys has signed this record.") from None
    except (jwt.InvalidTokenError, ValueError, KeyError) as error:
        raise NotGenuine("This record was changed, or signed by somebody else.") from error
    # The last character of base64 has bits that mean nothing; another one there is still a changed record.
    if any(encoded(decoded(part)) != part for part in jws.split(".")):
        raise NotGenuine("This record was changed.")
    return said


def jwk(key: OfferKey) -> dict[str, str]:
    """The public half, as others read it."""
    about = {"kty": "OKP", "crv": "Ed25519", "x": key.public_key, "kid": key.kid}
    return about | {"use": "sig", "alg": ALGORITHM}


def thumbprint(public_key: str) -> str:
    """RFC 7638: the name of a key is the hash of what it is."""
    return encoded(hashlib.sha256(canonical({"crv": "Ed25519", "kty": "OKP", "x": public_key})).digest())


def canonical(record: Mapping[str, Any]) -> bytes:
    """JSON, always the same for the same content: sorted names, no spaces, UTF-8."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def encoded(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Its bytes."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
