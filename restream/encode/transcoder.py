"""One child for all rungs of a show: a Reader of the feed with its own pace and its own accidents.

starting ──first picture──▶ running ◀──▶ starved
    ▲                          │ dead, or nothing comes out
    └──────── retrying ◀───────┘
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final, Literal

import structlog

from restream.encode import process
from restream.encode.distribution import Distribution
from restream.encode.encoder import (
    FAST_ENOUGH,
    NOTICEABLE,
    PAUSES,
    TOO_SLOW,
    WAITING,
    Gauge,
    Pace,
    Source,
)
from restream.encode.ffmpeg import Facts, Preset
from restream.encode.inlet import Inlet
from restream.encode.ladder_feed import Supply
from restream.encode.ladder_ffmpeg import argv
from restream.encode.outlet import Outlet
from restream.encode.pipe import read_into
from restream.encode.rungs import Step
from restream.media import Frame, Kind
from restream.rtmp.flv import UnsupportedCodec
from restream.rtmp.flv_file import BrokenFlv

log = structlog.get_logger()

State = Literal["starting", "running", "starved", "retrying"]
PACE_CHANGE: Final = 1.25
"""By how much the feed may be faster or slower than was thought: the rungs' rates are off by as much."""
NICE: Final = 15
"""Behind the platforms' own encodings, which have 10."""
SLOW: Final = "This machine is too slow for all smaller pictures, so some moments of them are left out."


@dataclass(frozen=True)
class Work:
    """What a transcoder does: rungs (the largest first) of a feed of this kind."""

    slug: str
    steps: tuple[Step, ...]
    preset: Preset
    facts: Facts

    def suits(self, facts: Facts | None) -> bool:
        """Whether such a feed can be worked on. Its sound may be another."""
        return facts is not None and _picture_of(facts) == _picture_of(self.facts)

    def keeps_pace(self, fps: float | None) -> bool:
        """Whether the rate of pictures is near enough to what x264 was told; None: it is not known."""
        return fps is None or 1 / PACE_CHANGE < fps / self.facts.fps < PACE_CHANGE


