"""Our own words coming back through a platform's chat: they confirm a delivery and are no new message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import ChatMessage
from hub.bus import Event
from hub.chat.models import Delivery
from hub.chat.out import DeliveryOut
from hub.clock import Clock
from hub.db import announce

Heard = Mapping[UUID, Sequence[ChatMessage]]
"""Messages by target."""


Ids = dict[UUID, set[str]]
"""What platforms call messages, by target."""


async def confirm(session: AsyncSession, clock: Clock, heard: Heard) -> tuple[Ids, Ids]:
    """Mark what came back as confirmed; the ids that were ours, and those that had come back before."""
    ours: Ids = {target: set() for target in heard}
    before: Ids = {target: set() for target in heard}
    said = {target: {message.id for message in messages} for target, messages in heard.items()}
    ids = set[str]().union(*said.values())
    query = select(Delivery).where(col(Delivery.target_id).in_(heard), col(Delivery.external_id).in_(ids))
    for delivery in (await session.exec(query)).all():
        # Another platform may use the same id for somebody else's words.
        if delivery.target_id and delivery.external_id and delivery.external_id in said[delivery.target_id]:
            ours[delivery.target_id].add(delivery.external_id)
            if delivery.state == "confirmed":
                before[delivery.target_id].add(delivery.external_id)
            _came_back(session, clock, delivery, delivery.external_id)
    for target, messages in heard.items():
        fresh = [one for one in messages if one.ours and one.id not in ours[target]]
        if fresh:
            ours[target] |= await _recognise(session, clock, target, fresh)
    return ours, before


async def _recognise(
    session: AsyncSession, clock: Clock, target: UUID, echoes: Sequence[ChatMessage]
) -> set[str]:
    """What left without an answer (it was lost, we were killed, there is no id) is known by its words."""
    nameless = (col(Delivery.state) == "sent") & col(Delivery.external_id).is_(None)
    query = (
        select(Delivery)
        .where(
            col(Delivery.target_id) == target,
            col(Delivery.verb) != "private",  # no chat shows it
            or_(col(Delivery.state) == "unknown", nameless),
        )
        .order_by(col(Delivery.id))
    )
    lost = [*(await session.exec(query)).all()]
    known = set()
    for echo in echoes:
        for place, delivery in enumerate(lost):
            if delivery.text.split() == echo.text.split():
                del lost[place]
                _came_back(session, clock, delivery, echo.id)
                known.add(echo.id)
                break
    return known


def _came_back(session: AsyncSession, clock: Clock, delivery: Delivery, external_id: str) -> None:
    if delivery.state == "confirmed":
        return
    delivery.state, delivery.external_id, delivery.reason = "confirmed", external_id, None
    delivery.updated_at = clock()
    tell_delivery(session, delivery)


def tell_delivery(session: AsyncSession, delivery: Delivery) -> None:
    """News of a message's way."""
    data = {
        "message_id": str(delivery.message_id),
        "delivery": DeliveryOut.of(delivery).model_dump(mode="json"),
    }
    announce(session, Event(show_id=delivery.show_id, kind="delivery.changed", audience="staff", data=data))
