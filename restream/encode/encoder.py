"""One profile's encoder: a Reader of the feed with its own child, its own pace and its own accidents.

idle ──media──▶ starting ──first picture──▶ running ◀──▶ starved
  ▲                ▲                           │ dead, or nothing comes out
  └──media gone    └──────── retrying ◀────────┘
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, Protocol

import structlog

from restream.api import EncoderStatus, ProfileSpec
from restream.encode import process
from restream.encode.distribution import Distribution
from restream.encode.ffmpeg import Facts, Job, argv, crop_command, layers_command
from restream.encode.inlet import Inlet
from restream.encode.overlay import raw
from restream.encode.pipe import read_into
from restream.encode.planner import Allotment
from restream.encode.supply import LEAD_IN, Supply
from restream.media import Frame, Kind, Reader
from restream.rtmp import amf0
from restream.rtmp.flv import UnsupportedCodec
from restream.rtmp.flv_file import BrokenFlv

log = structlog.get_logger()

State = Literal["idle", "starting", "running", "starved", "retrying", "refused"]
NICE: Final = 10
PAUSES: Final = (0.2, 1.0, 2.0, 5.0, 10.0)
"""Seconds before a child is started again; short at first: a single accident is the usual case."""
TOO_SLOW: Final = 0.95
FAST_ENOUGH: Final = 0.98
NOTICEABLE: Final = 1000
"""Milliseconds of media in the child; less is on its way, or a hiccup."""
NOISE: Final = ("Enter command:", "Command reply")
"""How ffmpeg's answers to commands begin; they are no complaints."""
WAITING: Final = "Waiting for pictures."


class Source(Protocol):
    """The feed, as far as an encoder cares."""

    def attach(self, reader: Reader) -> None:
        """Add a reader."""
        ...

    def detach(self, reader: Reader) -> None:
        """Remove a reader."""
        ...

    def backlog(self) -> Sequence[Frame]:
        """Headers, and the frames since the last keyframe."""
        ...


@dataclass(frozen=True)
class Pace:
    """Seconds: between looks; a child may be silent at its start, and later while it is fed; over which its
    speed is taken; the feed may be gone before the child is stopped; after which a child counts as steady."""

    check: float = 0.5
    first: float = 15.0
    hung: float = 5.0
    window: float = 4.0
    gone: float = 3.0
    steady: float = 30.0


@dataclass(frozen=True)
class Kit:
    """What the encoders of a worker share: the pictures, who is told of changes, time, patience."""

    asset: Callable[[str], Path | None]
    on_change: Callable[[Encoder], None] = lambda encoder: None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    pace: Pace = Pace()


