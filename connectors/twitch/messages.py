"""What an event of a Twitch chat says, as a message of ours. Pure; KeyError names what an event lacks.

Only what a message cannot do without is asked for: its id and its words. Twitch adds kinds of everything
without notice; what is unknown is shown as plain text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from connectors.types import Badge, ChatMessage, Fragment, Money

Pictures = Mapping[tuple[str, int], str]
"""Cheermotes' pictures by prefix (lower case) and tier."""
Event = dict[str, Any]
Kind = Literal["text", "paid", "membership", "gift", "raid", "announcement", "notice"]
BadgeKind = Literal["owner", "moderator", "member", "vip", "verified", "other"]

EMOTE = "https://static-cdn.jtvnw.net/emoticons/v2/{id}/{form}/dark/2.0"
LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"]+", re.IGNORECASE)
TRAILING = ".,;:!?'\")]}"
"""Ends a sentence, not an address."""

KINDS: dict[str, Kind] = {
    "sub": "membership",
    "resub": "membership",
    "gift_paid_upgrade": "membership",
    "prime_paid_upgrade": "membership",
    "sub_gift": "gift",
    "community_sub_gift": "gift",
    "pay_it_forward": "gift",
    "raid": "raid",
    "announcement": "announcement",
    "charity_donation": "paid",
}
"""Notices by what they are; all others are "notice"."""
POWER_UPS = "power_ups_"
ELSEWHERE = "shared_chat_"

BADGES: dict[str, tuple[BadgeKind, str]] = {
    "broadcaster": ("owner", "Broadcaster"),
    "moderator": ("moderator", "Moderator"),
    "lead_moderator": ("moderator", "Lead Moderator"),
    "vip": ("vip", "VIP"),
    "subscriber": ("member", "Subscriber"),
    "founder": ("member", "Founder"),
    "partner": ("verified", "Verified"),
    "staff": ("verified", "Twitch staff"),
    "admin": ("verified", "Twitch admin"),
}


def from_elsewhere(event: Event, channel: str) -> bool:
    """True for what was said in another channel of a shared chat."""
    source = event.get("source_broadcaster_user_id")
    return bool(source and source != channel) or str(event.get("notice_type") or "").startswith(ELSEWHERE)


def message_of(event: Event, at: datetime | None, channel: str, pictures: Pictures) -> ChatMessage:
    """`channel.chat.message`."""
    words = str(event["message"]["text"])
    kind: Kind = "text"
    if event.get("cheer") or str(event.get("message_type") or "").startswith(POWER_UPS):
        # No money: what Twitch pays for Bits is between Twitch and the channel.
        kind = "paid"
    pieces = pieces_of(event["message"], pictures)
    return told(event, at, channel, kind=kind, text=words, fragments=pieces)


def notice_of(event: Event, at: datetime | None, channel: str, pictures: Pictures) -> ChatMessage:
    """`channel.chat.notification`: what Twitch says about somebody, and what that person says to it."""
    notice = str(event["notice_type"])
    said = event.get("message")
    said = said if isinstance(said, dict) else {}
    words, about = str(said.get("text") or ""), str(event.get("system_message") or "")
    pieces: tuple[Fragment, ...] = ()
    if not words:
        text = about or notice.replace("_", " ")
    elif not about:
        text, pieces = words, pieces_of(said, pictures)
    else:
        pieces = (Fragment(text=f"{about} "), *(pieces_of(said, pictures) or (Fragment(text=words),)))
        text = f"{about} {words}"
    return told(
        event,
        at,
        channel,
        kind=KINDS.get(notice, "notice"),
        text=text,
        fragments=pieces,
        money=donated(event.get("charity_donation")),
        author_picture=picture_in(event.get("raid")),
    )


def told(event: Event, at: datetime | None, channel: str, **what: Any) -> ChatMessage:
    """The part that all messages have in common."""
    anonymous = bool(event.get("chatter_is_anonymous"))
    author = None if anonymous else event.get("chatter_user_id")
    name = event.get("chatter_user_name") or event.get("chatter_user_login")
    parent = event.get("reply")
    return ChatMessage(
        id=str(event["message_id"]),
        author_id=author,
        author_name="Anonymous" if anonymous else name,
        badges=badges_of(event.get("badges")),
        reply_to=(parent.get("parent_message_id") or None) if isinstance(parent, dict) else None,
        sent_at=at,
        ours=author == channel,
        # Twitch can't be read from a place on; having one says only that somebody read before.
        cursor=str(event["message_id"]),
        **what,
    )


