"""Who follows a link: a person, a bot, or a chat that draws a preview; and with what. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, Literal
from urllib.parse import urlsplit

Whose = Literal["person", "bot", "preview"]
Device = Literal["phone", "tablet", "desktop", "other"]

PREVIEWS: Final = re.compile(
    r"^whatsapp/|telegrambot|facebookexternalhit|facebot|twitterbot|slackbot|slack-imgproxy|discordbot"
    r"|linkedinbot|skypeuripreview|microsoftpreview|^viber|redditbot|pinterestbot|vkshare|kakaotalk-scrap"
    r"|line-?poker|snap url preview|iframely|embedly|mastodon/|bluesky cardyb|googlemessages",
    re.IGNORECASE,
)
"""Programs that fetch an address because somebody wrote it into a chat. Apple's messages call themselves
Facebook's and Twitter's; the browsers inside of Instagram, TikTok or Line are people."""
AHEAD: Final = ("sec-purpose", "purpose", "x-purpose", "x-moz")
"""Headers in which a browser says that it only fetches in advance."""
BROWSERS: Final = ("Mozilla/", "Opera/")
"""How everything that people use begins; whatever does not is a program."""
TABLETS: Final = re.compile(r"iPad|Tablet|Kindle|Silk/|PlayBook|Android(?!.*Mobile)")
PHONES: Final = re.compile(r"iPhone|iPod|Mobile|Android|Phone")
DESKTOPS: Final = re.compile(r"Windows NT|Macintosh|X11|CrOS|Linux")
LONGEST: Final = 500
"""Letters of a name that are looked at: nobody makes us compare eight thousand with every pattern."""
HOST: Final = re.compile(r"^[a-z0-9.-]{1,253}$")


def who(method: str, headers: Mapping[str, str]) -> Whose:
    """By the method, by what the browser says it is for, and by its name. `headers` in small letters."""
    ahead = " ".join(headers.get(name, "") for name in AHEAD).lower()
    agent = headers.get("user-agent", "")[:LONGEST]
    if PREVIEWS.search(agent) or "prefetch" in ahead or "preview" in ahead:
        return "preview"
    if is_bot(agent):
        return "bot"
    # A browser asks for no head: whatever does looks whether the address is alive.
    return "preview" if method == "HEAD" else "person"


def is_bot(agent: str) -> bool:
    """Whether a user agent is a known robot, or no browser at all."""
    from crawleruseragents import is_crawler  # a list of 25 ms, which only who serves links needs

    return not agent.startswith(BROWSERS) or bool(is_crawler(agent[:LONGEST]))


def device(agent: str) -> Device:
    """What it was opened with, as far as its name tells."""
    for pattern, kind in ((TABLETS, "tablet"), (PHONES, "phone"), (DESKTOPS, "desktop")):
        if pattern.search(agent):
            return kind  # type: ignore[return-value]  # mypy widens the words of the tuple
    return "other"


def referrer(address: str | None) -> str | None:
    """The host a browser says it came from."""
    try:
        name = (urlsplit(address or "").hostname or "").lower()
    except ValueError:
        return None
    return name if HOST.match(name) else None


def network(address: str | None, key: bytes) -> str | None:
    """A keyed hash of the /24 or /48 of an address; None where there is none."""
    try:
        known = ip_address(address or "")
    except ValueError:
        return None
    if isinstance(known, IPv6Address) and known.ipv4_mapped:
        known = known.ipv4_mapped
    wide = ip_network((known, 24 if known.version == 4 else 48), strict=False)
    return hmac.new(key, str(wide).encode(), hashlib.sha256).hexdigest()[:32]