class Encoder:
    """`output` is what readers attach to. `facts` says what the feed is, or None while nobody knows."""

    def __init__(
        self,
        profile: ProfileSpec,
        allotment: Allotment,
        source: Source,
        facts: Callable[[], Facts | None],
        kit: Kit,
    ) -> None:
        self.output = Distribution()
        self.allotment = allotment
        self._profile = profile
        self._source, self._facts, self._kit = source, facts, kit
        self._state: State = "idle"
        self._reason: str | None = WAITING
        self._speed: float | None = None
        self._restarts = 0
        self._media = asyncio.Event()
        self._running: _Run | None = None
        self._doubtful = False
        self._task: asyncio.Task[None] | None = None
        self._painting = asyncio.Lock()

    @property
    def profile(self) -> ProfileSpec:
        """What is wanted."""
        return self._profile

    @property
    def pid(self) -> int | None:
        """The child's process id while there is one."""
        return self._running.child.pid if self._running else None

    def status(self) -> EncoderStatus:
        """What is."""
        return EncoderStatus(
            profile=self._profile.name,
            state=self._state,
            reason=self._reason,
            cost_cores=self.allotment.cost,
            speed=self._speed,
            restarts=self._restarts,
        )

    def start(self) -> None:
        """Begin to wait for media."""
        self._source.attach(self)
        self._task = asyncio.create_task(self._work(), name=f"encoder {self._profile.name}")

    async def stop(self) -> None:
        """End the child. Readers keep their distribution and are told that it ended."""
        self._source.detach(self)
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._set("idle")

    async def adjust(self, profile: ProfileSpec) -> None:
        """Another crop or other layers, without a new child; everything else of it must be as it was."""
        async with self._painting:
            before, self._profile = self._profile, profile
            if not (run := self._running):
                return
            if profile.crop_x != before.crop_x and profile.fit == "crop":
                run.child.feed(crop_command(profile))
            run.supply.paint(await self._picture(profile))
            if bool(profile.layers) != bool(before.layers):
                run.child.feed(layers_command(shown=bool(profile.layers)))

    def push(self, frame: Frame) -> None:
        """A frame of the feed."""
        if run := self._running:
            # One header may come long before the other: the feed is known when its media goes on.
            if self._doubtful and not frame.header and not run.suits(self._facts()):
                run.ending.set()
            self._doubtful = frame.header
            run.supply.push(frame)
        if frame.kind == Kind.VIDEO and not frame.header:
            self._media.set()

    def ended(self) -> None:
        """The feed is gone; when it is back soon with the same parameters, the child has noticed nothing."""
        self._media.clear()
        if self._running:
            self._running.supply.ended()

    async def _work(self) -> None:
        attempt, loop = 0, asyncio.get_running_loop()
        while True:
            if not self._media.is_set():
                self._set("idle", WAITING)
            await self._media.wait()
            began = loop.time()
            try:
                trouble = await self._attempt()
            except Exception as error:  # a supervisor: our own mistake must not end it for good
                log.exception("encoder.failed", profile=self._profile.name)
                trouble = f"The encoder failed ({type(error).__name__}) and was started again."
            if loop.time() - began > self._kit.pace.steady:
                attempt = 0
            if trouble:
                self._restarts += 1
                self._set("retrying", trouble)
                await self._kit.sleep(PAUSES[min(attempt, len(PAUSES) - 1)])
                attempt += 1

    async def _attempt(self) -> str | None:
        """One child, from its start to its end: what went wrong, or None when it was no longer needed."""
        facts, backlog = self._facts(), self._source.backlog()
        times = [frame.dts for frame in backlog if not frame.header and frame.kind != Kind.DATA]
        if not facts or not times:
            self._media.clear()  # the next picture may tell
            return None
        self._set("starting")
        base = min(times) - LEAD_IN
        begins = max(*times, self.output.newest + 1)
        try:
            async with AsyncExitStack() as stack:
                run = await self._run(stack, facts, base, begins)
                return await self._follow(run)
        except OSError as error:
            return f"The encoder could not be started ({error.strerror or type(error).__name__})."
        finally:
            self._running = None
            self._speed = None
            self.output.ended()

    async def _run(self, stack: AsyncExitStack, facts: Facts, base: int, begins: int) -> _Run:
        """A child that is being fed."""
        async with self._painting:
            profile = self._profile
            picture = await self._picture(profile)
            media, layers = [await stack.enter_async_context(await Inlet.open()) for _ in range(2)]
            job = Job(profile, facts, self.allotment.preset, self.allotment.threads, begins - base)
            child = await process.start(
                f"encoder {profile.name}",
                argv(job, media_fd=media.fd, layers_fd=layers.fd),
                fed=True,
                read=True,
                nice=NICE,
                pass_fds=(media.fd, layers.fd),
            )
            stack.push_async_callback(child.stop, 0.0)
            media.handed_over()
            layers.handed_over()
            ending = asyncio.Event()
            supply = Supply(
                media=media,
                layers=layers,
                picture=picture,
                base=base,
                begins=begins,
                audio=facts.audio_rate is not None,
                on_jump=ending.set,
            )
            self._running = run = _Run(child, supply, facts, ending)
        for frame in self._source.backlog():
            supply.push(frame)
        log.info("encoder.started", profile=profile.name, pid=child.pid, preset=self.allotment.preset)
        return run

    async def _follow(self, run: _Run) -> str | None:
        """Until the child ends, hangs, or is no longer what the feed needs."""
        reading = asyncio.create_task(read_into(run.child, _Outlet(run, self.output)))
        watching = asyncio.create_task(self._watch(run))
        changing = asyncio.create_task(run.ending.wait())
        try:
            await asyncio.wait({reading, watching, changing}, return_when=asyncio.FIRST_COMPLETED)
            if changing.done():
                return None
            if watching.done():
                return watching.result()
            return await _last_words(run, reading)
        finally:
            for task in (reading, watching, changing):
                task.cancel()
            await asyncio.gather(reading, watching, changing, return_exceptions=True)

    async def _watch(self, run: _Run) -> str | None:
        """Keep state and speed; what is wrong once nothing comes out, or None when the feed is gone."""
        loop, pace = asyncio.get_running_loop(), self._kit.pace
        moved_at = here_at = loop.time()
        done = run.supply.done
        gauge = Gauge(pace.window)
        while True:
            await asyncio.sleep(pace.check)
            now, supply = loop.time(), run.supply
            if supply.done > done:
                done, moved_at = supply.done, now
                self._judge(gauge, now, supply)
            if self._media.is_set():
                here_at = now
            elif now - here_at > pace.gone:
                return None
            patience = pace.hung if done > run.supply.begins else pace.first
            if now - moved_at > patience and supply.behind > NOTICEABLE:
                return f"The encoder gave no picture for {patience:.0f} seconds and was started again."

    def _judge(self, gauge: Gauge, now: float, supply: Supply) -> None:
        gauge.note(now, supply.newest, supply.encoded_ms)
        self._speed = gauge.speed()
        slow = self._speed is not None and self._speed < TOO_SLOW and supply.behind > NOTICEABLE
        if slow:
            size = f"{self._profile.width}x{self._profile.height}"
            self._set(
                "starved",
                f"This machine is too slow for profile “{self._profile.name}” ({size}), so pictures are left "
                "out. Choose a smaller size or fewer pictures a second, or a bigger machine.",
            )
        elif self._state != "starved" or (self._speed or 0) >= FAST_ENOUGH:
            self._set("running")

    async def _picture(self, profile: ProfileSpec) -> bytes:
        size = (profile.width, profile.height)
        return await asyncio.to_thread(raw, size, tuple(profile.layers), self._kit.asset)

    def _set(self, state: State, reason: str | None = None) -> None:
        if (state, reason) == (self._state, self._reason):
            return
        self._state, self._reason = state, reason
        log.info("encoder.changed", profile=self._profile.name, state=state, reason=reason)
        self._kit.on_change(self)


