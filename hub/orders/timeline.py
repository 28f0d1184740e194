"""What happened to an order, in words, for whoever looks after it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import wall_clock
from hub.columns import brand, key, ref, when
from hub.orders.models import Order


class OrderEvent(SQLModel, table=True):
    """One thing worth telling. `author` is the member who did it; None: the system or the buyer."""

    __tablename__ = "order_event"
    __table_args__ = (Index("order_event_in_time", "order_id", "at", "id"),)

    id: UUID = key()
    brand_id: UUID = brand()
    order_id: UUID = ref("orders.id", ondelete="CASCADE")
    at: datetime = when(default_factory=wall_clock)
    kind: str
    text: str
    author: str | None = None


async def note(session: AsyncSession, order: Order, kind: str, text: str, author: str | None = None) -> None:
    """Write it down in this transaction: it is told if, and only if, what it tells of happened."""
    session.add(OrderEvent(brand_id=order.brand_id, order_id=order.id, kind=kind, text=text, author=author))
    await session.flush()
