"""The merged feed: messages of every platform in one numbered order, each exactly once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import exists
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import ChatDeletion, ChatHealth, ChatItem, ChatMessage
from hub.auth.tokens import Viewer
from hub.bus import Event
from hub.chat import tombstones
from hub.chat.echoes import Ids, confirm
from hub.chat.gaps import SILENT, gap_row, heard_until, note_heard, note_place
from hub.chat.models import ChatMute, ChatRelay, Delivery, Message
from hub.chat.mutes import muted
from hub.chat.out import DeliveryOut, MessageOut
from hub.chat.readable import Readable
from hub.chat.relay import Relay
from hub.chat.rows import Row, insert, row_of, show_time
from hub.chat.skips import Skips
from hub.claims.intake import Intake
from hub.clock import Clock
from hub.db import announce
from hub.errors import Forbidden
from hub.ids import new_id
from hub.payments.pan import refuse_card, without_cards
from hub.shows.models import Show, ShowTarget
from hub.shows.service import next_seq

Heard = Mapping[UUID, Sequence[ChatItem]]
"""What the chats of a show's targets said, each in its order."""
Said = tuple[ShowTarget, ChatMessage]
MOST_TOLD = 2000
"""Messages that one piece of news takes away: more than any screen keeps."""


class Chat:
    """Stores messages and tells the screens."""

    def __init__(self, clock: Clock, relay: Relay, skips: Skips, claims: Intake) -> None:
        self._clock = clock
        self._relay = relay
        self._skips = skips
        self._claims = claims
        self._readable = Readable()

    async def receive(
        self,
        session: AsyncSession,
        target_id: UUID,
        items: Sequence[ChatItem],
        resumed: datetime | None = None,
    ) -> None:
        """What one platform's chat said. Repeats change nothing."""
        query = select(ShowTarget.show_id).where(col(ShowTarget.id) == target_id)
        show_id = (await session.exec(query)).one()
        await self.receive_all(session, show_id, {target_id: items}, {target_id: resumed} if resumed else {})

    async def receive_all(
        self,
        session: AsyncSession,
        show_id: UUID,
        heard: Heard,
        resumed: Mapping[UUID, datetime] | None = None,
    ) -> None:
        """What several chats of one show said, in one transaction.

        `resumed`: reading began again after that moment, from no known place. Unless what is heard now
        begins with what was heard before, there is a gap.
        """
        # The show's row is the feed's lock: numbers are given out in the order messages are stored.
        show, answered, muting, relaying = (await session.exec(lock_feed(show_id))).one()
        query = select(ShowTarget).where(col(ShowTarget.id).in_(heard), col(ShowTarget.show_id) == show_id)
        targets = {one.id: one for one in (await session.exec(query.order_by(col(ShowTarget.id)))).all()}
        said = {
            one: [item for item in heard[one] if isinstance(item, ChatMessage)] for one in sorted(targets)
        }
        known, before = await self._known(session, show, targets, said, answered=answered)
        for target_id in targets:
            known[target_id] |= deleted_ahead(heard[target_id])
        for target_id, since in (resumed or {}).items():
            if not before[target_id]:
                await self._gap(session, show, targets[target_id], since, SILENT)
        # Health before messages: what was missed lies before what is heard now.
        for target_id, target in targets.items():
            for item in heard[target_id]:
                if isinstance(item, ChatHealth):
                    await self._health(session, show, target, item)
        added = await self._store(session, show, targets, said, known, muting=muting)
        fresh = [row for row, message in added if not (message.ours or message.backlog)]
        await self._claims.note(session, show, fresh)
        if relaying and added:
            await self._relay.pass_on(session, show, added)
        for target_id, target in targets.items():
            for place, item in enumerate(heard[target_id]):
                if isinstance(item, ChatDeletion):
                    later = first_said_after(heard[target_id], place) - known[target_id]
                    await self._delete(session, show, target, item, later)
        cursors = {
            one: next((m.cursor for m in reversed(some) if m.cursor), None) for one, some in said.items()
        }
        await note_place(session, show, {one: cursors[one] for one in targets if said[one]}, self._clock())

    async def set_health(self, session: AsyncSession, target_id: UUID, health: ChatHealth) -> None:
        """How reading one chat is going."""
        query = select(Show).join(ShowTarget, col(ShowTarget.show_id) == col(Show.id))
        query = query.where(col(ShowTarget.id) == target_id)
        # A gap takes a number, so it needs the feed's lock.
        locked = query.with_for_update(of=Show, key_share=True)
        show = (await session.exec(locked if health.missed else query)).first()
        target = await session.get(ShowTarget, target_id)
        if show and target:
            await self._health(session, show, target, health)

    async def say(self, session: AsyncSession, show: Show, viewer: Viewer, name: str, words: str) -> Message:
        """A viewer of the watch page says something; a card number in it nobody gets to see."""
        if await muted(session, show.brand_id, [viewer.id], self._clock()):
            raise Forbidden("muted", "The host has switched off your messages.")
        message = Message(
            brand_id=show.brand_id,
            show_id=show.id,
            platform="own",
            external_id=str(new_id()),
            author_id=viewer.id,
            author_name=refuse_card(name),
            text=without_cards(words),
        )
        await self._add(session, show, message)
        await self._claims.note(session, show, [message.model_dump()])
        await self._relay.pass_on(session, show, [(message.model_dump(), None)])
        return message

    async def said_with(self, session: AsyncSession, show: Show, key: str) -> Message | None:
        """What the brand has said with this key."""
        query = select(Message).where(
            col(Message.show_id) == show.id,
            col(Message.platform) == "own",
            col(Message.external_id) == own_id(key),
        )
        return (await session.exec(query)).first()

    async def add_reply(
        self,
        session: AsyncSession,
        show: Show,
        words: str,
        *,
        public: bool,
        answers: Message | None = None,
        key: str | None = None,
    ) -> Message:
        """The brand says something; `public` when the watch page shows it too. `key`: once with each."""
        message = Message(
            brand_id=show.brand_id,
            show_id=show.id,
            platform="own",
            external_id=own_id(key) if key else str(new_id()),
            author_name=None,
            text=words,
            outgoing=True,
            staff_only=not public,
            reply_to=answers.external_id if answers else None,
        )
        return await self._add(session, show, message)

    async def feed(
        self,
        session: AsyncSession,
        show_id: UUID,
        *,
        after: int | None = None,
        limit: int = 200,
        viewers: bool = False,
    ) -> list[MessageOut]:
        """Messages after a number in order, or the newest ones; with their deliveries.

        `viewers`: only what they may see, and nothing about its way.
        """
        query = select(Message).where(col(Message.show_id) == show_id)
        if viewers:
            unseen = (Message.hidden, Message.staff_only, Message.deleted)
            query = query.where(*(col(one).is_(False) for one in unseen))
        if after is None:
            rows = [*(await session.exec(query.order_by(col(Message.seq).desc()).limit(limit))).all()][::-1]
        else:
            query = query.where(col(Message.seq) > after).order_by(col(Message.seq)).limit(limit)
            rows = [*(await session.exec(query)).all()]
        deliveries: dict[UUID, list[DeliveryOut]] = {}
        sent = select(Delivery).where(col(Delivery.message_id).in_([row.id for row in rows]))
        for delivery in await session.exec(sent.order_by(col(Delivery.id))) if rows and not viewers else ():
            deliveries.setdefault(delivery.message_id, []).append(DeliveryOut.of(delivery))
        return [MessageOut.of(row, deliveries.get(row.id)) for row in rows]

    async def _known(
        self,
        session: AsyncSession,
        show: Show,
        targets: Mapping[UUID, ShowTarget],
        said: Mapping[UUID, Sequence[ChatMessage]],
        *,
        answered: bool,
    ) -> tuple[Ids, Ids]:
        """Ids that bring nothing new (stored, ours, or deleted before they came), and those heard before."""
        if not any(said.values()):
            return {target: set() for target in targets}, {target: set() for target in targets}
        names = {
            one: [(targets[one].connector, message.id) for message in some] for one, some in said.items()
        }
        stored, buried = await tombstones.known(session, show, chain.from_iterable(names.values()))
        before = {one: {name[1] for name in some if name in stored} for one, some in names.items()}
        known = {
            one: before[one] | {name[1] for name in some if name in buried} for one, some in names.items()
        }
        if not answered:
            return known, before
        fresh = {one: [m for m in some if m.id not in known[one]] for one, some in said.items()}
        # What we said ourselves while nobody was reading comes back for the first time: that bridges no gap.
        ours, again = await confirm(session, self._clock, fresh)
        before = {one: before[one] | again[one] for one in known}
        return {one: known[one] | ours[one] for one in known}, before

    async def _store(
        self,
        session: AsyncSession,
        show: Show,
        targets: Mapping[UUID, ShowTarget],
        said: Mapping[UUID, Sequence[ChatMessage]],
        known: Mapping[UUID, set[str]],
        *,
        muting: bool,
    ) -> list[tuple[Row, ChatMessage]]:
        now = self._clock()
        authors = {message.author_id for some in said.values() for message in some if message.author_id}
        silenced = await muted(session, show.brand_id, authors, now) if muting else set()
        seen = {(targets[one].connector, name) for one, names in known.items() for name in names}
        added: list[tuple[Row, ChatMessage]] = []
        for target, message in interleaved([(targets[o], m) for o, some in said.items() for m in some], now):
            if (target.connector, message.id) in seen:
                continue
            seen.add((target.connector, message.id))
            hidden = (target.connector, message.author_id or "") in silenced
            added.append((row_of(show, target, message, now, hidden=hidden), message))
        await insert(session, [row for row, _ in added])
        self._tell(session, show.id, [row for row, _ in added])
        return added

    async def _health(
        self, session: AsyncSession, show: Show, target: ShowTarget, health: ChatHealth
    ) -> None:
        detail = f"{health.detail} Some messages may be missing.".strip() if health.missed else health.detail
        since = (await heard_until(session, target.id) or show.live_at) if health.missed else None
        if since:
            await self._gap(session, show, target, since, health.detail)
        if (target.chat_state, target.chat_detail) == (health.state, detail):
            return
        target.chat_state, target.chat_detail = health.state, detail
        data = {"platform": target.connector, "target_id": str(target.id)}
        data |= {"state": health.state, "detail": detail}
        announce(session, Event(show_id=target.show_id, kind="chat.changed", audience="staff", data=data))

    async def _gap(
        self, session: AsyncSession, show: Show, target: ShowTarget, since: datetime, why: str
    ) -> None:
        now = self._clock()
        row = await gap_row(session, show, target, since, now, why)
        if row:
            await insert(session, [row])
            self._tell(session, show.id, [row])
        await note_heard(session, [target.id], now)

    async def _delete(
        self, session: AsyncSession, show: Show, target: ShowTarget, deletion: ChatDeletion, later: set[str]
    ) -> None:
        """`later`: what was said in the same breath, but after it; only a deletion by id can mean that."""
        statement = update(Message).where(
            col(Message.show_id) == show.id,
            col(Message.platform) == target.connector,
            col(Message.kind) != "gap",
            col(Message.deleted).is_(False),
        )
        if deletion.message_ids:
            statement = statement.where(col(Message.external_id).in_(deletion.message_ids))
        else:  # of this chat alone: a show may have two of one platform
            statement = statement.where(
                col(Message.target_id) == target.id, col(Message.external_id).not_in(later)
            )
            if deletion.author_id:
                statement = statement.where(col(Message.author_id) == deletion.author_id)
        # Not as objects: a long show's chat that is cleared has very many.
        values = statement.values(deleted=True).returning(col(Message.seq), col(Message.id))
        gone = sorted(await session.exec(values.execution_options(synchronize_session=False)))
        if len(gone) < len(deletion.message_ids):
            await tombstones.bury(session, show, target.connector, deletion.message_ids)
        if gone:
            show.seq += 1
            data = {"ids": [str(message_id) for _, message_id in gone[-MOST_TOLD:]]}
            announce(session, Event(show_id=show.id, kind="message.deleted", seq=show.seq, data=data))

    async def _add(self, session: AsyncSession, show: Show, message: Message) -> Message:
        message.seq = await next_seq(session, show.id)
        message.received_at = self._clock()
        message.show_time_ms = show_time(show, message.received_at)
        session.add(message)
        await session.flush()
        if message.outgoing:  # the brand's own words are never too many
            tell_message(session, message.model_dump(), public=not message.staff_only)
        else:
            self._tell(session, show.id, [message.model_dump()])
        return message

    def _tell(self, session: AsyncSession, show_id: UUID, rows: Sequence[Row]) -> None:
        """Staff hear of every message, viewers of as many as can be read, and how many more there were."""
        now, skipped = self._clock(), list[int]()
        for row in rows:
            public = not (row["hidden"] or row["staff_only"])
            shown = public and self._readable.shows(show_id, row, now)
            tell_message(session, row, public=shown)
            if public and not shown:
                skipped.append(row["seq"])
        self._skips.note(session, show_id, skipped)


