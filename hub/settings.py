"""Every setting, in one place: environment variables with the prefix SIMULCAST_ (or a .env file)."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.base import Addresses, AnyConnector


class Settings(BaseSettings):
    """Read once, at the start of a process; handed to whoever needs it."""

    model_config = SettingsConfigDict(
        env_prefix="SIMULCAST_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        populate_by_name=True,
    )

    data: Path = Field(Path("data"), description="Folder for everything that must survive a restart.")
    bind: str = Field("127.0.0.1", description="Address all ports listen on.")
    public_host: str = Field("127.0.0.1", description="Host name that browsers and encoders use to reach us.")
    http_port: int = Field(8080, description="API, studio and watch page.")
    media_port: int = Field(8081, description="LL-HLS playback.")
    gateway_port: int = Field(8082, description="WebSocket for viewers and studio.")
    media_control_port: int = Field(8083, description="Control API of the media worker (loopback only).")
    rtmp_port: int = Field(1935, description="RTMP ingest.")
    rtmps_port: int = Field(1936, description="RTMPS ingest.")
    srt_port: int = Field(8890, description="SRT ingest (UDP).")
    webrtc_port: int = Field(8189, description="WebRTC media: WHIP ingest (UDP).")

    payment_pace: float = Field(
        1.0, gt=0, description="Times as fast as payment gateways allow by default; raise it once one agreed."
    )
    public_url: str | None = Field(
        None, description="Origin of the site behind a proxy, e.g. https://live.brand.com"
    )
    public_media_url: str | None = Field(None, description="Origin of playback behind a proxy or CDN.")
    playback_url: str | None = Field(
        None, description="Origin of LL-HLS and replays on a CDN. Unset: as the media worker is reached."
    )
    public_gateway_url: str | None = Field(None, description="wss:// address of the gateway behind a proxy.")

    trusted_proxies: str = Field(
        "127.0.0.1,::1", description="Addresses or networks of proxies whose X-Forwarded-For is believed."
    )
    region_headers: str = Field(
        "CloudFront-Viewer-Country,CF-IPCountry,X-Viewer-Country",
        description="Headers in which those proxies say a viewer's country, the first that does counts.",
    )
    stun_urls: str = Field("", description="STUN servers for WebRTC playback, with commas between them.")
    turn_urls: str = Field("", description="TURN servers for viewers behind strict firewalls.")
    turn_secret: SecretStr | None = Field(
        None, description="Shared with the TURN servers; viewers get passwords made from it that run out."
    )

    whep_processes: int | None = Field(
        None, description="Processes that send WebRTC to viewers; unset: one for each core but one."
    )
    api_processes: int = Field(
        1, ge=1, le=64, description="API processes that share the port; one for each 3,000 buyers a second."
    )
    chat_every: float = Field(
        2.0, ge=2, le=3, description="Seconds between two messages of one viewer, on all their devices."
    )
    gateway_processes: int = Field(
        1, ge=1, le=64, description="Gateway processes that share the port; one for each 10,000 viewers."
    )

    database_url: str | None = Field(
        None, validation_alias="DATABASE_URL", description="PostgreSQL; unset starts the embedded one."
    )
    nats_url: str | None = Field(
        None, validation_alias="NATS_URL", description="NATS; unset starts the embedded one."
    )
    secret_key: SecretStr | None = Field(
        None,
        description="Encrypts tokens and keys at rest, signs viewer tokens. Unset: made in the data folder.",
    )
    media_token: SecretStr | None = Field(
        None, description="Opens the media control API. Unset: made in the data folder."
    )
    media_ca_file: Path | None = Field(None, description="Extra CA trusted when pushing to RTMPS targets.")
    rtmps_cert: Path | None = Field(None, description="Certificate (PEM) of the RTMPS port.")
    rtmps_key: Path | None = Field(None, description="Its private key (PEM).")
    ffmpeg: str | None = Field(
        None, validation_alias="FFMPEG", description="Another ffmpeg than the bundled one."
    )

    hold_seconds: int = Field(
        90, ge=5, le=3600, description="How long a reservation lasts while the buyer pays."
    )
    taxes: str | None = Field(
        None, description="A tax calculator of your own: package.module:factory. Unset: the table of rates."
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="Mail server: smtp://user:password@host:587 or smtps://… Unset: letters become files.",
    )
    mail_from: str = Field("shop@localhost", description="Address that letters to buyers come from.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @field_validator("taxes")
    @classmethod
    def _taxes_are_there(cls, address: str | None) -> str | None:
        """Whoever reads the settings is told; otherwise the first order would be."""
        if address:
            from hub.carts.calculator import calculator  # few have one, and it brings the tables along

            calculator(address)
        return address

    def site_url(self) -> str:
        """Origin of studio, watch page and API."""
        return self.public_url or f"http://{self.public_host}:{self.http_port}"

    def media_url(self) -> str:
        """Origin of playback."""
        return self.public_media_url or f"http://{self.public_host}:{self.media_port}"

    def playback_origins(self) -> list[str]:
        """Where we serve playback ourselves."""
        return [self.media_url(), *([self.playback_url] if self.playback_url else [])]

    def gateway_url(self) -> str:
        """Address browsers open their WebSocket to."""
        return self.public_gateway_url or f"ws://{self.public_host}:{self.gateway_port}"

    def control_url(self) -> str:
        """Address of the local media worker's control API."""
        return f"http://127.0.0.1:{self.media_control_port}"


def environment() -> dict[str, str]:
    """The environment our processes inherit: the real one, over what `.env` says."""
    said = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    return said | dict(os.environ)


def addresses_of(connector: AnyConnector, environ: Mapping[str, str]) -> Addresses:
    """Where a platform is: SIMULCAST_<CONNECTOR>_BASE_URL (or _INGEST_URL, …) overrides the real one."""

    def override(what: str, default: str | None) -> str | None:
        return environ.get(f"SIMULCAST_{connector.name.upper()}_{what}", default)

    default = connector.addresses
    return Addresses(
        base_url=override("BASE_URL", None) or default.base_url,
        ingest_url=override("INGEST_URL", default.ingest_url),
        ws_url=override("WS_URL", default.ws_url),
        consent_url=override("CONSENT_URL", default.consent_url),
        script_url=override("SCRIPT_URL", default.script_url),
    )


@dataclass(frozen=True)
class Secrets:
    """The installation's own secrets."""

    secret_key: SecretStr
    media_token: SecretStr


def secrets_of(settings: Settings) -> Secrets:
    """Every secret; those not set are made once and kept in the data folder, readable by us alone."""
    path = settings.data / "secrets.json"
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}

    def known(name: str, given: SecretStr | None) -> SecretStr:
        return given or SecretStr(kept.setdefault(name, secrets.token_urlsafe(32)))

    before = dict(kept)
    found = Secrets(known("secret_key", settings.secret_key), known("media_token", settings.media_token))
    if kept != before:
        settings.data.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(kept))
    return found
