"""News for screens: typed events over NATS core, which may be lost and are never waited for.

Screens can always rebuild from a snapshot over HTTP plus a sequence number. What must not be lost is
a job (`hub.jobs`), not an event.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal
from uuid import UUID

import nats
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import BaseModel, ConfigDict

log = structlog.get_logger()

Audience = Literal["viewer", "staff"]
"""Who may hear it: everybody in the show, or only the brand's staff."""


class Event(BaseModel):
    """One piece of news of a show. `seq` is the show's number when the news was stored, if it was.

    Subject: show.<show id>.<audience>.<kind>.
    """

    model_config = ConfigDict(frozen=True)

    show_id: UUID
    kind: str
    audience: Audience = "viewer"
    seq: int | None = None
    data: dict[str, Any] = {}

    def subject(self) -> str:
        """Where it is published."""
        return f"show.{self.show_id}.{self.audience}.{self.kind}"


class Bus:
    """A connection to NATS that comes back by itself. Opens with `async with Bus(url) as bus`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = Client()

    async def __aenter__(self) -> Bus:
        async def lost(error: Exception) -> None:
            log.warning("bus.trouble", error=str(error) or type(error).__name__)

        self._client = await nats.connect(
            self._url,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.5,
            error_cb=lost,
            pending_size=8 << 20,
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
        try:
            await self._client.publish(event.subject(), event.model_dump_json().encode())
        except (nats.errors.Error, OSError) as error:
            log.warning("bus.lost", kind=event.kind, error=type(error).__name__)

    async def subscribe(
        self, subject: str, heard: Callable[[Event], Awaitable[None]]
    ) -> Callable[[], Awaitable[None]]:
        """Call `heard` for each event on `subject` (NATS wildcards); returns how to stop."""

        async def receive(message: Msg) -> None:
            await heard(Event.model_validate_json(message.data))

        subscription = await self._client.subscribe(subject, cb=receive)
        return subscription.unsubscribe
