"""How somebody came, by address and referrer: tags first, then click ids, then the referrer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from hub.links.tags import Tags, read_tags
from hub.visits.channels import group_of, sites
from hub.visits.referrers import counts, host_of, referral

CARRIED: Final = "sh_v"


@dataclass(frozen=True)
class Coming:
    """One arrival. `utm`: as tagged, or what click ids and the referrer stand for; empty: direct.

    `link`: the code of a tracked link; `click`: its click; `carried`: a visitor's pass from the brand's shop.
    """

    utm: dict[str, str] = field(default_factory=dict)
    click_ids: dict[str, str] = field(default_factory=dict)
    referrer_host: str | None = None
    link: str | None = None
    click: UUID | None = None
    carried: str | None = None
    landing: str = ""

    @property
    def direct(self) -> bool:
        """Nothing says where from."""
        return not self.utm and not self.click_ids

    @property
    def group(self) -> str:
        """The channel group."""
        return group_of(self.utm.get("utm_source"), self.utm.get("utm_medium"), self.utm.get("utm_campaign"))


def coming_by(landing: str, referrer: str | None, own: Collection[str]) -> Coming:
    """Reads it; `own`: hosts that are no news."""
    tags = read_tags(landing)
    host = host_of(referrer)
    host = host if counts(host, own) else None
    return Coming(
        utm=tags.utm or marked(tags) or (referred(host) if host else {}),
        click_ids=tags.click_ids,
        referrer_host=host,
        link=tags.link,
        click=uuid_in(tags.click),
        carried=parameter(landing, CARRIED),
        landing=landing.partition("?")[0].partition("#")[0][:500],
    )


def marked(tags: Tags) -> dict[str, str]:
    """The source a click id or a share token stands for: gclid is Google's, and was paid for."""
    for name in (*tags.click_ids, *tags.share_tokens):
        if mark := sites().marks.get(name.lower()):
            return {"utm_source": mark[0], "utm_medium": mark[1]}
    return {}


def referred(host: str) -> dict[str, str]:
    """The referrer's."""
    source, medium = referral(host)
    return {"utm_source": source, "utm_medium": medium}


def parameter(address: str, name: str) -> str | None:
    """The first value of a parameter."""
    try:
        return dict(reversed(parse_qsl(urlsplit(address).query, max_num_fields=100))).get(name)
    except ValueError:
        return None


def uuid_in(text: str | None) -> UUID | None:
    """A UUID, if it is one."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
