"""What a media worker is told from outside: environment variables with the prefix SIMULCAST_."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class MediaSettings(BaseSettings):
    """Read once at the start. The names are those of the whole product; `.env.example` explains them."""

    model_config = SettingsConfigDict(
        env_prefix="SIMULCAST_", env_file=".env", env_ignore_empty=True, extra="ignore"
    )

    data: Path = Path("data")
    bind: str = "127.0.0.1"
    media_port: int = 8081
    media_control_port: int = 8083
    rtmp_port: int = 1935
    rtmps_port: int = 1936
    srt_port: int = 8890
    webrtc_port: int = 8189
    public_host: str = "127.0.0.1"
    rtmps_cert: Path | None = None
    rtmps_key: Path | None = None
    media_token: SecretStr
    media_ca_file: Path | None = None
    trusted_proxies: str = "127.0.0.1,::1"
    stun_urls: str = ""
    turn_urls: str = ""
    turn_secret: SecretStr | None = None
    whep_processes: int | None = None
    log_level: str = "INFO"