def own_id(key: str) -> str:
    """What a message of the brand's is called: no viewer's is called like that."""
    return f"said:{key}"


def interleaved(said: Sequence[Said], now: datetime) -> list[Said]:
    """Several chats as one: by the platforms' clocks, with each chat's own order kept."""
    latest: dict[UUID, datetime] = {}
    placed = []
    for target, message in said:
        at = message.sent_at or now
        at = latest[target.id] = max(at, latest.get(target.id, at))
        placed.append((at, target, message))
    return [(target, message) for _, target, message in sorted(placed, key=lambda one: one[0])]


def deleted_ahead(items: Sequence[ChatItem]) -> set[str]:
    """Ids that a deletion named before they were said."""
    said, ahead = set[str](), set[str]()
    for item in items:
        if isinstance(item, ChatMessage):
            said.add(item.id)
        elif isinstance(item, ChatDeletion):
            ahead |= {*item.message_ids} - said
    return ahead


def first_said_after(items: Sequence[ChatItem], place: int) -> set[str]:
    """Ids of the messages that came after a place of the list, and not before it as well."""
    before, after = (
        {one.id for one in part if isinstance(one, ChatMessage)} for part in (items[:place], items[place:])
    )
    return after - before


def lock_feed(show_id: UUID) -> Any:
    """The show, locked, and whether it has words of ours, its brand muted people, messages are passed on.

    Asked along, so that a batch of a show without them costs three round trips less.
    """
    answered = exists().where(col(Delivery.show_id) == show_id)
    muting = exists().where(col(ChatMute.brand_id) == col(Show.brand_id))
    relaying = exists().where(col(ChatRelay.show_id) == show_id)
    feed = select(Show, answered, muting, relaying).where(col(Show.id) == show_id)
    return feed.with_for_update(of=Show, key_share=True)


def tell_message(session: AsyncSession, row: Row, *, public: bool) -> None:
    """News of a message."""
    data = MessageOut.from_row(row).model_dump(mode="json", exclude={"deliveries"})
    audience = "viewer" if public else "staff"
    event = Event.model_validate(
        {
            "show_id": row["show_id"],
            "kind": "message.added",
            "audience": audience,
            "seq": row["seq"],
            "data": data,
        }
    )
    announce(session, event)
