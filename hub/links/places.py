"""Where a link may lead: our own watch pages, and https addresses on the brand's shop hosts. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from hub.errors import BadInput
from hub.links.tags import CLICK_IDS, MORE, UTM

WATCH: Final = "/watch/"
LONGEST: Final = 2000
HOST: Final = re.compile(
    r"^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$"
)
PLAIN: Final = re.compile(r"^[\x21-\x7e]+$")
NAMED: Final = frozenset({*UTM, *MORE, *CLICK_IDS, "sh_link", "sh_click", "sh_v"})


def destination_of(address: str, site: str, hosts: Collection[str]) -> str:
    """As it is kept: a path of `site`, or an https address on one of `hosts`. BadInput says what is wrong."""
    address = address.strip()
    if address.startswith(site + "/"):
        address = address[len(site) :]
    if not allowed(address, hosts):
        raise BadInput(
            "destination_outside",
            "A link leads to a watch page, or to an https address of your shop. Add the shop's host first.",
        )
    names = {name.lower() for name, _ in parse_qsl(urlsplit(address).query, keep_blank_values=True)}
    if names & NAMED:
        raise BadInput(
            "destination_tagged", "The address is tagged already. Leave its tags out: the link adds its own."
        )
    return address


def allowed(destination: str, hosts: Collection[str]) -> bool:
    """Whether a link may lead there: asked when it is made, and again whenever it is followed."""
    if len(destination) > LONGEST or not PLAIN.match(destination) or "\\" in destination:
        return False
    try:
        parts = urlsplit(destination)
        port = parts.port
    except ValueError:
        return False
    if not parts.scheme and not parts.netloc:
        return parts.path.startswith(WATCH) and ".." not in unquote(parts.path)
    return is_shop(parts, port, hosts)


def is_shop(parts: SplitResult, port: int | None, hosts: Collection[str]) -> bool:
    """An https address, of one of these hosts, on its usual port, without anybody's name before it."""
    return (
        parts.scheme == "https"
        and "@" not in parts.netloc
        and port in (None, 443)
        and parts.hostname in hosts
    )


def host_of(text: str) -> str:
    """A shop's host as it is kept; a whole address is fine. BadInput where it is none."""
    text = text.strip().lower()
    try:
        name = urlsplit(text if "//" in text else f"//{text}").hostname or ""
        name = name.encode("idna").decode()
    except (ValueError, UnicodeError):
        name = ""
    if not HOST.match(name):
        raise BadInput("host_invalid", "Write the host of your shop, for example shop.brand.com.")
    return name