class Transcoder:
    """`outputs` are what readers of each rung attach to. `facts` says what the feed is, if it is known."""

    def __init__(
        self,
        work: Work,
        source: Source,
        facts: Callable[[], Facts | None],
        outputs: Mapping[str, Distribution],
        *,
        on_change: Callable[[], None],
        pace: Pace,
    ) -> None:
        self.work = work
        self.state: State = "starting"
        self.reason: str | None = WAITING
        self.restarts = 0
        self.fps: float | None = None
        """Pictures a second, when they are others than the work is for, and another must do it."""
        self._source, self._facts, self._outputs = source, facts, outputs
        self._on_change = on_change
        self._pace = pace
        self._media = asyncio.Event()
        self._supply: Supply | None = None
        self._child: process.Child | None = None
        self._ending = asyncio.Event()
        self._doubtful = False
        self._in_time_at = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id while there is one."""
        return self._child.pid if self._child else None

    @property
    def supply(self) -> Supply | None:
        """What the child is fed, while there is one."""
        return self._supply

    def start(self) -> None:
        """Begin to wait for pictures."""
        self._source.attach(self)
        self._task = asyncio.create_task(self._work(), name=f"ladder {self.work.slug}")

    async def stop(self) -> None:
        """End the child. Readers keep their distributions and are told that they ended."""
        self._source.detach(self)
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def push(self, frame: Frame) -> None:
        """A frame of the feed."""
        if frame.kind != Kind.VIDEO:
            return
        if supply := self._supply:
            # The feed is known when its pictures go on, whatever headers came before.
            strange = self._doubtful and not frame.header and not self.work.suits(self._facts())
            self._doubtful = frame.header
            if not self.work.keeps_pace(supply.fps):
                self.fps = supply.fps
            if strange or supply.old or self.fps:
                self._supply = None
                self._ending.set()
            else:
                supply.push(frame)
        if not frame.header:
            self._media.set()

    def ended(self) -> None:
        """The feed is gone; when it is back soon with the same parameters, the child has noticed nothing."""
        self._media.clear()
        if self._supply:
            self._supply.ended()

    async def _work(self) -> None:
        attempt, loop = 0, asyncio.get_running_loop()
        while True:
            if not self._media.is_set():
                self._set("starting", WAITING)
            await self._media.wait()
            began = loop.time()
            try:
                trouble = await self._attempt()
            except Exception as error:  # a supervisor: our own mistake must not end it for good
                log.exception("ladder.failed", show=self.work.slug)
                trouble = f"The encoder failed ({type(error).__name__}) and was started again."
            if loop.time() - began > self._pace.steady:
                attempt = 0
            if trouble:
                self.restarts += 1
                self._set("retrying", trouble)
                await asyncio.sleep(PAUSES[min(attempt, len(PAUSES) - 1)])
                attempt += 1

    async def _attempt(self) -> str | None:
        """One child, from its start to its end: what went wrong, or None when it was no longer needed."""
        if self.fps or not self.work.suits(self._facts()):
            self._media.clear()  # the next picture may be of another kind
            return None
        self._set("starting")
        try:
            async with AsyncExitStack() as stack:
                return await self._one(stack)
        except OSError as error:
            return f"The encoder could not be started ({error.strerror or type(error).__name__})."
        finally:
            self._supply = self._child = None
            for output in self._outputs.values():
                output.ended()

    async def _one(self, stack: AsyncExitStack) -> str | None:
        """Start it, feed it, and follow it."""
        work = self.work
        media = await stack.enter_async_context(await Inlet.open())
        outlets: dict[str, Outlet] = {}
        for step in work.steps:
            outlets[step.rung.name] = await stack.enter_async_context(await Outlet.open())
        fds = {name: outlet.fd for name, outlet in outlets.items()}
        self._ending, self._doubtful = asyncio.Event(), False
        done = {name: self._outputs[name].newest for name in outlets}
        # What comes while the child is being started is kept for it, so no picture falls in between.
        self._supply = supply = Supply(self._source.backlog(), done, work.facts.fps)
        line = argv(work.steps, work.preset, supply.begins, media_fd=media.fd, fds=fds)
        child = await process.start(
            f"ladder {work.slug}", line, nice=NICE, pass_fds=(media.fd, *fds.values())
        )
        stack.push_async_callback(child.stop, 0.0)
        self._child = child
        media.handed_over()
        for outlet in outlets.values():
            outlet.handed_over()
        supply.connect(media)
        log.info("ladder.started", show=work.slug, pid=child.pid, rungs=list(outlets), preset=work.preset)
        return await self._follow(child, supply, outlets)

    async def _follow(
        self, child: process.Child, supply: Supply, outlets: Mapping[str, Outlet]
    ) -> str | None:
        """Until the child ends, hangs, or is no longer what the feed needs."""
        reading = [
            asyncio.create_task(read_into(outlet, _Sink(name, supply, self._outputs[name])))
            for name, outlet in outlets.items()
        ]
        watching = asyncio.create_task(self._watch(supply))
        changing = asyncio.create_task(self._ending.wait())
        tasks: list[asyncio.Task[Any]] = [*reading, watching, changing]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if changing.done():
                return None
            if watching.done():
                return watching.result()
            return await _last_words(child, next(task for task in reading if task.done()))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, supply: Supply) -> str | None:
        """Keep the state; what is wrong once nothing comes out, or None when the feed is gone."""
        loop, pace = asyncio.get_running_loop(), self._pace
        moved_at = here_at = self._in_time_at = loop.time()
        slowest, gauge = supply.slowest, Gauge(pace.window)
        while True:
            await asyncio.sleep(pace.check)
            now = loop.time()
            if supply.slowest > slowest:
                slowest, moved_at = supply.slowest, now
                self._judge(gauge, now, supply)
            if self._media.is_set():
                here_at = now
            elif now - here_at > pace.gone:
                return None
            patience = pace.hung if slowest > supply.started else pace.first
            if now - moved_at > patience and supply.behind > NOTICEABLE:
                return f"The encoder gave no picture for {patience:.0f} seconds and was started again."

    def _judge(self, gauge: Gauge, now: float, supply: Supply) -> None:
        """Who is far behind and gets no nearer is too slow, and who stays there is of no use to players."""
        gauge.note(now, supply.newest, supply.encoded_ms)
        speed = gauge.speed()
        if supply.behind <= NOTICEABLE:
            self._in_time_at = now
        lagging = now - self._in_time_at > self._pace.window
        slow = speed is not None and speed < TOO_SLOW
        if supply.behind > NOTICEABLE and (slow or lagging):
            self._set("starved", SLOW)
        elif self.state != "starved" or (speed or 0) >= FAST_ENOUGH:
            self._set("running")

    def _set(self, state: State, reason: str | None = None) -> None:
        if (state, reason) == (self.state, self.reason):
            return
        self.state, self.reason = state, reason
        log.info("ladder.changed", show=self.work.slug, state=state, reason=reason)
        self._on_change()


@dataclass(frozen=True)
class _Sink:
    """What a rung's output is read into."""

    name: str
    supply: Supply
    output: Distribution

    def frame(self, frame: Frame) -> None:
        """At its moment of the show."""
        self.output.push(self.supply.encoded(self.name, frame))

    def metadata(self, values: dict[str, object]) -> None:
        """ffmpeg's words about itself help nobody."""


def _picture_of(facts: Facts) -> tuple[int, int, str]:
    """What must stay for a child to go on: the video codec comes first of the codecs."""
    return facts.width, facts.height, facts.codecs[0] if facts.codecs else ""


async def _last_words(child: process.Child, reading: asyncio.Task[None]) -> str:
    error = reading.exception()
    if isinstance(error, BrokenFlv | UnsupportedCodec):
        return "The encoder gave something that is no video and was started again."
    if error:
        raise error
    code = await child.wait()
    said = child.last_words().splitlines()
    return f"The encoder stopped ({said[-1] if said else f'exit code {code}'}) and was started again."
