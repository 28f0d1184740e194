"""A show whose platforms a test makes up: what they can do is a choice, and they refuse what is too much."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from procrastinate import App
from sqlalchemy import text

from connectors.base import Addresses, AnyConnector, Connector, Moderation, NoConfig, Session
from connectors.errors import ConnectorError, Refused
from connectors.types import ChatItem, ChatLimits, ChatMessage
from hub.chat.models import Message
from hub.chat.moderation import ActionOut, Verb, Wish
from hub.chat.out import MessageOut
from hub.chat.replies import Address, Words
from hub.db import run
from hub.services import Services
from hub.shows.models import Show, ShowTarget
from tests.hub.shop import SetClock, Shop

DUE = """
    SELECT 1 FROM procrastinate_jobs job
    WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now() AND NOT EXISTS (
        SELECT 1 FROM procrastinate_jobs earlier
        WHERE earlier.lock = job.lock AND earlier.id < job.id AND earlier.status IN ('todo', 'doing')
    )
"""
"""A job waits for those before it with the same lock, even while they wait for their own time."""
SAME = {"brand_id", "connection_id", "connector", "name", "chat_ref"}
"""What targets of one account have in common."""


@dataclass
class Platform:
    """What was said and done there. `fails` is raised by the next calls, the first one first."""

    name: str
    clock: SetClock
    limits: ChatLimits | None = None
    private_limits: ChatLimits | None = None
    sent: list[tuple[datetime, str, str]] = field(default_factory=list)
    done: list[tuple[Any, ...]] = field(default_factory=list)
    fails: list[ConnectorError] = field(default_factory=list)

    def words(self) -> list[str]:
        return [words for _, _, words in self.sent]

    def take(self, verb: str, words: str) -> str:
        """As the real ones: nothing too long, nothing too fast."""
        if self.fails:
            raise self.fails.pop(0)
        now = self.clock()
        private = verb.startswith("private")
        if limits := (self.private_limits if private else None) or self.limits:
            since = now - timedelta(seconds=limits.seconds)
            # Counted apart only where it has limits of its own.
            alike = [
                at
                for at, how, _ in self.sent
                if not self.private_limits or how.startswith("private") == private
            ]
            if sum(at > since for at in alike) >= limits.messages or len(words) > limits.characters:
                raise Refused("Too much.")
        self.sent.append((now, verb, words))
        return f"{self.name}-{len(self.sent)}"

    async def send(self, ref: str, text: str, *, key: str) -> str:
        return self.take("send", text)

    async def reply(self, ref: str, message_id: str, text: str, *, key: str) -> str:
        return self.take(f"reply to {message_id}", text)

    async def announce(self, ref: str, text: str, *, key: str) -> str:
        self.take("announce", text)
        return ""

    async def messages(self, ref: str, *, cursor: str | None = None) -> AsyncIterator[ChatItem]:
        for _ in ():
            yield _

    async def on_message(self, _: Session[NoConfig], ref: str, message_id: str) -> None:
        self.note("message", message_id)

    async def on_author(self, _: Session[NoConfig], ref: str, author_id: str) -> None:
        self.note("author", author_id)

    async def for_seconds(self, _: Session[NoConfig], ref: str, author_id: str, seconds: int) -> None:
        self.note("timeout", author_id, seconds)

    def note(self, *what: Any) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.done.append(what)


@dataclass
class Privately:
    """The same, to one person alone."""

    platform: Platform

    async def reply(self, ref: str, message_id: str, text: str, *, key: str) -> str:
        return self.platform.take(f"private to {message_id}", text)


def able(platform: Platform, *, title: str, can: str = "", **gaps: str) -> AnyConnector:
    """A connector that can do these things, by their names."""
    words = set(can.split())
    verbs: dict[str, Any] = {one: platform.on_message for one in ("delete", "hide", "unhide") if one in words}
    verbs |= {one: platform.on_author for one in ("ban", "unban") if one in words}
    verbs |= {"timeout": platform.for_seconds} if "timeout" in words else {}
    return Connector(
        name=platform.name,
        title=title,
        config=NoConfig,
        addresses=Addresses(base_url="http://127.0.0.1:9"),
        chat_limits=platform.limits,
        private_limits=platform.private_limits,
        gaps={name.replace("__", "."): sentence for name, sentence in gaps.items()},
        destination=lambda _: platform,  # type: ignore[arg-type, return-value]
        chat_source=lambda _: platform,
        chat_sink=(lambda _: platform) if "send" in words else None,
        replier=(lambda _: platform) if "reply" in words else None,
        private_replier=(lambda _: Privately(platform)) if "private" in words else None,
        announcer=(lambda _: platform) if "announce" in words else None,
        moderation=Moderation(**verbs) if verbs else None,
    )


@dataclass
class Stage:
    """A live show on made-up platforms; `work` runs the jobs that are due."""

    hub: Services
    shop: Shop
    clock: SetClock
    jobs: App
    platforms: dict[str, Platform] = field(default_factory=dict)
    targets: dict[str, UUID] = field(default_factory=dict)

    async def add(
        self,
        name: str,
        *,
        can: str = "",
        limits: ChatLimits | None = None,
        private_limits: ChatLimits | None = None,
        **gaps: str,
    ) -> Platform:
        """Stream there, too."""
        platform = Platform(name, self.clock, limits, private_limits)
        known = dict(self.hub.connections.connectors)
        known[name] = able(platform, title=name.title(), can=can, **gaps)
        self.hub.connections.connectors = known
        self.hub.relay.connectors = known
        async with self.hub.db.session() as session:
            row = await self.hub.connections.add(session, self.shop.brand_id, name.title(), name, {}, None)
            target = ShowTarget(
                brand_id=self.shop.brand_id,
                show_id=self.shop.show_id,
                connection_id=row.id,
                connector=name,
                name=name.title(),
                chat_ref="chat",
            )
            session.add(target)
        self.platforms[name], self.targets[name] = platform, target.id
        return platform

    async def another_show(self) -> Stage:
        """A second live show at the same time, on the same accounts."""
        async with self.hub.db.session() as session:
            show = Show(
                brand_id=self.shop.brand_id,
                slug=f"matinee-{uuid4().hex[:6]}",
                title="Matinee",
                stream_key_sealed=b"",
                stream_key_hash=uuid4().hex,
            )
            await self.hub.shows.plan(session, show, [self.shop.product_id], [])
            await self.hub.shows.start(session, show)
            targets = {}
            for name, known in self.targets.items():
                here = await session.get_one(ShowTarget, known)
                target = ShowTarget(show_id=show.id, **here.model_dump(include=SAME))
                session.add(target)
                targets[name] = target.id
        shop = replace(self.shop, show_id=show.id, slug=show.slug)
        return replace(self, shop=shop, targets=targets)

    async def hear(self, name: str, *items: ChatItem, resumed: datetime | None = None) -> None:
        async with self.hub.db.session() as session:
            await self.hub.chat.receive(session, self.targets[name], items, resumed)

    async def feed(self, *, viewers: bool = False) -> list[MessageOut]:
        async with self.hub.db.session() as session:
            return await self.hub.chat.feed(session, self.shop.show_id, limit=500, viewers=viewers)

    async def say(
        self,
        words: str,
        to: Any = "all",
        *,
        answers: UUID | None = None,
        aloud: bool = False,
        key: str | None = None,
    ) -> MessageOut:
        async with self.hub.db.session() as session:
            show = await self.hub.shows.get(session, self.shop.brand_id, self.shop.show_id, lock=True)
            asked = await session.get(Message, answers) if answers else None
            told = Words(words, asked, aloud, key)
            sent = await self.hub.replies.reply(session, show, told, Address.of(to))
        return next(one for one in await self.feed() if one.id == sent.id)

    async def moderate(self, message_id: UUID, verb: Verb, seconds: int | None = None) -> ActionOut:
        async with self.hub.db.session() as session:
            show = await self.hub.shows.get(session, self.shop.brand_id, self.shop.show_id, lock=True)
            message = await session.get_one(Message, message_id)
            wish = Wish(verb, seconds)
            by = self.shop.brand_id  # anybody: a name is not needed here
            return ActionOut.of(await self.hub.moderators.act(session, show, message, wish, by))

    async def undo(self, action_id: UUID) -> ActionOut:
        async with self.hub.db.session() as session:
            show = await self.hub.shows.get(session, self.shop.brand_id, self.shop.show_id, lock=True)
            by = self.shop.brand_id
            return ActionOut.of(await self.hub.moderators.undo(session, show, action_id, by))

    async def actions(self) -> list[ActionOut]:
        async with self.hub.db.session() as session:
            return [ActionOut.of(one) for one in await self.hub.moderators.list(session, self.shop.show_id)]

    async def ways(self, message_id: UUID) -> dict[str, tuple[str, str | None]]:
        """State and reason of each delivery, by platform."""
        [message] = [one for one in await self.feed() if one.id == message_id]
        return {one.platform: (one.state, one.reason) for one in message.deliveries}

    async def work(self, concurrency: int = 4) -> None:
        while await self._due():
            await self.jobs.run_worker_async(
                wait=False,
                concurrency=concurrency,
                listen_notify=False,
                delete_jobs="successful",
                install_signal_handlers=False,
            )

    async def later(self) -> None:
        """However long the pauses before the next tries are, they are over; then work."""
        await self.sql("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo'")
        await self.work()

    async def passes(self, seconds: float) -> None:
        """It is so much later, for the platforms and for the jobs that wait; then work, one job at a time."""
        self.clock.tick(seconds)
        statement = "UPDATE procrastinate_jobs SET scheduled_at = scheduled_at - make_interval(secs => :secs)"
        async with self.hub.db.session() as session:
            await run(session, text(statement), {"secs": seconds})
        await self.work(concurrency=1)

    async def _due(self) -> bool:
        return bool(await self.sql(DUE))

    async def sql(self, statement: str) -> list[Any]:
        async with self.hub.db.session() as session:
            result = await run(session, text(statement))
            return [*result.all()] if result.returns_rows else []


def said(number: int, words: str = "", **more: Any) -> ChatMessage:
    """A viewer's message."""
    values = {"author_id": "ana", "author_name": "Ana"} | more
    return ChatMessage(id=f"m{number}", text=words or f"words {number}", **values)
