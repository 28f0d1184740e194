"""Keeps a login alive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, SecretStr

from connectors._template.api import Config
from connectors.errors import Reconnect, Refused
from connectors.http import Http
from connectors.oauth import utc_now
from connectors.types import Tokens


@dataclass(frozen=True)
class ExampleOAuth:
    """The hub calls this once per expiry, stores what comes back, and only then uses it."""

    # A clock that is passed in: tests neither sleep nor patch.
    now: Callable[[], datetime] = utc_now

    async def refresh(self, http: Http, config: BaseModel, tokens: Tokens) -> Tokens:
        """New tokens, or Reconnect when only a person can help."""
        settings = Config.model_validate(config, from_attributes=True)
        if tokens.refresh is None:
            raise Reconnect("The login cannot be renewed. Link the account again.")
        form = {
            "grant_type": "refresh_token",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret.get_secret_value(),
            "refresh_token": tokens.refresh.get_secret_value(),
        }
        try:
            response = await http.request("POST", "oauth/token", data=form, login=False)
        except (Refused, Reconnect):
            # A definite no. RetryLater passes through: a platform that is down kills no login.
            raise Reconnect("The platform no longer accepts this login. Link the account again.") from None
        answer = response.json()
        return Tokens(
            access=SecretStr(answer["access_token"]),
            # Some platforms rotate the refresh token, some never send it again.
            refresh=SecretStr(answer["refresh_token"]) if "refresh_token" in answer else tokens.refresh,
            expires_at=self.now() + timedelta(seconds=answer["expires_in"]),
        )
