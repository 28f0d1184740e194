"""Keeps a TikTok Shop login alive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.http import Http, decoded
from connectors.tiktok_shop.api import RELINK, TIKTOK, Config, classify
from connectors.types import Tokens

REFRESH = "/api/v2/token/refresh"


@dataclass(frozen=True)
class TikTokShopOAuth:
    """Refreshes at TikTok's token host, or at the same path of any other base address (a fake, a proxy)."""

    token_host: str = "https://auth.tiktok-shops.com"  # noqa: S105 - an address, not a secret

    async def refresh(self, http: Http, config: BaseModel, tokens: Tokens) -> Tokens:
        """New tokens; the old refresh token dies with it. Reconnect when only a person can help."""
        settings = Config.model_validate(config, from_attributes=True)
        if tokens.refresh is None:
            raise Reconnect("The TikTok Shop login cannot be renewed. Link the shop again.")
        real = urlsplit(http.base_url).hostname == urlsplit(TIKTOK).hostname
        secrets = {
            "app_key": settings.app_key,
            "app_secret": settings.app_secret.get_secret_value(),
            "refresh_token": tokens.refresh.get_secret_value(),
            "grant_type": "refresh_token",
        }
        try:
            response = await http.request(
                "GET", f"{self.token_host}{REFRESH}" if real else REFRESH, login=False, secret_params=secrets
            )
            # Whoever made `http` may have left the codes to us.
            error = classify(response.status_code, dict(response.headers), response.content)
            if error:
                raise error
        except (Refused, Reconnect):
            # A definite no. RetryLater passes through: a host that is down kills no login.
            raise Reconnect(RELINK) from None
        return tokens_of(response.content)


def tokens_of(body: bytes) -> Tokens:
    """The answer's tokens. `access_token_expire_in` is a moment in unix seconds, despite its name."""
    try:
        data = (decoded(body) or {})["data"]
        return Tokens(
            access=SecretStr(data["access_token"]),
            refresh=SecretStr(data["refresh_token"]),
            expires_at=datetime.fromtimestamp(int(data["access_token_expire_in"]), UTC),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        # `from None`: the original quotes the answer, which holds tokens.
        raise RetryLater("TikTok Shop answered with something unreadable.", 30.0, unknown=True) from None
