"""The platform as a place to stream to."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr

from connectors._template.api import Config
from connectors.base import Session
from connectors.errors import Refused, RetryLater
from connectors.types import Broadcast, BroadcastStatus, Ingest

State = Literal["scheduled", "starting", "live", "ending", "ended", "failed"]

# The platform's words into ours; an unknown word must not break a show.
STATES: dict[str, State] = {"new": "scheduled", "on_air": "live", "done": "ended"}


class ExampleDestination:
    """`ref` is whatever the platform needs to find the broadcast again; the hub only stores it."""

    def __init__(self, session: Session[Config]) -> None:
        # `http` adds the login, renews it on a 401, has timeouts, and raises the three errors only.
        self._http = session.http
        self._ingest_url = session.addresses.ingest_url

    async def open(self, broadcast: Broadcast) -> Ingest:
        """Repeatable: look for the marker first, because the answer to an earlier attempt may be lost."""
        found = await self._http.request("GET", "broadcasts", params={"marker": broadcast.marker})
        if not found.json()["broadcasts"]:
            body = {"title": broadcast.title, "marker": broadcast.marker, "privacy": broadcast.privacy}
            try:
                await self._http.request("POST", "broadcasts", json=body)
            except RetryLater as lost:
                # `unknown` means the write may have happened: look again instead of writing again.
                if not lost.unknown:
                    raise
            found = await self._http.request("GET", "broadcasts", params={"marker": broadcast.marker})
        if not found.json()["broadcasts"]:
            raise RetryLater("The platform has not made the broadcast yet.")
        made = found.json()["broadcasts"][0]
        return Ingest(
            ref=made["id"],
            # SIMULCAST_NAME_INGEST_URL wins, so that any receiver can stand in for the platform's.
            url=self._ingest_url or made["server"],
            key=SecretStr(made["key"]),
            chat_ref=made["id"],
        )

    async def started(self, ref: str) -> BroadcastStatus:
        """Called again and again while we push, until it is live."""
        status = await self.status(ref)
        if status.state == "scheduled" and status.receiving:
            await self._http.request("POST", f"broadcasts/{ref}/start")
            return await self.status(ref)
        return status

    async def status(self, ref: str) -> BroadcastStatus:
        """Always the platform's own word, never what we believe we did."""
        answer = (await self._http.request("GET", f"broadcasts/{ref}")).json()
        return BroadcastStatus(
            state=STATES.get(answer["state"], "starting"),
            receiving=answer["receiving"],
            # A figure that may be absent stays None: nought viewers is something else.
            viewers=answer.get("viewers"),
        )

    async def close(self, ref: str) -> None:
        """Repeatable: a broadcast that has ended, or is gone, is what we wanted."""
        try:
            await self._http.request("POST", f"broadcasts/{ref}/end")
        except Refused as refused:
            if refused.code not in {"already_ended", "404"}:
                raise
