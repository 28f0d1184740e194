"""A show's chat over HTTP: read it, say something, moderate, and pass messages on."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from hub.auth.guard import Hub, SignedIn, Watching
from hub.chat.moderation import ActionOut, Verb, Wish
from hub.chat.out import MessageOut
from hub.chat.relay import OWN, OWN_TITLE, Pair
from hub.chat.replies import Address, Words

router = APIRouter(prefix="/api/v1", tags=["chat"])

LONGEST = 500
"""Of what the brand says. Each platform's own limit is checked for each platform."""
DAY = 24 * 3600
PAGE = 500
Limit = Annotated[int, Query(ge=1, le=PAGE)]
After = Annotated[int, Query(ge=0, le=2**63 - 1)]
"""A show's number, as far as the column goes."""


class ReplyIn(BaseModel):
    """What the brand says, and where. `answers` is the message it answers; `aloud` makes it an announcement.

    An answer goes to the message's own platform, unless `to` says more. `key`: your own; the same key says it
    once, and is answered with what became of it.
    """

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST)]
    to: Literal["all"] | list[str] | None = None
    answers: UUID | None = None
    aloud: bool = False
    key: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{8,64}$")


class ModerateIn(BaseModel):
    """What to do about a message, or about whoever wrote it. `seconds`: how long a timeout lasts."""

    verb: Verb
    seconds: int | None = Field(default=None, ge=1, le=14 * DAY)


class RelayPair(BaseModel):
    """Messages of `source` (a target's id, or `own`) are written into the chat of the target `into`."""

    source: str
    into: UUID


class RelayPlace(BaseModel):
    """A chat of the show. `why_not` says why nothing can be passed on into it; `dropped` how much was not."""

    id: str
    name: str
    platform: str
    why_not: str | None
    dropped: int


class RelayOut(BaseModel):
    """What is passed on, and between which places it could be."""

    pairs: list[RelayPair]
    places: list[RelayPlace]


class RelayIn(BaseModel):
    """What is to be passed on from now on; an empty list stops it."""

    pairs: list[RelayPair] = Field(max_length=100)


class Voice(BaseModel):
    """What one chat takes, for who writes. None: it takes nothing from programs, and `why_not` says why."""

    target_id: UUID
    name: str
    platform: str
    why_not: str | None
    characters: int | None
    unit: str
    messages: int | None
    seconds: float | None
    links: bool
    announces: bool
    answers: bool
    verbs: list[str]
    """Moderation that works there; the rest is done here only."""


@router.post("/shows/{show_id}/messages", status_code=202)
async def reply(show_id: UUID, body: ReplyIn, staff: SignedIn, hub: Hub) -> MessageOut:
    """Say something on all platforms or on some; deliveries report what became of it."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        asked = await hub.replies.message(session, show, body.answers) if body.answers else None
        to = body.to or ([str(asked.target_id or OWN)] if asked else "all")
        words = Words(body.text, asked, body.aloud, body.key)
        message = await hub.replies.reply(session, show, words, Address.of(to))
        [out] = await hub.chat.feed(session, show.id, after=message.seq - 1, limit=1)
        return out


@router.get("/shows/{show_id}/messages")
async def messages(
    show_id: UUID, staff: SignedIn, hub: Hub, after_seq: After = 0, limit: Limit = 200
) -> list[MessageOut]:
    """The feed after a number, oldest first."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        return await hub.chat.feed(session, show.id, after=after_seq, limit=limit)


@router.get("/public/messages")
async def public_messages(
    viewer: Watching, hub: Hub, after_seq: After = 0, limit: Limit = 200
) -> list[MessageOut]:
    """What a viewer may see of the feed after a number, oldest first: for what was too much to be shown."""
    async with hub.db.session() as session:
        return await hub.chat.feed(session, viewer.show_id, after=after_seq, limit=limit, viewers=True)


@router.get("/shows/{show_id}/voices")
async def voices(show_id: UUID, staff: SignedIn, hub: Hub) -> list[Voice]:
    """What each chat of the show takes from us, so that it can be said while somebody writes."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        targets = await hub.shows.targets(session, show.id)
    out = []
    for target in targets:
        connector = hub.connections.connector(target.connector)
        limits, can = connector.chat_limits, connector.moderation
        verbs = ("delete", "hide", "timeout", "ban") if can else ()
        out.append(
            Voice(
                target_id=target.id,
                name=target.name,
                platform=target.connector,
                why_not=None if connector.chat_sink else hub.relay.no_writing(target),
                characters=limits.characters if limits else None,
                unit=limits.unit if limits else "code_point",
                messages=limits.messages if limits else None,
                seconds=limits.seconds if limits else None,
                links=limits.links if limits else True,
                announces=connector.announcer is not None,
                answers=connector.replier is not None,
                verbs=[verb for verb in verbs if getattr(can, verb)],
            )
        )
    return out


@router.post("/shows/{show_id}/messages/{message_id}/moderate", status_code=202)
async def moderate(show_id: UUID, message_id: UUID, body: ModerateIn, staff: SignedIn, hub: Hub) -> ActionOut:
    """Delete or hide a message, silence or ban its author: here at once, on its platform if that can."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        message = await hub.replies.message(session, show, message_id)
        wish = Wish(body.verb, body.seconds)
        return ActionOut.of(await hub.moderators.act(session, show, message, wish, staff.member_id))


@router.post("/shows/{show_id}/moderation/{action_id}/undo", status_code=202)
async def undo(show_id: UUID, action_id: UUID, staff: SignedIn, hub: Hub) -> ActionOut:
    """Take it back, here and where the platform can."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        return ActionOut.of(await hub.moderators.undo(session, show, action_id, staff.member_id))


@router.get("/shows/{show_id}/moderation")
async def moderation(show_id: UUID, staff: SignedIn, hub: Hub) -> list[ActionOut]:
    """Who did what, when, and what came of it; newest first."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        return [ActionOut.of(action) for action in await hub.moderators.list(session, show.id)]


@router.get("/shows/{show_id}/relay")
async def relay(show_id: UUID, staff: SignedIn, hub: Hub) -> RelayOut:
    """What is passed on between the show's chats."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        targets = await hub.shows.targets(session, show.id)
        pairs = await hub.relay.pairs(session, show.id)
        dropped = await hub.relay.dropped(session, show.id)
    own = RelayPlace(id=OWN, name=OWN_TITLE, platform=OWN, why_not="It shows every chat already.", dropped=0)
    able = {one.id: hub.connections.connector(one.connector) for one in targets}
    places = [
        RelayPlace(
            id=str(one.id),
            name=one.name,
            platform=one.connector,
            why_not=None if able[one.id].chat_sink else hub.relay.no_writing(one),
            dropped=dropped.get(one.id, 0),
        )
        for one in targets
        if able[one.id].chat_source or able[one.id].chat_sink
    ]
    return RelayOut(pairs=[RelayPair(source=p.source, into=p.into) for p in pairs], places=[own, *places])


@router.put("/shows/{show_id}/relay", status_code=204)
async def choose_relay(show_id: UUID, body: RelayIn, staff: SignedIn, hub: Hub) -> None:
    """Choose what is passed on from now on."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        targets = await hub.shows.targets(session, show.id)
        await hub.relay.choose(session, show, targets, [Pair(one.source, one.into) for one in body.pairs])
