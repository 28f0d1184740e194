"""A feed the worker fetches or makes itself: pulled, from files, or a test pattern."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import structlog

from restream.api import SourceSpec
from restream.encode.pipe import read_into
from restream.encode.process import GOODBYE, start
from restream.gate import Publisher, PublishRefused
from restream.ingest.admission import Admitted
from restream.ingest.source_command import STREAM, BadSource, Plan, command, items, plan_after
from restream.media import Frame, Kind
from restream.rtmp.flv import UnsupportedCodec
from restream.rtmp.flv_file import BrokenFlv
from restream.targets.plans import PLANS

log = structlog.get_logger()

STEADY: Final = 10.0
"""Seconds of playing after which the next failure is a first one again."""
GAP_MS: Final = 40
"""Between two items: about one frame."""
NICE: Final = 5
NOT_TYPE, AVC, AAC = 0x8F, 7, 10
"""FLV's codec numbers (annex E.4); a set top bit says that the codec is none of FLV's own."""
PROFILES: Final = frozenset({66, 77, 100})
"""H.264 profiles that every platform and browser takes; the others (10 bit, 4:2:2) are encoded anew."""
COMPLAINTS: Final = (
    ("404 Not Found", "Nothing is found at the address."),
    ("401 Unauthorized", "The far end asks for a password, or refuses the one in the address."),
    ("403 Forbidden", "The far end refuses us."),
    ("Connection refused", "Nobody answers at the address."),
    ("timed out", "Nobody answers at the address."),
    ("resolve", "The host name of the address is not known."),
    ("not in whitelist", "It names something that must not be read."),
    ("Invalid data", "What comes is no video that can be read."),
)

Admit = Callable[[Callable[[str], None]], Publisher]
"""Given a way to cut the source off: what its frames are fed into. May raise PublishRefused."""


@dataclass(frozen=True)
class SourceStatus:
    """What the source is doing. `item` counts the playlist from 0; `reason` is the newest trouble."""

    state: Literal["idle", "starting", "playing", "retrying", "ended", "failed"]
    item: int = 0
    reason: str | None = None
    next_try_at: datetime | None = None


@dataclass(frozen=True)
class Patience:
    """Seconds: for the first frame of an item, and without a frame afterwards."""

    greeting: float = 20.0
    silence: float = 20.0


class NeedsEncoding(Exception):
    """A track of this kind cannot be passed on as it is."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind.name)
        self.kind = kind


