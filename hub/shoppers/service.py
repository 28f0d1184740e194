"""Buyers sign in by a code that is sent to them; a browser then stays signed in for a while.

The answer never says whether an address is known. A session is worth what a brand's buyer may do: see their
saved cards, and pay with them once they have shown that it is they (`needs_proof`).
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.models import Brand
from hub.auth.service import digest
from hub.auth.tokens import Viewer
from hub.clock import Clock
from hub.customers.models import Customer
from hub.customers.service import Customers, Evidence, Person
from hub.errors import SlowDown
from hub.ids import new_id
from hub.mail.letters import Letter
from hub.mail.service import Mailroom
from hub.orders.models import Order
from hub.secrets import Vault
from hub.shoppers.models import Passkey, ShopperSession, SignInCode

CODE_LASTS: Final = timedelta(minutes=10)
MOST_CODES: Final = 3
"""Codes for one address while they last."""
MOST_TRIES: Final = 5
MOST_FROM_ONE_PLACE: Final = 20
"""Codes asked for, or guessed at, from one network address while codes last."""
MOST_PLACES: Final = 20_000
SESSION_LASTS: Final = timedelta(days=30)
SEEN_EVERY: Final = timedelta(hours=1)
PROOF_LASTS: Final = timedelta(minutes=10)


@dataclass(frozen=True)
class Shopper:
    """Who is signed in on this browser. `passkeys`: how many devices they have registered.

    `node_id`: the handle they signed in with, which says whose all this is.
    """

    session_id: UUID
    customer_id: UUID
    brand_id: UUID
    name: str
    email: str
    member_since: datetime | None
    proved_at: datetime
    proved_by: str
    passkeys: int
    node_id: UUID | None = None


class Places:
    """Counts what comes from one network address; the oldest memories go first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, deque[datetime]] = OrderedDict()

    def count(self, place: str) -> None:
        """SlowDown when it is too often."""
        now = self._clock()
        times = self._seen.setdefault(place, deque())
        self._seen.move_to_end(place)
        while times and times[0] <= now - CODE_LASTS:
            times.popleft()
        if len(times) >= MOST_FROM_ONE_PLACE:
            wait = (times[0] + CODE_LASTS - now).total_seconds()
            raise SlowDown("too_many_codes", "Too many tries. Wait a few minutes.", retry_after=int(wait) + 1)
        times.append(now)
        if len(self._seen) > MOST_PLACES:
            self._seen.popitem(last=False)


