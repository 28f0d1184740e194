"""News for screens: typed events over NATS core, which may be lost and are never waited for.

Screens can always rebuild from a snapshot over HTTP plus a sequence number. What must not be lost is
a job (`hub.jobs`), not an event.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal
from uuid import UUID

import nats
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import BaseModel, ConfigDict

log = structlog.get_logger()

PING_SECONDS: Final = 5
FLUSH_SECONDS: Final = 2
WAITING: Final = 1 << 16
WAITING_BYTES: Final = 32 << 20
"""Messages of one subscription that wait for us; what is over is lost, and `missed` tells."""

Stop = Callable[[], Awaitable[None]]
Audience = Literal["viewer", "staff"]
"""Who may hear it: everybody in the show, or only the brand's staff."""


class Event(BaseModel):
    """One piece of news of a show. `seq` is the show's number when the news was stored, if it was.

    Of events of a kind with the same `latest` only the newest counts: what it replaces need not be sent.
    `data` with a `viewer_id` is for that viewer alone. Subject: show.<show id>.<audience>.<kind>.
    """

    model_config = ConfigDict(frozen=True)

    show_id: UUID
    kind: str
    audience: Audience = "viewer"
    seq: int | None = None
    latest: str | None = None
    data: dict[str, Any] = {}

    def subject(self) -> str:
        """Where it is published."""
        return f"show.{self.show_id}.{self.audience}.{self.kind}"


class Bus:
    """A connection to NATS that comes back by itself. Opens with `async with Bus(url) as bus`.

    `missed` is called when news may have been lost on their way to us: the connection was away, or we were
    too slow. Subscriptions are in force again by then.
    """

    def __init__(self, url: str, missed: Callable[[], None] = lambda: None) -> None:
        self._url = url
        self._missed = missed
        self._client = Client()

    async def __aenter__(self) -> Bus:
        async def lost(error: Exception) -> None:
            log.warning("bus.trouble", error=str(error) or type(error).__name__)
            if isinstance(error, nats.errors.SlowConsumerError):
                self._missed()

        async def back() -> None:
            log.info("bus.back")
            self._missed()

        self._client = await nats.connect(
            self._url,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.5,
            error_cb=lost,
            reconnected_cb=back,
            pending_size=8 << 20,
            # A server that is gone without a word is noticed after 15 seconds, not after six minutes.
            ping_interval=PING_SECONDS,
            max_outstanding_pings=2,
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.close()

    @property
    def connected(self) -> bool:
        """Whether news is travelling right now."""
        return self._client.is_connected

    async def publish(self, event: Event) -> None:
        """Send; a bus that is away costs the news, not the caller."""
        await self._send(event.subject(), event.model_dump_json().encode())

    async def tell(self, subject: str, words: Mapping[str, Any]) -> None:
        """Send what is no news of a show, from one of our processes to others. May be lost as well."""
        await self._send(subject, json.dumps(words).encode())

    async def _send(self, subject: str, payload: bytes) -> None:
        try:
            await self._client.publish(subject, payload)
        except (nats.errors.Error, OSError) as error:
            log.warning("bus.lost", subject=subject, error=type(error).__name__)

    async def subscribe(self, subject: str, heard: Callable[[Event], Awaitable[None]]) -> Stop:
        """Call `heard` for each event on `subject` (NATS wildcards); returns how to stop.

        When this returns, nothing said from now on is missed; if the bus is away, `missed` is called later.
        """

        async def receive(message: Msg) -> None:
            await heard(Event.model_validate_json(message.data))

        return await self._listen(subject, receive)

    async def listen(self, subject: str, heard: Callable[[Mapping[str, Any]], None]) -> Stop:
        """The same for what `tell` sends."""

        async def receive(message: Msg) -> None:
            heard(json.loads(message.data))

        return await self._listen(subject, receive)

    async def _listen(self, subject: str, receive: Callable[[Msg], Awaitable[None]]) -> Stop:
        subscription = await self._client.subscribe(
            subject, cb=receive, pending_msgs_limit=WAITING, pending_bytes_limit=WAITING_BYTES
        )
        if self.connected:
            try:
                # The server answers what comes after the subscription only when it has that.
                await self._client.flush(timeout=FLUSH_SECONDS)
            except (nats.errors.Error, OSError):
                log.warning("bus.away", subject=subject)
        return subscription.unsubscribe
