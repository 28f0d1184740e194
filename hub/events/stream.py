"""The stream `viewer_events` in JetStream: what comes in is acknowledged when it is on the server's disk.

A connection of its own, beside the news: neither waits for the other. A NATS server without JetStream costs
the events and nothing else: pages are told to keep theirs, chat and shop go on, and `why` says what to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import AsyncIterator, Sequence
from typing import Final
from uuid import UUID

import nats
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api

from hub.errors import Unavailable
from hub.events.schema import Apart, ViewerEvent

log = structlog.get_logger()

NAME: Final = "viewer_events"
SUBJECTS: Final = "events.*.*"
SIZES: Final = (4 << 30, 1 << 30, 256 << 20)
"""Bytes it may have: the first that the server grants. A day of 10,000 viewers is about 1 GiB."""
KEPT_SECONDS: Final = 7 * 24 * 3600.0
"""As long as the sealer may be away, and a log can be rebuilt without its files."""
SAME_SECONDS: Final = 300.0
"""The server itself passes over an event that is repeated within this."""
CONSUMER: Final = "sealer"
ACK_WAIT: Final = 60.0
"""Seconds until events are dealt out again of which nobody said that they are sealed."""

MOST_IN_FLIGHT: Final = 8_000
"""Events that wait for the server; beyond that pages keep theirs for a while."""
ACK_SECONDS: Final = 5.0
LATER: Final = 5
FULL: Final = 10077
FULL_LATER: Final = 60
TRY_AGAIN: Final = 15.0
FETCH: Final = 500
FETCH_SECONDS: Final = 0.5
REPLAY: Final = 20_000
OVERWRITE: Final = 100
"""Events at once."""
BREATH: Final = 100
"""Acknowledgements sent before others have their turn in the event loop."""

NO_JETSTREAM: Final = (
    "The NATS server at NATS_URL has no JetStream, which viewer events need. "
    "Start it with -js, or unset NATS_URL."
)

Event = ViewerEvent | Apart


def subject_of(brand_id: UUID, show_id: UUID) -> str:
    """Where a show's events are published."""
    return f"events.{brand_id}.{show_id}"


async def rest_since(begun: float) -> None:
    """Let others run for twice as long as this has taken (`time.monotonic()`), a second at most.

    Ten thousand events in one go would take the loop from the chats and the payments for half a second.
    """
    await asyncio.sleep(min(2 * (time.monotonic() - begun), 1.0))


def later(seconds: int = LATER) -> Unavailable:
    """Not kept: whoever has the events keeps them and tries again."""
    return Unavailable(
        "events_later", "Events cannot be kept right now. Send them again.", retry_after=seconds
    )


async def problem_of(url: str) -> str:
    """Why the server at `url` cannot keep events; empty when it can. Changes nothing."""
    try:
        client = await nats.connect(url, allow_reconnect=False, connect_timeout=5)
    except (nats.errors.Error, OSError, TimeoutError):
        return "NATS does not answer. Check NATS_URL, and that the server runs."
    try:
        await client.jetstream().account_info()
    except nats.js.errors.ServiceUnavailableError:
        return NO_JETSTREAM
    finally:
        await client.close()
    return ""


class Batch:
    """Events on their way together; `done` when the last of them is acknowledged, or one is refused."""

    __slots__ = ("done", "missing")

    def __init__(self, size: int) -> None:
        self.missing = size
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def kept(self) -> None:
        """One more."""
        self.missing -= 1
        if not self.missing and not self.done.done():
            self.done.set_result(None)

    def refused(self, seconds: int) -> None:
        """One was not taken."""
        if not self.done.done():
            self.done.set_exception(later(seconds))


