"""The brand's own words: one message, a delivery per platform, each with its true state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import AnyConnector
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.types import ChatLimits
from hub.bus import Event
from hub.chat import pace
from hub.chat.echoes import tell_delivery
from hub.chat.limits import refusal
from hub.chat.models import Delivery, Message
from hub.chat.relay import CAUTIOUS, FRESH, apart, waiting_for
from hub.chat.service import Chat
from hub.clock import Clock
from hub.connections.service import Connections, Opened
from hub.db import Database, announce
from hub.errors import BadInput, Conflict, NotFound
from hub.jobs import defer
from hub.payments.pan import without_cards
from hub.shows.models import Show, ShowTarget
from hub.shows.service import Shows, next_seq

MOST_ATTEMPTS = 5
SOON = 10.0
"""Seconds that a private answer is put off at most: it is about minutes, and others wait behind it."""
IN_DOUBT = "It may or may not have been sent."


@dataclass(frozen=True)
class Address:
    """Where a message goes: everywhere, or to these targets, and maybe to our own page."""

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


@dataclass(frozen=True)
class Words:
    """What is said; the message that it answers, or None; whether it is to be louder than a message.

    `key`: whoever says it again with the same one gets the message there is. `privately`: for whom it answers
    alone, where the platform can; a job `claim.told` says how that went. `until`: of no use afterwards.
    """

    text: str
    answers: Message | None = None
    aloud: bool = False
    key: str | None = None
    privately: bool = False
    until: datetime | None = None


class Replies:
    """Sends what the brand says, and what is passed on between platforms."""

    def __init__(
        self, db: Database, clock: Clock, connections: Connections, shows: Shows, chat: Chat
    ) -> None:
        self._db = db
        self._clock = clock
        self._connections = connections
        self._shows = shows
        self._chat = chat

    async def reply(self, session: AsyncSession, show: Show, words: Words, address: Address) -> Message:
        """Store the message and queue its deliveries. `show` is locked: of two with one key, one goes."""
        words = replace(words, text=without_cards(words.text))
        if words.key and (said := await self._chat.said_with(session, show, words.key)):
            if said.text != words.text:
                raise Conflict("key_used", "Something else was sent with this key. Send this with a new one.")
            return said
        targets = [
            target
            for target in await self._shows.targets(session, show.id)
            if address.everywhere or target.id in address.targets
        ]
        if not targets and not address.own:
            raise BadInput("to_nobody", "Choose where this should go.")
        message = await self._chat.add_reply(
            session, show, words.text, public=address.own, answers=words.answers, key=words.key
        )
        if address.own:
            session.add(delivery_of(message, platform="own", text=words.text, state="confirmed"))
        for target in targets:
            delivery = self._delivery(message, target, words)
            await self._check(session, target, delivery, words.until)
            session.add(delivery)
            await session.flush()
            if delivery.state == "queued":
                lock = f"chat.send:{target.id}"
                if apart(self._connections.connector(target.connector), delivery.verb):
                    lock += ":private"
                await defer(session, "chat.send", lock=lock, delivery_id=str(delivery.id))
        return message

    async def was_said(self, session: AsyncSession, show: Show, key: str) -> bool:
        """Whether there is a message with this key, whatever its words."""
        return await self._chat.said_with(session, show, key) is not None

    async def message(self, session: AsyncSession, show: Show, message_id: UUID) -> Message:
        """One message of a show."""
        found = await session.get(Message, message_id)
        if found is None or found.show_id != show.id:
            raise NotFound("message_unknown", "There is no such message in this show.")
        return found

    async def send(self, delivery_id: UUID) -> None:
        """Send one delivery at most once. A clean RetryLater passes through to the job's retry rule."""
        target = await self._target(delivery_id)
        if target is None:
            await self._tell_doubt(delivery_id)
            return
        attempts, hurried = 0, False
        try:
            async with self._connections.use(target.connection_id) as opened:
                if target.chat_ref is None:
                    raise Refused("The chat is closed.")
                # Claimed last: whatever went wrong before this left no doubt.
                claimed = await self._claim(delivery_id, target)
                if claimed is None:
                    return
                if isinstance(claimed, datetime):
                    wait = (claimed - self._clock()).total_seconds()
                    full = f"{target.name} takes no more messages for a moment."
                    raise RetryLater(full, max(wait, 0.05), tries=0)
                attempts, hurried = claimed.attempts, claimed.verb == "private"
                external_id = await say(opened, target.chat_ref, claimed)
        except RetryLater as error:
            if error.unknown:
                await self._settle(delivery_id, "unknown", error.reason)
                return
            if attempts == 0:
                raise
            tired = attempts >= MOST_ATTEMPTS or (hurried and error.after > SOON)
            await self._settle(delivery_id, "failed" if tired else "queued", error.reason)
            if not tired:
                error.tries = attempts
                raise
            return
        except (Refused, Reconnect, NotFound) as error:
            await self._settle(delivery_id, "failed", str(error))
            return
        await self.sent(delivery_id, external_id)

    def _delivery(self, message: Message, target: ShowTarget, words: Words) -> Delivery:
        """In the platform's own way: an answer, an announcement, or a message that names whom it answers."""
        connector = self._connections.connector(target.connector)
        text, verb, asked = words.text, "send", words.answers
        if asked and asked.target_id == target.id:
            if words.privately and connector.private_replier:
                verb = "private"
            elif connector.replier:
                verb = "reply"
            elif asked.author_name and not text.startswith("@"):
                text = f"@{asked.author_name.lstrip('@')} {text}"
        elif words.aloud and connector.announcer:
            verb = "announce"
        return delivery_of(
            message,
            target_id=target.id,
            platform=target.connector,
            verb=verb,
            text=text,
            answers=asked.external_id if asked and verb in ("reply", "private") else None,
        )

    async def _check(
        self, session: AsyncSession, target: ShowTarget, delivery: Delivery, until: datetime | None
    ) -> None:
        """What is certain to be refused is not even tried; what must wait knows until when."""
        connector = self._connections.connector(target.connector)
        if not can_say(connector, delivery):
            fallback = f"{target.name} gives programs no way to write in its chat."
            delivery.state, delivery.reason = "failed", connector.gaps.get("chat_sink", fallback)
            return
        if target.chat_ref is None:
            delivery.state, delivery.reason = "failed", f"The chat of {target.name} is not open yet."
            return
        limits, private = limits_of(connector, delivery.verb), apart(connector, delivery.verb)
        if limits is None:
            return
        last = await self._last(session, target) if not limits.repeats else None
        if reason := refusal(delivery.text, limits, target.name, last):
            delivery.state, delivery.reason = "failed", reason
            return
        ahead, now = await waiting_for(session, target.id, connector, delivery.verb), self._clock()
        due = await pace.expected(session, target, limits, ahead, now, private=private)
        if until and due and due >= until:
            delivery.state, delivery.reason = "failed", f"{target.name} is too busy: it would come too late."
            return
        delivery.due_at = due

    async def _last(self, session: AsyncSession, target: ShowTarget) -> str | None:
        query = (
            select(Delivery.text)
            .where(
                col(Delivery.target_id) == target.id,
                col(Delivery.state) != "failed",
                col(Delivery.verb) != "private",
            )
            .order_by(col(Delivery.id).desc())
            .limit(1)
        )
        return (await session.exec(query)).first()

    async def _target(self, delivery_id: UUID) -> ShowTarget | None:
        """Where a delivery that waits is to go."""
        query = (
            select(ShowTarget)
            .join(Delivery, col(Delivery.target_id) == col(ShowTarget.id))
            .where(col(Delivery.id) == delivery_id, col(Delivery.state) == "queued")
        )
        async with self._db.session() as session:
            return (await session.exec(query)).first()

    async def _tell_doubt(self, delivery_id: UUID) -> None:
        """Whoever began to send it may have died: screens still show it as waiting."""
        async with self._db.session() as session:
            delivery = await session.get(Delivery, delivery_id)
            if delivery and delivery.state == "unknown":
                tell_delivery(session, delivery)
                await pass_on(session, delivery)

    async def _claim(self, delivery_id: UUID, target: ShowTarget) -> Delivery | datetime | None:
        """Mark it as on its way before the first byte leaves; or when there will be room for it.

        A crash in between leaves `unknown`, and nobody hears the same words twice.
        """
        connector = self._connections.connector(target.connector)
        async with self._db.session() as session:
            query = (
                select(Delivery)
                .where(col(Delivery.id) == delivery_id, col(Delivery.state) == "queued")
                .with_for_update()
            )
            delivery = (await session.exec(query)).first()
            if delivery is None:
                return None
            limits, private = limits_of(connector, delivery.verb), apart(connector, delivery.verb)
            if delivery.purpose == "relay":
                limits = limits or CAUTIOUS
                if delivery.updated_at < self._clock() - FRESH:
                    delivery.state, delivery.reason = "failed", "It would have come too late."
                    tell_delivery(session, delivery)
                    return None
            now = self._clock()
            free = await pace.take(session, target, limits, now, private=private) if limits else None
            if free:
                delivery.due_at = free
                tell_delivery(session, delivery)
                return free
            delivery.state, delivery.reason, delivery.due_at = "unknown", IN_DOUBT, None
            delivery.attempts += 1
            return delivery

    async def _settle(self, delivery_id: UUID, state: str, reason: str) -> None:
        async with self._db.session() as session:
            delivery = await session.get(Delivery, delivery_id, with_for_update=True)
            # Its echo may have been quicker than our own news of it.
            if delivery and delivery.state != "confirmed":
                delivery.state, delivery.reason = state, reason
                delivery.updated_at = self._clock()
                tell_delivery(session, delivery)
                await pass_on(session, delivery)

    async def sent(self, delivery_id: UUID, external_id: str) -> None:
        """The platform took it; its echo may have been here already."""
        async with self._db.session() as session:
            delivery = (await session.exec(select(Delivery).where(col(Delivery.id) == delivery_id))).one()
            # The feed's lock, so that the echo is either stored before or sees our id.
            feed = select(Show).where(col(Show.id) == delivery.show_id)
            await session.exec(feed.with_for_update(key_share=True))
            await session.refresh(delivery)
            if delivery.state == "confirmed":
                return
            delivery.external_id, delivery.reason = external_id or None, None
            delivery.updated_at = self._clock()
            query = select(Message).where(
                col(Message.show_id) == delivery.show_id,
                col(Message.platform) == delivery.platform,
                col(Message.external_id) == external_id,
            )
            echo = (await session.exec(query)).first() if external_id else None
            delivery.state = "confirmed" if echo else "sent"
            if echo:
                await session.delete(echo)
                seq = await next_seq(session, delivery.show_id)
                data = {"ids": [str(echo.id)]}
                announce(session, Event(show_id=delivery.show_id, kind="message.deleted", seq=seq, data=data))
            tell_delivery(session, delivery)
            await pass_on(session, delivery)


