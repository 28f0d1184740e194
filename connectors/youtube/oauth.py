"""Keeps a Google login alive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from connectors.errors import Reconnect, Refused
from connectors.http import Http
from connectors.oauth import utc_now
from connectors.types import Tokens
from connectors.youtube.api import Config


@dataclass(frozen=True)
class GoogleOAuth:
    """Refreshes at Google, or at `token` below any other base address (a fake, a proxy)."""

    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address, not a secret
    now: Callable[[], datetime] = utc_now

    async def refresh(self, http: Http, config: BaseModel, tokens: Tokens) -> Tokens:
        """New tokens; Reconnect when Google no longer knows the refresh token or the client."""
        settings = Config.model_validate(config, from_attributes=True)
        if tokens.refresh is None:
            raise Reconnect("The YouTube login cannot be renewed. Link the account again.")
        # The API and the token endpoint are different hosts at Google, one host at a fake.
        at_google = (urlsplit(http.base_url).hostname or "").endswith(".googleapis.com")
        address = self.token_url if at_google else f"{http.base_url.rstrip('/')}/token"
        form = {
            "grant_type": "refresh_token",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret.get_secret_value(),
            "refresh_token": tokens.refresh.get_secret_value(),
        }
        try:
            response = await http.request("POST", address, data=form, login=False)
        except (Refused, Reconnect):
            # 400 invalid_grant and 401 invalid_client both end the same way: a person must act.
            raise Reconnect("Google no longer accepts this YouTube login. Link the account again.") from None
        answer = response.json()
        renewed = answer.get("refresh_token")
        return Tokens(
            access=SecretStr(answer["access_token"]),
            refresh=SecretStr(renewed) if renewed else tokens.refresh,
            expires_at=self.now() + timedelta(seconds=int(answer.get("expires_in", 3599))),
        )
