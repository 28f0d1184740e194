"""Channel groups by GA4's default table: a pure function of source, medium and campaign.

Rules and order: https://support.google.com/analytics/answer/9756891. The first that matches counts; case does
not. The lists of sites are data (`sites.json`). Google puts TikTok, Instagram and Facebook among the social
sites, YouTube and Twitch among the video sites; with `utm_medium=social`, as on our links, all five are
Organic Social, since that rule comes first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

DIRECT: Final = "(direct)"
NONE: Final = "(none)"
NOT_SET: Final = "(not set)"
UNASSIGNED: Final = "Unassigned"

PAID: Final = re.compile(r"^(.*cp.*|ppc|retargeting|paid.*)$", re.IGNORECASE)
SHOP_CAMPAIGN: Final = re.compile(r"^(.*(([^a-df-z]|^)shop|shopping).*)$", re.IGNORECASE)
VIDEO_MEDIUM: Final = re.compile(r"^(.*video.*)$", re.IGNORECASE)
KINDS: Final = ("search", "shopping", "social", "video")
DISPLAY: Final = frozenset({"display", "banner", "expandable", "interstitial", "cpm"})
SOCIAL: Final = frozenset(
    {"social", "social-network", "social-media", "sm", "social network", "social media"}
)
EMAIL: Final = frozenset({"email", "e-mail", "e_mail", "e mail"})
REFERRAL: Final = frozenset({"referral", "app", "link"})


@dataclass(frozen=True)
class Sites:
    """Sources by their kind, in lower case: names and hosts as Google lists them, and a few of ours.

    `engines`: names of search engines that have a host in every country. `marks`: (source, medium) of a click
    id. `gateways`: hosts a buyer comes back from.
    """

    search: frozenset[str]
    shopping: frozenset[str]
    social: frozenset[str]
    video: frozenset[str]
    engines: frozenset[str]
    marks: dict[str, tuple[str, str]]
    gateways: frozenset[str]


@cache
def sites() -> Sites:
    """Read once, when the first is asked for."""
    told: dict[str, Any] = json.loads(Path(__file__).with_name("sites.json").read_text())
    ours = told["ours"]
    kinds = {
        kind: frozenset([*told[kind], *ours.get(kind, ())])
        for kind in ("search", "shopping", "social", "video")
    }
    marks = {name: (pair[0], pair[1]) for name, pair in told["click_ids"].items() if name != "why"}
    return Sites(
        **kinds,
        engines=frozenset(told["engines"]["names"]),
        marks=marks,
        gateways=frozenset(told["gateways"]["hosts"]),
    )


@dataclass(frozen=True)
class Came:
    """What the rules look at, in lower case."""

    source: str
    medium: str
    campaign: str

    @property
    def paid(self) -> bool:
        """By its medium."""
        return bool(PAID.match(self.medium))

    @property
    def shopping(self) -> bool:
        """By its source or its campaign."""
        return self.source in sites().shopping or bool(SHOP_CAMPAIGN.match(self.campaign))


Rule = Callable[[Came], bool]

RULES: Final[tuple[tuple[str, Rule], ...]] = (
    ("Direct", lambda came: came.source == DIRECT and came.medium in (NONE, NOT_SET)),
    ("Cross-network", lambda came: "cross-network" in came.campaign),
    ("Paid Shopping", lambda came: came.shopping and came.paid),
    ("Paid Search", lambda came: came.source in sites().search and came.paid),
    ("Paid Social", lambda came: came.source in sites().social and came.paid),
    ("Paid Video", lambda came: came.source in sites().video and came.paid),
    ("Display", lambda came: came.medium in DISPLAY),
    ("Paid Other", lambda came: came.paid),
    ("Organic Shopping", lambda came: came.shopping),
    ("Organic Social", lambda came: came.source in sites().social or came.medium in SOCIAL),
    ("Organic Video", lambda came: came.source in sites().video or bool(VIDEO_MEDIUM.match(came.medium))),
    ("Organic Search", lambda came: came.source in sites().search or came.medium == "organic"),
    ("Email", lambda came: came.source in EMAIL or came.medium in EMAIL),
    ("Affiliates", lambda came: came.medium == "affiliate"),
    ("Referral", lambda came: came.medium in REFERRAL),
    ("Audio", lambda came: came.medium == "audio"),
    ("SMS", lambda came: "sms" in (came.source, came.medium)),
    (
        "Mobile Push Notifications",
        lambda came: (
            came.medium.endswith("push")
            or "mobile" in came.medium
            or "notification" in came.medium
            or came.source == "firebase"
        ),
    ),
)
GROUPS: Final = (*(name for name, _ in RULES), UNASSIGNED)


def group_of(source: str | None, medium: str | None, campaign: str | None = None) -> str:
    """The channel group; one of `GROUPS`, whatever it is given. Nothing at all is Direct."""
    if not source and not medium:
        source, medium = DIRECT, NONE
    came = Came((source or NOT_SET).lower(), (medium or NOT_SET).lower(), (campaign or "").lower())
    return next((name for name, fits in RULES if fits(came)), UNASSIGNED)
