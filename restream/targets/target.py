"""One target: wanted apart from state, its own task, its own bounded buffer, its own reconnects.

idle ──media──▶ connecting ──accepted, bytes leave──▶ live
                 ▲    │ failure                        │ failure
                 └── retrying ◀────────────────────────┘
connecting ──refused twice, or the plan has no next try──▶ failed          any ──not wanted──▶ paused

`failed` stays until a person edits the address, a secret or the plan, or pauses and resumes it.
"""

from __future__ import annotations

import asyncio
import os
import random
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple

import structlog

from restream.api import TargetSpec, TargetState, TargetStatus
from restream.media import Frame, Kind
from restream.targets.bundler import Bundle
from restream.targets.ledger import Ledger
from restream.targets.plans import PLANS
from restream.targets.serialiser import Serialiser
from restream.targets.way import BUFFER, Pace, Refused, Tally, Terms, Unfit, Way
from restream.targets.ways import open_way

log = structlog.get_logger()

CALM: Final = 2
"""A connection that works is looked at so many times less often than one that has to prove itself."""
REFUSALS: Final = 2
"""Tries after which a far end that says no to the key is believed: more would lock the account."""
GHOST_SECONDS: Final = 60.0
"""How long a far end may refuse a key it has taken before, because it has not noticed yet that our last
connection is dead."""


@dataclass(frozen=True)
class Outfit:
    """What every target of a worker shares: trust, chance, time, patience, and who is told of changes."""

    context: ssl.SSLContext
    on_change: Callable[[TargetStatus], None]
    chance: Callable[[], float] = random.random
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    pace: Pace = field(default_factory=Pace)
    buffer: int = BUFFER


class Broken(NamedTuple):
    """Why an attempt ended; `final` when another would end the same way."""

    reason: str
    final: bool = False


