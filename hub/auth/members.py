"""A brand's people: invited with a role, changed, removed. One owner always stays."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from argon2 import PasswordHasher
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.models import Member, MemberInvite, StaffSession
from hub.auth.service import SHORTEST_PASSWORD, digest
from hub.clock import Clock
from hub.errors import BadInput, Conflict, NotFound

ROLES: Final = ("owner", "producer", "moderator", "viewer")
INVITE_LASTS: Final = timedelta(days=7)
MOST_MEMBERS: Final = 200


class Members:
    """Owners alone call these, but for `accept`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hasher = PasswordHasher()

    async def all(self, session: AsyncSession, brand_id: UUID) -> Sequence[tuple[Member, bool]]:
        """Members in the order they came, and whether each still has to choose a password."""
        query = (
            select(Member)
            .where(col(Member.brand_id) == brand_id, col(Member.removed_at).is_(None))
            .order_by(col(Member.created_at), col(Member.id))
        )
        return [(member, not member.password_hash) for member in await session.exec(query)]

    async def invite(
        self, session: AsyncSession, brand_id: UUID, email: str, name: str, role: str
    ) -> tuple[Member, str]:
        """A new member and the token of their link. Conflict `address_known` | `too_many_members`."""
        email = email.strip().lower()
        if len(await self.all(session, brand_id)) >= MOST_MEMBERS:
            raise Conflict("too_many_members", f"A brand has at most {MOST_MEMBERS} members.")
        member = Member(brand_id=brand_id, email=email, name=name, password_hash="", role=role)
        try:
            async with session.begin_nested():
                session.add(member)
        except IntegrityError:
            raise Conflict("address_known", "Somebody signs in with this address already.") from None
        return member, await self._token(session, member)

    async def invite_again(
        self, session: AsyncSession, brand_id: UUID, member_id: UUID
    ) -> tuple[Member, str]:
        """A fresh link, also for somebody who forgot their password; the one before is void."""
        member = await self._member(session, brand_id, member_id)
        return member, await self._token(session, member)

    async def accept(self, session: AsyncSession, token: str, password: str) -> Member:
        """Choose a password with a link, once. Whoever was signed in as this member is signed out."""
        if len(password) < SHORTEST_PASSWORD:
            raise BadInput("password_short", f"Use a password of at least {SHORTEST_PASSWORD} characters.")
        query = select(MemberInvite).where(col(MemberInvite.token_hash) == digest(token)).with_for_update()
        invite = (await session.exec(query)).first()
        if invite is None or invite.expires_at <= self._clock():
            raise NotFound("invite_over", "This link is not valid any more. Ask an owner for a new one.")
        member = await self._member(session, invite.brand_id, invite.member_id)
        member.password_hash = await asyncio.to_thread(self._hasher.hash, password)
        await session.delete(invite)
        await self._sign_out(session, member.id)
        return member

    async def change(self, session: AsyncSession, brand_id: UUID, member_id: UUID, role: str) -> Member:
        """Another role, from their next click on. Conflict `last_owner`."""
        await self._lock(session, brand_id)
        member = await self._member(session, brand_id, member_id)
        if member.role == "owner" and role != "owner":
            await self._another_owner(session, brand_id, member_id)
        member.role = role
        return member

    async def remove(self, session: AsyncSession, brand_id: UUID, member_id: UUID) -> None:
        """They are signed out and cannot come back; their name stays beside what they did."""
        await self._lock(session, brand_id)
        member = await self._member(session, brand_id, member_id)
        if member.role == "owner":
            await self._another_owner(session, brand_id, member_id)
        # The address is free again: they may be invited anew, here or by another brand.
        member.email, member.password_hash = f"removed-{member.id}", ""
        member.removed_at = self._clock()
        await session.exec(delete(MemberInvite).where(col(MemberInvite.member_id) == member.id))
        await self._sign_out(session, member.id)

    async def _token(self, session: AsyncSession, member: Member) -> str:
        token = secrets.token_urlsafe(32)
        await session.exec(delete(MemberInvite).where(col(MemberInvite.member_id) == member.id))
        session.add(
            MemberInvite(
                brand_id=member.brand_id,
                member_id=member.id,
                token_hash=digest(token),
                expires_at=self._clock() + INVITE_LASTS,
            )
        )
        await session.flush()
        return token

    async def _member(self, session: AsyncSession, brand_id: UUID, member_id: UUID) -> Member:
        member = await session.get(Member, member_id)
        if member is None or member.brand_id != brand_id or member.removed_at:
            raise NotFound("member_unknown", "There is no such member.")
        return member

    async def _lock(self, session: AsyncSession, brand_id: UUID) -> None:
        """Two owners who remove each other at once must not both succeed."""
        query = select(Member.id).where(col(Member.brand_id) == brand_id, col(Member.role) == "owner")
        await session.exec(query.order_by(col(Member.id)).with_for_update())

    async def _another_owner(self, session: AsyncSession, brand_id: UUID, member_id: UUID) -> None:
        query = select(Member.id).where(
            col(Member.brand_id) == brand_id,
            col(Member.role) == "owner",
            col(Member.removed_at).is_(None),
            # Who has not chosen a password yet could not let anybody in.
            col(Member.password_hash) != "",
            col(Member.id) != member_id,
        )
        if (await session.exec(query.limit(1))).first() is None:
            raise Conflict("last_owner", "This is the last owner. Make somebody else an owner first.")

    async def _sign_out(self, session: AsyncSession, member_id: UUID) -> None:
        await session.exec(delete(StaffSession).where(col(StaffSession.member_id) == member_id))
