"""What staff may ask of a show's player. What is not named stays as it is."""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated, Final, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from hub.shows.wishes import Sha256

HOST: Final = re.compile(
    r"(\*\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?|\[[0-9a-f:.]+\](:[0-9]{1,5})?"
)
HERE: Final = ("localhost", "127.0.0.1", "::1")
LONGEST_LINK: Final = timedelta(days=90)


def site(text: str) -> str:
    """`brand.com` or an origin: as browsers name it. ValueError in words."""
    text = text.strip().lower().rstrip("/")
    scheme, found, host = text.partition("://")
    if not found:
        scheme, host = "https", text
    if scheme not in ("http", "https") or not HOST.fullmatch(host):
        raise ValueError(
            "Enter only the site, for example https://brand.com, without what comes after its name."
        )
    return f"{scheme}://{host}"


def secure_address(text: str) -> str:
    """An https address; http only for this machine, which browsers trust as well. ValueError in words."""
    parts = _split(text)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in HERE)
    if not safe or not parts.hostname:
        raise ValueError("Enter the WHEP address in full. It must begin with https://.")
    if parts.username or parts.password or parts.fragment:
        raise ValueError("Leave out names, passwords and what follows a #: every viewer gets this address.")
    return text


def network(text: str) -> str:
    """One address, or a network; an IPv6 address stands for its /64, for devices change the rest daily."""
    try:
        found = ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError("Enter an IP address, for example 203.0.113.7.") from None
    if found.version == 6 and found.prefixlen == 128:
        found = ip_network((found.network_address, 64), strict=False)
    return str(found)


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port  # is looked at only now
    except ValueError:
        raise ValueError("This is no address.") from None
    return parts


Site = Annotated[str, StringConstraints(max_length=260), AfterValidator(site)]
SecureAddress = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=2000), AfterValidator(secure_address)
]
Network = Annotated[str, StringConstraints(max_length=50), AfterValidator(network)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class PlayerChange(BaseModel):
    """How the show is played and by whom."""

    mode: Literal["balanced", "interactive"] | None = None
    part_ms: Literal[200, 333, 500, 1000] | None = None
    ladder: bool | None = None
    whep: bool | None = None
    whep_url: SecureAddress | None = None
    poster_asset: Sha256 | None = None
    access: Literal["public", "unlisted", "signed"] | None = None
    origins: list[Site] | None = Field(default=None, max_length=50)
    viewer_cap: int | None = Field(default=None, ge=1, le=1_000_000)


class KeyChange(BaseModel):
    """For how long what was signed with the old key is good; 0 cuts everybody now."""

    grace_minutes: int = Field(default=60, ge=0, le=24 * 60)


class LinkIn(BaseModel):
    """A private link for one person."""

    hours: float = Field(default=24, gt=0, le=LONGEST_LINK / timedelta(hours=1))
    ip: Network | None = None


class ChapterIn(BaseModel):
    """A chapter that begins now."""

    title: Title
