"""A place that is nothing but an address and a key."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from connectors.base import Session
from connectors.types import Broadcast, BroadcastStatus, Ingest

Platform = Literal[
    "", "amazon", "facebook", "instagram", "kick", "linkedin", "tiktok", "twitch", "x", "youtube"
]
"""What stands behind the address, as far as it is known: its limits and its patience are kept to."""
STARTED_BY_HAND = {
    "amazon": "Amazon Live",
    "facebook": "Facebook",
    "instagram": "Instagram",
    "linkedin": "LinkedIn",
    "tiktok": "TikTok",
    "x": "X",
}
"""Platforms that take a stream before anybody sees it: a person goes live there."""
NOTHING_BACK = "An address of its own reports nothing back."
PRESS = "{} takes our stream, but does not tell whether anybody sees it. Look there, and go live if it asks."
ADDRESS = r"^(rtmps?://[^/\s]+/\S+|srt://[^/\s]+:[0-9]+\S*|https?://[^/\s]+/\S*)$"


class Config(BaseModel):
    """What the place calls server and stream key."""

    url: str = Field(
        title="Server",
        description="The address without the key, for example rtmps://live.example.com:443/app, "
        "srt://live.example.com:9000, or https://live.example.com/whip",
        pattern=ADDRESS,
    )
    key: SecretStr = Field(
        title="Stream key",
        description="Pushed exactly as written here. For SRT the stream id, for WHIP the bearer token.",
    )
    passphrase: SecretStr = Field(
        default=SecretStr(""),
        title="SRT passphrase",
        description="Only for SRT, if the place encrypts: 10 to 79 characters.",
    )
    platform: Platform = Field(
        default="",
        title="Platform",
        description="What stands behind the address. Leave it empty when it is none of these.",
    )

    @field_validator("key")
    @classmethod
    def _rtmp_needs_a_key(cls, key: SecretStr, info: ValidationInfo) -> SecretStr:
        if not key.get_secret_value() and info.data.get("url", "").startswith("rtmp"):
            raise PydanticCustomError("key_needed", "Enter the stream key: an RTMP address needs one.")
        return key

    @field_validator("passphrase")
    @classmethod
    def _passphrase_fits_srt(cls, passphrase: SecretStr, info: ValidationInfo) -> SecretStr:
        length = len(passphrase.get_secret_value().encode())
        if length and not info.data.get("url", "srt:").startswith("srt:"):
            raise PydanticCustomError("not_srt", "Only an SRT address takes a passphrase.")
        if length and not 10 <= length <= 79:
            raise PydanticCustomError("passphrase_length", "An SRT passphrase has 10 to 79 characters.")
        return passphrase


class RtmpDestination:
    """Hands out what was entered. There is nobody to ask, so the target's own state is all we know."""

    def __init__(self, session: Session[Config]) -> None:
        self._config = session.config
        self._ingest_url = session.addresses.ingest_url

    async def open(self, broadcast: Broadcast) -> Ingest:
        """The configured address; the marker is the reference."""
        return Ingest(
            ref=broadcast.marker,
            url=self._ingest_url or self._config.url,
            key=self._config.key,
            passphrase=self._config.passphrase if self._config.passphrase.get_secret_value() else None,
        )

    async def started(self, ref: str) -> BroadcastStatus:
        """Live as soon as we push, unless a person has the last word on the platform behind the address."""
        if title := STARTED_BY_HAND.get(self._config.platform):
            return BroadcastStatus(state="starting", reason=PRESS.format(title))
        return BroadcastStatus(state="live")

    async def status(self, ref: str) -> BroadcastStatus:
        """Live as far as anybody can tell; `receiving` stays unknown."""
        status = await self.started(ref)
        return status.model_copy(update={"reason": status.reason or NOTHING_BACK})

    async def close(self, ref: str) -> None:
        """Nothing to end: the broadcast is over when we stop pushing."""
