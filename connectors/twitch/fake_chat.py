"""The fake's chat: what is said in it, by whom, and what is done about it. Helix's answers to all that."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Mapping
from typing import Any

from connectors.twitch.fake_eventsub import EventSub
from connectors.twitch.fake_helix import ANNOUNCE, BAN, CDN, DELETE_MESSAGES, WRITE_CHAT, Channel
from connectors.twitch.fake_logins import HelixError

DUPLICATE_SECONDS = 30.0
RATE_SECONDS = 30.0
MOST_IN_A_ROW = 100
"""Messages in thirty seconds, for the channel itself."""
LONGEST_TIMEOUT = 1_209_600
COLOURS = frozenset({"blue", "green", "orange", "purple", "primary"})
EMOTES = {"Kappa": "25", "PogChamp": "305954156", "LUL": "425618"}
PIECE = re.compile(r"(@\w+|\bcheer\d+\b|\b(?:Kappa|PogChamp|LUL)\b)")
SHARED = {"source_broadcaster_user_id": None, "source_broadcaster_user_login": None}
SHARED |= {"source_broadcaster_user_name": None, "source_message_id": None, "source_badges": None}
NOTICES: tuple[str, ...] = (
    "sub",
    "resub",
    "sub_gift",
    "community_sub_gift",
    "gift_paid_upgrade",
    "prime_paid_upgrade",
)
NOTICES += ("raid", "unraid", "pay_it_forward", "announcement", "bits_badge_tier", "charity_donation")
NOTICES += ("watch_streak", "modiversary")


class Chat:
    """The channel's chat. Every verb tells the sockets, and answers as Helix does or raises HelixError."""

    def __init__(self, channel: Channel, sockets: EventSub) -> None:
        self._channel = channel
        self._sockets = sockets
        self.messages: list[dict[str, str]] = []
        """What others said."""
        self.sent: list[dict[str, Any]] = []
        self.announced: list[dict[str, str]] = []
        self.deleted: list[str] = []
        self.silenced: dict[str, int | None] = {}
        """People, with the seconds of their timeout or None for a ban."""
        self.dropping: list[dict[str, str]] = []
        self.announcement_pause = 2.0
        self._announced_at = -self.announcement_pause
        self._said: dict[str, float] = {}
        self._times: deque[float] = deque(maxlen=MOST_IN_A_ROW)

    # --- writing ----------------------------------------------------------------------------------

    async def send(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST /helix/chat/messages. What is dropped is told under HTTP 200."""
        self._channel.logins.need(WRITE_CHAT)
        if body.get("sender_id") != self._channel.id or body.get("broadcaster_id") != self._channel.id:
            raise HelixError(
                403, "The sender is not permitted to send chat messages to the broadcaster's chat."
            )
        text, parent = body.get("message", ""), body.get("reply_parent_message_id")
        if not 0 < len(text) <= 500:
            raise HelixError(400, "The message must be between 1 and 500 characters long.")
        if parent is not None and not self._exists(parent):
            raise HelixError(400, "The ID in reply_parent_message_id is not valid.")
        reason = self.dropping.pop(0) if self.dropping else self._too_much(text)
        if reason:
            return {"data": [{"message_id": "", "is_sent": False, "drop_reason": reason}]}
        answered = {"parent_message_id": parent, "thread_message_id": parent} if parent else None
        event = self.message((self._channel.id, self._channel.name), text) | {"reply": answered}
        self.sent.append({"id": event["message_id"], "text": text, "reply_to": parent})
        await self._sockets.notify("channel.chat.message", event)
        return {"data": [{"message_id": event["message_id"], "is_sent": True, "drop_reason": None}]}

    def _exists(self, message_id: str) -> bool:
        return any(said["id"] == message_id for said in [*self.messages, *self.sent])

    def _too_much(self, text: str) -> dict[str, str] | None:
        now = asyncio.get_running_loop().time()
        if len(self._times) == MOST_IN_A_ROW and now - self._times[0] < RATE_SECONDS:
            return {"code": "msg_ratelimit", "message": "Your message was not sent: too many messages."}
        before = self._said.get(text)
        if before is not None and now - before < DUPLICATE_SECONDS:
            said = "Your message is identical to the one you sent less than 30 seconds ago."
            return {"code": "msg_duplicate", "message": said}
        self._said[text] = now
        self._times.append(now)
        return None

    async def announce(self, query: Mapping[str, str], body: dict[str, Any]) -> None:
        """POST /helix/chat/announcements: one in two seconds, and never without a colour."""
        self._may(ANNOUNCE, query)
        text, now = body.get("message", ""), asyncio.get_running_loop().time()
        if not 0 < len(text) <= 500:
            raise HelixError(400, "The message must be between 1 and 500 characters long.")
        if body.get("color") not in COLOURS:
            raise HelixError(400, "The color in the request is not valid.")
        if now - self._announced_at < self.announcement_pause:
            raise HelixError(429, "Too many announcements.")
        self._announced_at = now
        self.announced.append({"text": text, "color": body["color"]})
        author = (self._channel.id, self._channel.name)
        detail = {"announcement": {"color": body["color"].upper()}}
        await self._sockets.notify(
            "channel.chat.notification", self.notice("announcement", author, "", text) | detail
        )

    # --- moderation -------------------------------------------------------------------------------

    def _may(self, scope: str, query: Mapping[str, str]) -> None:
        self._channel.need(scope, query.get("broadcaster_id"))
        if query.get("moderator_id") != self._channel.id:
            raise HelixError(401, "The ID in moderator_id must match the user ID in the access token.")

    async def delete(self, query: Mapping[str, str]) -> None:
        """DELETE /helix/moderation/chat: one message, or without an id all there are."""
        self._may(DELETE_MESSAGES, query)
        wanted = query.get("message_id")
        if wanted is None:
            await self._sockets.notify("channel.chat.clear", self.names())
            return
        if any(said["id"] == wanted for said in self.sent):
            raise HelixError(400, "You cannot delete the broadcaster's messages.")
        author = next((said["author_id"] for said in self.messages if said["id"] == wanted), None)
        if author is None or wanted in self.deleted:
            raise HelixError(404, "The ID in message_id was not found.")
        self.deleted.append(wanted)
        event = {**self.names(), **self._target(author), "message_id": wanted}
        await self._sockets.notify("channel.chat.message_delete", event)

    async def ban(self, query: Mapping[str, str], body: dict[str, Any]) -> dict[str, Any]:
        """POST /helix/moderation/bans: a ban, or with a duration a timeout, which may be set anew."""
        self._may(BAN, query)
        data = body.get("data") or {}
        user, seconds = str(data.get("user_id") or ""), data.get("duration")
        if not user:
            raise HelixError(400, "The user_id field is required.")
        if user == self._channel.id:
            raise HelixError(400, "The user specified in the user_id field may not be banned.")
        if seconds is not None and not 1 <= seconds <= LONGEST_TIMEOUT:
            raise HelixError(400, "The value in the duration field is not valid.")
        if user in self.silenced and self.silenced[user] is None:
            raise HelixError(400, "The user specified in the user_id field is already banned.")
        self.silenced[user] = seconds
        event = {**self.names(), **self._target(user)}
        await self._sockets.notify("channel.chat.clear_user_messages", event)
        about = {"broadcaster_id": self._channel.id, "moderator_id": self._channel.id, "user_id": user}
        end = "2026-11-24T10:10:00Z" if seconds else None
        return {"data": [{**about, "created_at": "2026-11-24T10:00:00Z", "end_time": end}]}

    def unban(self, query: Mapping[str, str]) -> None:
        """DELETE /helix/moderation/bans."""
        self._may(BAN, query)
        if self.silenced.pop(query.get("user_id", ""), 0) == 0:
            raise HelixError(400, "The user in the user_id query parameter is not banned.")

    # --- what EventSub says about it --------------------------------------------------------------

    async def say(self, body: dict[str, Any]) -> dict[str, Any]:
        """A viewer's message: {"author", "author_id", "text", "late"?} and what else is to be different."""
        late = bool(body.pop("late", False))
        author, text = (str(body.pop("author_id")), str(body.pop("author"))), str(body.pop("text"))
        event = self.message(author, text) | body
        about = {"id": event["message_id"], "author": author[1], "author_id": author[0], "text": text}
        self.messages.append(about)
        reached = await self._sockets.notify("channel.chat.message", event, late=late)
        return {"ids": [event["message_id"]], "reached": reached}

    def message(self, author: tuple[str, str], text: str) -> dict[str, Any]:
        """`channel.chat.message`, with every key."""
        bits = sum(int(cheer) for cheer in re.findall(r"\bcheer(\d+)\b", text))
        return {
            **self._said_by(author),
            "message": {"text": text, "fragments": fragments(text)},
            "message_type": "text",
            "cheer": {"bits": bits} if bits else None,
            "reply": None,
            "channel_points_custom_reward_id": None,
            "channel_points_animation_id": None,
            **SHARED,
            "is_source_only": None,
        }

    def notice(self, kind: str, author: tuple[str, str], about: str, text: str) -> dict[str, Any]:
        """`channel.chat.notification`, with every key."""
        details: dict[str, Any] = dict.fromkeys([*NOTICES, *(f"shared_chat_{name}" for name in NOTICES[:10])])
        return {
            **self._said_by(author),
            "chatter_is_anonymous": False,
            "system_message": about,
            "message": {"text": text, "fragments": fragments(text)},
            "notice_type": kind,
            **details,
            **SHARED,
        }

    def names(self) -> dict[str, str]:
        """The channel in every event."""
        about = {"id": self._channel.id, "login": self._channel.login, "name": self._channel.name}
        return {f"broadcaster_user_{what}": value for what, value in about.items()}

    def _said_by(self, author: tuple[str, str]) -> dict[str, Any]:
        ours = author[0] == self._channel.id
        return {
            **self.names(),
            "chatter_user_id": author[0],
            "chatter_user_login": author[1].lower(),
            "chatter_user_name": author[1],
            "message_id": self._channel.new_id(),
            "badges": [{"set_id": "broadcaster", "id": "1", "info": ""}] if ours else [],
            "color": "",
            "a_field_of_tomorrow": True,
        }

    def _target(self, user: str) -> dict[str, str]:
        return {"target_user_id": user, "target_user_login": f"viewer_{user}", "target_user_name": user}


def fragments(text: str) -> list[dict[str, Any]]:
    """The pieces Twitch finds in a text."""
    return [piece(part) for part in PIECE.split(text) if part]


def piece(part: str) -> dict[str, Any]:
    """One of them, with every key."""
    found: dict[str, Any] = {"type": "text", "text": part, "cheermote": None, "emote": None, "mention": None}
    if part in EMOTES:
        emote = {"id": EMOTES[part], "emote_set_id": "0", "owner_id": "0", "format": ["static"]}
        return found | {"type": "emote", "emote": emote}
    if re.fullmatch(r"cheer\d+", part):
        bits = int(part[5:])
        tier = max(each for each in (0, 1, 100, 1000, 5000, 10000) if each <= bits)
        return found | {"type": "cheermote", "cheermote": {"prefix": "cheer", "bits": bits, "tier": tier}}
    if part.startswith("@") and len(part) > 1:
        name = part[1:]
        who = {"user_id": "999", "user_name": name, "user_login": name.lower()}
        return found | {"type": "mention", "mention": who}
    return found


def cheermotes() -> dict[str, Any]:
    """GET /helix/bits/cheermotes."""
    tiers = [
        {
            "min_bits": bits,
            "id": str(bits),
            "color": "#979797",
            "images": {
                shade: {
                    "animated": {"1": picture(shade, bits, 1), "2": picture(shade, bits, 2)},
                    "static": {"1": picture(shade, bits, 1), "2": picture(shade, bits, 2)},
                }
                for shade in ("dark", "light")
            },
            "can_cheer": True,
            "show_in_bits_card": True,
        }
        for bits in (1, 100, 1000, 5000, 10000)
    ]
    about = {"type": "global_first_party", "order": 1, "is_charitable": False}
    return {"data": [{"prefix": "Cheer", "tiers": tiers, "last_updated": "2018-05-22T00:06:04Z", **about}]}


def picture(shade: str, bits: int, scale: int) -> str:
    """A cheermote's address."""
    return f"{CDN}/actions/cheer/{shade}/animated/{bits}/{scale}.gif"
