"""Viewers for the WHEP benchmark: they connect, report like a browser, and throw the media away.

`python -m tests.bench.whep_viewers whep|janus ADDRESS COUNT HOST` prints one JSON object a second: how many
are connected, and how many packets a second each gets. Nearly all of the media is dropped in the kernel, so
that a hundred viewers fit on one core; one packet in 32 is counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import re
import secrets
import signal
import socket
import struct
import sys
import time
from typing import Any

import httpx

from restream.webrtc import rtcp, stun
from restream.webrtc.dtls import Dtls, Identity
from restream.webrtc.srtp import BrokenSrtp, Control

SAMPLED = 32
SO_ATTACH_FILTER = 26
AT_ONCE = 8
"""Viewers that come together."""
TRIES, TRY_SECONDS = 4, 12.0
"""On a machine that is busy, a way may not come about in the time that servers give it."""
CHECK_EVERY = 2.0
REPORT_EVERY = 1.0
OFFER = """v=0
o=- 1 1 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0 1
{ice}m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=mid:0
a=recvonly
a=rtcp-mux
a=ice-ufrag:{username}
a=ice-pwd:{password}
a=fingerprint:sha-256 {fingerprint}
a=setup:{setup}
a=rtpmap:96 H264/90000
a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:1
a=recvonly
a=rtcp-mux
a=ice-ufrag:{username}
a=ice-pwd:{password}
a=fingerprint:sha-256 {fingerprint}
a=setup:{setup}
a=rtpmap:111 opus/48000/2
"""


def drop_media(bound: socket.socket) -> None:
    """A classic BPF program: DTLS, STUN and RTCP come through, and of RTP one packet in 32."""

    def line(code: int, yes: int, no: int, value: int) -> bytes:
        return struct.pack("HBBI", code, yes, no, value)

    load_byte, load_half, jump_less, jump_equal, mask, give = 0x30, 0x28, 0x35, 0x15, 0x54, 0x06
    program = b"".join(
        (
            line(load_byte, 0, 0, 8),  # behind the UDP header
            line(jump_less, 0, 7, 128),
            line(load_byte, 0, 0, 9),
            line(jump_less, 0, 1, 192),
            line(jump_less, 0, 4, 224),
            line(load_half, 0, 0, 10),
            line(mask, 0, 0, SAMPLED - 1),
            line(jump_equal, 1, 0, 0),
            line(give, 0, 0, 0),
            line(give, 0, 0, 0xFFFF),
        )
    )
    buffer = ctypes.create_string_buffer(program)
    head = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    bound.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, head)


class Viewer:
    """One of them. `asks`: it looks for the way itself (WHEP); else it is asked (Janus, which offers)."""

    def __init__(self, identity: Identity, host: str, *, asks: bool) -> None:
        self.username, self.password = secrets.token_hex(4), secrets.token_hex(12)
        self.identity = identity
        self.asks = asks
        self.counted = 0
        self.server: tuple[str, int] | None = None
        self._theirs = ("", "")
        self._sources: dict[int, tuple[int, float, int]] = {}  # middle of NTP, when, highest
        self._dtls: Dtls | None = None
        self._control: Control | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((host, 0))
        drop_media(self._socket)
        self._next = 0.0
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._readable)

    @property
    def connected(self) -> bool:
        return self._control is not None

    def description(self) -> str:
        """An offer, or as an answer to Janus an ICE-lite one."""
        host, port = self._socket.getsockname()
        text = OFFER.format(
            ice="" if self.asks else "a=ice-lite\n",
            username=self.username,
            password=self.password,
            fingerprint=self.identity.fingerprint,
            setup="actpass" if self.asks else "active",
        )
        candidate = f"a=candidate:1 1 udp 2130706431 {host} {port} typ host\n"
        return text.replace("a=rtcp-mux\n", f"a=rtcp-mux\n{candidate}").replace("\n", "\r\n")

    def meet(self, sdp: str) -> None:
        """What the server said about itself."""

        def found(pattern: str) -> str:
            match = re.search(pattern, sdp)
            assert match, pattern
            return match[1]

        self._theirs = (found(r"a=ice-ufrag:(\S+)"), found(r"a=ice-pwd:(\S+)"))
        address = re.search(r"a=candidate:\S+ 1 udp \d+ (\d\S+) (\d+) typ host", sdp, re.IGNORECASE)
        if address:
            self.server = (address[1], int(address[2]))
        prints = [("sha-256", found(r"a=fingerprint:sha-256 (\S+)"))]
        self._dtls = Dtls(self.identity, prints, self._send, active=True)

    async def came(self) -> bool:
        """Whether it is connected, after a while."""
        began = time.monotonic()
        while not self.connected and time.monotonic() - began < TRY_SECONDS:
            await asyncio.sleep(0.05)
        return self.connected

    def close(self) -> None:
        """Say goodbye, so that the server need not find out by itself."""
        if self._dtls and self.server:
            self._dtls.close()
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()

    def tick(self, now: float) -> None:
        """Check the way, and report."""
        if self.asks and self.server and now >= self._next:
            self._next = now + (CHECK_EVERY if self.connected else 0.05)
            self._send(self._check())
        if self._control:
            self._send(self._control.seal(self._report(now)))
        elif self._dtls and self.server:
            self._dtls.tick()

    def _check(self) -> bytes:
        name = f"{self._theirs[0]}:{self.username}".encode()
        attributes = struct.pack(">HH", stun.USERNAME, len(name)) + name + bytes(-len(name) % 4)
        attributes += struct.pack(">HHI", stun.PRIORITY, 4, 1) + struct.pack(">HH", stun.USE_CANDIDATE, 0)
        return stun._signed(stun.REQUEST, secrets.token_bytes(12), attributes, self._theirs[1])

    def _report(self, now: float) -> bytes:
        blocks = b"".join(
            struct.pack(">IIIIII", source, 0, highest, 3, middle, round((now - at) * 65536))
            for source, (middle, at, highest) in self._sources.items()
        )
        count = len(self._sources)
        return struct.pack(">BBHI", 0x80 | count, rtcp.RECEIVER_REPORT, 1 + 6 * count, 7) + blocks

    def _readable(self) -> None:
        while True:
            try:
                data, sender = self._socket.recvfrom(2048)
            except OSError:
                return
            self._take(data, sender)

    def _take(self, data: bytes, sender: tuple[str, int]) -> None:
        if stun.is_stun(data):
            request = stun.read_request(data)
            if request:
                self._socket.sendto(stun.success(request.transaction, sender, self.password), sender)
            if (request and request.nominates) or (self.asks and not request):
                self.server = sender
                if self._dtls and self._dtls.state == "new":
                    self._dtls.start()
        elif 20 <= data[0] < 64 and self._dtls:
            self._dtls.receive(data)
            if self._dtls.keys and self._control is None:
                self._control = Control(self._dtls.keys)
        elif self._control and 192 <= data[1] < 224:
            self._hear(data)
        else:
            self.counted += 1

    def _hear(self, data: bytes) -> None:
        try:
            opened = self._control.open(data) if self._control else b""
        except BrokenSrtp:
            return
        if len(opened) >= 28 and opened[1] == rtcp.SENDER_REPORT:
            source, ntp, _, packets = struct.unpack_from(">IQII", opened, 4)
            self._sources[source] = (ntp >> 16 & 0xFFFF_FFFF, time.monotonic(), packets & 0xFFFF_FFFF)

    def _send(self, data: bytes) -> None:
        if self.server:
            self._socket.sendto(data, self.server)


async def join_whep(http: httpx.AsyncClient, address: str, viewer: Viewer) -> None:
    """One POST."""
    sdp = {"content-type": "application/sdp"}
    answer = await http.post(address, content=viewer.description(), headers=sdp)
    answer.raise_for_status()
    viewer.meet(answer.text)


async def join_janus(http: httpx.AsyncClient, address: str, viewer: Viewer) -> None:
    """Janus offers; its API needs a few requests, and one that waits."""

    async def ask(path: str, **values: Any) -> dict[str, Any]:
        body = {"transaction": secrets.token_hex(4)} | values
        found: dict[str, Any] = (await http.post(address + path, json=body)).json()
        return found

    session = (await ask("", janus="create"))["data"]["id"]
    attached = await ask(f"/{session}", janus="attach", plugin="janus.plugin.streaming")
    handle = f"/{session}/{attached['data']['id']}"
    await ask(handle, janus="message", body={"request": "watch", "id": 1})
    event: dict[str, Any] = {}
    while "jsep" not in event:
        event = (await http.get(f"{address}/{session}")).json()
    viewer.meet(event["jsep"]["sdp"])
    answer = {"type": "answer", "sdp": _as_offered(viewer.description(), event["jsep"]["sdp"])}
    await ask(handle, janus="message", body={"request": "start"}, jsep=answer)
    task = asyncio.ensure_future(_keep(ask, session))
    KEPT.append(task)


KEPT: list[asyncio.Task[None]] = []


async def _keep(ask: Any, session: int) -> None:
    while True:
        await asyncio.sleep(20)
        await ask(f"/{session}", janus="keepalive")


def _as_offered(sdp: str, offer: str) -> str:
    """Sections in the order of the offer, with its payload types."""
    head, *sections = re.split(r"(?=^m=)", sdp.replace("\r\n", "\n"), flags=re.MULTILINE)
    mine = {section[2:7]: section for section in sections}
    made = []
    _, *offered = re.split(r"(?=^m=)", offer.replace("\r\n", "\n"), flags=re.MULTILINE)
    for number, theirs in enumerate(offered):
        kind = theirs[2:7]
        name = "H264" if kind == "video" else "opus"
        found = re.search(rf"a=rtpmap:(\d+) {name}", theirs, re.IGNORECASE)
        mid = re.search(r"a=mid:(\S+)", theirs)
        assert found
        ours = "96" if kind == "video" else "111"
        section = re.sub(r"a=(rtpmap|fmtp):97.*\n", "", mine[kind]).replace("96 97\n", "96\n")
        section = re.sub(rf"\b{ours}\b", found[1], section)
        section = re.sub(r"a=mid:\S+", f"a=mid:{mid[1] if mid else number}", section)
        made.append(section)
    return (head + "".join(made)).replace("\n", "\r\n")


async def main(kind: str, address: str, count: int, host: str) -> None:
    """Until killed."""
    identity = Identity()
    viewers: list[Viewer] = []
    door = asyncio.Semaphore(AT_ONCE)
    limits = httpx.Limits(max_keepalive_connections=0)  # a kept one may be closed just when it is used
    async with httpx.AsyncClient(timeout=60, limits=limits) as http:

        async def join() -> None:
            async with door:
                for _ in range(TRIES):
                    viewer = Viewer(identity, host, asks=kind == "whep")
                    viewers.append(viewer)
                    with contextlib.suppress(httpx.HTTPError):  # too busy just now
                        await (join_whep if kind == "whep" else join_janus)(http, address, viewer)
                    if await viewer.came():
                        return
                    viewers.remove(viewer)
                    viewer.close()

        def leave() -> None:
            for viewer in viewers:
                viewer.close()
            sys.exit()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leave)
        joining = [asyncio.ensure_future(join()) for _ in range(count)]
        told = time.monotonic()
        before = 0
        while True:
            await asyncio.sleep(0.1 if any(not one.connected for one in viewers) else 0.25)
            now = time.monotonic()
            for viewer in viewers:
                if not viewer.connected or now - told >= REPORT_EVERY:
                    viewer.tick(now)
            for task in joining:
                if task.done() and task.exception():
                    raise task.exception()  # type: ignore[misc]
            if now - told >= REPORT_EVERY:
                counted = sum(one.counted for one in viewers)
                connected = sum(one.connected for one in viewers)
                rate = (counted - before) * SAMPLED / (now - told) / max(connected, 1)
                print(json.dumps({"connected": connected, "packets": round(rate)}), flush=True)
                told, before = now, counted


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
