"""What the WHEP tests share: a show that goes on in real time, and aiortc as a viewer."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import httpx
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from pydantic import SecretStr

from restream.api.ice import ice_servers
from restream.live import Live, Session, at_time
from restream.media import Frame
from restream.serving import serving
from restream.webrtc.door import Terms, WhepDoor
from restream.webrtc.watch import WatchFeed
from tests.restream.hls.feed import Shape, stream

SECONDS = 60.0
"""How long a real process may take on a slow machine."""
SHAPE = Shape(seconds=4.0, size="320x180", gop=30)
HLS = "http://media.example/live/show/index.m3u8"
SDP = "application/sdp"
ICE = ice_servers(["stun:stun.example"], ["turn:turn.example?transport=udp"], SecretStr("secret"), 1000.0)


def endless(shape: Shape, begin: int = 0) -> Iterator[Frame]:
    """A stream over and over, its headers once."""
    frames = stream(shape)
    yield from (frame for frame in frames if frame.header)
    length = round(shape.seconds * 1000)
    for turn in itertools.count():
        for frame in frames:
            if not frame.header:
                yield at_time(frame, frame.dts + turn * length + begin)


@dataclass
class Show:
    """A live that a publisher feeds in real time, and the door to it. `watched` is changed by tests."""

    live: Live
    door: WhepDoor
    host: str = ""
    port: int = 0
    watched: WatchFeed | None = None
    _publishing: asyncio.Task[None] | None = None
    _session: Session | None = None

    @property
    def address(self) -> str:
        """Where players post their offers."""
        return f"http://{self.host}:{self.port}/live/show/whep"

    def publish(self, shape: Shape = SHAPE) -> None:
        """Somebody publishes, for ever."""
        self._session = self.live.open_session("127.0.0.1", "test", lambda reason: None, time.time())
        self._publishing = asyncio.create_task(self._feed(self._session, shape))

    async def drop(self) -> None:
        """The publisher goes."""
        if self._publishing and self._session:
            self._publishing.cancel()
            await asyncio.gather(self._publishing, return_exceptions=True)
            self._session.closed("bye")
            self._publishing = self._session = None

    async def _feed(self, session: Session, shape: Shape) -> None:
        began = time.monotonic()
        for frame in endless(shape):
            late = began + frame.dts / 1000 - time.monotonic()
            if late > 0:
                await asyncio.sleep(late)
            session.frame(replace(frame, arrived=time.time()))


@asynccontextmanager
async def show(processes: int = 1, host: str = "127.0.0.1") -> AsyncIterator[Show]:
    """A running door with one show."""
    live = Live("show")
    found = Show(live, None)  # type: ignore[arg-type]
    found.watched = WatchFeed(live=live, hls_url=HLS)
    found.door = WhepDoor(
        lambda slug: found.watched if slug == "show" else None,
        Terms(host, 0, processes, ice=lambda: ICE),
    )
    async with serving(found.door, host, 0) as port:
        found.host, found.port = host, port
        try:
            yield found
        finally:
            await found.drop()
            await found.door.close()


@dataclass
class Viewer:
    """aiortc as a player; it counts what it decodes."""

    peer: RTCPeerConnection
    http: httpx.AsyncClient
    location: str = ""
    etag: str = ""
    answer: str = ""
    pictures: list[tuple[float, int, int, float]] = field(default_factory=list)  # when, width, height, time
    sounds: list[tuple[float, float]] = field(default_factory=list)  # when, time
    asked_at: float = 0.0
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def offer(self) -> str:
        """What a browser would post."""
        self.peer.addTransceiver("video", direction="recvonly")
        self.peer.addTransceiver("audio", direction="recvonly")
        wanted = ("video/H264", "video/rtx")
        known = RTCRtpReceiver.getCapabilities("video")
        codecs = [one for one in known.codecs if one.mimeType in wanted] if known else []
        self.peer.getTransceivers()[0].setCodecPreferences(codecs)
        self.peer.on("track", self._track)
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return str(self.peer.localDescription.sdp)

    async def watch(self, address: str, change: Callable[[str], str] = str) -> None:
        """Until it is answered."""
        body = await self.offer()
        self.asked_at = time.monotonic()
        answer = await self.http.post(address, content=body, headers={"content-type": SDP})
        assert answer.status_code == 201, answer.text
        self.location = str(answer.url.join(answer.headers["location"]))
        self.etag, self.answer = answer.headers["etag"], answer.text
        await self.peer.setRemoteDescription(RTCSessionDescription(change(answer.text), "answer"))

    def _track(self, track: object) -> None:
        self._tasks.append(asyncio.ensure_future(self._receive(track)))

    async def _receive(self, track: object) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()  # type: ignore[attr-defined]
                now = time.monotonic()
                if track.kind == "video":  # type: ignore[attr-defined]
                    self.pictures.append((now, frame.width, frame.height, frame.time))
                else:
                    self.sounds.append((now, frame.time))

    async def close(self) -> None:
        """Leave without a word over HTTP."""
        await self.peer.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def viewer() -> AsyncIterator[Viewer]:
    """A player that has not asked yet."""
    async with httpx.AsyncClient(timeout=SECONDS) as http:
        made = Viewer(RTCPeerConnection(), http)
        try:
            yield made
        finally:
            await made.close()


async def until(true: Callable[[], object], seconds: float = SECONDS) -> None:
    """Poll what real processes bring about."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


def spread(times: Sequence[float]) -> float:
    """Between the first and the last."""
    return times[-1] - times[0]
