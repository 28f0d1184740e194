"""Passkeys (WebAuthn): a buyer's face or finger in place of a code, for signing in and for paying.

Only public keys are kept. What a device signs is good once: a challenge is taken out of the table, for good,
before the answer to it is looked at.
"""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import structlog
import webauthn
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession
from webauthn.helpers import base64url_to_bytes, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from hub.auth.models import Brand
from hub.clock import Clock
from hub.customers.models import Customer
from hub.db import Database
from hub.errors import BadInput, Conflict, Unauthorised
from hub.shoppers.models import Passkey, PasskeyChallenge
from hub.shoppers.service import Shopper, Shoppers

log = structlog.get_logger()

CHALLENGE_LASTS: Final = timedelta(minutes=5)
MOST_PASSKEYS: Final = 10
REFUSED: Final = "This passkey could not be checked. Try again, or use a code by mail."

Json = dict[str, Any]


class Passkeys:
    """`site` is the origin pages are served from: devices sign it, so that another site can't ask for it."""

    def __init__(self, db: Database, clock: Clock, shoppers: Shoppers, site: str) -> None:
        self._db = db
        self._clock = clock
        self._shoppers = shoppers
        self._origin, self._host = named(site)

    async def to_register(self, shopper: Shopper) -> Json:
        """Options for `navigator.credentials.create`."""
        challenge = await self._challenge(shopper.brand_id, "register", shopper.customer_id)
        async with self._db.session() as session:
            brand = (await session.exec(select(Brand).where(col(Brand.id) == shopper.brand_id))).one()
            known = await self._ids(session, shopper.customer_id)
        if len(known) >= MOST_PASSKEYS:
            raise Conflict("passkeys_full", f"You have {MOST_PASSKEYS} passkeys here already.")
        options = webauthn.generate_registration_options(
            rp_id=self._host,
            rp_name=brand.name,
            user_id=shopper.customer_id.bytes,
            user_name=shopper.email or shopper.name or "Buyer",
            user_display_name=shopper.name,
            challenge=challenge,
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )
        return options_to_json_dict(options)

    async def register(self, shopper: Shopper, credential: Json) -> None:
        """Keep the device's public key. Registering proves the person on this browser."""
        challenge = await self._taken(shopper.brand_id, "register", shopper.customer_id, credential)
        try:
            found = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise refused(error) from None
        async with self._db.session() as session:
            query = select(Passkey.id).where(col(Passkey.credential_id) == found.credential_id)
            if (await session.exec(query)).first():
                raise Conflict("passkey_known", "This passkey is registered already.")
            session.add(
                Passkey(
                    brand_id=shopper.brand_id,
                    customer_id=shopper.customer_id,
                    identity_id=shopper.node_id,
                    credential_id=found.credential_id,
                    public_key=found.credential_public_key,
                    sign_count=found.sign_count,
                    created_at=self._clock(),
                )
            )
            await self._shoppers.proved(session, shopper.session_id, "passkey")

    async def to_sign_in(self, brand_id: UUID) -> Json:
        """Options for `navigator.credentials.get`: whoever has a passkey here may choose it."""
        return self._to_sign(await self._challenge(brand_id, "sign_in", None), [])

    async def sign_in(self, brand_id: UUID, credential: Json) -> str:
        """The new session's token."""
        challenge = await self._taken(brand_id, "sign_in", None, credential)
        async with self._db.session() as session:
            row = await self._verified(session, brand_id, challenge, credential)
            query = select(Customer).where(
                col(Customer.id) == row.customer_id, col(Customer.merged_into).is_(None)
            )
            customer = (await session.exec(query)).first()
            if customer is None:
                raise Unauthorised("passkey_refused", REFUSED)
            return await self._shoppers.begin(session, brand_id, customer.id, row.identity_id, "passkey")

    async def to_confirm(self, shopper: Shopper) -> Json:
        """Options for showing once more that it is they."""
        challenge = await self._challenge(shopper.brand_id, "confirm", shopper.customer_id)
        async with self._db.session() as session:
            known = await self._ids(session, shopper.customer_id)
        return self._to_sign(challenge, known)

    async def confirm(self, shopper: Shopper, credential: Json) -> None:
        """It is they: their saved cards may be charged for a while."""
        challenge = await self._taken(shopper.brand_id, "confirm", shopper.customer_id, credential)
        async with self._db.session() as session:
            row = await self._verified(session, shopper.brand_id, challenge, credential)
            if row.customer_id != shopper.customer_id:
                raise Unauthorised("passkey_refused", REFUSED)
            await self._shoppers.proved(session, shopper.session_id, "passkey")

    async def forget(self) -> None:
        """A sweep: challenges nobody answered."""
        async with self._db.session() as session:
            over = col(PasskeyChallenge.expires_at) <= self._clock()
            await session.exec(delete(PasskeyChallenge).where(over))

    def _to_sign(self, challenge: bytes, known: list[bytes]) -> Json:
        options = webauthn.generate_authentication_options(
            rp_id=self._host,
            challenge=challenge,
            allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json_dict(options)

    async def _verified(
        self, session: AsyncSession, brand_id: UUID, challenge: bytes, credential: Json
    ) -> Passkey:
        try:
            credential_id = base64url_to_bytes(credential["id"])
            query = select(Passkey).where(
                col(Passkey.credential_id) == credential_id, col(Passkey.brand_id) == brand_id
            )
            row = (await session.exec(query.with_for_update())).first()
            if row is None:
                raise Unauthorised("passkey_unknown", "This passkey is not known here. Use a code by mail.")
            found = webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                credential_public_key=row.public_key,
                # A count that goes back is refused: somebody copied the key.
                credential_current_sign_count=row.sign_count,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise refused(error) from None
        row.sign_count, row.last_used_at = found.new_sign_count, self._clock()
        return row

    async def _challenge(self, brand_id: UUID, purpose: str, customer_id: UUID | None) -> bytes:
        challenge = secrets.token_bytes(32)
        async with self._db.session() as session:
            session.add(
                PasskeyChallenge(
                    brand_id=brand_id,
                    customer_id=customer_id,
                    challenge=challenge,
                    purpose=purpose,
                    expires_at=self._clock() + CHALLENGE_LASTS,
                )
            )
        return challenge

    async def _taken(self, brand_id: UUID, purpose: str, customer_id: UUID | None, credential: Json) -> bytes:
        """The challenge this answers, out of the table in a transaction of its own."""
        try:
            said = json.loads(base64url_to_bytes(credential["response"]["clientDataJSON"]))
            challenge = base64url_to_bytes(said["challenge"])
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput("passkey_unreadable", REFUSED) from error
        async with self._db.session() as session:
            query = select(PasskeyChallenge).where(
                col(PasskeyChallenge.challenge) == challenge,
                col(PasskeyChallenge.brand_id) == brand_id,
                col(PasskeyChallenge.purpose) == purpose,
            )
            row = (await session.exec(query.with_for_update())).first()
            if row:
                await session.delete(row)
        if row is None or row.customer_id != customer_id or row.expires_at <= self._clock():
            raise Unauthorised("passkey_late", "That took too long. Try again.")
        return row.challenge

    async def _ids(self, session: AsyncSession, customer_id: UUID) -> list[bytes]:
        query = select(Passkey.credential_id).where(col(Passkey.customer_id) == customer_id)
        return list(await session.exec(query))


def named(site: str) -> tuple[str, str]:
    """Origin and host that devices know us by. They take no numbers: this machine is "localhost" to them."""
    parts = urlsplit(site)
    host = parts.hostname or "localhost"
    if host in ("127.0.0.1", "::1"):
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://localhost{port}", "localhost"
    return f"{parts.scheme}://{parts.netloc}", host


def refused(error: Exception) -> Unauthorised:
    """Why is for the log; a page is told no more than that it was not good."""
    log.warning("passkey.refused", why=type(error).__name__)
    return Unauthorised("passkey_refused", REFUSED)