class Source:
    """`start` it once; it plays until it ends, is refused, is cut off, or `stop` is called.

    `admit` is called when the first frame is there, so that a source that does not come takes nobody's
    place; after trouble the publisher is closed, and `admit` is called again. `folder` is where files are.
    """

    def __init__(
        self,
        spec: SourceSpec,
        folder: Path | None,
        admit: Admit,
        *,
        patience: Patience | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.spec = spec
        self.status = SourceStatus("idle")
        self._folder = folder
        self._admit = admit
        self._patience = patience or Patience()
        self._chance = chance
        self._plans: dict[str, Plan] = {}
        self._line = _Line()
        self._admitted: Admitted | None = None
        self._because = "The source was stopped."
        self._ending = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to play."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name=f"source {self.spec.kind}")

    async def stop(self) -> None:
        """End it and its process; harmless when it has ended."""
        self._cancel()
        if self._task:
            await asyncio.gather(self._task, return_exceptions=True)
        if self.status.state not in ("ended", "failed"):
            self.status = SourceStatus("idle")

    def kick(self, reason: str) -> None:
        """Cut it off for good."""
        if not self._ending:
            self._because = reason
            self._tell("failed", reason)
            self._close()
            self._cancel()

    def _cancel(self) -> None:
        """Once only: cancelled again, the task would not wait for its process to end."""
        if self._task and not self._ending:
            self._ending = True
            self._task.cancel()

    async def _run(self) -> None:
        try:
            await self._play_all(items(self.spec))
            self._because = "The source has ended."
            self._tell("ended", None)
        except (BadSource, PublishRefused) as error:
            self._because = str(error)
            self._tell("failed", self._because)
        finally:
            self._close()

    async def _play_all(self, addresses: list[str]) -> None:
        """Item after item, until the last where it does not loop. Trouble costs a pause, not the source."""
        attempt = 0
        numbered = list(enumerate(addresses))
        turns: Iterable[tuple[int, str]] = itertools.cycle(numbered) if self.spec.loop else numbered
        for number, address in turns:
            while True:
                began = self._now()
                self.status = SourceStatus("starting", number, self.status.reason)
                trouble = await self._play(address)
                if self._now() - began > STEADY or not trouble:
                    attempt = 0
                if not trouble:
                    break
                await self._rest(attempt, trouble)
                attempt += 1
                if self.spec.kind == "playlist":
                    break  # one broken file must not stop the channel

    async def _play(self, address: str) -> str | None:
        """Play one item to its end; what went wrong, or None. Raises BadSource and PublishRefused."""
        while True:
            plan = self._plans.get(address, Plan())
            run = await self._once(address, plan)
            if run.unfit:
                video, audio = run.unfit != Kind.VIDEO, run.unfit != Kind.AUDIO
                self._plans[address] = Plan(plan.video and video, plan.audio and audio)
            elif not run.frames and STREAM.search(run.said) and (plan.video or plan.audio):
                self._plans[address] = plan_after(plan, run.said)  # FLV would not even begin
            else:
                break
        if not run.frames:
            return next((sentence for words, sentence in COMPLAINTS if words in run.said), "Nothing came.")
        if run.code or (self.spec.loop and self.spec.kind != "playlist"):
            return "The feed broke off."
        return None

    async def _once(self, address: str, plan: Plan) -> _Run:
        """One process, until it ends or falls silent."""
        told = command(self.spec, address, self._folder, plan)
        self._line.begin()
        child = await start("source", told.argv, fed=True, read=True, nice=NICE, secrets=(address,))
        run = _Run(self._take, plan)
        try:
            child.feed((told.playlist or "").encode())
            child.finish()
            async with asyncio.timeout(self._patience.greeting) as limit:
                run.touch = lambda: limit.reschedule(self._now() + self._patience.silence)
                await read_into(child, run)
                # Before it is sent a signal: one that comes too late would hide the code from asyncio.
                run.code = await child.wait()
        except TimeoutError:
            run.code = -1
        except NeedsEncoding as found:
            run.unfit = found.kind
        except (BrokenFlv, UnsupportedCodec) as error:
            log.warning("source.broken", kind=self.spec.kind, error=str(error))
        finally:
            await child.stop(GOODBYE)
        run.said = child.last_words()
        return run

    def _take(self, frame: Frame) -> None:
        if self._admitted is None:
            self._admitted = Admitted(self._admit(self.kick), self._now)
        if self.status.state != "playing":
            self.status = SourceStatus("playing", self.status.item)
        self._admitted.frame(self._line.place(frame, self._now()))

    async def _rest(self, attempt: int, trouble: str) -> None:
        self._because = trouble
        self._close()
        seconds = PLANS["steady"].pause(attempt, 0.0, self._chance()) or 0.0
        again = datetime.now(UTC) + timedelta(seconds=seconds)
        self.status = SourceStatus("retrying", self.status.item, trouble, again)
        log.warning("source.retrying", kind=self.spec.kind, item=self.status.item, reason=trouble)
        await asyncio.sleep(seconds)

    def _close(self) -> None:
        admitted, self._admitted = self._admitted, None
        if admitted:
            admitted.close(self._because)

    def _tell(self, state: Literal["ended", "failed"], reason: str | None) -> None:
        self.status = SourceStatus(state, self.status.item, reason)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


class _Run:
    """The sink of one process, and how it went. Finds what cannot be copied before anybody is given it."""

    def __init__(self, take: Callable[[Frame], None], plan: Plan) -> None:
        self._take = take
        self._plan = plan
        self.touch: Callable[[], None] = lambda: None
        self.frames = 0
        self.unfit: Kind | None = None
        self.code = 0
        self.said = ""

    def frame(self, frame: Frame) -> None:
        """A frame, in order. Raises NeedsEncoding."""
        copied = self._plan.video if frame.kind == Kind.VIDEO else self._plan.audio
        if copied and not _fits(frame):
            raise NeedsEncoding(frame.kind)
        self.touch()
        self.frames += not frame.header
        self._take(frame)

    def metadata(self, values: dict[str, object]) -> None:
        """What ffmpeg says about an item is of no use to a show that goes on after it."""


def _fits(frame: Frame) -> bool:
    """Whether every platform and browser takes it as it is."""
    if frame.kind == Kind.AUDIO:
        return frame.payload[0] >> 4 == AAC
    return frame.payload[0] & NOT_TYPE == AVC and not (frame.header and frame.body[1] not in PROFILES)


class _Line:
    """One timeline over all items, which follows the clock: an item begins where the time has come to."""

    def __init__(self) -> None:
        self._last = -GAP_MS
        self._started: float | None = None
        self._offset: int | None = None

    def begin(self) -> None:
        """Another item follows."""
        self._offset = None

    def place(self, frame: Frame, now: float) -> Frame:
        """The same frame on the timeline; `now` is a monotonic clock."""
        if self._started is None:
            self._started = now
        if self._offset is None:
            elapsed = round((now - self._started) * 1000)
            self._offset = max(self._last + GAP_MS, elapsed) - frame.dts
        dts = frame.dts + self._offset
        self._last = max(self._last, dts)
        return replace(frame, dts=dts)
