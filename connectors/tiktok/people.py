"""Who speaks in TikTok's events: name, picture, and what they are in this room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.tiktok.protobuf import Message
from connectors.types import Badge

SCENES: dict[int, tuple[Any, str]] = {
    1: ("moderator", "Moderator"),
    4: ("member", "Subscriber"),
    7: ("member", "Subscriber"),
    6: ("other", "Top gifter"),
    8: ("other", "Level"),
    10: ("other", "Fan"),
}
"""A badge's scene. Source: TikTok-Live-Connector (MIT) names these; any other is left out."""
WITH_LEVEL = frozenset({8, 10})
MOST_BADGES = 6


@dataclass(frozen=True)
class Author:
    """A person as TikTok tells them; all of it may be missing."""

    id: str | None = None
    name: str | None = None
    handle: str = ""
    picture: str | None = None
    badges: tuple[Badge, ...] = ()


NOBODY = Author()


def author_of(user: Message) -> Author:
    """From a User message; an empty one is nobody."""
    handle = user.text(38)
    badges = [badge for one in user.messages(64)[:MOST_BADGES] if (badge := badge_of(one))]
    if user.number(12):
        badges.append(Badge(kind="verified", title="Verified"))
    return Author(
        id=user.text(1028) or str(user.number(1) or "") or None,
        name=user.text(3) or handle or None,
        handle=handle,
        picture=picture_of(user.message(9)),
        badges=tuple(dict.fromkeys(badges)),
    )


def badge_of(badge: Message) -> Badge | None:
    """None for one of the many that say nothing about a person's part in the room."""
    scene = badge.number(3)
    if scene not in SCENES:
        return None
    kind, title = SCENES[scene]
    level = badge.message(12).text(5) if scene in WITH_LEVEL else ""
    return Badge(kind=kind, title=f"{title} {level}" if level.isdecimal() else title)


def picture_of(image: Message) -> str | None:
    """The first address of a picture that may be shown: encrypted, and no longer than an address is."""
    for raw in image.blobs(1):
        address = raw.decode("utf-8", "replace")
        if address.startswith("https://") and len(address) <= 2000:
            return address
    return None
