"""How a person lets us into an account: the authorization code flow with PKCE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from pydantic import BaseModel, SecretStr

from connectors._template.api import App
from connectors.base import Addresses, Permission
from connectors.errors import Reconnect, Refused
from connectors.http import Http, bearer
from connectors.oauth import utc_now
from connectors.types import Account, Tokens


@dataclass(frozen=True)
class ExampleConsent:
    """The hub keeps `state` and the verifier; a connector knows only the platform's addresses and words."""

    now: Callable[[], datetime] = utc_now
    # What is asked before the person leaves for the platform: the app, never anything an account brings.
    app: type[BaseModel] = App
    # As few as possible, each with its reason: people read them.
    permissions: Sequence[Permission] = (
        Permission("live.write", "To create, start and end broadcasts and to set their texts."),
        Permission("chat.write", "To read the chat, to answer, and to remove messages and people."),
    )

    def url(
        self, app: BaseModel, addresses: Addresses, *, redirect_uri: str, state: str, challenge: str
    ) -> str:
        """Where to send the person. A platform without PKCE is simply not given the challenge."""
        query = {
            "client_id": App.model_validate(app, from_attributes=True).client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": " ".join(permission.scope for permission in self.permissions),
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{addresses.consent_url}?{urlencode(query)}"

    async def exchange(
        self, http: Http, app: BaseModel, *, code: str, redirect_uri: str, verifier: str
    ) -> Tokens:
        """The login for a code. A code works once, so a lost answer means that the person presses again."""
        known = App.model_validate(app, from_attributes=True)
        form = {
            "grant_type": "authorization_code",
            "client_id": known.client_id,
            "client_secret": known.client_secret.get_secret_value(),
            "code": code,
            # The same address again: the platform compares.
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        answer = (await http.request("POST", "oauth/token", data=form, login=False)).json()
        return Tokens(
            access=SecretStr(answer["access_token"]),
            refresh=SecretStr(answer["refresh_token"]),
            expires_at=self.now() + timedelta(seconds=answer["expires_in"]),
            # What the person really granted, which may be less than we asked for.
            scopes=tuple(answer["scope"].split()),
        )

    async def accounts(self, http: Http, app: BaseModel, tokens: Tokens) -> Sequence[Account]:
        """Every channel the login reaches; the person chooses when there are several."""
        found = await http.request("GET", "me/channels", headers=login_of(tokens), login=False)
        return tuple(
            Account(
                id=channel["id"],
                title=channel["name"],
                # Tells two channels of the same name apart.
                detail=f"{channel['followers']} followers",
                picture_url=channel.get("picture"),
                # Joins what was entered for the app; together they are the config.
                config={"channel_id": channel["id"]},
                # `tokens=` here where each account has a login of its own.
            )
            for channel in found.json()["channels"]
        )

    async def revoke(self, http: Http, app: BaseModel, tokens: Tokens) -> None:
        """Repeatable: a login that is dead already is what we wanted."""
        try:
            await http.request("POST", "oauth/revoke", headers=login_of(tokens), login=False)
        except (Reconnect, Refused):
            return


def login_of(tokens: Tokens) -> dict[str, str]:
    """The header that carries this login: `http` has none before the account is linked."""
    return bearer(tokens.access.get_secret_value())
