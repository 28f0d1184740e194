"""A Twitch channel's chat: reading it through EventSub, and replying."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from urllib.parse import urlsplit

from twitchio.eventsub import subscriptions
from twitchio.eventsub.enums import SubscriptionType
from twitchio.models.chat import SentMessage

from connectors.base import Addresses, Session
from connectors.errors import Refused, RetryLater
from connectors.twitch.api import EVENTSUB, TWITCH, Config, Helix, understood
from connectors.twitch.events import UNREADABLE, Frame, Inbox, revocation
from connectors.twitch.eventsub import Jitter, Pace, Sessions, full_jitter
from connectors.twitch.oauth import account_of
from connectors.types import ChatHealth, ChatItem

TOPICS = (
    subscriptions.ChatMessageSubscription,
    subscriptions.ChatMessageDeleteSubscription,
    subscriptions.ChatClearUserMessagesSubscription,
    subscriptions.ChatClearSubscription,
)
"""Messages first: that one keeps the session, and nothing is said before the others are made."""

LONGEST_MESSAGE = 500
TOO_FAST = frozenset({"msg_ratelimit"})
RATE_WINDOW = 30.0
EXISTS = "409"


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
        inbox = Inbox(ref)
        sessions = Sessions(
            self._address,
            partial(self._subscribe, ref),
            check=partial(account_of, self._http),
            pace=self._pace,
            jitter=self._jitter,
        )
        async with aclosing(sessions.frames(missed=cursor is not None)) as frames:
            async for said in frames:
                for item in [said] if isinstance(said, ChatHealth) else items_of(said, inbox):
                    yield item

    async def _subscribe(self, ref: str, session_id: str) -> None:
        """All topics for one session. Repeatable: what exists is left alone."""
        for topic in TOPICS:
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


class TwitchReplies:
    """Writes to the chat of the linked account's own channel."""

    def __init__(self, session: Session[Config]) -> None:
        self._helix = Helix(session)

    async def send(self, ref: str, text: str, *, key: str) -> str:
        """Send once; the message comes back through the chat with this id.

        Twitch knows no keys for repeats: a lost answer is RetryLater(unknown). A message that it drops
        is Refused with Twitch's reason, or RetryLater when it only came too fast.
        """
        if not 0 < len(text) <= LONGEST_MESSAGE:
            raise Refused(f"Twitch takes messages of 1 to {LONGEST_MESSAGE} characters.", code="length")
        answer = await self._helix.post_chat_message(
            broadcaster_id=ref, sender_id=ref, message=text, token_for=ref
        )
        with understood(unknown=True):
            sent = SentMessage(answer["data"][0])
            if sent.sent:
                return str(sent.id)
        code = sent.dropped_code
        if code in TOO_FAST:
            raise RetryLater("Twitch asks us to write more slowly.", RATE_WINDOW)
        reason = " ".join((sent.dropped_message or "no reason given").split())[:200]
        raise Refused(f"Twitch did not show the message: {reason}", code=code)


def items_of(frame: Frame, inbox: Inbox) -> list[ChatItem]:
    """What a frame says; raises Reconnect or Refused when the right to read is gone."""
    if frame.kind == "revocation":
        if error := revocation(frame):
            raise error
        return [ChatHealth(state="degraded", detail="Twitch no longer tells which messages it removed.")]
    unreadable = ChatHealth(state="connected", detail="Part of Twitch's chat can't be read.", missed=True)
    if frame.kind == UNREADABLE:
        return [unreadable]
    if frame.kind != "notification":
        return []
    try:
        return inbox.take(frame)
    except (KeyError, TypeError, ValueError):
        return [unreadable]


def socket_address(addresses: Addresses) -> str:
    """Where EventSub answers. Whoever moves only the API means both: they share their sessions."""
    if addresses.base_url != TWITCH and addresses.ws_url in (None, EVENTSUB):
        parts = urlsplit(addresses.base_url)
        return f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}/ws"
    return addresses.ws_url or EVENTSUB
