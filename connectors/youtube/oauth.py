"""A Google login: how a person gives it, how it is kept alive, and how it is given back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from pydantic import BaseModel, SecretStr

from connectors.base import Addresses, Permission
from connectors.errors import Reconnect, Refused
from connectors.http import Http
from connectors.oauth import utc_now
from connectors.types import Account, Tokens
from connectors.youtube.config import App

CONSENT_URL = "https://accounts.google.com/o/oauth2/v2/auth"
SCOPE = "https://www.googleapis.com/auth/youtube.force-ssl"
HOST = "https://oauth2.googleapis.com"


@dataclass(frozen=True)
class GoogleOAuth:
    """Refreshes at Google, or at `token` below any other base address (a fake, a proxy)."""

    now: Callable[[], datetime] = utc_now

    async def refresh(self, http: Http, config: BaseModel, tokens: Tokens) -> Tokens:
        """New tokens; Reconnect when Google no longer knows the refresh token or the client."""
        app = App.model_validate(config, from_attributes=True)
        if tokens.refresh is None:
            raise Reconnect("The YouTube login cannot be renewed. Link the account again.")
        form = {
            "grant_type": "refresh_token",
            **_client(app),
            "refresh_token": tokens.refresh.get_secret_value(),
        }
        try:
            response = await http.request("POST", _address(http, "token"), data=form, login=False)
        except (Refused, Reconnect):
            # 400 invalid_grant and 401 invalid_client both end the same way: a person must act.
            raise Reconnect("Google no longer accepts this YouTube login. Link the account again.") from None
        fresh = _tokens(response.json(), self.now())
        # Google sends a refresh token only when it is a new one, and the scopes only sometimes.
        return fresh.model_copy(
            update={"refresh": fresh.refresh or tokens.refresh, "scopes": fresh.scopes or tokens.scopes}
        )


@dataclass(frozen=True)
class GoogleConsent:
    """Google's authorization code flow with PKCE, for a web application."""

    now: Callable[[], datetime] = utc_now

    @property
    def app(self) -> type[BaseModel]:
        """The brand's project at Google."""
        return App

    @property
    def permissions(self) -> Sequence[Permission]:
        """One scope covers all of it; Google shows it as "Manage your YouTube account"."""
        return (
            Permission(
                SCOPE,
                "To announce, start and end your broadcasts, to read and answer their chat, and to delete "
                "messages and silence people there. Nothing else on the channel is touched.",
            ),
        )

    def url(
        self, app: BaseModel, addresses: Addresses, *, redirect_uri: str, state: str, challenge: str
    ) -> str:
        """Google's page, on which the person also picks the channel."""
        query = {
            "client_id": App.model_validate(app, from_attributes=True).client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": SCOPE,
            # Without these two Google gives no refresh token the second time.
            "access_type": "offline",
            "prompt": "consent",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{addresses.consent_url or CONSENT_URL}?{urlencode(query)}"

    async def exchange(
        self, http: Http, app: BaseModel, *, code: str, redirect_uri: str, verifier: str
    ) -> Tokens:
        """The login for a code. Refused too when the permission was not ticked on Google's page."""
        form = {
            "grant_type": "authorization_code",
            **_client(App.model_validate(app, from_attributes=True)),
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        try:
            response = await http.request("POST", _address(http, "token"), data=form, login=False)
        except Reconnect:
            # 401 invalid_client.
            raise Refused(
                "Google does not know this client ID with this secret. Copy both again.",
                code="invalid_client",
            ) from None
        except Refused:
            raise Refused(
                "Google did not accept this sign-in. Start it again.", code="invalid_grant"
            ) from None
        tokens = _tokens(response.json(), self.now())
        if tokens.scopes and SCOPE not in tokens.scopes:
            raise Refused(
                "The permission for YouTube was not ticked on Google's page. Start again and allow it.",
                code="scope",
            )
        if tokens.refresh is None:
            raise Refused("Google gave a login for one hour only. Start again.", code="no_refresh_token")
        return tokens

    async def accounts(self, http: Http, app: BaseModel, tokens: Tokens) -> Sequence[Account]:
        """The channel that was picked on Google's page; a content owner's login reaches several."""
        answer = await http.request(
            "GET",
            "youtube/v3/channels",
            params={"part": "id,snippet", "mine": "true", "maxResults": 50},
            headers={"Authorization": f"Bearer {tokens.access.get_secret_value()}"},
            login=False,
        )
        return [_account(channel) for channel in answer.json().get("items", [])]

    async def revoke(self, http: Http, app: BaseModel, tokens: Tokens) -> None:
        """Withdraw the whole grant: the refresh token takes its access tokens along."""
        token = (tokens.refresh or tokens.access).get_secret_value()
        try:
            await http.request("POST", _address(http, "revoke"), data={"token": token}, login=False)
        except (Refused, Reconnect):
            # 400 invalid_token: it is dead already.
            return


def _account(channel: dict[str, Any]) -> Account:
    snippet = channel.get("snippet", {})
    return Account(
        id=channel["id"],
        title=snippet.get("title") or channel["id"],
        detail=snippet.get("customUrl", ""),
        picture_url=snippet.get("thumbnails", {}).get("default", {}).get("url"),
        config={"channel_id": channel["id"]},
    )


def _address(http: Http, name: str) -> str:
    # The API and the login are different hosts at Google, one host at a fake.
    at_google = (urlsplit(http.base_url).hostname or "").endswith(".googleapis.com")
    return f"{HOST if at_google else http.base_url.rstrip('/')}/{name}"


def _client(app: App) -> dict[str, str]:
    return {"client_id": app.client_id, "client_secret": app.client_secret.get_secret_value()}


def _tokens(answer: dict[str, Any], now: datetime) -> Tokens:
    renewed = answer.get("refresh_token")
    return Tokens(
        access=SecretStr(answer["access_token"]),
        refresh=SecretStr(renewed) if renewed else None,
        expires_at=now + timedelta(seconds=int(answer.get("expires_in", 3599))),
        scopes=tuple(answer.get("scope", "").split()),
    )