class Target:
    """A Reader that pushes. `backlog()` gives headers and the current group of pictures to begin with."""

    def __init__(
        self,
        spec: TargetSpec,
        serialiser: Serialiser,
        backlog: Callable[[], Sequence[Frame]],
        outfit: Outfit,
    ) -> None:
        self._spec = spec
        self._serialiser = serialiser
        self._backlog = backlog
        self._outfit = outfit
        self._way: Way | None = None
        self._task: asyncio.Task[None] | None = None
        self._media = asyncio.Event()
        self._refusals = 0
        self._accepted = False
        self._broken_at: datetime | None = None
        self._acknowledged = 0
        # Counted here and not in the status: a model's attribute costs ten times as much to set.
        self._tally = Tally()
        self._ledger = Ledger(outfit.now())
        self._status = TargetStatus(
            id=spec.id, name=spec.name, wanted=spec.wanted, state="idle", since=outfit.now()
        )

    @property
    def spec(self) -> TargetSpec:
        """What is wanted."""
        return self._spec

    def status(self) -> TargetStatus:
        """What is."""
        self._ledger.count(self._outfit.now())
        counted = {
            "frames_sent": self._tally.frames,
            "frames_dropped": self._tally.dropped,
            "bytes_sent": self._tally.bytes,
            "bytes_acknowledged": self._acknowledged + (self._way.acknowledged if self._way else 0),
            "seconds_wanted": round(self._ledger.wanted, 3),
            "seconds_live": round(self._ledger.live, 3),
            "gaps": self._ledger.gaps,
        }
        return self._status.model_copy(update=counted)

    def delay(self) -> tuple[float, Literal["sent", "acknowledged"]] | None:
        """Milliseconds from our ingest until a frame had left us, or until the far end said it has it."""
        return self._way.delay() if self._way else None

    def start(self) -> None:
        """Begin working towards what is wanted."""
        self._refusals, self._accepted = 0, False
        self._note_wanted()
        self._task = asyncio.create_task(self._run(), name=f"target {self._spec.name}")

    async def stop(self, state: TargetState = "idle") -> None:
        """End the publish politely and rest."""
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._ledger.note(self._outfit.now(), wanted=False)
        self._set(state)

    async def apply(self, spec: TargetSpec) -> None:
        """Take a new wish: pause, resume, another address. Only this target notices.

        Another name, platform or plan cuts nothing. The same wish again changes nothing, not even for a
        target that failed: the whole wanted state of a show is sent often.
        """
        before = self._spec
        self._wish(spec)
        failed = self._status.state == "failed"
        if _essence(spec) == _essence(before) and not (failed and spec.plan != before.plan):
            return
        await self.stop()
        self.start()

    async def move(
        self, spec: TargetSpec, serialiser: Serialiser, backlog: Callable[[], Sequence[Frame]]
    ) -> None:
        """Take another feed from now on, in a connection of its own; one that failed tries again."""
        self._wish(spec)
        await self.stop()
        self._serialiser, self._backlog = serialiser, backlog
        self._media.clear()
        self.start()

    def push(self, frame: Frame) -> None:
        """A frame of the live."""
        if frame.keyframe and frame.kind is Kind.VIDEO and not self._media.is_set():
            self._media.set()
            self._note_wanted()
        if self._way is not None:
            self._way.push(frame)

    def push_bundle(self, bundle: Bundle) -> None:
        """Several frames of the live at once."""
        if bundle.keyframe and not self._media.is_set():
            self._media.set()
            self._note_wanted()
        if self._way is not None:
            self._way.push_bundle(bundle)

    def ended(self) -> None:
        """The publisher is gone. The connection stays: it may come back within the platform's patience.

        What comes then begins with headers and a keyframe, like everything a decoder can begin with.
        """
        self._media.clear()
        self._note_wanted()
        if self._way:
            self._way.ended()

    def _wish(self, spec: TargetSpec) -> None:
        self._spec = spec
        self._status.wanted = spec.wanted
        self._status.name = spec.name

    def _note_wanted(self) -> None:
        """Time counts while somebody wants it and there is something to send."""
        self._ledger.note(self._outfit.now(), wanted=self._spec.wanted and self._media.is_set())

    async def _run(self) -> None:
        loop, attempt = asyncio.get_running_loop(), 0
        self._broken_at = None
        while self._spec.wanted:
            if not self._media.is_set():
                self._set("idle", "Waiting for the encoder.")
                await self._media.wait()
            began = loop.time()
            reason, final = await self._attempt()
            if final:
                return self._set("failed", reason)
            if loop.time() - began > self._outfit.pace.steady:
                attempt = 0
            now, was_live = self._outfit.now(), self._status.state == "live"
            if was_live or self._broken_at is None:
                self._broken_at = now
            plan, broken_for = PLANS[self._spec.plan], self._broken_for()
            if plan.over(broken_for) and plan.advice:
                reason = f"{reason} {plan.advice}"
            delay = plan.pause(attempt, broken_for, self._outfit.chance())
            if delay is None:
                return self._set("failed", reason)
            attempt += 1
            self._set("retrying", reason, next_try=delay)
            await self._outfit.sleep(delay)
        return self._set("paused")

    async def _attempt(self) -> Broken:
        """Connect and push until it breaks."""
        self._set("connecting")
        self._status.connects += 1
        way: Way | None = None
        cancelled = False
        outfit = self._outfit
        terms = Terms(outfit.context, outfit.pace, outfit.buffer, outfit.now)
        try:
            way = await open_way(self._spec, self._serialiser, terms, self._tally)
            return Broken(await self._push_until_broken(way))
        except Unfit as error:
            return Broken(str(error), final=True)
        except Refused as error:
            return self._refused(error)
        except ssl.SSLCertVerificationError as error:
            return Broken(f"The platform's certificate is not trusted ({error.verify_message}).")
        except TimeoutError:
            return Broken("The platform did not answer in time.")
        except OSError as error:
            return Broken(f"The platform could not be reached ({_plainly(error)}).")
        except asyncio.CancelledError:
            cancelled = True
            raise
        except Exception as error:  # noqa: BLE001 (our mistake must not leave a target that says nothing)
            log.error("target.broke", target=self._spec.id, error=type(error).__name__)
            return Broken("Something went wrong on this side.")
        finally:
            self._way = None
            if way:
                self._acknowledged += way.acknowledged
                await way.close(polite=cancelled)

    def _broken_for(self) -> float:
        """Seconds since it last worked, or since it was first tried."""
        return (self._outfit.now() - self._broken_at).total_seconds() if self._broken_at else 0.0

    def _refused(self, error: Refused) -> Broken:
        if error.auth and self._accepted and self._broken_for() < GHOST_SECONDS:
            return Broken(f"{error} It may still hold our last connection.")
        self._refusals += error.auth
        if self._refusals < REFUSALS:
            return Broken(str(error))
        check = "the stream key and the passphrase" if self._spec.passphrase else "the stream key"
        return Broken(f"{error} Check {check}, then switch the target on again.", final=True)

    async def _push_until_broken(self, way: Way) -> str:
        for frame in self._backlog():
            way.push(frame)
        self._way = way
        following = asyncio.create_task(way.follow())
        watching = asyncio.create_task(self._watch(way))
        try:
            await asyncio.wait({following, watching}, return_when=asyncio.FIRST_COMPLETED)
            return (following if following.done() else watching).result()
        finally:
            for task in (following, watching):
                task.cancel()
            await asyncio.gather(following, watching, return_exceptions=True)

    async def _watch(self, way: Way) -> str:
        """Say `live` when bytes really arrive; end when they no longer do ("green but dead")."""
        loop, pace = asyncio.get_running_loop(), self._outfit.pace
        while True:
            await asyncio.sleep(pace.check if self._status.state != "live" else pace.check * CALM)
            reason = way.look(loop.time())
            if self._status.state != "live" and way.proven:
                self._refusals, self._accepted = 0, True
                self._set("live")
            if reason:
                return reason

    def _set(self, state: TargetState, reason: str | None = None, next_try: float | None = None) -> None:
        now = self._outfit.now()
        if state == self._status.state and reason == self._status.reason and next_try is None:
            return
        if self._status.state == "live" and state in ("retrying", "failed"):
            self._ledger.broke()
        self._ledger.note(now, live=state == "live")
        self._status.state, self._status.reason, self._status.since = state, reason, now
        self._status.next_try_at = now + timedelta(seconds=next_try) if next_try is not None else None
        log.info("target.changed", target=self._spec.id, name=self._spec.name, state=state, reason=reason)
        self._outfit.on_change(self.status())


def _essence(spec: TargetSpec) -> tuple[object, ...]:
    """What a connection is made of: with any of it changed it must be made anew."""
    return spec.url, spec.key, spec.passphrase, spec.wanted, spec.chunk_size


def _plainly(error: OSError) -> str:
    """What went wrong, without the addresses asyncio adds."""
    if isinstance(error, ssl.SSLError):
        return f"TLS: {(error.reason or 'failed').replace('_', ' ').lower()}"
    known = error.errno is not None and error.errno > 0 and not isinstance(error, ConnectionResetError)
    return os.strerror(error.errno or 0) if known else error.strerror or type(error).__name__
