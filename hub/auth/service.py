"""Staff sign in, stay signed in, and sign out."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.models import Brand, Member, StaffSession
from hub.clock import Clock
from hub.errors import BadInput, SlowDown, Unauthorised

SESSION_LASTS = timedelta(days=14)
MOST_ATTEMPTS = 10
ATTEMPTS_COUNT_FOR = timedelta(minutes=5)
MOST_REMEMBERED = 10_000
SHORTEST_PASSWORD = 10


@dataclass(frozen=True)
class Staff:
    """Who is signed in, for which brand, and in which browser."""

    member_id: UUID
    brand_id: UUID
    role: str
    session_id: UUID


class Auth:
    """Passwords are argon2id; of a session only the hash of its token is stored."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hasher = PasswordHasher()
        self._nobody: str | None = None
        self._attempts: dict[str, deque[datetime]] = {}

    async def add_member(self, session: AsyncSession, brand_id: UUID, email: str, password: str) -> Member:
        """A new owner of a brand."""
        if len(password) < SHORTEST_PASSWORD:
            raise BadInput("password_short", f"Use a password of at least {SHORTEST_PASSWORD} characters.")
        hashed = await asyncio.to_thread(self._hasher.hash, password)
        name = email.partition("@")[0].title()
        member = Member(brand_id=brand_id, email=email.strip().lower(), name=name, password_hash=hashed)
        session.add(member)
        await session.flush()
        return member

    async def sign_in(self, session: AsyncSession, email: str, password: str) -> tuple[str, Member]:
        """The new session's token and its member. Unauthorised says nothing about which part was wrong."""
        email = email.strip().lower()
        self._count_attempt(email)
        member = (await session.exec(select(Member).where(col(Member.email) == email))).first()
        hashed = member.password_hash if member else await self._nobodys_hash()
        try:
            await asyncio.to_thread(self._hasher.verify, hashed, password)
        except (VerificationError, InvalidHashError):
            member = None
        if member is None:
            raise Unauthorised("sign_in_failed", "E-mail or password is not right.")
        self._attempts.pop(email, None)
        token = secrets.token_urlsafe(32)
        session.add(
            StaffSession(
                brand_id=member.brand_id,
                member_id=member.id,
                token_hash=digest(token),
                expires_at=self._clock() + SESSION_LASTS,
            )
        )
        return token, member

    async def who(self, session: AsyncSession, token: str) -> Staff:
        """Who holds this session token."""
        query = (
            select(Member, StaffSession)
            .join(StaffSession, col(StaffSession.member_id) == col(Member.id))
            .where(col(StaffSession.token_hash) == digest(token))
        )
        found = (await session.exec(query)).first()
        if found is None or found[1].expires_at <= self._clock() or found[0].removed_at:
            raise Unauthorised("signed_out", "You are signed out. Sign in again.")
        return Staff(found[0].id, found[0].brand_id, found[0].role, found[1].id)

    async def roles(self, session: AsyncSession, sessions: Collection[UUID]) -> dict[UUID, str]:
        """Of these sessions, those that have not ended; with the role that its member has now."""
        query = (
            select(StaffSession.id, Member.role)
            .join(Member, col(Member.id) == col(StaffSession.member_id))
            .where(
                col(StaffSession.id).in_(sessions),
                col(StaffSession.expires_at) > self._clock(),
                col(Member.removed_at).is_(None),
            )
        )
        return dict((await session.exec(query)).all())

    async def sign_out(self, session: AsyncSession, token: str) -> None:
        """End the session; harmless when it had ended."""
        await session.exec(delete(StaffSession).where(col(StaffSession.token_hash) == digest(token)))

    async def profile(self, session: AsyncSession, member_id: UUID) -> tuple[Member, Brand]:
        """A member and their brand."""
        query = (
            select(Member, Brand)
            .join(Brand, col(Brand.id) == col(Member.brand_id))
            .where(col(Member.id) == member_id)
        )
        return (await session.exec(query)).one()

    async def _nobodys_hash(self) -> str:
        """An unknown address must take as long as a wrong password, so there is a hash for nobody."""
        if self._nobody is None:
            self._nobody = await asyncio.to_thread(self._hasher.hash, secrets.token_urlsafe(16))
        return self._nobody

    def _count_attempt(self, email: str) -> None:
        """Counted before the password is looked at: guesses made side by side must not overtake the count."""
        now = self._clock()
        if len(self._attempts) >= MOST_REMEMBERED:
            self._forget(now)
        attempts = self._attempts.setdefault(email, deque())
        while attempts and attempts[0] < now - ATTEMPTS_COUNT_FOR:
            attempts.popleft()
        if len(attempts) >= MOST_ATTEMPTS:
            wait = (attempts[0] + ATTEMPTS_COUNT_FOR - now).total_seconds()
            raise SlowDown(
                "too_many_attempts",
                "Too many failed sign-ins. Wait a few minutes.",
                retry_after=int(wait) + 1,
            )
        attempts.append(now)

    def _forget(self, now: datetime) -> None:
        """Invented addresses must not fill the memory."""
        recent = {name: seen for name, seen in self._attempts.items() if seen[-1] > now - ATTEMPTS_COUNT_FOR}
        self._attempts = recent if len(recent) < MOST_REMEMBERED else {}


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
