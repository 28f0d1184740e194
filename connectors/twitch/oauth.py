"""Keeps a Twitch login alive, and asks whose it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr
from twitchio.authentication.payloads import ValidateTokenPayload
from twitchio.authentication.scopes import Scopes

from connectors.errors import Reconnect, Refused
from connectors.http import Http
from connectors.oauth import utc_now
from connectors.twitch.api import RELINK, App, understood
from connectors.types import Tokens

IDENTITY = "https://id.twitch.tv/"
NEEDED = tuple(
    scope.value
    for scope in (
        Scopes.channel_read_stream_key,
        Scopes.channel_manage_broadcast,
        Scopes.user_read_chat,
        Scopes.user_write_chat,
    )
)
"""Without these there is no show on Twitch; all others a login may lack, with what belongs to them."""


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
        if tokens.refresh is None:
            raise Reconnect("The Twitch login cannot be renewed. Link the account again.")
        secret = tokens.refresh.get_secret_value()
        form = {**client_of(config), "grant_type": "refresh_token", "refresh_token": secret}
        address = identity_url(http.base_url, "oauth2/token")
        try:
            # In the body, as Twitch documents it: twitchio puts all of this into the address.
            response = await http.request("POST", address, data=form, login=False)
        except (Refused, Reconnect):
            # 400 Invalid refresh token, 403 invalid client secret: either way a person must act.
            raise Reconnect(RELINK) from None
        with understood(unknown=True):
            return tokens_of(response.json(), self.now(), tokens)


def client_of(config: BaseModel) -> dict[str, str]:
    """How an application names itself to Twitch's login server."""
    app = App.model_validate(config, from_attributes=True)
    return {"client_id": app.client_id, "client_secret": app.client_secret.get_secret_value()}


def tokens_of(answer: dict[str, Any], now: datetime, before: Tokens | None = None) -> Tokens:
    """What the login server gave. KeyError or ValueError for anything else."""
    renewed, scopes = answer.get("refresh_token"), answer.get("scope") or ()
    return Tokens(
        access=SecretStr(answer["access_token"]),
        refresh=SecretStr(renewed) if renewed else before and before.refresh,
        expires_at=now + timedelta(seconds=int(answer["expires_in"])),
        scopes=tuple(scopes.split() if isinstance(scopes, str) else map(str, scopes)),
    )


@dataclass(frozen=True)
class Owner:
    """Whose login it is, and what it allows."""

    user_id: str
    login: str
    scopes: frozenset[str]


async def owner_of(http: Http) -> Owner:
    """The account behind the session's login; Reconnect when a scope is missing that every show needs.

    Twitch requires this call at the start and then hourly for every token that is in use.
    """
    if http.login is None:
        raise Reconnect("No Twitch account is linked.")
    token = await http.login.access()
    for attempt in (1, 2):
        try:
            # This one call wants another word than Bearer, so the login is carried and renewed here.
            owner = await owner_by(http, token)
        except Reconnect:
            if attempt == 2:
                raise
            token = await http.login.renew(token)
            continue
        missing = [scope for scope in NEEDED if scope not in owner.scopes]
        if missing:
            raise Reconnect(
                f"This Twitch login lacks permissions ({', '.join(missing)}). "
                "Link the account again and allow all."
            )
        return owner
    raise Reconnect(RELINK)


async def owner_by(http: Http, token: str) -> Owner:
    """The account behind any token; Reconnect when it is dead or nobody's."""
    address = identity_url(http.base_url, "oauth2/validate")
    headers = {"Authorization": f"OAuth {token}"}
    response = await http.request("GET", address, headers=headers, login=False)
    with understood():
        said = ValidateTokenPayload(response.json())
        scopes = frozenset(said.scopes or ())
    if not said.user_id or not said.login:
        raise Reconnect("This Twitch login belongs to an application, not to a channel. Link the account.")
    return Owner(said.user_id, said.login, scopes)