class EventStream:
    """Opens with `async with EventStream(url)`; comes back by itself. `why` is empty when all is well."""

    def __init__(self, url: str, *, ack_wait: float = ACK_WAIT) -> None:
        self.why = "not open yet"
        self.in_flight = 0
        self._url = url
        self._ack_wait = ack_wait
        self._client = Client()
        self._inbox = ""
        self._tokens = itertools.count()
        self._waiting: dict[str, Batch] = {}
        self._sub: JetStreamContext.PullSubscription | None = None
        self._task: asyncio.Task[None] | None = None
        self._look = asyncio.Event()

    async def __aenter__(self) -> EventStream:
        async def lost(error: Exception) -> None:
            log.warning("events.trouble", error=str(error) or type(error).__name__)

        async def back() -> None:
            self._look.set()  # it may be another server, or one that has lost its disk

        self._client = await nats.connect(
            self._url,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.5,
            error_cb=lost,
            reconnected_cb=back,
            pending_size=16 << 20,
            ping_interval=5,
            max_outstanding_pings=2,
        )
        self._inbox = self._client.new_inbox()
        await self._client.subscribe(f"{self._inbox}.*", cb=self._answered)
        await self.ensure()
        self._task = asyncio.get_running_loop().create_task(self._keep_ready(), name="event stream")
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._client.close()

    @property
    def js(self) -> JetStreamContext:
        """JetStream's own verbs, for what is done now and then."""
        return self._client.jetstream()

    async def ensure(self) -> bool:
        """Make the stream, or bring it to what it should be; False when that cannot be done, and `why`."""
        why = ""
        for size in SIZES:
            try:
                await self._make(size)
                why = ""
                break
            except nats.js.errors.ServiceUnavailableError:
                why = NO_JETSTREAM
                break
            except (nats.errors.Error, OSError) as error:
                why = f"NATS does not make the stream of viewer events: {str(error) or type(error).__name__}"
                if not isinstance(error, nats.js.errors.APIError):
                    break  # an answer that did not come is no reason to make a large stream a small one
        if why and why != self.why:
            log.warning("events.no_stream", why=why)
        elif not why and self.why:
            log.info("events.ready", stream=NAME)
        self.why = why
        return not why

    async def _make(self, size: int) -> None:
        config = api.StreamConfig(
            name=NAME,
            subjects=[SUBJECTS],
            storage=api.StorageType.FILE,
            # Full, it refuses: what was acknowledged is never thrown out for what is new.
            discard=api.DiscardPolicy.NEW,
            max_bytes=size,
            max_age=KEPT_SECONDS,
            duplicate_window=SAME_SECONDS,
        )
        try:
            await self.js.add_stream(config)
        except nats.js.errors.BadRequestError:
            await self.js.update_stream(config)

    async def _keep_ready(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TRY_AGAIN if self.why else None):
                    await self._look.wait()
            self._look.clear()
            if self._client.is_connected:
                await self.ensure()

    async def keep(self, events: Sequence[Event]) -> None:
        """Returns when all are acknowledged. Unavailable says when to try again; some may be kept by then."""
        if self.why or not self._client.is_connected or self.in_flight + len(events) > MOST_IN_FLIGHT:
            raise later()
        if not events:
            return
        batch, tokens = Batch(len(events)), []
        self.in_flight += len(events)
        try:
            for event in events:
                tokens.append(token := f"{next(self._tokens):x}")
                self._waiting[token] = batch
                await self._client.publish(
                    subject_of(event.brand_id, event.show_id),
                    event.payload(),
                    reply=f"{self._inbox}.{token}",
                    headers={"Nats-Msg-Id": str(event.id)},
                )
            async with asyncio.timeout(ACK_SECONDS):
                await batch.done
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise later() from error
        finally:
            self.in_flight -= len(events)
            for token in tokens:
                self._waiting.pop(token, None)

    async def _answered(self, message: Msg) -> None:
        batch = self._waiting.pop(message.subject.rpartition(".")[2], None)
        if batch is None:
            return
        if not message.data:  # nobody listens: the stream is gone
            self.why = self.why or "The stream of viewer events is gone; it is being made again."
            self._look.set()
            batch.refused(LATER)
            return
        error = json.loads(message.data).get("error")
        if error is None:
            batch.kept()
            return
        full = error.get("err_code") == FULL
        if full:
            log.warning("events.full", why="Is the work process running? It empties the stream into files.")
        batch.refused(FULL_LATER if full else LATER)

    async def fetch(self, most: int) -> list[Msg]:
        """The next events that nobody has sealed; dealt out again after a while unless acknowledged."""
        if self.why or not self._client.is_connected:
            return []
        taken: list[Msg] = []
        try:
            sub = await self._consumer()
            info = await sub.consumer_info()
            # Asking for more than there is costs the whole wait; nothing to ask for is the usual case.
            asked, got = 1, info.num_pending or info.num_ack_pending or sub.pending_msgs
            while got and got >= asked and len(taken) < most:
                asked = min(FETCH, most - len(taken))
                begun = time.monotonic()
                got = len(some := await sub.fetch(asked, timeout=FETCH_SECONDS))
                taken += some
                await rest_since(begun)
        except (nats.errors.TimeoutError, TimeoutError):
            pass  # nothing more
        except (nats.errors.Error, OSError) as error:
            self._sub = None
            log.warning("events.not_fetched", error=str(error) or type(error).__name__)
        return taken

    async def _consumer(self) -> JetStreamContext.PullSubscription:
        if self._sub is None:
            config = api.ConsumerConfig(
                durable_name=CONSUMER,
                ack_policy=api.AckPolicy.EXPLICIT,
                ack_wait=self._ack_wait,
                max_ack_pending=100_000,
            )
            await self.js.add_consumer(NAME, config)
            self._sub = await self.js.pull_subscribe_bind(CONSUMER, NAME)
        return self._sub

    async def acknowledge(self, messages: Sequence[Msg]) -> None:
        """They are sealed. One whose acknowledgement is lost comes again, and is passed over when read."""
        for start in range(0, len(messages), BREATH):
            begun = time.monotonic()
            for message in messages[start : start + BREATH]:
                await message.ack()  # writing to a socket that is not full lets nobody else run
            await rest_since(begun)
        await self._client.flush(timeout=int(ACK_SECONDS))

    async def of_show(self, brand_id: UUID, show_id: UUID) -> AsyncIterator[list[tuple[int, bytes]]]:
        """All that the stream still has of a show, sealed or not, in pages of (number, payload)."""
        subject = subject_of(brand_id, show_id)
        try:
            info = await self.js.stream_info(NAME, subjects_filter=subject)
            left = (info.state.subjects or {}).get(subject, 0)
            if not left:
                return
            reader = await self.js.subscribe(subject, stream=NAME, ordered_consumer=True)
            try:
                while left:
                    page: list[tuple[int, bytes]] = []
                    while left and len(page) < REPLAY:
                        message = await reader.next_msg(timeout=ACK_SECONDS)
                        page.append((message.metadata.sequence.stream, message.data))
                        left -= 1
                    yield page
            finally:
                await reader.unsubscribe()
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise later() from error

    async def shows_of(self, brand_id: UUID) -> list[UUID]:
        """Shows of a brand that the stream has events of."""
        try:
            info = await self.js.stream_info(NAME, subjects_filter=f"events.{brand_id}.*")
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise later() from error
        return [UUID(subject.rpartition(".")[2]) for subject in info.state.subjects or {}]

    async def forget(self, brand_id: UUID, show_id: UUID, to_seq: int, overwrite: Sequence[int] = ()) -> None:
        """Take a show's events up to this number out of the stream: they are in a file.

        What is only taken out stays in the server's own file until that has room to spare; `overwrite`: the
        numbers of those whose bytes must not.
        """
        try:
            for start in range(0, len(overwrite), OVERWRITE):
                some = overwrite[start : start + OVERWRITE]
                await asyncio.gather(*(self._overwrite(seq) for seq in some))
            await self.js.purge_stream(NAME, seq=to_seq + 1, subject=subject_of(brand_id, show_id))
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise later() from error

    async def _overwrite(self, seq: int) -> None:
        # One that is gone already: whoever did this before died half-way.
        with contextlib.suppress(nats.js.errors.NotFoundError, nats.js.errors.BadRequestError):
            await self.js.delete_msg(NAME, seq)

    async def make_room(self) -> None:
        """Beyond half of what it may have, let go of what is sealed."""
        try:
            info = await self.js.stream_info(NAME)
            if info.state.bytes * 2 < (info.config.max_bytes or SIZES[0]):
                return
            sealed = (await self.js.consumer_info(NAME, CONSUMER)).ack_floor
            if sealed and sealed.stream_seq:
                await self.js.purge_stream(NAME, seq=sealed.stream_seq + 1)
        except (nats.errors.Error, OSError, TimeoutError) as error:
            log.warning("events.no_room_made", error=str(error) or type(error).__name__)
