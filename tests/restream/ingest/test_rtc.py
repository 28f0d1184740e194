"""What we use of aiortc's and aioice's inside is still there. An upgrade that changes it must fail here."""

from __future__ import annotations

import inspect
import re
from importlib.metadata import version
from pathlib import Path

import aioice.ice
import aiortc
from aioice import stun

from restream.ingest import rtc
from restream.ingest.rtc import UdpPort, open_port
from restream.webrtc.sdp import Offer

ROOT = Path(__file__).parents[3]


def test_the_pinned_version_is_the_one_that_is_tested() -> None:
    pinned = re.search(r'"aiortc==([0-9.]+)"', (ROOT / "pyproject.toml").read_text())
    assert pinned
    assert version("aiortc") == pinned[1]


def test_dtls_has_the_hooks_we_override_and_call() -> None:
    dtls = aiortc.RTCDtlsTransport
    assert list(inspect.signature(dtls._handle_rtp_data).parameters) == ["self", "data", "arrival_time_ms"]
    assert list(inspect.signature(dtls._handle_rtcp_data).parameters) == ["self", "data"]
    assert list(inspect.signature(dtls._send_rtp).parameters) == ["self", "data"]
    assert list(inspect.signature(dtls._set_role).parameters) == ["self", "role"]
    for name in ("_handle_rtp_data", "_handle_rtcp_data", "_send_rtp", "start", "stop"):
        assert inspect.iscoroutinefunction(getattr(dtls, name))
    # All it asks of its ICE transport is what our stand-in has.
    asked = set(re.findall(r"self\.(?:_)?transport\.(\w+)", inspect.getsource(dtls)))
    assert asked <= {"_recv", "_send", "role"}


async def test_ice_has_the_state_we_set() -> None:
    connection = aioice.ice.Connection(ice_controlling=False, local_username="abcdef")
    assert connection.local_username == "abcdef"
    assert connection._protocols == []
    assert connection._local_candidates == []
    assert connection._local_candidates_start is connection._local_candidates_end is False
    assert connection._nominated == {}
    source = inspect.getsource(aioice.ice.StunProtocol)
    assert set(re.findall(r"self\.transport\.(\w+)", source)) <= {"sendto", "close"}


async def test_a_request_without_the_password_is_not_answered_and_owns_no_address() -> None:
    port = await open_port("127.0.0.1", 0)
    peer = rtc.Peer(port, Offer((), "them", "p" * 22), lambda data: None, lambda data: None)
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{peer.local.username}:them"
    request.attributes["PRIORITY"] = 1
    request.add_message_integrity(b"a guess")
    port.datagram_received(bytes(request), ("192.0.2.1", 9))
    assert port._owners == {}
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{peer.local.username}:them"
    request.attributes["PRIORITY"] = 1
    request.add_message_integrity(peer.local.password.encode())
    port.datagram_received(bytes(request), ("127.0.0.1", 9))
    assert list(port._owners) == [("127.0.0.1", 9)]
    await peer.close()
    assert port._owners == {}
    assert port._names == {}
    port.close()


async def test_peers_are_told_where_to_send_to() -> None:
    for host, advertised, told in (
        ("127.0.0.1", (), "127.0.0.1"),
        ("0.0.0.0", ("203.0.113.7",), "203.0.113.7"),
    ):
        port: UdpPort = await open_port(host, 0, advertised)
        peer = rtc.Peer(port, Offer((), "them", "p" * 22), lambda data: None, lambda data: None)
        (candidate,) = peer.local.candidates
        assert f" {told} {port.port} typ host" in candidate
        assert re.fullmatch("([0-9A-F]{2}:){31}[0-9A-F]{2}", peer.local.fingerprint)
        await peer.close()
        port.close()
