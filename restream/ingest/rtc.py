"""ICE, DTLS and SRTP of one WebRTC peer, from aiortc's and aioice's inside.

All use of what those two libraries keep to themselves is in this file, and `aiortc` is pinned: its own peer
connection decodes pictures and opens a port for each session, and we want neither. Every session shares one
UDP port; a STUN request names its session by user name, and its sender's address then belongs to it.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from aioice import stun
from aioice.candidate import Candidate, candidate_foundation, candidate_priority
from aioice.ice import Connection, StunProtocol, get_host_addresses
from aiortc import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceTransport,
)
from aiortc.rate import RemoteBitrateEstimator

from restream.webrtc.sdp import Local, Offer

__all__ = ["Peer", "RemoteBitrateEstimator", "UdpPort", "open_port"]

BUFFER: Final = 4 << 20
ANYWHERE: Final = ("0.0.0.0", "::", "")
MOST_ADDRESSES: Final = 32
"""Addresses one session may have; a phone that changes networks has a few."""
COOKIE: Final = b"\x21\x12\xa4\x42"

Address = tuple[str, int]


class UdpPort(asyncio.DatagramProtocol):
    """The one port. `hosts` are the addresses peers are told to send to."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self.hosts = hosts
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._names: dict[str, _Side] = {}
        self._owners: dict[Address, _Side] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.port = transport.get_extra_info("sockname")[1]

    def close(self) -> None:
        """Close the port; sessions end before."""
        if self._transport:
            self._transport.close()

    def datagram_received(self, data: bytes, address: Any) -> None:
        sender = (str(address[0]), int(address[1]))
        if data[4:8] == COOKIE and data[:1] < b"\4":
            self._stun(data, sender)
        elif owner := self._owners.get(sender):
            owner.protocol.datagram_received(data, sender)

    def error_received(self, _: Exception) -> None:
        """Somebody's port is closed; ICE finds out by itself."""

    def send(self, side: _Side, data: bytes, address: Address) -> None:
        """To a peer. Answers from there are expected, unless the address is somebody else's."""
        if self._transport and not self._transport.is_closing():
            if address not in self._owners and side.addresses < MOST_ADDRESSES:
                self._own(side, address)
            self._transport.sendto(data, address)

    def join(self, side: _Side) -> None:
        """A session begins."""
        self._names[side.connection.local_username] = side

    def leave(self, side: _Side) -> None:
        """A session is over."""
        self._names.pop(side.connection.local_username, None)
        for address in [address for address, owner in self._owners.items() if owner is side]:
            del self._owners[address]

    def _stun(self, data: bytes, sender: Address) -> None:
        try:
            message = stun.parse_message(data)
        except (ValueError, IndexError):
            return
        if message.message_class != stun.Class.REQUEST:
            if owner := self._owners.get(sender):
                owner.protocol.datagram_received(data, sender)
            return
        side = self._names.get(str(message.attributes.get("USERNAME", "")).partition(":")[0])
        password = side.connection.local_password.encode() if side else b""
        if side is None or "MESSAGE-INTEGRITY" not in message.attributes:
            return
        if "PRIORITY" not in message.attributes or not message.check_message_integrity(password):
            return
        before = self._owners.get(sender)
        if before is not side and side.addresses < MOST_ADDRESSES and not (before and before.uses(sender)):
            self._own(side, sender)
        side.protocol.datagram_received(data, sender)

    def _own(self, side: _Side, address: Address) -> None:
        before = self._owners.get(address)
        if before:
            before.addresses -= 1
        self._owners[address] = side
        side.addresses += 1


class _Side:
    """Stands where aioice expects a UDP transport of its own."""

    def __init__(self, port: UdpPort, connection: _SharedConnection) -> None:
        self._port = port
        self.connection = connection
        self.addresses = 0
        self.protocol = StunProtocol(connection)
        self.protocol.connection_made(cast(asyncio.BaseTransport, self))
        host = port.hosts[0]
        self.protocol.local_candidate = _candidate(host, port.port)
        port.join(self)

    def uses(self, address: Address) -> bool:
        """Whether media goes to and from there."""
        return address in self.connection.remote_addresses

    def sendto(self, data: bytes, address: Address) -> None:
        self._port.send(self, data, address)

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        self._port.leave(self)
        asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)


class _SharedConnection(Connection):
    """ICE over the shared port."""

    def __init__(self, port: UdpPort) -> None:
        super().__init__(ice_controlling=False, local_username=secrets.token_hex(8))
        self._protocols = [_Side(port, self).protocol]
        self._local_candidates = [_candidate(host, port.port, rank) for rank, host in enumerate(port.hosts)]
        self._local_candidates_start = self._local_candidates_end = True

    @property
    def remote_addresses(self) -> list[Address]:
        """Where media goes to and comes from."""
        return [pair.remote_addr for pair in self._nominated.values()]


