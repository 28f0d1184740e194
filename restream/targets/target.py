"""One target: wanted apart from state, its own task, its own bounded buffer, its own reconnects.

idle ──media──▶ connecting ──accepted, bytes leave──▶ live
                 ▲    │ failure                        │ failure
                 └── retrying ◀────────────────────────┘
connecting ──refused twice──▶ failed          any ──not wanted──▶ paused
"""

from __future__ import annotations

import asyncio
import os
import random
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from restream.api import TargetSpec, TargetState, TargetStatus
from restream.media import Frame, Kind
from restream.rtmp import message
from restream.rtmp.address import BadAddress, parse
from restream.rtmp.chunk import serialise
from restream.rtmp.client import STEP_SECONDS, PublishRejected, RtmpClient, publish
from restream.targets.backoff import pause
from restream.targets.serialiser import Serialiser

log = structlog.get_logger()

BUFFER: Final = 4 << 20
"""Bytes a target may be behind (about 6 s at 5 Mbit/s) before frames are dropped to the next keyframe."""
PROOF_BYTES: Final = 10 << 20
"""A far end that acknowledges nothing is believed when more has left than two kernels' buffers hold."""
REFUSALS: Final = 2
FIRST_WINDOW: Final = 32 << 10
LATER_WINDOW: Final = 2_500_000
"""Bytes the far end takes between acknowledgements: soon at first, to know; seldom later, they cost us."""


@dataclass(frozen=True)
class Pace:
    """Seconds: between looks at a connection; without a byte leaving; until a connection counts as steady;
    for each step of the introduction."""

    check: float = 0.5
    stuck: float = 10.0
    steady: float = 30.0
    step: float = STEP_SECONDS


