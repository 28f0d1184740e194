"""The UDP port of a sender process, which all its viewers share.

Packets of one size go to the kernel together and are cut there (UDP GSO, Linux 4.18): a system call costs
more than everything else about a packet. Where the kernel or the network card refuses, they go one by one.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Final

import ifaddr

BUFFER: Final = 4 << 20
DATAGRAM: Final = 2048
AT_ONCE: Final = 64
"""Datagrams read before others have their turn."""
UDP_SEGMENT: Final = 103
SIZE: Final = struct.Struct("H")
NOT_HERE: Final = frozenset({errno.EIO, errno.EINVAL, errno.ENOPROTOOPT, errno.EOPNOTSUPP, errno.EMSGSIZE})

Address = tuple[str, int]


class UdpPort:
    """`take` gets every datagram with its sender."""

    def __init__(self, bound: socket.socket, take: Callable[[bytes, Address], None]) -> None:
        self.number = int(bound.getsockname()[1])
        self.sent = self.dropped = 0
        self._socket = bound
        self._take = take
        self._cuts = True
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(bound.fileno(), self._readable)

    def send(self, data: bytes, address: Address) -> None:
        """One datagram. A full buffer or a closed way loses it, as the network may too."""
        try:
            self._socket.sendto(data, address)
            self.sent += 1
        except OSError:
            self.dropped += 1

    def send_run(self, packets: Sequence[bytes], address: Address) -> None:
        """Several of one size; the last may be smaller."""
        if self._cuts and len(packets) > 1:
            size = SIZE.pack(len(packets[0]))
            try:
                self._socket.sendmsg(packets, [(socket.SOL_UDP, UDP_SEGMENT, size)], 0, address)
                self.sent += len(packets)
                return
            except OSError as error:
                if error.errno not in NOT_HERE:
                    self.dropped += len(packets)
                    return
                self._cuts = False
        for packet in packets:
            self.send(packet, address)

    def close(self) -> None:
        """Close it."""
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _readable(self) -> None:
        for _ in range(AT_ONCE):
            try:
                data, sender = self._socket.recvfrom(DATAGRAM)
            except OSError:
                return
            self._take(data, (sender[0], sender[1]))


def bind(host: str, port: int) -> socket.socket:
    """A socket there; 0 picks a free port. Raises OSError."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.setblocking(False)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def hosts_of(host: str, told: Sequence[str]) -> list[str]:
    """Where viewers are told to come to: `told`, and the address it is bound to, or all there are."""
    try:
        anywhere = ipaddress.ip_address(host or "0.0.0.0").is_unspecified
    except ValueError:
        anywhere = False
    own = _own(ipv6=":" in host) if anywhere else [host]
    return list(dict.fromkeys([*told, *own])) or ["127.0.0.1"]


def _own(*, ipv6: bool) -> list[str]:
    found = [ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv6 == ipv6]
    addresses = [str(ip.ip[0] if isinstance(ip.ip, tuple) else ip.ip) for ip in found]
    usable = (ipaddress.ip_address(one.partition("%")[0]) for one in addresses)
    return [str(one) for one in usable if not one.is_loopback and not one.is_link_local]
