"""What a liveChatMessage means: LiveChatMessageSnippet of discovery revision 20261104."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal

from connectors.types import Badge, ChatDeletion, ChatItem, ChatMessage, Fragment, Money, exponent

Kind = Literal["text", "paid", "membership", "gift", "poll", "notice"]

KINDS: dict[str, Kind] = {
    "textMessageEvent": "text",
    "superChatEvent": "paid",
    "superStickerEvent": "paid",
    "fanFundingEvent": "paid",
    "newSponsorEvent": "membership",
    "memberMilestoneChatEvent": "membership",
    "membershipGiftingEvent": "membership",
    "giftMembershipReceivedEvent": "membership",
    "giftEvent": "gift",
    "pollEvent": "poll",
}
BADGES: dict[str, tuple[Literal["owner", "moderator", "member", "verified"], str]] = {
    "isChatOwner": ("owner", "Channel"),
    "isChatModerator": ("moderator", "Moderator"),
    "isChatSponsor": ("member", "Member"),
    "isVerified": ("verified", "Verified"),
}
SPECIAL = re.compile(
    r"(?P<link>https?://[^\s<>\"]+)|(?P<emote>:_?[A-Za-z][\w-]*:)|(?P<mention>(?<!\w)@[\w.-]{3,30})"
)
"""Links, YouTube's and the channel's own emoji (names only: the API tells no picture), and handles."""


def chat_item(item: dict[str, Any], backlog: bool) -> ChatItem | None:
    """One liveChatMessage; unknown types pass as a notice, the end of the chat is no message."""
    snippet = item.get("snippet", {})
    kind = snippet.get("type", "")
    if kind == "chatEndedEvent":
        return None
    removed = _removed(item["id"], kind, snippet)
    if removed is not None:
        return removed
    author = item.get("authorDetails", {})
    text, sent_at = _text(kind, snippet), snippet.get("publishedAt")
    return ChatMessage(
        id=item["id"],
        text=text,
        author_id=author.get("channelId") or snippet.get("authorChannelId"),
        author_name=author.get("displayName"),
        author_picture=author.get("profileImageUrl"),
        badges=tuple(Badge(kind=b, title=t) for field, (b, t) in BADGES.items() if author.get(field)),
        fragments=fragments(text),
        kind=KINDS.get(kind, "notice"),
        money=_money(snippet),
        sent_at=datetime.fromisoformat(sent_at) if sent_at else None,
        ours=author.get("isChatOwner", False),
        backlog=backlog,
    )


def fragments(text: str) -> tuple[Fragment, ...]:
    """The text in pieces, when it has a link, an emote or a mention in it."""
    pieces: list[Fragment] = []
    end = 0
    for found in SPECIAL.finditer(text):
        if found.start() > end:
            pieces.append(Fragment(text=text[end : found.start()]))
        kind, said = str(found.lastgroup), found.group()
        if kind == "link":
            pieces.append(Fragment(kind="link", text=said, url=said))
        else:
            pieces.append(Fragment(kind="emote" if kind == "emote" else "mention", text=said))
        end = found.end()
    if pieces and end < len(text):
        pieces.append(Fragment(text=text[end:]))
    return tuple(pieces)


def _removed(message_id: str, kind: str, snippet: dict[str, Any]) -> ChatDeletion | None:
    if kind == "tombstone":
        return ChatDeletion(message_ids=(message_id,))
    if kind == "userBannedEvent":
        banned = snippet.get("userBannedDetails", {}).get("bannedUserDetails", {}).get("channelId")
        # A ban that names nobody must not read as "everything was removed".
        return ChatDeletion(author_id=banned) if banned else None
    deleted = snippet.get("messageDeletedDetails", {}).get("deletedMessageId")
    retracted = snippet.get("messageRetractedDetails", {}).get("retractedMessageId")
    return ChatDeletion(message_ids=(deleted or retracted,)) if deleted or retracted else None


def _text(kind: str, snippet: dict[str, Any]) -> str:
    # What the person wrote, where there is such a thing: displayMessage wraps it for paid messages.
    shown = str(snippet.get("displayMessage", ""))
    match kind:
        case "textMessageEvent":
            return str(snippet.get("textMessageDetails", {}).get("messageText", shown))
        case "superChatEvent":
            return str(snippet.get("superChatDetails", {}).get("userComment", ""))
        case "memberMilestoneChatEvent":
            return str(snippet.get("memberMilestoneChatDetails", {}).get("userComment") or shown or kind)
        case "giftEvent":
            return shown or _gift(snippet)
        case "pollEvent":
            return _poll(snippet) or shown or kind
        case _:
            return shown or kind


def _gift(snippet: dict[str, Any]) -> str:
    # Until October 2026 the field was called giftEventDetails.
    gift = snippet.get("giftDetails") or snippet.get("giftEventDetails") or {}
    name, jewels, times = gift.get("giftName", "Gift"), gift.get("jewelsAmount"), gift.get("comboCount", 1)
    return f"{name}{f' x{times}' if times > 1 else ''}" + (f" ({jewels} Jewels)" if jewels else "")


def _poll(snippet: dict[str, Any]) -> str:
    told = snippet.get("pollDetails", {}).get("metadata", {})
    options = [
        f"{option.get('optionText', '')} ({option['tally']})" if "tally" in option else option["optionText"]
        for option in told.get("options", [])
        if option.get("optionText")
    ]
    question = told.get("questionText", "")
    return f"{question} {' · '.join(options)}".strip()


def _money(snippet: dict[str, Any]) -> Money | None:
    paid = snippet.get("superChatDetails") or snippet.get("superStickerDetails")
    if not paid or "amountMicros" not in paid or "currency" not in paid:
        return None
    # Integers only: micros of the currency to its minor unit, half up.
    amount = (int(paid["amountMicros"]) * 10 ** exponent(paid["currency"]) + 500_000) // 1_000_000
    return Money(amount=amount, currency=paid["currency"])
