"""Linking a TikTok account by pressing Allow: TikTok Login Kit v2 with PKCE.

It tells who somebody is (name, handle, picture) and nothing of a LIVE. The login is kept only so that it can
be given back: it is never refreshed and never needed, so that its death can never stop a stream. Sources:
developers.tiktok.com, "Login Kit for Web", "Login Kit for Desktop" and "User access token management".
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, SecretStr

from connectors.base import Addresses, Permission
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.http import Http, bearer
from connectors.tiktok.config import App
from connectors.types import Account, Tokens

TOKEN = "v2/oauth/token/"  # noqa: S105 - a path, not a secret
REVOKE = "v2/oauth/revoke/"
USER = "v2/user/info/"
FIELDS = "open_id,avatar_url,display_name,username"
NO_LOGIN = "TikTok does not accept this login. Press Allow again."


@dataclass(frozen=True)
class TikTokConsent:
    """One account per login: TikTok has no pages or channels to choose from."""

    app: type[BaseModel] = App
    permissions: Sequence[Permission] = (
        Permission("user.info.basic", "To show your account's name and picture here."),
        Permission("user.info.profile", "To know your TikTok name, under which the LIVE and its chat are."),
    )

    def url(
        self, app: BaseModel, addresses: Addresses, *, redirect_uri: str, state: str, challenge: str
    ) -> str:
        """TikTok wants the challenge's SHA-256 in hexadecimal, where RFC 7636 has base64."""
        digest = base64.urlsafe_b64decode(challenge + "=" * (-len(challenge) % 4))
        query = {
            "client_key": App.model_validate(app, from_attributes=True).client_key,
            "scope": ",".join(permission.scope for permission in self.permissions),
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "state": state,
            "code_challenge": digest.hex(),
            "code_challenge_method": "S256",
        }
        return f"{addresses.consent_url}?{urlencode(query)}"

    async def exchange(
        self, http: Http, app: BaseModel, *, code: str, redirect_uri: str, verifier: str
    ) -> Tokens:
        """No `expires_at`: nobody needs to worry about a login that nothing depends on."""
        form = {
            **secrets_of(app),
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        return tokens_of((await http.request("POST", TOKEN, data=form, login=False)).json())

    async def accounts(self, http: Http, app: BaseModel, tokens: Tokens) -> Sequence[Account]:
        """The account, with its handle as config."""
        headers = bearer(tokens.access.get_secret_value())
        found = await http.request("GET", USER, params={"fields": FIELDS}, headers=headers, login=False)
        return (account_of(found.json()),)

    async def revoke(self, http: Http, app: BaseModel, tokens: Tokens) -> None:
        """The access token lives some hours only; one that is dead is renewed once more to be given back."""
        if await given_back(http, app, tokens.access) or tokens.refresh is None:
            return
        form = {
            **secrets_of(app),
            "grant_type": "refresh_token",
            "refresh_token": tokens.refresh.get_secret_value(),
        }
        try:
            fresh = tokens_of((await http.request("POST", TOKEN, data=form, login=False)).json())
        except (Refused, Reconnect):
            return  # that one is dead, too
        await given_back(http, app, fresh.access)


async def given_back(http: Http, app: BaseModel, access: SecretStr) -> bool:
    """False when TikTok does not know the token."""
    form = {**secrets_of(app), "token": access.get_secret_value()}
    try:
        answer = await http.request("POST", REVOKE, data=form, login=False)
    except (Refused, Reconnect):
        return False
    return b'"error"' not in answer.content


def secrets_of(app: BaseModel) -> dict[str, str]:
    """What every call about tokens carries."""
    known = App.model_validate(app, from_attributes=True)
    return {"client_key": known.client_key, "client_secret": known.client_secret.get_secret_value()}


def tokens_of(answer: Any) -> Tokens:
    """From an answer; a refusal may come with any status, 200 included."""
    match answer:
        case {"access_token": str(access), "refresh_token": str(refresh), "scope": str(scope)}:
            scopes = tuple(one for one in scope.split(",") if one)
            return Tokens(access=SecretStr(access), refresh=SecretStr(refresh), scopes=scopes)
        case {"error": str(code)}:
            raise Refused(NO_LOGIN, code=code)
        case _:
            raise RetryLater("TikTok answered with something unreadable.")


def account_of(answer: Any) -> Account:
    """From `/v2/user/info/`. A handle comes only when the person allowed it."""
    match answer:
        case {"data": {"user": {"open_id": str(open_id), **user}}}:
            handle, name = str(user.get("username") or ""), str(user.get("display_name") or "")
            at = f"@{handle}" if handle else ""
            return Account(
                id=open_id,
                title=name or at or open_id,
                detail=at,
                picture_url=user.get("avatar_url") or None,
                config={"handle": at} if at else {},
            )
        case {"error": {"code": str(code)}}:
            raise Refused(NO_LOGIN, code=code)
        case _:
            raise RetryLater("TikTok answered with something unreadable.")
