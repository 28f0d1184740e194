"""The UDP port of a sender process, with a kernel that cuts runs of packets and with one that refuses to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from restream.webrtc.port import UdpPort, bind
from restream.webrtc.stage import RUN

UDP_GRO = 104
SO_NO_CHECK = 11
"""Without checksums the kernel does not cut: EINVAL (Linux, udp_send_skb)."""
UDPLITE = 136
"""Nor does it for UDP-Lite: EIO, as from a network card or a tunnel that cannot (same place)."""
PACKETS = [bytes([number]) * 1000 for number in range(RUN - 1)] + [b"the last"]
WHOLE = b"".join(PACKETS)


@pytest.fixture
def far() -> Iterator[socket.socket]:
    """A receiver that takes a run in one piece where it was sent in one."""
    with receiver(0) as made:
        yield made


def receiver(protocol: int) -> socket.socket:
    """Bound to loopback."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    if not protocol:
        made.setsockopt(socket.SOL_UDP, UDP_GRO, 1)
    made.setblocking(False)
    made.bind(("127.0.0.1", 0))
    return made


async def received(far: socket.socket, size: int = len(WHOLE)) -> list[bytes]:
    """Datagrams until there are so many bytes."""
    found: list[bytes] = []
    async with asyncio.timeout(20):
        while sum(map(len, found)) < size:
            found.append(await asyncio.get_running_loop().sock_recv(far, 1 << 16))
    return found


def cuts(far: socket.socket) -> bool:
    """Whether this machine's kernel cuts and joins runs at all."""
    try:
        return bool(far.getsockopt(socket.SOL_UDP, UDP_GRO))
    except OSError:
        return False


async def test_a_run_goes_to_the_kernel_in_one_piece(far: socket.socket) -> None:
    if not cuts(far):
        pytest.skip("the kernel has no UDP GRO")
    port = UdpPort(bind("127.0.0.1", 0), lambda data, sender: None)
    port.send_run(PACKETS, far.getsockname())
    assert await received(far) == [WHOLE]
    assert (port.sent, port.dropped) == (RUN, 0)
    port.close()


async def test_where_the_kernel_refuses_packets_go_one_by_one_and_it_is_not_asked_again(
    far: socket.socket,
) -> None:
    bound = bind("127.0.0.1", 0)
    bound.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
    port = UdpPort(bound, lambda data, sender: None)
    port.send_run(PACKETS, far.getsockname())
    assert await received(far) == PACKETS
    bound.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 0)
    port.send_run(PACKETS, far.getsockname())
    assert await received(far) == PACKETS
    assert (port.sent, port.dropped) == (2 * RUN, 0)
    port.close()


async def test_an_error_of_the_network_card_loses_no_packet() -> None:
    try:
        far = receiver(UDPLITE)
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, UDPLITE)
    except OSError:
        pytest.skip("the kernel has no UDP-Lite")
    bound.setblocking(False)
    bound.bind(("127.0.0.1", 0))
    port = UdpPort(bound, lambda data, sender: None)
    port.send_run(PACKETS, far.getsockname())
    assert await received(far) == PACKETS
    assert (port.sent, port.dropped) == (RUN, 0)
    port.close()
    far.close()
