"""The merged feed: messages of every platform in one numbered order, each exactly once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import ChatDeletion, ChatHealth, ChatItem, ChatMessage
from hub.auth.tokens import Viewer
from hub.bus import Event
from hub.chat.models import Delivery, Message
from hub.chat.out import DeliveryOut, MessageOut
from hub.clock import Clock
from hub.db import announce
from hub.ids import new_id
from hub.shows.models import Show, ShowTarget
from hub.shows.service import next_seq

LONGEST = 2000


class Chat:
    """Stores messages and tells the screens."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def receive(self, session: AsyncSession, target_id: UUID, items: Sequence[ChatItem]) -> None:
        """What a platform's chat said, in its order. Repeats change nothing."""
        target = (await session.exec(select(ShowTarget).where(col(ShowTarget.id) == target_id))).one()
        # The show's row is the feed's lock: numbers are given out in the order messages are stored.
        query = select(Show).where(col(Show.id) == target.show_id).with_for_update()
        show = (await session.exec(query)).one()
        messages = [item for item in items if isinstance(item, ChatMessage)]
        if messages:
            await self._store(session, show, target, messages)
        for item in items:
            if isinstance(item, ChatDeletion):
                await self._delete(session, show, target, item)
            elif isinstance(item, ChatHealth):
                await self.set_health(session, target_id, item)

    async def set_health(self, session: AsyncSession, target_id: UUID, health: ChatHealth) -> None:
        """How reading one chat is going."""
        query = select(ShowTarget).where(col(ShowTarget.id) == target_id).with_for_update()
        target = (await session.exec(query)).first()
        detail = f"{health.detail} Some messages may be missing.".strip() if health.missed else health.detail
        if target is None or (target.chat_state, target.chat_detail) == (health.state, detail):
            return
        target.chat_state, target.chat_detail = health.state, detail
        data = {"platform": target.connector, "target_id": str(target.id)}
        data |= {"state": health.state, "detail": detail}
        announce(session, Event(show_id=target.show_id, kind="chat.changed", audience="staff", data=data))

    async def say(self, session: AsyncSession, show: Show, viewer: Viewer, name: str, words: str) -> Message:
        """A viewer of the watch page says something."""
        message = Message(
            brand_id=show.brand_id,
            show_id=show.id,
            platform="own",
            external_id=str(new_id()),
            author_id=viewer.id,
            author_name=name,
            text=words,
        )
        return await self._add(session, show, message)

    async def add_reply(self, session: AsyncSession, show: Show, words: str, *, public: bool) -> Message:
        """The brand says something; `public` when the watch page shows it too."""
        message = Message(
            brand_id=show.brand_id,
            show_id=show.id,
            platform="own",
            external_id=str(new_id()),
            author_name=None,
            text=words,
            outgoing=True,
        )
        return await self._add(session, show, message, audience_is_public=public)

    async def feed(
        self, session: AsyncSession, show_id: UUID, *, after: int | None = None, limit: int = 200
    ) -> list[MessageOut]:
        """Messages after a number in order, or the newest ones; with their deliveries."""
        query = select(Message).where(col(Message.show_id) == show_id)
        if after is None:
            rows = [*(await session.exec(query.order_by(col(Message.seq).desc()).limit(limit))).all()][::-1]
        else:
            query = query.where(col(Message.seq) > after).order_by(col(Message.seq)).limit(limit)
            rows = [*(await session.exec(query)).all()]
        outgoing = [row.id for row in rows if row.outgoing]
        deliveries: dict[UUID, list[DeliveryOut]] = {}
        sent = select(Delivery).where(col(Delivery.message_id).in_(outgoing)).order_by(col(Delivery.id))
        for delivery in await session.exec(sent) if outgoing else ():
            deliveries.setdefault(delivery.message_id, []).append(DeliveryOut.of(delivery))
        return [MessageOut.of(row, deliveries.get(row.id)) for row in rows]

    async def _store(
        self, session: AsyncSession, show: Show, target: ShowTarget, found: Sequence[ChatMessage]
    ) -> None:
        ids = [message.id for message in found]
        known = set(
            await session.exec(
                select(Message.external_id).where(
                    col(Message.show_id) == show.id,
                    col(Message.platform) == target.connector,
                    col(Message.external_id).in_(ids),
                )
            )
        )
        known |= await self._confirm(session, show, target, ids)
        known |= await self._recognise(session, target, [one for one in found if one.id not in known])
        added: list[Message] = []
        for message in found:
            if message.id in known:
                continue
            known.add(message.id)
            show.seq += 1
            added.append(self._row(show, target, message))
        session.add_all(added)
        cursors = [message.cursor for message in found if message.cursor]
        if cursors:
            await session.exec(
                update(ShowTarget).where(col(ShowTarget.id) == target.id).values(chat_cursor=cursors[-1])
            )
        for row in added:
            self._tell(session, row)

    def _row(self, show: Show, target: ShowTarget, message: ChatMessage) -> Message:
        now = self._clock()
        return Message(
            brand_id=show.brand_id,
            show_id=show.id,
            seq=show.seq,
            target_id=target.id,
            platform=target.connector,
            external_id=message.id,
            author_id=message.author_id,
            author_name=storable(message.author_name) if message.author_name else None,
            text=storable(message.text[:LONGEST]),
            kind=message.kind,
            amount_minor=message.money.amount if message.money else None,
            currency=message.money.currency if message.money else None,
            sent_at=message.sent_at,
            received_at=now,
            show_time_ms=show_time(show, message.sent_at or now),
        )

    async def _confirm(
        self, session: AsyncSession, show: Show, target: ShowTarget, ids: Sequence[str]
    ) -> set[str]:
        """Our own replies coming back: the platform confirms them; they are not new messages."""
        query = select(Delivery).where(
            col(Delivery.show_id) == show.id,
            col(Delivery.target_id) == target.id,
            col(Delivery.external_id).in_(ids),
        )
        ours = (await session.exec(query)).all()
        for delivery in ours:
            if delivery.state != "confirmed":
                delivery.state, delivery.updated_at = "confirmed", self._clock()
                tell_delivery(session, delivery)
        return {delivery.external_id for delivery in ours if delivery.external_id}

    async def _recognise(
        self, session: AsyncSession, target: ShowTarget, found: Sequence[ChatMessage]
    ) -> set[str]:
        """Replies that left without an answer (it was lost, or we were killed) known by their words."""
        echoes = [message for message in found if message.ours]
        if not echoes:
            return set()
        query = (
            select(Delivery, Message.text)
            .join(Message, col(Message.id) == col(Delivery.message_id))
            .where(col(Delivery.target_id) == target.id, col(Delivery.state) == "unknown")
            .order_by(col(Delivery.id))
        )
        lost = [*(await session.exec(query)).all()]
        known = set()
        for echo in echoes:
            for place, (delivery, words) in enumerate(lost):
                if words.split() == echo.text.split():
                    del lost[place]
                    delivery.state, delivery.external_id, delivery.reason = "confirmed", echo.id, None
                    delivery.updated_at = self._clock()
                    tell_delivery(session, delivery)
                    known.add(echo.id)
                    break
        return known

    async def _delete(
        self, session: AsyncSession, show: Show, target: ShowTarget, deletion: ChatDeletion
    ) -> None:
        query = select(Message).where(
            col(Message.show_id) == show.id,
            col(Message.platform) == target.connector,
            col(Message.deleted).is_(False),
        )
        if deletion.message_ids:
            query = query.where(col(Message.external_id).in_(deletion.message_ids))
        else:
            query = query.where(col(Message.author_id) == deletion.author_id)
        gone = (await session.exec(query)).all()
        for message in gone:
            message.deleted = True
        if gone:
            show.seq += 1
            data = {"ids": [str(message.id) for message in gone]}
            announce(session, Event(show_id=show.id, kind="message.deleted", seq=show.seq, data=data))

    async def _add(
        self, session: AsyncSession, show: Show, message: Message, *, audience_is_public: bool = True
    ) -> Message:
        message.seq = await next_seq(session, show.id)
        message.received_at = self._clock()
        message.show_time_ms = show_time(show, message.received_at)
        session.add(message)
        await session.flush()
        self._tell(session, message, public=audience_is_public)
        return message

    def _tell(self, session: AsyncSession, message: Message, *, public: bool = True) -> None:
        data = MessageOut.of(message).model_dump(mode="json", exclude={"deliveries"})
        announce(
            session,
            Event(
                show_id=message.show_id,
                kind="message.added",
                audience="viewer" if public else "staff",
                seq=message.seq,
                data=data,
            ),
        )


def storable(text: str) -> str:
    """Without what PostgreSQL cannot keep (NUL, lone surrogates): one such name must not stop a chat."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def tell_delivery(session: AsyncSession, delivery: Delivery) -> None:
    """News of a reply's way."""
    data = {
        "message_id": str(delivery.message_id),
        "delivery": DeliveryOut.of(delivery).model_dump(mode="json"),
    }
    announce(session, Event(show_id=delivery.show_id, kind="delivery.changed", audience="staff", data=data))


def show_time(show: Show, moment: datetime) -> int | None:
    """Milliseconds since the show went live; negative before, None when it has not."""
    return int((moment - show.live_at).total_seconds() * 1000) if show.live_at else None
