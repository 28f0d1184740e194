"""How fast we write into a chat: a bucket of messages per linked account, one for all processes.

A platform counts what an account writes, in however many shows it does so at once: they share the bucket.
Private answers have one of their own where the platform counts them apart.
Its row is locked while it is asked, in the transaction that claims the message, so two workers
cannot both take the last place. Its size and rate are chosen so that in no span of `seconds` more than
`messages` leave: half of them may go at once, the rest flow at an even pace.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import ChatLimits
from hub.db import run
from hub.shows.models import ShowTarget

LOCK: Final = text(
    """
    INSERT INTO chat_pace (connection_id, private, brand_id, full_at)
    VALUES (:account, :private, :brand, :now)
    ON CONFLICT (connection_id, private) DO UPDATE SET connection_id = chat_pace.connection_id
    RETURNING full_at
    """
)
LOOK: Final = text("SELECT full_at FROM chat_pace WHERE connection_id = :account AND private = :private")
TAKE: Final = text(
    "UPDATE chat_pace SET full_at = :full WHERE connection_id = :account AND private = :private"
)
SHED: Final = text(
    """
    INSERT INTO chat_shed (target_id, brand_id, messages) VALUES (:target, :brand, :count)
    ON CONFLICT (target_id) DO UPDATE SET messages = chat_shed.messages + excluded.messages RETURNING messages
    """
)


@dataclass(frozen=True)
class Bucket:
    """A platform's limit as a bucket of `size` messages that gains one in every `every`."""

    size: int
    every: timedelta

    @classmethod
    def of(cls, limits: ChatLimits) -> Bucket:
        """`size` at once, and one after each `every`, are `messages` in any span shorter than `seconds`."""
        size = (limits.messages + 1) // 2
        return cls(size, timedelta(seconds=limits.seconds) / (limits.messages - size + 1))

    def free_at(self, full_at: datetime, *, kept: int = 0) -> datetime:
        """When a message may leave; `kept` places are left to others."""
        return full_at - self.every * (self.size - 1 - min(kept, self.size - 1))


async def lock(
    session: AsyncSession, target: ShowTarget, now: datetime, *, private: bool = False
) -> datetime:
    """Nobody else takes from this bucket until we commit; when it is full again."""
    values = {"account": target.connection_id, "private": private, "brand": target.brand_id, "now": now}
    full_at: datetime = (await run(session, LOCK, values)).scalar_one()
    return max(full_at, now)


async def take(
    session: AsyncSession, target: ShowTarget, limits: ChatLimits, now: datetime, *, private: bool = False
) -> datetime | None:
    """Take a place; or when one will be free."""
    bucket, full_at = Bucket.of(limits), await lock(session, target, now, private=private)
    free = bucket.free_at(full_at)
    if free > now:
        return free
    values = {"account": target.connection_id, "private": private, "full": full_at + bucket.every}
    await run(session, TAKE, values)
    return None


async def expected(
    session: AsyncSession,
    target: ShowTarget,
    limits: ChatLimits,
    ahead: int,
    now: datetime,
    *,
    private: bool = False,
) -> datetime | None:
    """About when a message leaves that `ahead` others go before; None: at once."""
    # Not locked: whoever answers in several places would hold up the shows that share an account.
    found: datetime | None = (
        await run(session, LOOK, {"account": target.connection_id, "private": private})
    ).scalar_one_or_none()
    bucket, full_at = Bucket.of(limits), max(found or now, now)
    free = bucket.free_at(full_at + bucket.every * ahead)
    return free if free > now else None


async def shed(session: AsyncSession, target: ShowTarget, count: int) -> int:
    """Note messages that were not passed on; all there were so far."""
    values = {"target": target.id, "brand": target.brand_id, "count": count}
    total: int = (await run(session, SHED, values)).scalar_one()
    return total
