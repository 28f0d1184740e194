"""Keeps a Twitch login alive, and asks whose it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr
from twitchio.authentication.payloads import ValidateTokenPayload

from connectors.errors import Reconnect, Refused
from connectors.http import Http
from connectors.oauth import utc_now
from connectors.twitch.api import RELINK, SCOPES, Config, understood
from connectors.types import Tokens

IDENTITY = "https://id.twitch.tv/"


def identity_url(base_url: str, path: str) -> str:
    """Where logins are handled: a host of its own at Twitch, the same one at a fake or a proxy."""
    at_twitch = urlsplit(base_url).hostname == "api.twitch.tv"
    return (IDENTITY if at_twitch else base_url.rstrip("/") + "/") + path


@dataclass(frozen=True)
class TwitchOAuth:
    """Renews a user's token. Both tokens are replaced: an old refresh token may work only once."""

    now: Callable[[], datetime] = utc_now

    async def refresh(self, http: Http, config: BaseModel, tokens: Tokens) -> Tokens:
        """New tokens; Reconnect when Twitch no longer knows the refresh token or the client."""
        settings = Config.model_validate(config, from_attributes=True)
        if tokens.refresh is None:
            raise Reconnect("The Twitch login cannot be renewed. Link the account again.")
        form = {
            "grant_type": "refresh_token",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret.get_secret_value(),
            "refresh_token": tokens.refresh.get_secret_value(),
        }
        address = identity_url(http.base_url, "oauth2/token")
        try:
            # In the body, as Twitch documents it: twitchio puts all of this into the address.
            response = await http.request("POST", address, data=form, login=False)
        except (Refused, Reconnect):
            # 400 Invalid refresh token, 403 invalid client secret: either way a person must act.
            raise Reconnect(RELINK) from None
        with understood(unknown=True):
            answer = response.json()
            renewed = answer.get("refresh_token")
            return Tokens(
                access=SecretStr(answer["access_token"]),
                refresh=SecretStr(renewed) if renewed else tokens.refresh,
                expires_at=self.now() + timedelta(seconds=int(answer["expires_in"])),
            )


@dataclass(frozen=True)
class Account:
    """Whose login it is."""

    user_id: str
    login: str


async def account_of(http: Http) -> Account:
    """The account behind the login; Reconnect when a scope is missing.

    Twitch requires this call at least hourly for every token that is in use.
    """
    said = await _validated(http)
    missing = [scope for scope in SCOPES if scope not in said.scopes]
    if missing:
        raise Reconnect(
            f"This Twitch login lacks permissions ({', '.join(missing)}). "
            "Link the account again and allow all."
        )
    if not said.user_id or not said.login:
        raise Reconnect("This Twitch login belongs to an application, not to a channel. Link the account.")
    return Account(said.user_id, said.login)


async def _validated(http: Http) -> ValidateTokenPayload:
    if http.login is None:
        raise Reconnect("No Twitch account is linked.")
    address = identity_url(http.base_url, "oauth2/validate")
    token = await http.login.access()
    for attempt in (1, 2):
        try:
            # This one call wants another word than Bearer, so it carries and renews the token itself.
            headers = {"Authorization": f"OAuth {token}"}
            response = await http.request("GET", address, headers=headers, login=False)
        except Reconnect:
            if attempt == 2:
                raise
            token = await http.login.renew(token)
            continue
        with understood():
            return ValidateTokenPayload(response.json())
    raise Reconnect(RELINK)