def pieces_of(message: Event, pictures: Pictures) -> tuple[Fragment, ...]:
    """Emotes, mentions and links of a message; empty when it is mere text."""
    words, raw = str(message["text"]), message.get("fragments")
    found = [piece for each in raw for piece in piece_of(each, pictures)] if isinstance(raw, list) else []
    pieces: list[Fragment] = []
    end = 0
    for piece in found:
        start = words.find(piece.text, end)
        if start < 0:
            # Of another text than this one: the text is what counts.
            pieces, end = [], 0
            break
        pieces += [*linked(words[end:start]), piece]
        end = start + len(piece.text)
    pieces += linked(words[end:])
    return tuple(pieces) if any(piece.kind != "text" for piece in pieces) else ()


def piece_of(raw: Any, pictures: Pictures) -> list[Fragment]:
    """One of Twitch's fragments; text is searched for links, kinds yet unknown are text."""
    if not isinstance(raw, dict) or not (text := str(raw.get("text") or "")):
        return []
    if isinstance(emote := raw.get("emote"), dict) and emote.get("id"):
        form = "animated" if "animated" in (emote.get("format") or ()) else "static"
        return [Fragment(kind="emote", text=text, url=EMOTE.format(id=emote["id"], form=form))]
    if isinstance(cheer := raw.get("cheermote"), dict):
        prefix, tier = str(cheer.get("prefix") or "").lower(), cheer.get("tier")
        url = pictures.get((prefix, tier)) if isinstance(tier, int) else None
        return [Fragment(kind="emote", text=text, url=url)]
    if isinstance(gif := raw.get("gif"), dict):
        return [Fragment(kind="emote", text=text, url=gif.get("url") or None)]
    if isinstance(raw.get("mention"), dict):
        return [Fragment(kind="mention", text=text)]
    return linked(text)


def linked(text: str) -> list[Fragment]:
    """Text with its links taken out as pieces of their own."""
    pieces, end = [], 0
    for found in LINK.finditer(text):
        address = found[0].rstrip(TRAILING)
        if address.partition("//")[2] or address[4:]:
            if found.start() > end:
                pieces.append(Fragment(text=text[end : found.start()]))
            target = address if "//" in address else f"https://{address}"
            pieces.append(Fragment(kind="link", text=address, url=target))
            end = found.start() + len(address)
    if text[end:]:
        pieces.append(Fragment(text=text[end:]))
    return pieces


def badges_of(raw: Any) -> tuple[Badge, ...]:
    """What an author is here. A subscriber's months are Twitch's `info`."""
    badges = []
    for each in raw if isinstance(raw, list) else ():
        name = str(each.get("set_id") or "") if isinstance(each, dict) else ""
        if not name:
            continue
        kind, title = BADGES.get(name, ("other", name.replace("_", " ").replace("-", " ").capitalize()))
        months = str(each.get("info") or "")
        if kind == "member" and months.isdecimal():
            title = f"{title} ({months} month{'' if months == '1' else 's'})"
        badges.append(Badge(kind=kind, title=title))
    return tuple(badges)


def donated(raw: Any) -> Money | None:
    """What was given to a charity; None for anything that is no such amount."""
    amount = raw.get("amount") if isinstance(raw, dict) else None
    if not isinstance(amount, dict):
        return None
    # Twitch's reference says decimal_place here and decimal_places elsewhere.
    places: Any = amount.get("decimal_place", amount.get("decimal_places"))
    try:
        digits = str(int(amount["value"])).rjust(int(places) + 1, "0")
        whole, part = digits[: len(digits) - int(places)], digits[len(digits) - int(places) :]
        return Money.of(f"{whole}.{part}" if part else whole, str(amount["currency"]))
    except (KeyError, TypeError, ValueError):
        return None


def picture_in(raw: Any) -> str | None:
    """A raid brings the raider's picture along."""
    return raw.get("profile_image_url") or None if isinstance(raw, dict) else None


def poll_of(event: Event, at: datetime | None, *, over: bool) -> ChatMessage:
    """`channel.poll.*` as one message when it begins and one with its result."""
    title = str(event["title"])
    choices = [each for each in event.get("choices") or () if isinstance(each, dict)]
    names = [str(each.get("title") or "") for each in choices]
    if over:
        votes = [f"{name} {each.get('votes') or 0}" for name, each in zip(names, choices, strict=True)]
        text = f"The poll is over: {title} {' · '.join(votes)}"
    else:
        text = f"Poll: {title} {' · '.join(names)}"
    key = f"{event['id']}:end" if over else str(event["id"])
    return ChatMessage(id=key, text=text.strip(), kind="poll", sent_at=at, cursor=key)
