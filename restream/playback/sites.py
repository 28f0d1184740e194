"""Where a request comes from: the website that embeds the player, and the viewer's address. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Final

from restream.hls.respond import Request
from restream.playback.tokens import Network

SITE: Final = re.compile(rb"([a-z][a-z0-9+.-]*)://([^/?#@\s]+)(?:[/?#].*)?", re.IGNORECASE)
REMEMBERED: Final = 1000
LOOPBACK: Final = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


class Sites:
    """The websites that may embed a player: `https://brand.com`, or `https://*.brand.com`: all below."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._exact: set[str] = set()
        self._below: list[tuple[str, str]] = []
        for origin in origins:
            scheme, _, host = origin.lower().rstrip("/").partition("://")
            if host.startswith("*."):
                self._below.append((f"{scheme}://", host[1:]))
            else:
                self._exact.add(f"{scheme}://{host}")
        self._known: dict[bytes, bool] = {}

    def admits(self, request: Request) -> bool:
        """True also for a request that names no site: an app or a television, not a page of somebody's."""
        if not self._exact and not self._below:
            return True
        # Browsers name the Origin of every request to another one, and the Referer of one to their own.
        named = request.header(b"origin") or request.header(b"referer")
        if not named:
            return True
        admitted = self._known.get(named)
        if admitted is None:
            admitted = self._judge(named)
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[named] = admitted
        return admitted

    def _judge(self, named: bytes) -> bool:
        found = SITE.fullmatch(named)
        if found is None:
            return False  # `null`: a sandboxed frame, which may be anybody's
        scheme, host = (piece.decode("latin-1").lower() for piece in found.groups())
        port = {"http": ":80", "https": ":443"}.get(scheme, "")
        host = host.removesuffix(port) if port else host
        return f"{scheme}://{host}" in self._exact or any(
            scheme == before.removesuffix("://") and host.endswith(below) for before, below in self._below
        )


class Addresses:
    """Tells a viewer's address from a proxy's. `proxies`: networks whose X-Forwarded-For is believed."""

    def __init__(self, proxies: Sequence[Network] = LOOPBACK) -> None:
        self._proxies = proxies
        self._known: dict[str, bool] = {}

    def of(self, request: Request) -> str:
        """As text; empty when it is not known."""
        address = request.client
        if not self._is_proxy(address):
            return address
        # Each proxy appends whom it was asked by: the last one that is no proxy is the viewer.
        for named in reversed(request.header(b"x-forwarded-for").decode("latin-1").split(",")):
            if named := named.strip():
                address = named
                if not self._is_proxy(address):
                    break
        return address

    def _is_proxy(self, address: str) -> bool:
        known = self._known.get(address)
        if known is None:
            found = parsed(address)
            known = found is not None and any(
                found.version == network.version and found in network for network in self._proxies
            )
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[address] = known
        return known


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks with commas between them, as a setting has them. ValueError if not."""
    return tuple(ipaddress.ip_network(one.strip(), strict=False) for one in text.split(",") if one.strip())


def parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address from text; an IPv4 address that came over IPv6 is itself. None: no address."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def within(address: str, network: Network) -> bool:
    """Whether an address is in a network."""
    found = parsed(address)
    return found is not None and found.version == network.version and found in network