class _Path:
    """What DTLS goes over; the part of aiortc's ICE transport that its DTLS transport uses."""

    role = "controlled"

    def __init__(self, connection: _SharedConnection) -> None:
        self._recv = connection.recv
        self._send = connection.send


class _Secure(RTCDtlsTransport):
    """DTLS and SRTP, with packets handed on as they are decrypted."""

    def __init__(
        self, path: _Path, role: str, take: Callable[[bytes], None], take_control: Callable[[bytes], None]
    ) -> None:
        super().__init__(cast(RTCIceTransport, path), [RTCCertificate.generateCertificate()])
        self._set_role(role)
        self._take = take
        self._take_control = take_control

    async def send(self, data: bytes) -> None:
        """RTCP, encrypted. Raises ConnectionError."""
        await self._send_rtp(data)

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        self._take(data)

    async def _handle_rtcp_data(self, data: bytes) -> None:
        self._take_control(data)


class Peer:
    """One peer. `take` gets decrypted RTP and `take_control` RTCP, in the event loop; they must not raise."""

    def __init__(
        self,
        port: UdpPort,
        offer: Offer,
        take: Callable[[bytes], None],
        take_control: Callable[[bytes], None],
    ) -> None:
        self._offer = offer
        self._ice = _SharedConnection(port)
        self._ice.remote_username, self._ice.remote_password = offer.username, offer.password
        self._dtls = _Secure(_Path(self._ice), offer.role, take, take_control)
        self._over = asyncio.Event()
        self._dtls.on("statechange", self._changed)

    @property
    def local(self) -> Local:
        """Our side, for the answer."""
        parameters = self._dtls.getLocalParameters()
        fingerprint = next(one.value for one in parameters.fingerprints if one.algorithm == "sha-256")
        return Local(
            self._ice.local_username,
            self._ice.local_password,
            fingerprint,
            [candidate.to_sdp() for candidate in self._ice.local_candidates],
        )

    async def add(self, candidates: Sequence[str]) -> None:
        """Candidates of the peer; those that make no sense are left out, as are hidden host names.

        A browser behind a hidden name (RFC 8828) sends to us first, which tells us its address.
        """
        for line in candidates:
            try:
                candidate = Candidate.from_sdp(line.removeprefix("candidate:"))
            except (ValueError, IndexError):
                continue
            if candidate.transport.lower() == "udp" and not candidate.host.endswith(".local"):
                await self._ice.add_remote_candidate(candidate)

    async def connect(self) -> None:
        """ICE and DTLS. Raises ConnectionError; may go on for ever, so mind the time."""
        await self.add(self._offer.candidates)
        await self._ice.connect()
        fingerprints = [RTCDtlsFingerprint(*one) for one in self._offer.fingerprints]
        await self._dtls.start(RTCDtlsParameters(fingerprints=fingerprints))
        if self._dtls.state != "connected":
            raise ConnectionError("DTLS failed")

    async def gone(self) -> None:
        """Until the peer has said goodbye, or has stopped consenting (RFC 7675: about 30 seconds)."""
        await self._over.wait()

    async def send_control(self, data: bytes) -> None:
        """RTCP to the peer; lost when it is gone."""
        if not self._over.is_set() and self._dtls.state == "connected":
            try:
                await self._dtls.send(data)
            except ConnectionError:
                self._over.set()

    async def close(self) -> None:
        """Say goodbye and forget the peer."""
        self._dtls.remove_all_listeners()
        self._over.set()
        await self._dtls.stop()
        await self._ice.close()

    def _changed(self) -> None:
        if self._dtls.state in ("closed", "failed"):
            self._over.set()


async def open_port(host: str, port: int, advertised: Sequence[str] = ()) -> UdpPort:
    """Open the UDP port all sessions share; 0 picks a free one. OSError when it is taken.

    Peers are told `advertised` (the public address behind NAT or in a container), or else the address it is
    bound to, or else every address of the machine.
    """
    own = get_host_addresses(use_ipv4=":" not in host, use_ipv6=":" in host) if host in ANYWHERE else [host]
    hosts = list(advertised) or own or ["127.0.0.1"]
    transport, opened = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: UdpPort(hosts), local_addr=(host or "0.0.0.0", port)
    )
    bound: socket.socket = transport.get_extra_info("socket")
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    return opened


def _candidate(host: str, port: int, rank: int = 0) -> Candidate:
    return Candidate(
        foundation=candidate_foundation("host", "udp", host),
        component=1,
        transport="udp",
        priority=candidate_priority(1, "host", 65535 - rank),
        host=host,
        port=port,
        type="host",
    )
