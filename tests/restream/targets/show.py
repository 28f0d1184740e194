"""A live with targets, fed by hand: nothing here waits for a clock."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import SecretStr

from restream.api import TargetSpec, TargetState, TargetStatus
from restream.live import Live, Session
from restream.media import Frame, Kind
from restream.targets.serialiser import Serialiser
from restream.targets.target import Outfit, Target
from restream.targets.way import BUFFER, Pace
from restream.tls import client_context
from tests.restream.rtmp.peers import KEY, SECONDS

QUICK = Pace(check=0.01, stuck=0.5, step=2.0)


def spec(port: int, name: str = "one", **changes: object) -> TargetSpec:
    """What is wanted: our own server's `live`, with the key its gate knows."""
    wish = TargetSpec(id=name, name=name, url=f"rtmp://127.0.0.1:{port}/live", key=SecretStr(KEY))
    return wish.model_copy(update=changes)


class Show:
    """`feed` frames; `until` a target is in a state. `rests` are the pauses targets would have made."""

    def __init__(
        self,
        context: ssl.SSLContext | None = None,
        buffer: int = BUFFER,
        pace: Pace = QUICK,
        *,
        really_rests: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.live = Live("show")
        self.news: list[TargetStatus] = []
        self.rests: list[float] = []
        self.patience = asyncio.Event()
        self.patience.set()
        self._changed = asyncio.Event()
        self._serialiser = Serialiser()
        self.targets: list[Target] = []
        self._outfit = Outfit(
            context or client_context(),
            on_change=self._note,
            now=now,
            chance=lambda: 0.5,
            sleep=asyncio.sleep if really_rests else self._rest,
            pace=pace,
            buffer=buffer,
        )

    def _note(self, status: TargetStatus) -> None:
        self.news.append(status)
        self._changed.set()

    async def _rest(self, seconds: float) -> None:
        self.rests.append(seconds)
        self._changed.set()
        await asyncio.sleep(0.01)
        await self.patience.wait()

    def add(self, wish: TargetSpec) -> Target:
        """Start a target."""
        target = Target(wish, self._serialiser, self.live.backlog, self._outfit)
        self.targets.append(target)
        self.live.attach(target)
        target.start()
        return target

    def publisher(self) -> Session:
        """Somebody begins to publish."""
        return self.live.open_session("127.0.0.1", "test", lambda reason: None, 1_700_000_000.0)

    async def feed(self, frames: Iterable[Frame], session: Session | None = None) -> None:
        """Frames, with a breath for the sockets after each."""
        session = session or self.live.publisher or self.publisher()
        for frame in frames:
            session.frame(frame)
            await asyncio.sleep(0)

    async def play(self, frames: Iterable[Frame]) -> None:
        """Frames at their own pace, with the moment of their arrival on them."""
        session, loop = self.live.publisher or self.publisher(), asyncio.get_running_loop()
        began: float | None = None
        for frame in frames:
            began = loop.time() - frame.dts / 1000 if began is None else began
            await asyncio.sleep(max(began + frame.dts / 1000 - loop.time(), 0))
            session.frame(replace(frame, arrived=time.time()))

    async def until(self, target: Target, state: TargetState) -> TargetStatus:
        """Wait for a state."""
        return await self.until_so(target, lambda status: status.state == state)

    async def until_so(self, target: Target, ready: Callable[[TargetStatus], bool]) -> TargetStatus:
        """Wait for something in a status that changes with a state."""
        async with asyncio.timeout(SECONDS):
            while not ready(target.status()):
                self._changed.clear()
                await self._changed.wait()
        return target.status()

    def states(self, target: Target) -> list[str]:
        """The states a target went through."""
        return [status.state for status in self.news if status.id == target.spec.id]

    async def stop(self) -> None:
        """Stop everybody."""
        await asyncio.gather(*(target.stop() for target in self.targets))


def media(frames: Iterable[Frame]) -> list[tuple[Kind, bytes]]:
    """What a receiver must have got, headers left out."""
    return [(frame.kind, frame.body) for frame in frames if not frame.header and frame.kind != Kind.DATA]


def parted(frames: Sequence[Frame]) -> tuple[Sequence[Frame], Sequence[Frame]]:
    """Headers and the first keyframe, which make targets connect; and the rest."""
    first = next(n for n, f in enumerate(frames) if f.kind == Kind.VIDEO and f.keyframe)
    early = [frame for frame in frames[: first + 1] if frame.header or frame.keyframe]
    return [f for f in early if f.header or f.kind == Kind.VIDEO], frames[first + 1 :]


def bulky(count: int, size: int = 100_000, gop: int = 10) -> list[Frame]:
    """Pictures of a size, each unlike the others; every `gop`-th a keyframe."""
    made = []
    for number in range(count):
        key = number % gop == 0
        body = number.to_bytes(4, "big") + bytes(size)
        payload = (b"\x17" if key else b"\x27") + b"\x01\0\0\0" + body
        made.append(Frame(Kind.VIDEO, number * 40, payload, body, keyframe=key))
    return made
