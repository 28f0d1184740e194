"""Which region a viewer watches from, as roughly as figures need it: by a proxy's word, or by a time zone.

No address is looked up and none is kept. A CDN or proxy that knows the viewer's country says so in a header,
which is believed from the proxies of `SIMULCAST_TRUSTED_PROXIES` alone. Without one, the time zone that the
player tells stands for the country that zone belongs to, and the zone itself is not kept.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, Literal

By = Literal["proxy", "zone"]
NAME: Final = re.compile(r"^[A-Z0-9][A-Z0-9-]{1,15}$")
NOBODY: Final = frozenset({"XX", "ZZ", "T1", "A1", "A2", "O1", "AP", "EU", "UNKNOWN"})
"""What CDNs and their databases say when they do not know the country, Tor and anonymous proxies included."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Peer = tuple[str, int] | None
"""Host and port of who asked, as the server says it."""


@dataclass(frozen=True)
class Region:
    """Mostly a country (ISO 3166, two letters), and who said so; both None when nobody did."""

    name: str | None = None
    by: By | None = None


NOWHERE: Final = Region()


class Regions:
    """Names and networks with commas between them; the first header that says something counts."""

    def __init__(self, headers: str, proxies: str) -> None:
        self._headers = [one.strip().lower() for one in headers.split(",") if one.strip()]
        self._proxies: list[Network] = [
            ipaddress.ip_network(one.strip(), strict=False) for one in proxies.split(",") if one.strip()
        ]

    def of(self, peer: Peer, headers: Mapping[str, str], zone: str | None) -> Region:
        """The region of whoever sent this request; `zone` is the time zone their player told."""
        if self._believed(peer):
            for header in self._headers:
                name = headers.get(header, "").strip().upper()
                if NAME.match(name) and name not in NOBODY:
                    return Region(name, "proxy")
        country = country_of(zone)
        return Region(country, "zone") if country else NOWHERE

    def _believed(self, peer: Peer) -> bool:
        """Whether a proxy of ours speaks. Where it named the viewer, the server has put him in its place:
        he has no port then, as nobody has who is really connected."""
        if peer is None:
            return False
        host, port = peer
        try:
            found = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return port == 0
        if isinstance(found, ipaddress.IPv6Address):
            found = found.ipv4_mapped or found
        return port == 0 or any(found.version == one.version and found in one for one in self._proxies)


def country_of(zone: str | None) -> str | None:
    """The country of an IANA time zone; None for one that names no place, such as UTC."""
    return zone_countries().get(zone) if zone else None


@cache
def zone_countries() -> Mapping[str, str]:
    """Every zone that belongs to a place, by all its names: browsers still say Asia/Calcutta."""
    tables = files("tzdata.zoneinfo")
    known: dict[str, str] = {}
    for line in tables.joinpath("zone.tab").read_text().splitlines():
        if line and not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            known[zone] = country
    links = {}
    for line in tables.joinpath("tzdata.zi").read_text().splitlines():
        if line.startswith("L "):
            _, target, name = line.split()
            links[name] = target
    for name, target in links.items():
        if "/" not in name or name in known:
            continue  # EST and CET are times, not places
        seen = {name}
        while target not in known and target in links and target not in seen:
            seen.add(target)
            target = links[target]
        if target in known:
            known[name] = known[target]
    return known
