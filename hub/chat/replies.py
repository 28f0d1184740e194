"""The brand's replies: one message, a delivery per platform, each with its true state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.errors import Reconnect, Refused, RetryLater
from hub.bus import Event
from hub.chat.models import Delivery, Message
from hub.chat.service import Chat, tell_delivery
from hub.clock import Clock
from hub.connections.service import Connections
from hub.db import Database, announce
from hub.errors import BadInput, NotFound
from hub.jobs import defer
from hub.shows.models import Show, ShowTarget
from hub.shows.service import Shows, next_seq

MOST_ATTEMPTS = 5


@dataclass(frozen=True)
class Address:
    """Where a reply goes: everywhere, or to these targets, and maybe to our own page."""

    everywhere: bool
    targets: frozenset[UUID]
    own: bool

    @classmethod
    def of(cls, to: Literal["all"] | Sequence[str]) -> Address:
        """From `"all"` or a list of target ids and `"own"`."""
        if to == "all":
            return cls(everywhere=True, targets=frozenset(), own=True)
        try:
            return cls(False, frozenset(UUID(one) for one in to if one != "own"), "own" in to)
        except ValueError:
            raise BadInput("to_invalid", 'Send to "all", or to a list of target ids and "own".') from None


class Replies:
    """Sends what the brand says."""

    def __init__(
        self, db: Database, clock: Clock, connections: Connections, shows: Shows, chat: Chat
    ) -> None:
        self._db = db
        self._clock = clock
        self._connections = connections
        self._shows = shows
        self._chat = chat

    async def reply(self, session: AsyncSession, show: Show, words: str, address: Address) -> Message:
        """Store the reply and queue its deliveries."""
        targets = [
            target
            for target in await self._shows.targets(session, show.id)
            if address.everywhere or target.id in address.targets
        ]
        if not targets and not address.own:
            raise BadInput("to_nobody", "Choose where this should go.")
        message = await self._chat.add_reply(session, show, words, public=address.own)
        if address.own:
            session.add(self._delivery(message, "own", None, "confirmed"))
        for target in targets:
            sink = self._connections.connector(target.connector).chat_sink
            delivery = self._delivery(message, target.connector, target.id, "queued")
            if sink is None:
                delivery.state = "failed"
                delivery.reason = f"{target.name} gives programs no way to write in its chat."
            elif target.chat_ref is None:
                delivery.state, delivery.reason = "failed", f"The chat of {target.name} is not open yet."
            session.add(delivery)
            await session.flush()
            if delivery.state == "queued":
                await defer(session, "chat.send", lock=f"chat.send:{target.id}", delivery_id=str(delivery.id))
        return message

    async def send(self, delivery_id: UUID) -> None:
        """Send one delivery at most once. A clean RetryLater passes through to the job's retry rule."""
        target = await self._target(delivery_id)
        if target is None:
            return
        attempts = 0
        try:
            async with self._connections.use(target.connection_id) as opened:
                if opened.connector.chat_sink is None or target.chat_ref is None:
                    raise Refused("The chat is closed.")
                # Claimed last: whatever went wrong before this left no doubt.
                claimed = await self._claim(delivery_id)
                if claimed is None:
                    return
                words, attempts = claimed
                sink = opened.connector.chat_sink(opened.session)
                external_id = await sink.send(target.chat_ref, words, key=str(delivery_id))
        except RetryLater as error:
            if error.unknown:
                await self._settle(delivery_id, "unknown", error.reason)
                return
            tired = attempts >= MOST_ATTEMPTS
            await self._settle(delivery_id, "failed" if tired else "queued", error.reason)
            if not tired:
                raise
            return
        except (Refused, Reconnect, NotFound) as error:
            await self._settle(delivery_id, "failed", str(error))
            return
        await self.sent(delivery_id, external_id)

    async def _target(self, delivery_id: UUID) -> ShowTarget | None:
        """Where a delivery that waits is to go."""
        query = (
            select(ShowTarget)
            .join(Delivery, col(Delivery.target_id) == col(ShowTarget.id))
            .where(col(Delivery.id) == delivery_id, col(Delivery.state) == "queued")
        )
        async with self._db.session() as session:
            return (await session.exec(query)).first()

    async def _claim(self, delivery_id: UUID) -> tuple[str, int] | None:
        """Mark it as on its way before the first byte leaves.

        A crash in between leaves `unknown`, and nobody hears the same reply twice.
        """
        async with self._db.session() as session:
            query = (
                select(Delivery, Message.text)
                .join(Message, col(Message.id) == col(Delivery.message_id))
                .where(col(Delivery.id) == delivery_id, col(Delivery.state) == "queued")
                .with_for_update(of=Delivery)
            )
            found = (await session.exec(query)).first()
            if found is None:
                return None
            delivery, words = found
            delivery.state, delivery.reason = "unknown", "It may or may not have been sent."
            delivery.attempts += 1
            return words, delivery.attempts

    async def _settle(self, delivery_id: UUID, state: str, reason: str) -> None:
        async with self._db.session() as session:
            delivery = await session.get(Delivery, delivery_id, with_for_update=True)
            # Its echo may have been quicker than our own news of it.
            if delivery and delivery.state != "confirmed":
                delivery.state, delivery.reason = state, reason
                delivery.updated_at = self._clock()
                tell_delivery(session, delivery)

    async def sent(self, delivery_id: UUID, external_id: str) -> None:
        """The platform took it; its echo may have been here already."""
        async with self._db.session() as session:
            delivery = (await session.exec(select(Delivery).where(col(Delivery.id) == delivery_id))).one()
            # The feed's lock, so that the echo is either stored before or sees our id.
            await session.exec(select(Show).where(col(Show.id) == delivery.show_id).with_for_update())
            await session.refresh(delivery)
            if delivery.state == "confirmed":
                return
            delivery.external_id, delivery.reason = external_id, None
            delivery.updated_at = self._clock()
            query = select(Message).where(
                col(Message.show_id) == delivery.show_id,
                col(Message.platform) == delivery.platform,
                col(Message.external_id) == external_id,
            )
            echo = (await session.exec(query)).first()
            delivery.state = "confirmed" if echo else "sent"
            if echo:
                await session.delete(echo)
                seq = await next_seq(session, delivery.show_id)
                data = {"ids": [str(echo.id)]}
                announce(session, Event(show_id=delivery.show_id, kind="message.deleted", seq=seq, data=data))
            tell_delivery(session, delivery)

    def _delivery(self, message: Message, platform: str, target_id: UUID | None, state: str) -> Delivery:
        return Delivery(
            brand_id=message.brand_id,
            show_id=message.show_id,
            message_id=message.id,
            target_id=target_id,
            platform=platform,
            state=state,
        )
