"""A place that is nothing but an address and a key."""

from __future__ import annotations

from pydantic import BaseModel, Field, SecretStr

from connectors.base import Session
from connectors.types import Broadcast, BroadcastStatus, Ingest


class Config(BaseModel):
    """What the place calls server and stream key."""

    url: str = Field(
        title="Server",
        description="The address without the key, for example rtmps://live.example.com:443/app",
        pattern=r"^rtmps?://[^/\s]+/\S+$",
    )
    key: SecretStr = Field(title="Stream key", description="Pushed exactly as written here.", min_length=1)


class RtmpDestination:
    """Hands out what was entered. There is nobody to ask, so the target's own state is all we know."""

    def __init__(self, session: Session[Config]) -> None:
        self._config = session.config
        self._ingest_url = session.addresses.ingest_url

    async def open(self, broadcast: Broadcast) -> Ingest:
        """The configured address; the marker is the reference."""
        return Ingest(ref=broadcast.marker, url=self._ingest_url or self._config.url, key=self._config.key)

    async def started(self, ref: str) -> BroadcastStatus:
        """Live as soon as we push."""
        return BroadcastStatus(state="live")

    async def status(self, ref: str) -> BroadcastStatus:
        """Live as far as anybody can tell; `receiving` stays unknown."""
        return BroadcastStatus(state="live", reason="An RTMP address reports nothing back.")

    async def close(self, ref: str) -> None:
        """Nothing to end: the broadcast is over when we stop pushing."""
