"""Which visit brought which order: first and last touch per order."""

from __future__ import annotations

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.orders.models import Order
from hub.visits.models import Touch


class Attribution:
    """Credits orders to touches."""

    async def credit(self, session: AsyncSession, order: Order) -> None:
        """Set the order's first and last touch among its customer's visits up to the order."""
        query = (
            select(Touch.id)
            .where(col(Touch.customer_id) == order.customer_id, col(Touch.at) <= order.placed_at)
            .order_by(col(Touch.at), col(Touch.id))
        )
        visits = (await session.exec(query)).all()
        if visits:
            order.first_touch_id, order.last_touch_id = visits[0], visits[-1]
