"""What a brand enters for TikTok, and where TikTok is."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, model_validator

from connectors.base import Addresses

SITE = "https://www.tiktok.com/"
PUSH = "wss://webcast-ws.tiktok.com/webcast/im/push/v2/"
"""Shown where addresses are shown; the signing service names the real one for each connection."""

WEB = r"^(https?://[^/\s?#@]+(/[^\s?#]*)?)?$"
SOCKET = r"^(wss?://[^/\s?#@]+(/[^\s?#]*)?)?$"


class Config(BaseModel):
    """Server and key of the next LIVE; the rest only for those who want TikTok's chat."""

    url: str = Field(
        title="Server URL",
        description="From TikTok LIVE Producer or LIVE Studio, without the key.",
        pattern=r"^rtmps?://[^/\s]+/\S+$",
    )
    key: SecretStr = Field(
        title="Stream key",
        description="From the same page. TikTok makes a new one for every LIVE: enter it before each show.",
        min_length=1,
    )
    handle: str = Field(
        default="",
        title="TikTok name",
        description="The account that goes LIVE, for example @shop. Needed for the chat only.",
        pattern=r"^(@?[A-Za-z0-9._]{1,64})?$",
    )
    signer_url: str = Field(
        default="",
        title="Signing service",
        description="Leave empty to leave the chat off. TikTok has no official chat for programs; read the "
        "connector's limits first.",
        pattern=WEB,
    )
    signer_key: SecretStr = Field(
        default=SecretStr(""),
        title="Signing service key",
        description="The service's API key, if it has one.",
    )
    bridge_url: str = Field(
        default="",
        title="Chat bridge",
        description="Instead of a signing service: the WebSocket address of a bridge you run yourself.",
        pattern=SOCKET,
    )

    @model_validator(mode="after")
    def _chat_needs_a_name(self) -> Config:
        if self.chat_is_on and not self.unique_id:
            raise ValueError("To read the chat, enter the TikTok name as well.")
        return self

    @property
    def chat_is_on(self) -> bool:
        """True when a person has set up a way to the chat."""
        return bool(self.signer_url or self.bridge_url)

    @property
    def unique_id(self) -> str:
        """The handle as TikTok's addresses spell it, without the at sign."""
        return self.handle.removeprefix("@")


def site_of(addresses: Addresses) -> str:
    """TikTok's website, or whatever stands in for it; ends with a slash.

    Whoever moves only the socket's address is rehearsing, and a rehearsal must never ask the real site.
    """
    if addresses.base_url:
        return addresses.base_url.rstrip("/") + "/"
    if moved(addresses) and addresses.ws_url:
        socket = urlsplit(addresses.ws_url)
        return f"{'https' if socket.scheme == 'wss' else 'http'}://{socket.netloc}/"
    return SITE


def moved(addresses: Addresses) -> bool:
    """True when our own setting names the socket, and what the signing service says does not count."""
    return addresses.ws_url is not None and addresses.ws_url != PUSH
