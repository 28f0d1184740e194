"""The ladder of one show: the smaller renditions of its feed that our own player can fall back to.

The feed is passed through as the top rung by others and never waits for anything here. All other rungs come
from one child of low priority, with keyframes where the feed has them and every picture at the feed's own
moment. Where the machine turns out too slow, whole rungs go, the largest first, and are tried again later:
fewer that play well are better than many that stutter.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import structlog

from restream.api import LadderSpec, PlanStatus, RungStatus
from restream.encode.distribution import Distribution
from restream.encode.encoder import WAITING, Pace
from restream.encode.encoders import Feed, Machine
from restream.encode.facts import Watch
from restream.encode.ffmpeg import Facts
from restream.encode.rungs import LadderPlan, Step, name_of, plan_ladder
from restream.encode.transcoder import Transcoder, Work
from restream.hls.renditions import Rung
from restream.media import Reader

log = structlog.get_logger()

FORGIVEN: Final = 120.0
"""Seconds until a rung that was too much is tried again; each time twice as long, up to"""
LONGEST_GRUDGE: Final = 1800.0
TOO_MUCH: Final = "This machine is too slow for {} right now, so it is left out and tried again later."


class Ladder:
    """`apply` a wish; `feed` a rung's name is where its readers attach, `open_rung` where our player's is.

    `open_rung(rung)` gives the Reader of a rung's frames, `close_rung(name)` says that there will be no more;
    both, and `on_change(status)`, are called in the event loop and must not block. `forgiven`: see FORGIVEN.
    """

    def __init__(
        self,
        slug: str,
        live: Feed,
        machine: Machine,
        open_rung: Callable[[Rung], Reader],
        close_rung: Callable[[str], None],
        on_change: Callable[[RungStatus], None],
        *,
        pace: Pace | None = None,
        forgiven: float = FORGIVEN,
    ) -> None:
        self._slug, self._live, self._machine = slug, live, machine
        self._open_rung, self._close_rung, self._on_change = open_rung, close_rung, on_change
        self._pace, self._forgiven = pace or Pace(), forgiven
        self._heights: list[int] = []
        self._transcoder: Transcoder | None = None
        self._outputs: dict[str, Distribution] = {}
        self._readers: dict[str, tuple[Rung, Reader]] = {}
        self._shed: list[str] = []
        self._grudge, self._again_at = forgiven, 0.0
        self._said: dict[str, RungStatus] = {}
        self._fps: float | None = None
        self._watch = Watch(live, self._feed_changed)
        self._planned = self._plan()
        self._applying = asyncio.Lock()
        self._changed = asyncio.Event()
        self._tending: asyncio.Task[None] | None = None

    async def apply(self, spec: LadderSpec | None) -> None:
        """Take a new wish; None ends all rungs. What can go on as it is goes on."""
        async with self._applying:
            before, self._heights = self._heights, sorted(set(spec.heights if spec else []), reverse=True)
            if self._heights and not before:
                self._live.attach(self._watch)
                self._tending = asyncio.create_task(self._tend(), name=f"ladder of {self._slug}")
            elif before and not self._heights:
                await self._rest()
            await self._settle()
            if not self._heights:
                self._machine.ladders.pop(self._slug, None)

    async def stop(self) -> None:
        """End the child and leave the machine to others. The show may be applied again later."""
        await self.apply(None)

    @property
    def plan(self) -> PlanStatus:
        """What it costs, and what is left out and why; known before there is a feed."""
        return self._planned.status

    def feed(self, name: str) -> Distribution | None:
        """A rung's pictures (no sound) for whoever else wants them; None for a rung that does not run."""
        running = self._transcoder and any(s.rung.name == name for s in self._transcoder.work.steps)
        return self._outputs.get(name) if running else None

    @property
    def running(self) -> list[str]:
        """Names of the rungs that give pictures now, the largest first."""
        return [status.name for status in self.statuses() if status.state == "running"]

    def statuses(self) -> list[RungStatus]:
        """One of each wished height, the largest first."""
        return [self._status(height) for height in self._heights]

    @property
    def pid(self) -> int | None:
        """The child's process id while there is one."""
        return self._transcoder.pid if self._transcoder else None

    def _facts(self) -> Facts | None:
        """What the feed is, or was: between publishers nothing is ended that may go on soon."""
        if not self._heights:
            return None
        transcoder = self._transcoder
        facts = self._watch.facts or (transcoder.work.facts if transcoder else None)
        if facts and transcoder and transcoder.fps:
            self._fps = transcoder.fps
        # The watch's rate is that of the first pictures ever; where it was wrong, or has changed, we know.
        return replace(facts, fps=self._fps) if facts and self._fps else facts

    def _plan(self) -> LadderPlan:
        return plan_ladder(
            self._heights,
            self._facts(),
            self._machine.left_for_ladder(self._slug),
            cores=self._machine.cores,
            factor=self._machine.factor,
            without=self._shed,
        )

    async def _settle(self) -> None:
        """Make what runs what is planned; nothing is interrupted only to be done better."""
        facts, before = self._facts(), self._transcoder
        self._planned = planned = self._plan()
        if before and facts and before.work.suits(facts) and _goes_on(before.work, planned):
            self._tell()
            return
        self._transcoder = None
        if before:
            await before.stop()
        steps = planned.steps if facts else ()
        self._machine.ladders[self._slug] = planned.cost if steps else 0.0
        self._connect(steps)
        if steps and facts:
            self._transcoder = Transcoder(
                Work(self._slug, steps, planned.preset, facts),
                self._live,
                lambda: self._watch.facts,
                {step.rung.name: self._outputs[step.rung.name] for step in steps},
                on_change=self._tell,
                pace=self._pace,
            )
            self._transcoder.start()
        self._tell()

    def _connect(self, steps: Sequence[Step]) -> None:
        """Open what will run for our own player, close what will not, or not in that size."""
        wanted = {step.rung.name: step.rung for step in steps}
        for name, (rung, reader) in list(self._readers.items()):
            if wanted.get(name) != rung:
                del self._readers[name]
                self._outputs[name].detach(reader)
                self._close_rung(name)
        for name, rung in wanted.items():
            if name not in self._readers:
                reader = self._open_rung(rung)
                self._readers[name] = (rung, reader)
                self._outputs.setdefault(name, Distribution()).attach(reader)

    async def _tend(self) -> None:
        """Follow the feed, the machine, and how well it goes."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pace.check):
                    await self._changed.wait()
            self._changed.clear()
            try:
                async with self._applying:
                    self._learn(asyncio.get_running_loop().time())
                    await self._settle()
            except Exception:  # a supervisor: our own mistake must not end it for good
                log.exception("ladder.failed", show=self._slug)

    def _learn(self, now: float) -> None:
        """What is too much for the machine goes, and comes back when it may have got better."""
        transcoder = self._transcoder
        if transcoder and transcoder.state == "starved":
            self._shed.append(transcoder.work.steps[0].rung.name)
            self._again_at = now + self._grudge
            self._grudge = min(2 * self._grudge, LONGEST_GRUDGE)
            log.warning("ladder.shed", show=self._slug, rung=self._shed[-1])
        elif self._shed and now >= self._again_at:
            self._shed.pop()
            self._again_at = now + self._grudge
        elif not self._shed and now >= self._again_at + self._grudge:
            self._grudge = self._forgiven

    async def _rest(self) -> None:
        """No wish any more."""
        self._live.detach(self._watch)
        task, self._tending = self._tending, None
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._shed.clear()
        self._grudge = self._forgiven

    def _feed_changed(self) -> None:
        self._changed.set()

    def _status(self, height: int) -> RungStatus:
        name, transcoder = name_of(height), self._transcoder
        status = RungStatus(name=name, height=height, state="starting", reason=WAITING)
        if reason := self._planned.left_out.get(name):
            return status.model_copy(update={"state": "refused", "reason": reason})
        if name in self._shed:
            return status.model_copy(update={"state": "starved", "reason": TOO_MUCH.format(name)})
        step = next((step for step in self._planned.steps if step.rung.name == name), None)
        kbps = step.kbps if step else 0
        if transcoder is None:
            return status.model_copy(update={"video_kbps": kbps})
        behind = None
        if transcoder.supply and transcoder.state in ("running", "starved"):
            behind = float(max(0, transcoder.supply.newest - self._outputs[name].newest))
        return RungStatus(
            name=name,
            height=height,
            state=transcoder.state,
            reason=transcoder.reason,
            video_kbps=kbps,
            behind_ms=behind,
        )

    def _tell(self) -> None:
        """Pass on what is news; numbers alone are none."""
        names = {name_of(height) for height in self._heights}
        for name in self._said.keys() - names:
            del self._said[name]
        for status in self.statuses():
            said = self._said.get(status.name)
            if said is None or (said.state, said.reason) != (status.state, status.reason):
                self._said[status.name] = status
                self._on_change(status)


def _goes_on(work: Work, planned: LadderPlan) -> bool:
    """Whether what runs may stay: the same rungs, and for no more than there is room for."""
    same = [step.rung for step in work.steps] == [step.rung for step in planned.steps]
    return same and (work.preset == planned.preset or work.preset == "ultrafast")
