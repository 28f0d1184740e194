"""Passing messages on from one platform's chat into another's: off, until a brand chooses it for a show.

Never passed on: what is ours or came back to us, what was passed on before (by us or by another program),
bots, history, whatever is hidden, and all that is not mere talk. What a platform's limit has no room for is
dropped and counted: a chat that is passed on late is worth nothing, and a person's answer goes first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import AnyConnector
from connectors.types import ChatLimits, ChatMessage
from hub.bus import Event
from hub.chat import pace
from hub.chat.limits import LINK, fitted
from hub.chat.models import ChatRelay, ChatShed, Delivery
from hub.chat.rows import Row
from hub.clock import Clock
from hub.db import announce
from hub.errors import BadInput
from hub.jobs import defer
from hub.shows.models import Show, ShowTarget

OWN: Final = "own"
OWN_TITLE: Final = "Live page"
FRESH: Final = timedelta(seconds=30)
PATIENCE: Final = timedelta(seconds=3)
"""How long a message may wait for its place before it is dropped."""
KEPT: Final = 1
"""Places of the bucket that are left to people's answers."""
CAUTIOUS: Final = ChatLimits(characters=200, messages=20, seconds=30)
"""For a platform that names no limit: one does not flood a chat because nobody said so."""
LONGEST_NAME: Final = 40
"""Of an author we pass on; a longer one would hide from `PASSED_ON`, and go in circles."""
PASSED_ON: Final = re.compile(r"^\s*[\[(][^\])]{1,30}[\])]\s*\S[^:]{0,60}:\s")
"""How we, and most programs that do the same, begin such a message."""
BOTS: Final = frozenset(
    {"nightbot", "streamelements", "streamlabs", "moobot", "fossabot", "wizebot", "botrix", "botrixoficial"}
    | {"restreambot", "restream bot", "sery_bot", "soundalerts", "deepbot", "phantombot", "coebot"}
)


@dataclass(frozen=True)
class Pair:
    """From a target (or `own`) into another target."""

    source: str
    into: UUID


