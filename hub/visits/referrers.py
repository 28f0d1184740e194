"""Where somebody came from by the page that led here, where no tag says it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final
from urllib.parse import urlsplit

from hub.visits.channels import sites

LONGEST: Final = 200
BEFORE: Final = re.compile(r"^(www\.|m\.|([a-z]{2,}\.)?search\.)")
"""What may stand before an engine's name: www.google.de, de.search.yahoo.com."""
TOP: Final = re.compile(r"^((co|com|ne|or|org|net)\.)?[a-z]{2,}$")
"""What may follow an engine's name: .de, .com, .co.uk; not the domain of somebody who calls a host google."""


def host_of(address: str | None) -> str | None:
    """The host of an address in lower case; None where there is none that could be a site's."""
    try:
        host = urlsplit(address or "").hostname or ""
    except ValueError:
        return None
    host = host.rstrip(".")
    return host[:LONGEST] if "." in host or host == "localhost" else None


def within(host: str, known: Collection[str]) -> str | None:
    """The host itself or the domain it lies in, if that is among `known`."""
    return next((name for name in domains(host) if name in known), None)


def domains(host: str) -> Iterator[str]:
    """a.b.c, then b.c."""
    parts = host.split(".")
    for n in range(len(parts) - 1):
        yield ".".join(parts[n:])


def engine(host: str) -> str | None:
    """The name of a search engine: google of www.google.co.uk. Its mail and its documents are no search."""
    name, _, top = BEFORE.sub("", host).partition(".")
    return name if name in sites().engines and TOP.match(top) else None


def referral(host: str) -> tuple[str, str]:
    """(source, medium) of a host that led here."""
    known = sites()
    bare = host.removeprefix("www.")
    if bare in known.social:
        return bare, "social"
    if found := engine(host):
        return found, "organic"
    if found := within(host, known.social):
        return found, "social"
    if host in known.search and not host.startswith(("mail.", "email.")):
        return host, "organic"
    if found := within(host, known.video | known.shopping):
        return found, "referral"
    return bare, "referral"


def counts(host: str | None, own: Collection[str]) -> bool:
    """Whether a host is news: not our own, not the brand's shop, and not where a buyer went to pay."""
    return bool(host) and not within(host or "", own) and not within(host or "", sites().gateways)