class Shoppers:
    """Codes, sessions and membership."""

    def __init__(self, clock: Clock, vault: Vault, mail: Mailroom, customers: Customers) -> None:
        self._clock = clock
        self._vault = vault
        self._mail = mail
        self._customers = customers
        self.places = Places(clock)

    async def send_code(self, session: AsyncSession, brand_id: UUID, email: str) -> None:
        """A fresh code, good for ten minutes; the ones before are void. SlowDown when it is too often."""
        now, hashed = self._clock(), self._hash(email)
        query = select(func.count(), func.min(SignInCode.created_at)).where(
            col(SignInCode.brand_id) == brand_id,
            col(SignInCode.email_hash) == hashed,
            col(SignInCode.created_at) > now - CODE_LASTS,
        )
        count, first = (await session.exec(query)).one()
        if count >= MOST_CODES:
            wait = int((first + CODE_LASTS - now).total_seconds()) + 1
            raise SlowDown(
                "too_many_codes", "We sent you several codes already. Use the newest.", retry_after=wait
            )
        code, row_id = f"{secrets.randbelow(1_000_000):06}", new_id()
        session.add(
            SignInCode(
                id=row_id,
                brand_id=brand_id,
                email_hash=hashed,
                code_hash=self._code_hash(row_id, code),
                created_at=now,
                expires_at=now + CODE_LASTS,
            )
        )
        brand = (await session.exec(select(Brand).where(col(Brand.id) == brand_id))).one()
        letter = Letter.of(
            f"{code} is your code for {brand.name}",
            f"Your code to sign in at {brand.name}:",
            code,
            "It is good for ten minutes. Nobody from the shop will ever ask you for it. If you did not ask "
            "for it, you need not do anything.",
        )
        key = f"code:{row_id}"
        await self._mail.queue(session, brand_id, email, letter, kind="sign_in", ref=str(row_id), key=key)

    async def enter_code(
        self, session: AsyncSession, brand_id: UUID, email: str, code: str, visitor_id: str | None = None
    ) -> str | None:
        """The new session's token, or None. The try is counted either way: let this transaction commit.

        `visitor_id`: the browser it was entered in.
        """
        query = (
            select(SignInCode)
            .where(col(SignInCode.brand_id) == brand_id, col(SignInCode.email_hash) == self._hash(email))
            .order_by(col(SignInCode.id).desc())
            .limit(1)
            .with_for_update()
        )
        row = (await session.exec(query)).first()
        # For an unknown address something is compared too, so that both take as long.
        expected = row.code_hash if row else self._code_hash(new_id(), "")
        given = self._code_hash(row.id if row else new_id(), code)
        right = hmac.compare_digest(expected, given)
        if row is None or row.used or row.tries >= MOST_TRIES or row.expires_at <= self._clock():
            return None
        row.tries += 1
        if not right:
            return None
        row.used = True
        evidence = Evidence("sign_in", "sign_in", str(row.id), self._clock())
        person = Person(email=email, verified=True, visitor_id=visitor_id)
        known = await self._customers.meet(session, brand_id, person, evidence)
        return await self.begin(session, brand_id, known.customer_id, known.node_id, "code")

    async def begin(
        self, session: AsyncSession, brand_id: UUID, customer_id: UUID, node_id: UUID | None, proved_by: str
    ) -> str:
        """Sign this customer in: the token for the cookie. `node_id`: what they signed in with."""
        token, now = secrets.token_urlsafe(32), self._clock()
        session.add(
            ShopperSession(
                brand_id=brand_id,
                customer_id=customer_id,
                identity_id=node_id,
                token_hash=digest(token),
                created_at=now,
                last_seen_at=now,
                expires_at=now + SESSION_LASTS,
                proved_at=now,
                proved_by=proved_by,
            )
        )
        await session.flush()
        return token

    async def who(self, session: AsyncSession, brand_id: UUID, token: str) -> Shopper | None:
        """Who is signed in at this brand with this token. A customer who was merged signs in anew."""
        if not token:
            return None
        query = (
            select(ShopperSession, Customer)
            .join(Customer, col(Customer.id) == col(ShopperSession.customer_id))
            .where(
                col(ShopperSession.token_hash) == digest(token),
                col(ShopperSession.brand_id) == brand_id,
                col(ShopperSession.expires_at) > self._clock(),
                col(Customer.merged_into).is_(None),
            )
        )
        found = (await session.exec(query)).first()
        if found is None:
            return None
        row, customer = found
        if row.last_seen_at <= self._clock() - SEEN_EVERY:
            row.last_seen_at, row.expires_at = self._clock(), self._clock() + SESSION_LASTS
        count = select(func.count()).select_from(Passkey).where(col(Passkey.customer_id) == customer.id)
        return Shopper(
            session_id=row.id,
            customer_id=customer.id,
            brand_id=brand_id,
            name=customer.name or "",
            email=self._vault.open(customer.email_sealed) if customer.email_sealed else "",
            member_since=customer.member_since,
            proved_at=row.proved_at,
            proved_by=row.proved_by,
            passkeys=(await session.exec(count)).one(),
            node_id=row.identity_id,
        )

    async def own_orders(self, session: AsyncSession, viewer: Viewer, token: str) -> None:
        """What this browser ordered with the address that was just proved was theirs all along."""
        shopper = await self.who(session, viewer.brand_id, token)
        if shopper:
            await session.exec(
                update(Order)
                .where(col(Order.customer_id) == shopper.customer_id, col(Order.viewer_id) == viewer.id)
                .values(signed_in=True)
            )

    async def proved(self, session: AsyncSession, session_id: UUID, by: str) -> None:
        """The person showed once more that it is they."""
        await session.exec(
            update(ShopperSession)
            .where(col(ShopperSession.id) == session_id)
            .values(proved_at=self._clock(), proved_by=by)
        )

    async def sign_out(self, session: AsyncSession, token: str) -> None:
        """End the session; harmless when it had ended."""
        await session.exec(delete(ShopperSession).where(col(ShopperSession.token_hash) == digest(token)))

    async def set_member(self, session: AsyncSession, customer_id: UUID, member: bool) -> datetime | None:
        """Join the brand's members, or leave them: since when. Joining twice keeps the first day."""
        return await self._customers.set_member(session, customer_id, member)

    def needs_proof(self, shopper: Shopper, total_minor: int, above_minor: int) -> bool:
        """Whether to ask for proof before a saved card is charged.

        From an amount on, if the last proof is not fresh; and on a device that has only shown a code so far,
        while the person has a passkey: mail may be read by others, too.
        """
        new_device = shopper.proved_by == "code" and shopper.passkeys > 0
        stale = shopper.proved_at <= self._clock() - PROOF_LASTS
        return new_device or (stale and total_minor >= above_minor)

    async def forget(self, session: AsyncSession) -> None:
        """A sweep: codes and sessions that are over."""
        for table, moment in ((SignInCode, self._clock() - CODE_LASTS), (ShopperSession, self._clock())):
            await session.exec(delete(table).where(col(table.expires_at) <= moment))

    def _hash(self, email: str) -> str:
        return self._vault.fingerprint(email.strip().lower())

    def _code_hash(self, row_id: UUID, code: str) -> str:
        return self._vault.fingerprint(f"sign-in:{row_id}:{code}")
