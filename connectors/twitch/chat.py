"""Reading a Twitch channel's chat through EventSub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from functools import partial
from urllib.parse import urlsplit

from twitchio.eventsub import subscriptions
from twitchio.eventsub.enums import SubscriptionType

from connectors.base import Addresses, Session
from connectors.errors import ConnectorError, Refused, RetryLater
from connectors.twitch.api import EVENTSUB, TWITCH, Config, Helix, understood
from connectors.twitch.events import UNREADABLE, Frame, Inbox, end_of, mendable
from connectors.twitch.eventsub import Jitter, Pace, Sessions, full_jitter
from connectors.twitch.faces import Faces
from connectors.twitch.messages import Pictures
from connectors.twitch.oauth import Owner, owner_of
from connectors.types import ChatHealth, ChatItem, ChatMessage

Topic = type[subscriptions.SubscriptionPayload]

TOPICS: tuple[Topic, ...] = (
    subscriptions.ChatMessageSubscription,
    subscriptions.ChatNotificationSubscription,
    subscriptions.ChatMessageDeleteSubscription,
    subscriptions.ChatClearUserMessagesSubscription,
    subscriptions.ChatClearSubscription,
)
"""Messages first: that one keeps the session, and nothing is said before the others are made."""
POLLS: tuple[Topic, ...] = (
    subscriptions.ChannelPollBeginSubscription,
    subscriptions.ChannelPollProgressSubscription,
    subscriptions.ChannelPollEndSubscription,
)
POLL_SCOPES = frozenset({"channel:read:polls", "channel:manage:polls"})
NO_POLLS = "Polls are not shown: this login does not allow it. Link the account again and allow all."

EXISTS = "409"
PATIENCE = 3.0
"""Seconds for what the chat can do without."""


class TwitchChat:
    """Reads the chat of the linked account's own channel."""

    def __init__(
        self, session: Session[Config], pace: Pace | None = None, jitter: Jitter = full_jitter
    ) -> None:
        self._helix = Helix(session)
        self._http = session.http
        self._address = socket_address(session.addresses)
        self._pace = pace or Pace()
        self._jitter = jitter

    async def messages(self, ref: str, *, cursor: str | None = None) -> AsyncIterator[ChatItem]:
        """`ref` is the channel's user id. Never ends by itself: a channel's chat is always open.

        Lost sockets are replaced in here. Twitch repeats nothing that was said meanwhile, so such a gap,
        like any cursor, is answered by ChatHealth(missed=True).
        """
        topics = topics_for(await owner_of(self._http))
        inbox = Inbox(ref, await self._cheermotes(ref))
        faces = Faces(self._helix)
        asking = asyncio.create_task(faces.run())
        sessions = Sessions(
            self._address,
            partial(self._subscribe, ref, topics),
            check=partial(owner_of, self._http),
            mendable=mendable,
            pace=self._pace,
            jitter=self._jitter,
        )
        try:
            async with aclosing(sessions.frames(missed=cursor is not None)) as frames:
                async for said in frames:
                    items = [noted(said, topics)] if isinstance(said, ChatHealth) else items_of(said, inbox)
                    for item in items:
                        yield with_face(item, faces)
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def _subscribe(self, ref: str, topics: Sequence[Topic], session_id: str) -> None:
        """All topics for one session. Repeatable: what exists is left alone."""
        for topic in topics:
            wanted = topic(broadcaster_user_id=ref, user_id=ref)
            try:
                await self._helix.create_eventsub_subscription(
                    type=SubscriptionType(wanted.type),
                    version=wanted.version,
                    condition=wanted.condition,
                    transport={"method": "websocket", "session_id": session_id},
                    token_for=ref,
                )
            except Refused as refused:
                if refused.code == EXISTS:
                    continue
                if "session" in refused.reason:
                    # The socket was lost while we asked: a matter of trying again.
                    raise RetryLater("Twitch closed the chat before it was subscribed.", 1.0) from None
                raise

    async def _cheermotes(self, ref: str) -> Pictures:
        """The channel's own pictures for Bits; none is no reason not to read."""
        pictures: dict[tuple[str, int], str] = {}
        with suppress(ConnectorError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                answer = await self._helix.get_cheermotes(broadcaster_id=ref)
            with understood():
                for mote in answer["data"]:
                    for tier in mote["tiers"]:
                        url = tier["images"]["dark"]["animated"]["2"]
                        pictures[str(mote["prefix"]).lower(), int(tier["min_bits"])] = url
        return pictures


def topics_for(owner: Owner) -> tuple[Topic, ...]:
    """What this login may be told."""
    return TOPICS + (POLLS if owner.scopes & POLL_SCOPES else ())


def noted(health: ChatHealth, topics: Sequence[Topic]) -> ChatHealth:
    """Says what is not read, where there is nothing more important to say."""
    if health.detail or health.state != "connected" or len(topics) > len(TOPICS):
        return health
    return health.model_copy(update={"detail": NO_POLLS})


def with_face(item: ChatItem, faces: Faces) -> ChatItem:
    """The message with its author's picture, where that is known."""
    if not isinstance(item, ChatMessage) or item.author_picture or item.author_id is None:
        return item
    picture = faces.of(item.author_id)
    return item.model_copy(update={"author_picture": picture}) if picture else item


def items_of(frame: Frame, inbox: Inbox) -> list[ChatItem]:
    """What a frame says; raises Reconnect or Refused when the right to read is gone."""
    if frame.kind == "revocation":
        if error := end_of(frame):
            raise error
        return [
            ChatHealth(state="degraded", detail=f"Twitch tells only a part of the chat: no {part_of(frame)}.")
        ]
    unreadable = ChatHealth(state="connected", detail="Part of Twitch's chat can't be read.", missed=True)
    if frame.kind == UNREADABLE:
        return [unreadable]
    if frame.kind != "notification":
        return []
    try:
        return inbox.take(frame)
    except (KeyError, TypeError, ValueError, AttributeError):
        return [unreadable]


def part_of(frame: Frame) -> str:
    """What a subscription told, in words."""
    topic = str(frame.part("subscription").get("type") or frame.topic)
    if topic.startswith("channel.poll."):
        return "polls"
    return "subscriptions, raids and announcements" if topic.endswith("notification") else "removed messages"


def socket_address(addresses: Addresses) -> str:
    """Where EventSub answers. Whoever moves only the API means both: they share their sessions."""
    if addresses.base_url != TWITCH and addresses.ws_url in (None, EVENTSUB):
        parts = urlsplit(addresses.base_url)
        return f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}/ws"
    return addresses.ws_url or EVENTSUB
