"""What a brand enters for TikTok, and where TikTok is."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, model_validator

from connectors.base import Addresses

API = "https://open.tiktokapis.com/"
"""TikTok's official API: who somebody is, and nothing of a LIVE."""
CONSENT = "https://www.tiktok.com/v2/auth/authorize/"
SITE = "https://www.tiktok.com/"
PUSH = "wss://webcast-ws.tiktok.com/webcast/im/push/v2/"
"""Shown where addresses are shown; the signing service names the real one for each connection."""

WEB = r"^(https?://[^/\s?#@]+(/[^\s?#]*)?)?$"
SOCKET = r"^(wss?://[^/\s?#@]+(/[^\s?#]*)?)?$"


class App(BaseModel):
    """A brand's own app at TikTok, for those who want to link their account by pressing Allow."""

    client_key: str = Field(
        title="Client key", description="From your app's page on TikTok for Developers.", min_length=1
    )
    client_secret: SecretStr = Field(title="Client secret", description="From the same page.", min_length=1)


class Config(App):
    """Server and key of the next LIVE; the rest only for those who want TikTok's chat or link an account."""

    client_key: str = Field(
        default="",
        title="Client key",
        description="From your app's page on TikTok for Developers. Only for linking by pressing Allow.",
    )
    client_secret: SecretStr = Field(
        default=SecretStr(""), title="Client secret", description="From the same page."
    )
    url: str = Field(
        default="",
        title="Server URL",
        description="From TikTok LIVE Producer or LIVE Studio, without the key.",
        pattern=r"^(rtmps?://[^/\s]+/\S+)?$",
    )
    key: SecretStr = Field(
        default=SecretStr(""),
        title="Stream key",
        description="From the same page. TikTok makes a new one for every LIVE: enter it before each show.",
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
        description="The WebSocket address of a bridge you run yourself. With a signing service as well, the "
        "bridge is used when the service can't be.",
        pattern=SOCKET,
    )

    @model_validator(mode="after")
    def _whole(self) -> Config:
        if self.chat_is_on and not self.unique_id:
            raise ValueError("To read the chat, enter the TikTok name as well.")
        if bool(self.url) != bool(self.key.get_secret_value()):
            raise ValueError("Enter the server URL and the stream key together: they belong to one LIVE.")
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

    Whoever moves one address is rehearsing, and a rehearsal must never ask the real site.
    """
    if addresses.base_url and addresses.base_url != API:
        return addresses.base_url.rstrip("/") + "/"
    if moved(addresses) and addresses.ws_url:
        socket = urlsplit(addresses.ws_url)
        return f"{'https' if socket.scheme == 'wss' else 'http'}://{socket.netloc}/"
    return SITE


def moved(addresses: Addresses) -> bool:
    """True when our own setting names the socket, and what the signing service says does not count."""
    return addresses.ws_url is not None and addresses.ws_url != PUSH
