"""Tells buyers what became of their claims: privately where the platform can, else in its chat, else not.

One answer for all claims a person made in one breath. The chat points to a private one with a link once that
was sent; where it was refused, or nobody knows, the link goes there instead (`told`). Refusals in a public
chat share one message, and are left out when very much is waiting to be said there: what is for sale goes
first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import AnyConnector
from hub.bus import Event
from hub.chat.models import Delivery, Message
from hub.chat.relay import waiting_for
from hub.chat.replies import Address, Replies, Words
from hub.claims.links import Links
from hub.claims.models import Claim
from hub.clock import Clock
from hub.connections.service import Connections
from hub.db import Database, announce, run
from hub.shows.models import Show, ShowTarget

MOST_WAITING: Final = 20
"""Messages of ours that wait for their turn in a chat before refusals are left out."""
LOOK_THERE: Final = " The link to pay is in your messages."
USUAL: Final = 200
"""Characters, where a platform names no limit."""

GOODS: Final = text(
    """
    SELECT product.id, variant.id AS variant_id,
        trim(product.title || ' ' || coalesce(variant.title, '')) AS title
    FROM product LEFT JOIN variant ON variant.product_id = product.id WHERE product.id = ANY(:products)
    """
)


class Answers:
    """Queues answers in the transaction that decided the claims."""

    def __init__(
        self, db: Database, clock: Clock, links: Links, connections: Connections, replies: Replies
    ) -> None:
        self._db = db
        self._clock = clock
        self._links = links
        self._connections = connections
        self._replies = replies

    async def tell(self, session: AsyncSession, show: Show, claims: Sequence[Claim], now: datetime) -> None:
        """What was decided about these; each once, because their state is written along with it."""
        titles = await self._titles(session, claims)
        people: dict[tuple[UUID | None, str], list[Claim]] = {}
        for claim in claims:
            people.setdefault((claim.target_id, claim.viewer_id), []).append(claim)
        told: dict[UUID, list[Claim]] = {}
        for (target_id, _), mine in people.items():
            target = await session.get(ShowTarget, target_id) if target_id else None
            if target is None:
                self._on_page(session, show, mine)
                continue
            won = [one for one in mine if one.state == "held"]
            if won or self._only_privately(target):
                await self._person(session, show, target, won or mine, titles, now)
            else:
                told.setdefault(target.id, []).extend(mine)
        for target_id, refused in told.items():
            target = await session.get_one(ShowTarget, target_id)
            await self._refusals(session, show, target, refused, titles)

    def _on_page(self, session: AsyncSession, show: Show, claims: Sequence[Claim]) -> None:
        for claim in claims:
            claim.answer = "page"
            data = {
                "viewer_id": claim.viewer_id,
                "state": claim.state,
                "detail": claim.detail,
                "hold_id": str(claim.hold_id) if claim.hold_id else None,
                "expires_at": claim.expires_at.isoformat() if claim.expires_at else None,
            }
            announce(session, Event(show_id=show.id, kind="claim.answered", data=data))

    async def _person(
        self,
        session: AsyncSession,
        show: Show,
        target: ShowTarget,
        claims: Sequence[Claim],
        titles: dict[UUID, str],
        now: datetime,
    ) -> None:
        connector = self._connections.connector(target.connector)
        first = claims[0]
        for claim in claims:
            claim.public = first.state == "held" and not self._privately(target)
        if not can_say(connector):
            for claim in claims:
                claim.answer = "host"
            return
        said = await session.get_one(Message, claims[-1].message_id)
        private = self._privately(target)
        words = self._words(connector, claims, titles, now, said)
        message = await self._replies.reply(
            session, show, Words(words, said, privately=private, until=first.expires_at), only(target)
        )
        for claim in claims:
            claim.answer, claim.answer_id = "private" if private else "public", message.id

    async def told(self, delivery_id: UUID) -> None:
        """A job: a private answer was sent, so the chat says where to look; or it was not, and is public now.

        Where nobody knows whether it was sent, the buyer may find the same link twice.
        """
        async with self._db.session() as session:
            delivery = await session.get(Delivery, delivery_id)
            target = await session.get(ShowTarget, delivery.target_id) if delivery else None
            if delivery is None or target is None:
                return
            # Not against orders, as in `judge.py`; of two of these jobs, one goes after the other.
            query = select(Show).where(col(Show.id) == delivery.show_id).with_for_update(key_share=True)
            show = (await session.exec(query)).one()
            claims = await unopened(session, delivery)
            if not claims or self._connections.connector(target.connector).chat_sink is None:
                return
            if delivery.state in ("sent", "confirmed"):
                await self._point(session, show, target, claims, key=f"claim-pointer:{delivery.id}")
            else:
                await self._openly(session, show, target, claims)

    async def _point(
        self, session: AsyncSession, show: Show, target: ShowTarget, claims: Sequence[Claim], key: str
    ) -> None:
        """Some never look for a message from a Page. Left out, as refusals are, when the chat is full.

        It begins with a name even where it is an answer: a platform may refuse the same words twice in a row.
        """
        # Asked before there are words: the minutes in them are fewer when this job runs again.
        if await self._replies.was_said(session, show, key):
            return
        connector, titles = self._connections.connector(target.connector), await self._titles(session, claims)
        if await waiting_for(session, target.id, connector) > MOST_WAITING:
            return
        said = await session.get_one(Message, claims[-1].message_id)
        words = self._words(connector, claims, titles, self._clock(), said, ending=LOOK_THERE)
        if said.author_name:
            words = f"@{said.author_name.lstrip('@')} {words}"
        await self._replies.reply(session, show, Words(words, said, key=key), only(target))

    async def _openly(
        self, session: AsyncSession, show: Show, target: ShowTarget, claims: Sequence[Claim]
    ) -> None:
        """The link where everybody reads it: from now on its page asks whose it is."""
        said = await session.get_one(Message, claims[-1].message_id)
        connector, titles = self._connections.connector(target.connector), await self._titles(session, claims)
        words = self._words(connector, claims, titles, self._clock(), said)
        told = Words(words, said, until=claims[0].expires_at)
        message = await self._replies.reply(session, show, told, only(target))
        for claim in claims:
            claim.answer, claim.answer_id, claim.public = "public", message.id, True
        tell_staff(session, show.id)

    async def _refusals(
        self,
        session: AsyncSession,
        show: Show,
        target: ShowTarget,
        claims: Sequence[Claim],
        titles: dict[UUID, str],
    ) -> None:
        connector = self._connections.connector(target.connector)
        for claim in claims:
            claim.answer = "host"
        if not can_say(connector) or await waiting_for(session, target.id, connector) > MOST_WAITING:
            return
        groups: dict[str, list[Claim]] = {}
        for claim in claims:
            groups.setdefault(refusal_words(claim, titles), []).append(claim)
        for words, some in groups.items():
            names = [*dict.fromkeys(f"@{(one.author_name or '').lstrip('@')}" for one in some)]
            while len(names) > 1 and len(" ".join([*names, words])) > room_of(connector):
                names.pop()
            line = " ".join([*names, words])
            message = await self._replies.reply(
                session, show, Words(line[: room_of(connector)]), only(target)
            )
            for claim in some:
                claim.answer, claim.answer_id = "public", message.id

    def _words(
        self,
        connector: AnyConnector,
        claims: Sequence[Claim],
        titles: dict[UUID, str],
        now: datetime,
        said: Message,
        ending: str | None = None,
    ) -> str:
        """For whoever said it; `ending`: instead of the link."""
        first, room = claims[0], room_of(connector) - len(said.author_name or "") - 2
        if first.state != "held" or first.expires_at is None:
            return refusal_words(first, titles)[:room]
        minutes = max(1, round((first.expires_at - now).total_seconds() / 60))
        begin = "first to pay gets it" if first.detail == "soft" else f"yours for {minutes} min"
        linked = connector.chat_limits is None or connector.chat_limits.links
        usual = f" {self._links.url(first)}" if linked else " The host shows you where to pay."
        end = usual if ending is None else ending
        goods = ", ".join(f"{one.quantity} × {titles[one.id]}" for one in claims)
        left = room - len(begin) - len(end) - 2
        return f"{begin}: {goods[:left]}{end}" if left > 8 else f"{begin}:{end}"

    def _privately(self, target: ShowTarget) -> bool:
        """Where a link can be sent to the person alone."""
        return self._connections.connector(target.connector).private_replier is not None

    def _only_privately(self, target: ShowTarget) -> bool:
        """Where there is no other way to write: refusals go that way, too."""
        return self._privately(target) and self._connections.connector(target.connector).chat_sink is None

    async def _titles(self, session: AsyncSession, claims: Sequence[Claim]) -> dict[UUID, str]:
        rows = (await run(session, GOODS, {"products": [one.product_id for one in claims]})).all()
        by_variant = {row.variant_id: row.title for row in rows}
        by_product = {row.id: row.title for row in rows}
        return {
            one.id: by_variant.get(one.variant_id) or by_product.get(one.product_id, "") for one in claims
        }


def refusal_words(claim: Claim, titles: dict[UUID, str]) -> str:
    """A sentence for who gets nothing now."""
    if claim.state == "unclear":
        return f"which one? {claim.between}. Write the number and the one you want."
    if claim.state == "queued":
        return f"{titles[claim.id]}: all reserved. You are in line, and hear from us when one is free."
    if claim.state == "sold_out":
        return f"{titles[claim.id]}: sold out, nothing is reserved."
    return claim.detail


def can_say(connector: AnyConnector) -> bool:
    """Whether programs can write there at all."""
    return any((connector.chat_sink, connector.replier, connector.private_replier))


def only(target: ShowTarget) -> Address:
    """To this place and no other."""
    return Address(False, frozenset({target.id}), False)


async def unopened(session: AsyncSession, delivery: Delivery) -> Sequence[Claim]:
    """The claims a private answer is about, as far as nobody has opened or paid them."""
    query = select(Claim).where(
        col(Claim.answer_id) == delivery.message_id,
        col(Claim.answer) == "private",
        col(Claim.state) == "held",
        col(Claim.opened_by).is_(None),
    )
    return (await session.exec(query.order_by(col(Claim.n)).with_for_update())).all()


def room_of(connector: AnyConnector) -> int:
    """Characters of one message; no answer needs more than two short lines."""
    return min(connector.chat_limits.characters if connector.chat_limits else USUAL, 400)


async def delivered(session: AsyncSession, messages: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
    """State and reason of our answers' ways."""
    statement = text("SELECT message_id, state, reason FROM delivery WHERE message_id = ANY(:ids)")
    rows = await run(session, statement, {"ids": [*messages]})
    return {row.message_id: (row.state, row.reason or "") for row in rows}


def tell_staff(session: AsyncSession, show_id: UUID) -> None:
    """The studio reads its list again."""
    announce(session, Event(show_id=show_id, kind="claims.changed", audience="staff", latest="claims"))
