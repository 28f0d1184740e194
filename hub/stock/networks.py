"""From which network a buyer comes, as far as the limit against hoarding needs it: a keyed hash for one show.

Whoever takes a fresh visitor for each hold still comes from one place. An IPv4 address is one place, and so
is a /64 of IPv6: nobody is given less. Private addresses are a proxy's and tell nobody apart: they count for
nothing, until `SIMULCAST_TRUSTED_PROXIES` names the proxy. A proxy with a public address that is not named
there (a CDN's edge before our nginx, say) is taken for one buyer's network: everybody behind it shares one
limit. That cannot be told from an office's address; so a network that is full is said in the log.
"""

from __future__ import annotations

import hashlib
import ipaddress
import socket
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from hub.clock import Clock
from hub.secrets import Vault

log = structlog.get_logger()

MOST_KNOWN: Final = 20_000
"""Addresses whose hash is remembered: a buyer asks a few times in a row."""
MIXED: Final = frozenset({0, 10, 100, 127, 169, 172, 192, 198, 203, *range(240, 256)})
"""First bytes of IPv4 under which some networks are private; under the others none is."""


SAID_EVERY: Final = timedelta(hours=1)
ADVICE: Final = (
    "Many buyers seem to come from one address. If a CDN or proxy is in front, name it in "
    "SIMULCAST_TRUSTED_PROXIES, or raise the show's limit."
)


class Fullness:
    """Says in the log that a network has reached its limit: once for each show and hour, in each process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said: dict[UUID, datetime] = {}

    def seen(self, show_id: UUID) -> None:
        """Somebody was refused for it."""
        now = self._clock()
        before = self._said.get(show_id)
        if before and now < before + SAID_EVERY:
            return
        self._said = {show: at for show, at in self._said.items() if now < at + SAID_EVERY}
        self._said[show_id] = now
        log.warning("reserve.network_full", show=str(show_id), advice=ADVICE)


class Networks:
    """Hashes addresses. A network has another hash in each show, so that nobody is followed through them."""

    def __init__(self, vault: Vault) -> None:
        self._key = vault.signing_key("hold-network")
        self._known: dict[tuple[UUID, str], int | None] = {}

    def of(self, show_id: UUID, address: str | None) -> int | None:
        """64 bits for the network of an address in a show; None where the address tells nobody apart."""
        if not address:
            return None
        seen = (show_id, address)
        if seen in self._known:
            return self._known[seen]
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()  # one by one from the front gets slower with each
        found = self._known[seen] = self._hashed(show_id, place_of(address))
        return found

    def _hashed(self, show_id: UUID, place: str | None) -> int | None:
        if place is None:
            return None
        mac = hashlib.blake2b(show_id.bytes + place.encode(), key=self._key, digest_size=8)
        return int.from_bytes(mac.digest(), signed=True)


def place_of(address: str) -> str | None:
    """An IPv4 address, or the /64 of an IPv6 one; None for private ones and what is no address."""
    try:
        # Most are told without the library, which takes ten times as long.
        if socket.inet_pton(socket.AF_INET, address)[0] not in MIXED:
            return address
    except (OSError, ValueError):
        pass
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if not found.is_global:
        return None
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((int(found), 64), strict=False))
