"""Who may come in: so many screens altogether, so many from one address."""

from __future__ import annotations

import ipaddress
import resource
from collections import Counter
from typing import Final

FROM_ONE_ADDRESS: Final = 2000
"""A household, an office or a mobile network may share one; the shipped nginx.conf allows the same."""
KEPT_FOR_US: Final = 200
"""Descriptors for the bus, the database, logs, and connections that have not said who they are."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Door:
    """`most` screens; `proxies` are the networks whose X-Forwarded-For is believed."""

    def __init__(self, most: int, proxies: str, each: int = FROM_ONE_ADDRESS) -> None:
        self._most = most
        self._each = each
        self._proxies: list[Network] = [
            ipaddress.ip_network(one.strip(), strict=False) for one in proxies.split(",") if one.strip()
        ]
        self._inside = 0
        self._by_address: Counter[str] = Counter()

    @property
    def full(self) -> bool:
        """Whether there is no room for another one."""
        return self._inside >= self._most

    def enter(self, address: str | None) -> bool:
        """Count a screen in; False when its address has too many. None is an address nobody knows."""
        if address is not None:
            if self._by_address[address] >= self._each:
                return False
            self._by_address[address] += 1
        self._inside += 1
        return True

    def leave(self, address: str | None) -> None:
        """Count out one that was let in."""
        self._inside -= 1
        if address is not None:
            self._by_address[address] -= 1
            if self._by_address[address] <= 0:
                del self._by_address[address]

    def address(self, peer: str, forwarded: str) -> str | None:
        """Where a screen is; None when a proxy of ours does not say whom it speaks for."""
        if not self._is_proxy(peer):
            return peer
        # Each proxy appends whom it was asked by: the last one that is no proxy is the viewer.
        named = [one.strip() for one in forwarded.split(",") if one.strip()]
        return next((one for one in reversed(named) if not self._is_proxy(one)), None)

    def _is_proxy(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(found, ipaddress.IPv6Address):
            found = found.ipv4_mapped or found
        return any(found.version == network.version and found in network for network in self._proxies)


def room_for_screens() -> int:
    """As many as this process may have descriptors; asks for as many as it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else 1 << 20
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted - KEPT_FOR_US
