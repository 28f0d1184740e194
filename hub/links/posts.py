"""Posting links while a show is live: said once or again and again in a chat, or drawn into the picture.

What is due is found by a sweep over `link_post`. One transaction locks a post, stores the message with its
delivery and its job, and moves `next_at` on: killed at any line, either all of it happened or nothing, and
what is due is said once. What the platform's pace holds back is not added to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import AnyConnector
from hub.chat.models import Delivery
from hub.chat.replies import Address, Replies, Words
from hub.clock import Clock
from hub.connections.service import Connections
from hub.db import Database, run
from hub.errors import BadInput, Conflict, HubError, NotFound
from hub.links.models import LinkPost, TrackedLink
from hub.links.pictures import Pictures
from hub.links.service import Links
from hub.links.wishes import How, PostWish
from hub.shows.models import Show, ShowTarget
from hub.shows.service import Shows

PATIENCE: Final = timedelta(seconds=30)
"""After which a post looks again whether the one before it has gone out."""
MOST_FAILURES: Final = 3
"""In a row; then a person is told, and the chat is left in peace."""
SAID: Final = "Shop the show:"
AT_ONCE: Final = 50
"""Posts of one sweep; the rest is for the next."""
DUE: Final = text(
    """
    SELECT link_post.id FROM link_post
    JOIN tracked_link link ON link.id = link_post.link_id AND link.archived_at IS NULL
    JOIN show_target target ON target.id = link_post.target_id
    JOIN show ON show.id = target.show_id AND show.state = 'live'
    WHERE link_post.state = 'waiting' AND (link_post.next_at IS NULL OR link_post.next_at <= :now)
      AND target.removed_at IS NULL AND target.wanted AND target.chat_ref IS NOT NULL
    ORDER BY link_post.next_at NULLS FIRST, link_post.id
    LIMIT 1 FOR UPDATE OF link_post SKIP LOCKED
    """
)
OVER: Final = text(
    """
    UPDATE link_post SET state = 'stopped' FROM show_target target JOIN show ON show.id = target.show_id
    WHERE target.id = link_post.target_id AND show.state = 'ended' AND link_post.state = 'waiting'
    """
)


@dataclass(frozen=True)
class Posted:
    """A post, where it is, and the delivery of the last time it was said."""

    post: LinkPost
    link: TrackedLink
    target: ShowTarget
    show: Show
    delivery: Delivery | None


class LinkPosts:
    """Where links are posted."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        links: Links,
        *,
        connections: Connections,
        shows: Shows,
        replies: Replies,
        pictures: Pictures,
    ) -> None:
        self._db = db
        self._clock = clock
        self._links = links
        self._connections = connections
        self._shows = shows
        self._replies = replies
        self.pictures = pictures

    async def post(self, session: AsyncSession, link: TrackedLink, wish: PostWish) -> LinkPost:
        """Post it there from now on; asked again, it is changed and starts anew."""
        if link.archived_at:
            raise Conflict("link_archived", "This link is archived. Take it out of the archive first.")
        target = await session.get(ShowTarget, wish.target_id)
        if target is None or target.brand_id != link.brand_id or target.removed_at:
            raise NotFound("target_unknown", "There is no such target.")
        if (await self._shows.get(session, link.brand_id, target.show_id)).state == "ended":
            raise Conflict("show_ended", "This show has ended: nothing is posted there any more.")
        how = wish.how or best_way(self._connector(target), target)
        if how != "overlay" and (why := self._silent(target)):
            raise BadInput("cannot_post", f"{why} Show the link in the picture instead.")
        query = select(LinkPost).where(
            col(LinkPost.link_id) == link.id, col(LinkPost.target_id) == target.id, col(LinkPost.how) == how
        )
        post = (await session.exec(query.with_for_update())).first() or LinkPost(
            brand_id=link.brand_id, link_id=link.id, target_id=target.id, how=how, created_at=self._clock()
        )
        post.every_minutes = None if how == "overlay" else wish.every_minutes
        post.message, post.state, post.reason = wish.message, "waiting", None
        post.next_at, post.failures = None, 0
        session.add(post)
        if how == "overlay":
            await self.pictures.draw(session, link, post, target)
        return post

    async def post_everywhere(
        self, session: AsyncSession, show: Show, every_minutes: int | None, message: str
    ) -> list[LinkPost]:
        """Each target's own link, in its best way; there is none where neither words nor picture are ours."""
        codes = await self._links.links_of(session, show.id)
        posts = []
        for target in await self._shows.targets(session, show.id):
            query = select(TrackedLink).where(col(TrackedLink.code) == codes.get(target.id, ""))
            link = (await session.exec(query.with_for_update())).first()
            way = best_way(self._connector(target), target)
            if link and (way != "overlay" or target.profile):
                wish = PostWish(target_id=target.id, every_minutes=every_minutes, message=message)
                posts.append(await self.post(session, link, wish))
        return posts

    async def remove(self, session: AsyncSession, link: TrackedLink, post_id: UUID) -> None:
        """Post it there no longer; a picture loses it at once."""
        post = await session.get(LinkPost, post_id, with_for_update=True)
        if post is None or post.link_id != link.id:
            raise NotFound("post_unknown", "This link is not posted there.")
        await session.delete(post)
        if post.how == "overlay":
            await self.pictures.erase(session, link, post)

    async def of_links(self, session: AsyncSession, link_ids: Sequence[UUID]) -> list[Posted]:
        """The posts of some links, oldest first."""
        return await self._posted(session, col(LinkPost.link_id).in_(link_ids))

    async def sweep(self) -> int:
        """Say what is due, each in a transaction of its own; how many were said."""
        said = 0
        for _ in range(AT_ONCE):
            async with self._db.session() as session:
                due = (await run(session, DUE, {"now": self._clock()})).scalar_one_or_none()
                if due is None:
                    break
                said += await self._try(session, due)
        async with self._db.session() as session:
            await run(session, OVER)
        return said

    async def _try(self, session: AsyncSession, post_id: UUID) -> bool:
        """One that can't even be queued must not stand in the way of all others for ever."""
        try:
            async with session.begin_nested():
                return await self._say(session, post_id)
        except HubError as error:
            post = await session.get_one(LinkPost, post_id, populate_existing=True)
            post.state, post.reason = "failed", error.detail
            return False

    async def _say(self, session: AsyncSession, post_id: UUID) -> bool:
        """One post that is due and locked. Its next time counts from now: nothing is made up for."""
        [found] = await self._posted(session, col(LinkPost.id) == post_id)
        if why := self._silent(found.target):
            raise Conflict("cannot_say", why)
        post, before, now = found.post, found.delivery, self._clock()
        if before and before.state == "queued":
            post.next_at = now + PATIENCE
            return False
        post.failures = post.failures + 1 if before and before.state == "failed" else 0
        if before and post.failures >= MOST_FAILURES:
            post.state, post.reason = "failed", before.reason
            return False
        words = Words(self._words(found), aloud=post.how == "announce")
        to = Address(everywhere=False, targets=frozenset({post.target_id}), own=False)
        message = await self._replies.reply(session, found.show, words, to)
        post.said_id, post.last_at, post.times = message.id, now, post.times + 1
        post.next_at = now + timedelta(minutes=post.every_minutes) if post.every_minutes else None
        post.state = "waiting" if post.every_minutes else "done"
        return True

    def _words(self, found: Posted) -> str:
        """What is said. A chat that refuses the same words twice in a row hears them in another order."""
        url, limits = self._links.url(found.link.code), self._connector(found.target).chat_limits
        said = found.post.message or SAID
        turned = limits is not None and not limits.repeats and found.post.times % 2 == 1
        return f"{url} {said}" if turned else f"{said} {url}"

    async def _posted(self, session: AsyncSession, which: ColumnElement[bool]) -> list[Posted]:
        query = (
            select(LinkPost, TrackedLink, ShowTarget, Show)
            .join(TrackedLink, col(TrackedLink.id) == col(LinkPost.link_id))
            .join(ShowTarget, col(ShowTarget.id) == col(LinkPost.target_id))
            .join(Show, col(Show.id) == col(ShowTarget.show_id))
            .where(which)
            .order_by(col(LinkPost.id))
        )
        rows = (await session.exec(query)).all()
        said = [post.said_id for post, *_ in rows if post.said_id]
        sent = await session.exec(select(Delivery).where(col(Delivery.message_id).in_(said))) if said else ()
        deliveries = {(one.message_id, one.target_id): one for one in sent}
        return [
            Posted(post, link, target, show, deliveries.get((post.said_id or post.id, target.id)))
            for post, link, target, show in rows
        ]

    def _connector(self, target: ShowTarget) -> AnyConnector:
        return self._connections.connector(target.connector)

    def _silent(self, target: ShowTarget) -> str | None:
        """Why nothing can be said there, or None."""
        connector = self._connector(target)
        if says(connector) is None:
            fallback = f"{target.name} gives programs no way to write in its chat."
            return connector.gaps.get("chat_sink", fallback)
        if connector.chat_limits and not connector.chat_limits.links:
            return f"{target.name} refuses messages with links."
        return None


def says(connector: AnyConnector) -> How | None:
    """The loudest way to say something in this platform's chat."""
    if connector.announcer:
        return "announce"
    return "message" if connector.chat_sink else None


def best_way(connector: AnyConnector, target: ShowTarget) -> How:
    """In the chat where it takes addresses, else in the picture."""
    limits = connector.chat_limits
    way = says(connector) if limits is None or limits.links else None
    return way or "overlay"