@dataclass(frozen=True)
class Outfit:
    """What every target of a worker shares: trust, chance, time, patience, and who is told of changes."""

    context: ssl.SSLContext
    on_change: Callable[[TargetStatus], None]
    chance: Callable[[], float] = random.random
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    pace: Pace = Pace()
    buffer: int = BUFFER


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
        self._client: RtmpClient | None = None
        self._task: asyncio.Task[None] | None = None
        self._media = asyncio.Event()
        self._skipping = False
        self._refusals = 0
        # Counted here and not in the status: a model's attribute costs ten times as much to set.
        self._frames_sent = self._frames_dropped = self._bytes_sent = 0
        self._status = TargetStatus(
            id=spec.id, name=spec.name, wanted=spec.wanted, state="idle", since=outfit.now()
        )

    @property
    def spec(self) -> TargetSpec:
        """What is wanted."""
        return self._spec

    def status(self) -> TargetStatus:
        """What is."""
        counted = {
            "frames_sent": self._frames_sent,
            "frames_dropped": self._frames_dropped,
            "bytes_sent": self._bytes_sent,
        }
        return self._status.model_copy(update=counted)

    def start(self) -> None:
        """Begin working towards what is wanted."""
        self._task = asyncio.create_task(self._run(), name=f"target {self._spec.name}")

    async def stop(self, state: TargetState = "idle") -> None:
        """End the publish politely and rest."""
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._set(state)

    async def apply(self, spec: TargetSpec) -> None:
        """Take a new wish: pause, resume, another address. Only this target notices.

        A target that failed tries again, even with the same wish; another name alone cuts nothing.
        """
        renamed = self._spec.model_copy(update={"name": spec.name})
        unchanged = spec == renamed and self._status.state != "failed"
        self._spec = spec
        self._status.wanted = spec.wanted
        self._status.name = spec.name
        if unchanged:
            return
        self._refusals = 0
        await self.stop()
        self.start()

    def push(self, frame: Frame) -> None:
        """A frame of the live; dropped when we are too far behind."""
        if frame.kind == Kind.VIDEO and frame.keyframe:
            self._media.set()
        client = self._client
        if client is None:
            return
        if self._skipping:
            begins = frame.kind == Kind.VIDEO and frame.keyframe
            self._skipping = not begins or client.waiting > self._outfit.buffer // 2
            if self._skipping and not frame.header:
                self._frames_dropped += 1
                return
        if client.waiting > self._outfit.buffer and not frame.header:
            self._skipping = True
            self._frames_dropped += 1
            return
        self._write(client, frame)

    def ended(self) -> None:
        """The publisher is gone. The connection stays: it may come back within the platform's patience.

        What comes then begins with headers and a keyframe, like everything a decoder can begin with.
        """
        self._media.clear()
        self._skipping = True
        if self._client:
            self._client.flush()

    def _write(self, client: RtmpClient, frame: Frame) -> None:
        data = self._serialiser.chunks(frame, client.chunk_size)
        if frame.kind == Kind.AUDIO and not frame.header:
            client.write_with_next(data)  # there are more of them than pictures, and none is in a hurry
        else:
            client.write(data)
        if frame.kind != Kind.DATA and not frame.header:
            self._frames_sent += 1
        self._bytes_sent += len(frame.payload)

    async def _run(self) -> None:
        attempt = 0
        while self._spec.wanted:
            if not self._media.is_set():
                self._set("idle", "Waiting for the encoder.")
                await self._media.wait()
            began = asyncio.get_running_loop().time()
            reason = await self._attempt()
            if self._refusals >= REFUSALS:
                return self._set("failed", f"{reason} Check the stream key, then switch the target on again.")
            if asyncio.get_running_loop().time() - began > self._outfit.pace.steady:
                attempt = 0
            delay = pause(attempt, self._outfit.chance())
            attempt += 1
            self._set("retrying", reason, next_try=delay)
            await self._outfit.sleep(delay)
        return self._set("paused")

    async def _attempt(self) -> str:
        """Connect and push until it breaks; why it broke, in a sentence."""
        self._set("connecting")
        self._status.connects += 1
        client: RtmpClient | None = None
        cancelled = False
        try:
            address = parse(self._spec.url, self._spec.key.get_secret_value())
            client = await publish(
                address,
                chunk_size=self._spec.chunk_size,
                context=self._outfit.context,
                step=self._outfit.pace.step,
            )
            return await self._push_until_broken(client)
        except BadAddress as error:
            self._refusals = REFUSALS
            return str(error)
        except UnicodeError:
            self._refusals = REFUSALS
            return "The address names no server that could exist."
        except PublishRejected as error:
            self._refusals += error.auth
            return str(error)
        except ssl.SSLCertVerificationError as error:
            return f"The platform's certificate is not trusted ({error.verify_message})."
        except TimeoutError:
            return "The platform did not answer in time."
        except OSError as error:
            return f"The platform could not be reached ({_plainly(error)})."
        except asyncio.CancelledError:
            cancelled = True
            raise
        finally:
            self._client = None
            if client:
                await client.close(polite=cancelled)

    async def _push_until_broken(self, client: RtmpClient) -> str:
        self._ask_acknowledgement(client, FIRST_WINDOW)
        backlog = self._backlog()
        for frame in backlog:
            self._write(client, frame)
        self._skipping = not any(frame.kind == Kind.VIDEO and frame.keyframe for frame in backlog)
        self._client = client
        following = asyncio.create_task(client.follow())
        watching = asyncio.create_task(self._watch(client))
        try:
            await asyncio.wait({following, watching}, return_when=asyncio.FIRST_COMPLETED)
            return (following if following.done() else watching).result()
        finally:
            for task in (following, watching):
                task.cancel()
            await asyncio.gather(following, watching, return_exceptions=True)

    async def _watch(self, client: RtmpClient) -> str:
        """Say `live` when bytes really leave; end when they no longer do ("green but dead")."""
        loop, pace = asyncio.get_running_loop(), self._outfit.pace
        gone, moved_at = 0, loop.time()
        while True:
            await asyncio.sleep(pace.check)
            client.flush()
            now_gone = client.sent - client.waiting
            if now_gone > gone or not client.waiting:
                gone, moved_at = now_gone, loop.time()
            if self._status.state != "live" and (client.acked or now_gone >= PROOF_BYTES):
                self._refusals = 0
                self._ask_acknowledgement(client, LATER_WINDOW)
                self._set("live")
            if loop.time() - moved_at > pace.stuck:
                return f"The platform has taken nothing for {pace.stuck:.0f} seconds."

    def _ask_acknowledgement(self, client: RtmpClient, window: int) -> None:
        asking = message.u32(message.WINDOW_ACK, window)
        client.write(serialise(asking, message.CONTROL_CHUNK, client.chunk_size))

    def _set(self, state: TargetState, reason: str | None = None, next_try: float | None = None) -> None:
        now = self._outfit.now()
        if state == self._status.state and reason == self._status.reason and next_try is None:
            return
        self._status.state, self._status.reason, self._status.since = state, reason, now
        self._status.next_try_at = now + timedelta(seconds=next_try) if next_try is not None else None
        log.info("target.changed", target=self._spec.id, name=self._spec.name, state=state, reason=reason)
        self._outfit.on_change(self.status())


def _plainly(error: OSError) -> str:
    """What went wrong, without the addresses asyncio adds."""
    known = error.errno is not None and error.errno > 0 and not isinstance(error, ConnectionResetError)
    return os.strerror(error.errno or 0) if known else error.strerror or type(error).__name__
