"""Moderation: what the platform can do is asked of it, the rest is done here, and the difference is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Exists, exists
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import AnyConnector, Moderation
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from hub.auth.models import Member
from hub.bus import Event
from hub.chat.models import Message, ModerationAction
from hub.chat.mutes import mute, unmute
from hub.chat.out import MessageOut
from hub.clock import Clock
from hub.connections.service import Connections, Opened
from hub.db import Database, announce
from hub.errors import BadInput, Conflict, HubError, NotFound
from hub.jobs import defer
from hub.shows.models import Show, ShowTarget
from hub.shows.service import next_seq

Verb = Literal["delete", "hide", "timeout", "ban"]
MOST_ATTEMPTS: Final = 8
MOST_LISTED: Final = 200
EXCERPT: Final = 80
SILENCING: Final = ("timeout", "ban")
UNDO: Final = {"hide": "unhide", "timeout": "unban", "ban": "unban"}
HERE: Final = {
    "delete": "Hidden here.",
    "hide": "Hidden here.",
    "unhide": "Shown here again.",
    "timeout": "Silenced here.",
    "ban": "Silenced here for good.",
    "unban": "May write here again.",
}
THERE: Final = {
    "delete": "Deleted on {}.",
    "hide": "Hidden on {}.",
    "unhide": "Shown on {} again.",
    "timeout": "Silenced on {}.",
    "ban": "Banned on {}.",
    "unban": "May write on {} again.",
}
CANNOT: Final = {
    "delete": "delete messages",
    "hide": "hide messages",
    "unhide": "show hidden messages again",
    "timeout": "silence people for a while",
    "ban": "ban people",
    "unban": "lift bans",
}


class ActionOut(BaseModel):
    """One act of moderation, for the studio and for the record. `result` is a sentence."""

    id: UUID
    message_id: UUID | None
    platform: str
    verb: str
    seconds: int | None
    author_name: str | None
    excerpt: str
    by_name: str
    state: str
    result: str
    undoable: bool
    created_at: datetime

    @classmethod
    def of(cls, action: ModerationAction) -> ActionOut:
        """From the table."""
        # What a platform deleted is gone there: showing it here again would undo only half.
        lasting = action.verb == "delete" and action.does == "delete"
        undoable = action.verb in (*UNDO, "delete") and not action.undone and not lasting
        kept = set(ActionOut.model_fields) - {"undoable"}
        return cls(**action.model_dump(include=kept), undoable=undoable)


@dataclass(frozen=True)
class Wish:
    """What a member of staff wants done; `seconds` for a timeout."""

    verb: Verb
    seconds: int | None = None


class Moderators:
    """Every verb acts here at once, and on the platform by a job."""

    def __init__(self, db: Database, clock: Clock, connections: Connections) -> None:
        self._db = db
        self._clock = clock
        self._connections = connections

    async def act(
        self, session: AsyncSession, show: Show, message: Message, wish: Wish, by: UUID
    ) -> ModerationAction:
        """Do it. `show` is locked."""
        if message.outgoing or message.kind == "gap":
            raise BadInput("not_moderated", "This is no message of a viewer.")
        if wish.verb in SILENCING and not message.author_id:
            raise BadInput("author_unknown", "The platform did not say who wrote this.")
        action = ModerationAction(
            brand_id=show.brand_id,
            show_id=show.id,
            message_id=message.id,
            target_id=message.target_id,
            platform=message.platform,
            verb=wish.verb,
            seconds=(wish.seconds or 300) if wish.verb == "timeout" else None,
            author_id=message.author_id,
            author_name=message.author_name,
            excerpt=message.text[:EXCERPT],
            by_id=by,
            by_name=await self._name(session, by),
        )
        return await self._begin(session, show, action, message)

    async def undo(self, session: AsyncSession, show: Show, action_id: UUID, by: UUID) -> ModerationAction:
        """Take one back, as far as the platform can. `show` is locked."""
        done = await session.get(ModerationAction, action_id, with_for_update=True)
        if done is None or done.show_id != show.id:
            raise NotFound("action_unknown", "There is no such act of moderation in this show.")
        if not ActionOut.of(done).undoable:
            raise Conflict("not_undoable", "This can't be taken back.")
        if await self._silenced_since(session, done):
            raise Conflict("silenced_again", "This person was silenced again since. Take that back first.")
        done.undone, done.updated_at = True, self._clock()
        tell_action(session, done)
        kept = {"brand_id", "show_id", "message_id", "target_id", "platform", "author_id"}
        kept |= {"author_name", "excerpt"}
        action = ModerationAction(
            **done.model_dump(include=kept),
            verb=UNDO.get(done.verb, "unhide"),
            by_id=by,
            by_name=await self._name(session, by),
            undoes_id=done.id,
        )
        message = await session.get(Message, done.message_id) if done.message_id else None
        # Without a platform's help before, there is nothing there to be taken back.
        return await self._begin(session, show, action, message, here_only=done.does is None)

    async def list(self, session: AsyncSession, show_id: UUID) -> Sequence[ModerationAction]:
        """The newest acts first."""
        query = select(ModerationAction).where(col(ModerationAction.show_id) == show_id)
        query = query.order_by(col(ModerationAction.id).desc()).limit(MOST_LISTED)
        return (await session.exec(query)).all()

    async def run(self, action_id: UUID) -> None:
        """Ask the platform. Every verb is repeatable, so a lost answer is no doubt."""
        async with self._db.session() as session:
            action = await session.get(ModerationAction, action_id)
            target = await session.get(ShowTarget, action.target_id) if action and action.target_id else None
            message = await session.get(Message, action.message_id) if action and action.message_id else None
        if action is None or action.state != "queued":
            return
        try:
            if target is None or target.chat_ref is None:
                raise Refused("This chat is not open any more.")
            async with self._connections.use(target.connection_id) as opened:
                await ask(opened, target.chat_ref, action, message)
        except RetryLater as error:
            if await self._tried(action.id, error.reason) < MOST_ATTEMPTS:
                raise
            await self._settle(action.id, "failed", f"{HERE[action.verb]} {error.reason}")
        except (Reconnect, Refused, HubError) as error:
            why = error.reason if isinstance(error, ConnectorError) else error.detail
            await self._settle(action.id, "failed", f"{HERE[action.verb]} {why}")
        else:
            title = self._connections.connector(action.platform).title
            await self._settle(action.id, "done", THERE[action.does or action.verb].format(title))

    async def _begin(
        self,
        session: AsyncSession,
        show: Show,
        action: ModerationAction,
        message: Message | None,
        *,
        here_only: bool = False,
    ) -> ModerationAction:
        await self._here(session, show, action, message)
        connector = None if action.platform == "own" else self._connections.connector(action.platform)
        action.does = None if here_only or connector is None else what_it_does(connector, action.verb)
        if action.does and action.target_id:
            action.state, action.result = "queued", f"{HERE[action.verb]} Telling {named(connector)} …"
        elif connector is None or here_only:
            action.does, action.state, action.result = None, "here", HERE[action.verb]
        else:
            action.does, action.state = None, "here"
            action.result = f"{HERE[action.verb]} {why_not(connector, action.verb)}"
        session.add(action)
        await session.flush()
        if action.state == "queued":
            lock = f"chat.moderate:{action.target_id}"
            await defer(session, "chat.moderate", lock=lock, action_id=str(action.id))
        tell_action(session, action)
        return action

    async def _here(
        self, session: AsyncSession, show: Show, action: ModerationAction, message: Message | None
    ) -> None:
        """What needs nobody's leave: our own page, and what we show of the platforms."""
        author = (action.platform, action.author_id or "")
        if action.verb in SILENCING:
            span = timedelta(seconds=action.seconds) if action.seconds else None
            await mute(session, show.brand_id, author, self._clock() + span if span else None)
        elif action.verb == "unban":
            await unmute(session, show.brand_id, author)
        hidden = action.verb not in ("unhide", "unban")
        if message is None:
            return
        changed = [message]
        if action.verb in ("ban", "unban"):
            query = select(Message).where(
                col(Message.show_id) == show.id,
                col(Message.platform) == action.platform,
                col(Message.author_id) == action.author_id,
            )
            if not hidden:
                # What was hidden for itself stays so: only its own undoing shows it again.
                query = query.where(~hidden_itself())
            changed = [*(await session.exec(query)).all()]
        changed = [one for one in changed if one.hidden != hidden and not one.deleted]
        for one in changed:
            one.hidden = hidden
        if changed:
            await session.flush()
            await tell_hidden(session, show, changed, hidden=hidden)

    async def _silenced_since(self, session: AsyncSession, done: ModerationAction) -> bool:
        """Whether a later ban or timeout of this person stands: it replaced this one."""
        if done.verb not in SILENCING:
            return False
        query = select(ModerationAction).where(
            col(ModerationAction.brand_id) == done.brand_id,
            col(ModerationAction.platform) == done.platform,
            col(ModerationAction.author_id) == done.author_id,
            col(ModerationAction.verb).in_(SILENCING),
            col(ModerationAction.undone).is_(False),
            col(ModerationAction.id) > done.id,
        )
        now = self._clock()
        return any((end := ends(one)) is None or end > now for one in await session.exec(query))

    async def _tried(self, action_id: UUID, reason: str) -> int:
        async with self._db.session() as session:
            action = await session.get_one(ModerationAction, action_id, with_for_update=True)
            action.attempts += 1
            action.result, action.updated_at = f"{HERE[action.verb]} {reason}", self._clock()
            tell_action(session, action)
            return action.attempts

    async def _settle(self, action_id: UUID, state: str, result: str) -> None:
        async with self._db.session() as session:
            action = await session.get_one(ModerationAction, action_id, with_for_update=True)
            action.state, action.result, action.updated_at = state, result, self._clock()
            tell_action(session, action)

    async def _name(self, session: AsyncSession, member_id: UUID) -> str:
        member = await session.get(Member, member_id)
        return (member.name or member.email) if member else ""