class Gauge:
    """Media encoded against media that came, over the last seconds."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._notes: deque[tuple[float, int, int]] = deque()

    def note(self, now: float, came: int, encoded: int) -> None:
        """Both in milliseconds of media, `now` in seconds."""
        self._notes.append((now, came, encoded))
        while now - self._notes[0][0] > self._window:
            self._notes.popleft()

    def speed(self) -> float | None:
        """Media seconds encoded for each that came; None while too little is known."""
        (began, came, encoded), (now, came_now, encoded_now) = self._notes[0], self._notes[-1]
        if now - began < self._window * 0.7 or came_now - came < self._window * 250:
            return None
        return round((encoded_now - encoded) / (came_now - came), 2)


@dataclass(frozen=True)
class _Run:
    """One child's life. `ending` is set when the feed is no longer what it was started for."""

    child: process.Child
    supply: Supply
    facts: Facts
    ending: asyncio.Event

    def suits(self, facts: Facts | None) -> bool:
        """Whether the child can go on with such a feed; its rate of pictures may be another."""
        return facts is None or replace(facts, fps=self.facts.fps) == self.facts


@dataclass(frozen=True)
class _Outlet:
    """What the child's output is read into."""

    run: _Run
    output: Distribution

    def frame(self, frame: Frame) -> None:
        """At its place on the feed's time."""
        self.output.push(self.run.supply.encoded(frame))

    def metadata(self, values: dict[str, object]) -> None:
        """As a publisher would send it."""
        kept = {name: value for name, value in values.items() if isinstance(value, bool | float | str)}
        payload = amf0.encode("@setDataFrame", "onMetaData") + amf0.encode_ecma_array(dict(kept))
        self.output.push(Frame(Kind.DATA, 0, payload, payload))


async def _last_words(run: _Run, reading: asyncio.Task[None]) -> str:
    error = reading.exception()
    if isinstance(error, BrokenFlv | UnsupportedCodec):
        return "The encoder gave something that is no video and was started again."
    if error:
        raise error
    code = await run.child.wait()
    said = [line for line in run.child.last_words().splitlines() if not line.startswith(NOISE)]
    return f"The encoder stopped ({said[-1] if said else f'exit code {code}'}) and was started again."
