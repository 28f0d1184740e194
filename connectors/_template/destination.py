"""The platform as a place to stream to: now, or announced beforehand, with texts that may change."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import SecretStr

from connectors._template.api import Calls, Config
from connectors.base import Session
from connectors.errors import Refused, RetryLater
from connectors.types import Broadcast, BroadcastStatus, Ingest

State = Literal["scheduled", "starting", "live", "ending", "ended", "failed"]

# The platform's words into ours; an unknown word must not break a show.
STATES: dict[str, State] = {"new": "scheduled", "on_air": "live", "done": "ended"}
# Creating something is dear here; the units are in the platform's documentation.
CREATE_UNITS = 50


class ExampleDestination:
    """`ref` is whatever the platform needs to find the broadcast again; the hub only stores it."""

    def __init__(self, session: Session[Config]) -> None:
        self._call = Calls(session)
        self._ingest_url = session.addresses.ingest_url

    async def open(self, broadcast: Broadcast) -> Ingest:
        """Repeatable: the same marker finds what was opened before, or planned."""
        return ingest_of(await found_or_made(self._call, broadcast), self._ingest_url)

    async def started(self, ref: str) -> BroadcastStatus:
        """Called again and again while we push, until it is live."""
        status = await self.status(ref)
        if status.state == "scheduled" and status.receiving:
            await self._call("POST", f"broadcasts/{ref}/start", urgent=True)
            return await self.status(ref)
        return status

    async def status(self, ref: str) -> BroadcastStatus:
        """Always the platform's own word, never what we believe we did."""
        answer = await self._call("GET", f"broadcasts/{ref}", urgent=True)
        return BroadcastStatus(
            state=STATES.get(answer["state"], "starting"),
            receiving=answer["receiving"],
            viewers=answer.get("viewers"),
            # A sentence for the producer: what is awaited, and what to do.
            reason=None if answer["receiving"] else "The platform waits for the stream.",
        )

    async def close(self, ref: str) -> None:
        """Repeatable: a broadcast that has ended, or is gone, is what we wanted."""
        try:
            await self._call("POST", f"broadcasts/{ref}/end", urgent=True)
        except Refused as refused:
            if refused.code not in {"already_ended", "404"}:
                raise


class ExamplePlanner:
    """Announcing is the same call with a time; opening with the same marker takes it up."""

    def __init__(self, session: Session[Config]) -> None:
        self._call = Calls(session)
        self._ingest_url = session.addresses.ingest_url

    async def plan(self, broadcast: Broadcast) -> Ingest:
        """Repeatable, like `open`. The time is `broadcast.starts_at`."""
        return ingest_of(await found_or_made(self._call, broadcast), self._ingest_url)


class ExampleMetadata:
    """Changing the texts, before the broadcast or while it is live."""

    def __init__(self, session: Session[Config]) -> None:
        self._call = Calls(session)

    async def set(self, ref: str, broadcast: Broadcast) -> None:
        """Whole values, so that twice is the same as once. What the platform does not know is left out."""
        await self._call("PATCH", f"broadcasts/{ref}", json=texts(broadcast))


async def found_or_made(call: Calls, broadcast: Broadcast) -> dict[str, Any]:
    """Look for the marker first, because the answer to an earlier attempt may be lost."""
    if found := await find(call, broadcast.marker):
        return found
    body = texts(broadcast) | {"marker": broadcast.marker}
    if broadcast.starts_at is not None:
        body["starts_at"] = broadcast.starts_at.isoformat()
    try:
        await call("POST", "broadcasts", json=body, units=CREATE_UNITS, urgent=True)
    except RetryLater as lost:
        # `unknown` means the write may have happened: look again instead of writing again.
        if not lost.unknown:
            raise
    if found := await find(call, broadcast.marker):
        return found
    raise RetryLater("The platform has not made the broadcast yet.")


def ingest_of(made: dict[str, Any], instead: str | None) -> Ingest:
    """Where to push. SIMULCAST_NAME_INGEST_URL wins: any receiver can stand in for the platform's."""
    return Ingest(
        ref=made["id"],
        url=instead or made["server"],
        key=SecretStr(made["key"]),
        chat_ref=made["id"],
        # `backup=` where there is a second entrance, `expires_at=` where the key dies by itself.
    )


async def find(call: Calls, marker: str) -> dict[str, Any] | None:
    """The broadcast with our marker, if there is one."""
    answer = await call("GET", "broadcasts", params={"marker": marker}, urgent=True)
    found: list[dict[str, Any]] = answer["broadcasts"]
    return found[0] if found else None


def texts(broadcast: Broadcast) -> dict[str, Any]:
    """What the platform can be told. The texts fit its limits: the hub has seen to that."""
    return {
        "title": broadcast.title,
        "description": broadcast.description,
        "privacy": broadcast.privacy,
        "tags": list(broadcast.tags),
    }