class Relay:
    """Chooses what is passed on, and queues it."""

    def __init__(self, connectors: Mapping[str, AnyConnector], clock: Clock) -> None:
        self.connectors = connectors
        self._clock = clock

    async def pairs(self, session: AsyncSession, show_id: UUID) -> list[Pair]:
        """What a show passes on."""
        query = select(ChatRelay).where(col(ChatRelay.show_id) == show_id)
        rows = (await session.exec(query.order_by(col(ChatRelay.source), col(ChatRelay.into_id)))).all()
        return [Pair(row.source, row.into_id) for row in rows]

    async def choose(
        self, session: AsyncSession, show: Show, targets: Sequence[ShowTarget], pairs: Sequence[Pair]
    ) -> None:
        """From now on exactly these."""
        known = {target.id: target for target in targets}
        for pair in pairs:
            if pair.into not in known or (pair.source != OWN and pair.source not in map(str, known)):
                raise BadInput("relay_unknown", "Choose among the places of this show.")
            if pair.source == str(pair.into):
                raise BadInput("relay_circle", "A chat can't be passed on into itself.")
            into = known[pair.into]
            connector = self.connectors.get(into.connector)
            if connector is None or connector.chat_sink is None:
                raise BadInput("relay_mute", self.no_writing(into))
        await session.exec(delete(ChatRelay).where(col(ChatRelay.show_id) == show.id))
        session.add_all(
            ChatRelay(show_id=show.id, source=pair.source, into_id=pair.into, brand_id=show.brand_id)
            for pair in dict.fromkeys(pairs)
        )

    async def dropped(self, session: AsyncSession, show_id: UUID) -> dict[UUID, int]:
        """How many messages each target had no room for."""
        query = (
            select(ChatShed)
            .join(ShowTarget, col(ShowTarget.id) == col(ChatShed.target_id))
            .where(col(ShowTarget.show_id) == show_id)
        )
        return {one.target_id: one.messages for one in (await session.exec(query)).all()}

    def no_writing(self, target: ShowTarget) -> str:
        """Why nothing can be written there."""
        fallback = f"{target.name} gives programs no way to write in its chat."
        connector = self.connectors.get(target.connector)
        return connector.gaps.get("chat_sink", fallback) if connector else fallback

    async def pass_on(
        self, session: AsyncSession, show: Show, found: Sequence[tuple[Row, ChatMessage | None]]
    ) -> None:
        """Queue what of these new messages is to be said elsewhere, as far as there is room."""
        pairs = await self.pairs(session, show.id)
        if not pairs:
            return
        now = self._clock()
        worthy = [row for row, said in found if is_worthy(row, said, now)]
        targets = {one.id: one for one in await self._targets(session, {pair.into for pair in pairs})}
        # In one order everywhere: two of these transactions may want the same buckets.
        for into in sorted(targets, key=lambda one: targets[one].connection_id):
            sources = {pair.source for pair in pairs if pair.into == into}
            mine = [row for row in worthy if str(row["target_id"] or OWN) in sources]
            if mine:
                await self._fill(session, targets[into], mine, now)

    async def _targets(self, session: AsyncSession, ids: set[UUID]) -> Sequence[ShowTarget]:
        query = select(ShowTarget).where(
            col(ShowTarget.id).in_(ids),
            col(ShowTarget.removed_at).is_(None),
            col(ShowTarget.chat_ref).is_not(None),
        )
        return (await session.exec(query)).all()

    async def _fill(
        self, session: AsyncSession, into: ShowTarget, rows: Sequence[Row], now: datetime
    ) -> None:
        """As many as the account's bucket will soon have room for; the newest are dropped, and counted."""
        connector = self.connectors.get(into.connector)
        if connector is None:  # its folder was there when this was chosen
            return
        limits = connector.chat_limits or CAUTIOUS
        rows = [row for row in rows if limits.links or not LINK.search(row["text"])]
        bucket, full_at = pace.Bucket.of(limits), await pace.lock(session, into, now)
        waiting = await waiting_for(session, into.id, connector)
        room = 0
        while room < len(rows):
            free = bucket.free_at(full_at + bucket.every * (waiting + room), kept=KEPT)
            if free > now + PATIENCE:
                break
            room += 1
        for row in rows[:room]:
            await self._queue(session, into, row, fitted(self.words(row), limits))
        if room < len(rows):
            total = await pace.shed(session, into, len(rows) - room)
            data = {"target_id": str(into.id), "dropped": total}
            announce(session, Event(show_id=into.show_id, kind="relay.dropped", audience="staff", data=data))

    def words(self, row: Row) -> str:
        """`[YouTube] Anna: hello`."""
        known = self.connectors.get(row["platform"])
        title = known.title if known else OWN_TITLE
        author = " ".join((row["author_name"] or "").replace(":", " ").split())[:LONGEST_NAME].strip()
        return f"[{title}] {author or 'Guest'}: {' '.join(row['text'].split())}"

    async def _queue(self, session: AsyncSession, into: ShowTarget, row: Row, words: str) -> None:
        delivery = Delivery(
            brand_id=into.brand_id,
            show_id=into.show_id,
            message_id=row["id"],
            target_id=into.id,
            platform=into.connector,
            purpose="relay",
            text=words,
            updated_at=self._clock(),
        )
        session.add(delivery)
        await session.flush()
        await defer(session, "chat.send", lock=f"chat.send:{into.id}", delivery_id=str(delivery.id))


def is_worthy(row: Row, said: ChatMessage | None, now: datetime) -> bool:
    """Whether a message may be passed on at all. `said` is None for our own page's viewers."""
    if row["kind"] != "text" or row["hidden"] or row["outgoing"] or not row["text"].strip():
        return False
    if PASSED_ON.match(row["text"]) or is_bot(row):
        return False
    if said is None:
        return True
    return not said.ours and not said.backlog and (said.sent_at is None or said.sent_at > now - FRESH)


def is_bot(row: Row) -> bool:
    """By its badge, or by its name."""
    titles = {word for badge in row["badges"] for word in badge["title"].lower().split()}
    return bool(titles & {"bot", "chatbot"}) or (row["author_name"] or "").strip().lower() in BOTS


def apart(connector: AnyConnector, verb: str) -> bool:
    """Whether what is said so has a bucket of its own, beside the chat's."""
    return verb == "private" and connector.private_limits is not None


async def waiting_for(
    session: AsyncSession, target_id: UUID, connector: AnyConnector, verb: str = "send"
) -> int:
    """How many messages are queued for a target's account and bucket, in all the shows it is part of."""
    account = select(ShowTarget.connection_id).where(col(ShowTarget.id) == target_id).scalar_subquery()
    query = (
        select(func.count())
        .select_from(Delivery)
        .join(ShowTarget, col(ShowTarget.id) == col(Delivery.target_id))
        .where(col(ShowTarget.connection_id) == account, col(Delivery.state) == "queued")
    )
    if connector.private_limits:
        query = query.where((col(Delivery.verb) == "private") == apart(connector, verb))
    return (await session.exec(query)).one()
