"""Who speaks in TikTok's events: name, picture, and what they are in this room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.tiktok import shapes
from connectors.tiktok.protobuf import read, utf8
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


def author_of(user: shapes.User) -> Author:
    """From a User message; an empty one is nobody."""
    badges = [badge for one in user.badges[:MOST_BADGES] if (badge := badge_of(one))]
    if user.verified:
        badges.append(Badge(kind="verified", title="Verified"))
    return Author(
        id=utf8(user.id_text) or str(user.id or "") or None,
        name=name_of(user) or None,
        handle=utf8(user.handle),
        picture=picture_of(user.picture),
        badges=tuple(dict.fromkeys(badges)),
    )


def name_of(user: shapes.User) -> str:
    """What a person is called; empty for nobody."""
    return utf8(user.name or user.handle)


def badge_of(badge: shapes.Badge) -> Badge | None:
    """None for one of the many that say nothing about a person's part in the room."""
    if badge.scene not in SCENES:
        return None
    kind, title = SCENES[badge.scene]
    level = utf8(read(shapes.Level, badge.level).words) if badge.scene in WITH_LEVEL else ""
    return Badge(kind=kind, title=f"{title} {level}" if level.isdecimal() else title)


def picture_of(image: shapes.Image) -> str | None:
    """The first address of a picture that may be shown: encrypted, and no longer than an address is."""
    for raw in image.addresses:
        address = utf8(raw)
        if address.startswith("https://") and len(address) <= 2000:
            return address
    return None