async def pass_on(session: AsyncSession, delivery: Delivery) -> None:
    """A private answer that was sent, or was not, is the claims' business from here on."""
    if delivery.verb == "private" and delivery.state != "queued":
        await defer(session, "claim.told", key=f"claim.told:{delivery.id}", delivery_id=str(delivery.id))


async def say(opened: Opened, chat_ref: str, delivery: Delivery) -> str:
    """The platform's id of what was said; empty where it gives none."""
    connector, session, key = opened.connector, opened.session, str(delivery.id)
    if delivery.verb == "reply" and connector.replier and delivery.answers:
        return await connector.replier(session).reply(chat_ref, delivery.answers, delivery.text, key=key)
    if delivery.verb == "private" and connector.private_replier and delivery.answers:
        private = connector.private_replier(session)
        return await private.reply(chat_ref, delivery.answers, delivery.text, key=key)
    if delivery.verb == "announce" and connector.announcer:
        return await connector.announcer(session).announce(chat_ref, delivery.text, key=key)
    if connector.chat_sink is None:
        raise Refused("The chat can't be written to.")
    return await connector.chat_sink(session).send(chat_ref, delivery.text, key=key)


def limits_of(connector: AnyConnector, verb: str) -> ChatLimits | None:
    """What holds for a message that is said so."""
    return connector.private_limits if apart(connector, verb) else connector.chat_limits


def can_say(connector: AnyConnector, delivery: Delivery) -> bool:
    """Whether the platform has a way for it."""
    return bool(connector.chat_sink) or delivery.verb != "send"


def delivery_of(message: Message, **more: Any) -> Delivery:
    """A way for a message."""
    return Delivery(brand_id=message.brand_id, show_id=message.show_id, message_id=message.id, **more)
