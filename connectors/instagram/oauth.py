"""Instagram Login: letting us in, and keeping the login alive.

A login lasts sixty days and is renewed with itself: there is no refresh token, so `refresh` holds the login
once more. One that has expired cannot be revived. PKCE is not documented and not used; a code is worth
nothing without the app's secret and the same redirect address.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from pydantic import BaseModel, SecretStr

from connectors.base import Addresses, Permission
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.http import Http
from connectors.instagram.api import GRAPH, VERSION, App, Config
from connectors.oauth import utc_now
from connectors.types import Account, Tokens

DIALOG = "https://www.instagram.com/oauth/authorize"
EXCHANGE = "https://api.instagram.com/"
PERMISSIONS = (
    Permission("instagram_business_basic", "To see whether your live is on, and how many watch."),
    Permission("instagram_business_manage_comments", "To read, hide and delete comments on your live."),
    Permission("instagram_business_manage_messages", "To answer a comment with a private message."),
)
NEEDED = frozenset({"instagram_business_basic", "instagram_business_manage_comments"})
"""Without these there is no use in linking; private replies fail by themselves, with a sentence."""
RELINK = "Instagram no longer accepts this login. Link the account again."
REFUSED = "Instagram did not accept this. Link the account again."


def address(base_url: str, path: str, host: str = GRAPH) -> str:
    """At Instagram a path belongs to one of its hosts; a fake is one host for all."""
    at_instagram = urlsplit(base_url).hostname == urlsplit(GRAPH).hostname
    return (host if at_instagram else base_url.rstrip("/") + "/") + path


@dataclass(frozen=True)
class InstagramOAuth:
    """Renews a login of sixty days; it must be a day old by then."""

    now: Callable[[], datetime] = utc_now

    async def refresh(self, http: Http, config: BaseModel, tokens: Tokens) -> Tokens:
        """Sixty days more; Reconnect when the login has expired or was withdrawn."""
        settings = Config.model_validate(config, from_attributes=True)
        if settings.host != "graph.instagram.com":
            # A Page's login has no end and cannot be renewed by machine.
            raise Reconnect(RELINK)
        given = {"grant_type": "ig_refresh_token", "access_token": tokens.access.get_secret_value()}
        url = address(http.base_url, "refresh_access_token")
        try:
            answer = await _asked(http, "GET", url, secret_params=given)
        except Refused:
            raise Reconnect(RELINK) from None
        return long_lived(answer, self.now(), tokens.scopes)


@dataclass(frozen=True)
class InstagramConsent:
    """Business login for Instagram; no Facebook Page is needed."""

    now: Callable[[], datetime] = utc_now
    app: type[BaseModel] = App
    permissions: Sequence[Permission] = PERMISSIONS

    def url(
        self, app: BaseModel, addresses: Addresses, *, redirect_uri: str, state: str, challenge: str
    ) -> str:
        """Instagram's own dialog."""
        query = {
            "client_id": _app(app).app_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": ",".join(permission.scope for permission in PERMISSIONS),
            "state": state,
        }
        return f"{addresses.consent_url or DIALOG}?{urlencode(query)}"

    async def exchange(
        self, http: Http, app: BaseModel, *, code: str, redirect_uri: str, verifier: str
    ) -> Tokens:
        """Code → login of an hour → login of sixty days."""
        settings = _app(app)
        secret = settings.app_secret.get_secret_value()
        form = {
            "client_id": settings.app_id,
            "client_secret": secret,
            "grant_type": "authorization_code",
            "redirect_uri": redirect_uri,
            # Instagram ends the redirect with #_, which some clients take for a part of the code.
            "code": code.removesuffix("#_"),
        }
        url = address(http.base_url, "oauth/access_token", EXCHANGE)
        short = await _asked(http, "POST", url, data=form)
        # Documented both bare and in a list of one.
        short = short["data"][0] if isinstance(short.get("data"), list) else short
        scopes = short.get("permissions") or ()
        scopes = tuple(scopes.split(",") if isinstance(scopes, str) else scopes)
        given = {
            "grant_type": "ig_exchange_token",
            "client_secret": secret,
            "access_token": str(short["access_token"]),
        }
        answer = await _asked(http, "GET", address(http.base_url, "access_token"), secret_params=given)
        return long_lived(answer, self.now(), scopes)

    async def accounts(self, http: Http, app: BaseModel, tokens: Tokens) -> Sequence[Account]:
        """The one account that logged in. `user_id` is its number in webhooks; `id` only an alias for us."""
        missing = NEEDED - set(tokens.scopes)
        if tokens.scopes and missing:
            raise Refused(
                f"Instagram was not allowed enough ({', '.join(sorted(missing))}). "
                "Link the account again and allow all.",
                code="scopes",
            )
        me = await _asked(
            http,
            "GET",
            address(http.base_url, f"{VERSION}/me"),
            params={"fields": "id,user_id,username,name,profile_picture_url,account_type"},
            headers=_carrying(tokens),
        )
        number, username = str(me.get("user_id") or me["id"]), str(me.get("username") or "")
        return [
            Account(
                id=number,
                title=f"@{username}" if username else number,
                detail=str(me.get("name") or ""),
                picture_url=me.get("profile_picture_url"),
                config={"account_id": number, "username": username, "host": "graph.instagram.com"},
            )
        ]

    async def revoke(self, http: Http, app: BaseModel, tokens: Tokens) -> None:
        """Give the login back, as on Facebook: Instagram documents no way of its own."""
        url = address(http.base_url, f"{VERSION}/me/permissions")
        try:
            await http.request("DELETE", url, login=False, headers=_carrying(tokens))
        except (Refused, Reconnect):
            # A definite no: dead already, which is what was wanted, or not offered.
            return


def long_lived(answer: dict[str, Any], now: datetime, scopes: tuple[str, ...]) -> Tokens:
    """`{"access_token", "token_type", "expires_in"}` as tokens."""
    access = SecretStr(str(answer["access_token"]))
    until = now + timedelta(seconds=int(answer.get("expires_in", 5183944)))
    return Tokens(access=access, refresh=access, expires_at=until, scopes=scopes)


def _app(app: BaseModel) -> App:
    return App.model_validate(app, from_attributes=True)


def _carrying(tokens: Tokens) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.access.get_secret_value()}"}


async def _asked(http: Http, method: str, url: str, **how: Any) -> dict[str, Any]:
    """One call that carries its own login; Instagram's own words may quote it and are left out."""
    try:
        answer = (await http.request(method, url, login=False, **how)).json()
    except (Refused, Reconnect):
        raise Refused(REFUSED, code="refused") from None
    except ValueError:
        raise RetryLater("Instagram answered with something unreadable.", unknown=method != "GET") from None
    if not isinstance(answer, dict) or "error" in answer or "error_type" in answer:
        raise Refused(REFUSED, code="refused")
    return answer