def ends(action: ModerationAction) -> datetime | None:
    """When it ends by itself; None: never."""
    return action.created_at + timedelta(seconds=action.seconds) if action.seconds else None


def what_it_does(connector: AnyConnector, verb: str) -> str | None:
    """The platform's verb for ours: hiding is the next best thing to deleting. None: it has none."""
    can = connector.moderation
    if can is None:
        return None
    if getattr(can, verb) is not None:
        return verb
    return "hide" if verb == "delete" and can.hide else None


def why_not(connector: AnyConnector, verb: str) -> str:
    """Why the platform does not do it, in a sentence."""
    fallback = f"{connector.title} gives programs no way to {CANNOT[verb]}."
    whole = connector.gaps.get("moderation") if connector.moderation is None else None
    return connector.gaps.get(f"moderation.{verb}", whole or fallback)


def hidden_itself() -> Exists:
    """Of a message: somebody hid or deleted it, whoever wrote it, and nobody took that back."""
    return exists().where(
        col(ModerationAction.message_id) == col(Message.id),
        col(ModerationAction.verb).in_(("hide", "delete")),
        col(ModerationAction.undone).is_(False),
    )


def named(connector: AnyConnector | None) -> str:
    """For a sentence."""
    return connector.title if connector else ""


async def ask(opened: Opened, chat_ref: str, action: ModerationAction, message: Message | None) -> None:
    """Call the verb."""
    can: Moderation[BaseModel] | None = opened.connector.moderation
    if can is None:
        raise Refused(why_not(opened.connector, action.verb))
    session = opened.session
    by_message = {"delete": can.delete, "hide": can.hide, "unhide": can.unhide}.get(action.does or "")
    by_author = {"ban": can.ban, "unban": can.unban}.get(action.does or "")
    if by_message and message:
        await by_message(session, chat_ref, message.external_id)
    elif by_author and action.author_id:
        await by_author(session, chat_ref, action.author_id)
    elif action.does == "timeout" and can.timeout and action.author_id:
        await can.timeout(session, chat_ref, action.author_id, action.seconds or 300)
    else:
        raise Refused(why_not(opened.connector, action.verb))


async def tell_hidden(session: AsyncSession, show: Show, changed: Sequence[Message], *, hidden: bool) -> None:
    """Viewers lose sight of these messages, or see them again."""
    data: dict[str, object] = {"ids": [str(one.id) for one in changed]}
    kind = "message.hidden" if hidden else "message.shown"
    if not hidden:
        shown = [MessageOut.of(one) for one in changed if not one.staff_only][-50:]
        data["messages"] = [one.model_dump(mode="json", exclude={"deliveries"}) for one in shown]
    seq = await next_seq(session, show.id)
    announce(session, Event(show_id=show.id, kind=kind, seq=seq, data=data))


def tell_action(session: AsyncSession, action: ModerationAction) -> None:
    """News for the studio."""
    data = ActionOut.of(action).model_dump(mode="json")
    announce(session, Event(show_id=action.show_id, kind="moderation.changed", audience="staff", data=data))
