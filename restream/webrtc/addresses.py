"""The addresses by which encoders and viewers elsewhere reach this machine."""

from __future__ import annotations

import asyncio
import ipaddress
import socket


async def addresses_of(host: str) -> list[str]:
    """What peers elsewhere are told: candidates are addresses, never names, and never our own loopback."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except OSError:
        return []
    told = dict.fromkeys(str(one[4][0]) for one in found)
    return [one for one in told if not ipaddress.ip_address(one).is_loopback]
