"""How a person lets us into their Pages: Facebook Login, with or without a configuration for Business.

No PKCE: Facebook documents it for its OpenID flow only, as still in testing. A code is worth nothing without
the app's secret and the same redirect address; `state` is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, SecretStr

from connectors.base import Addresses, Permission
from connectors.errors import Reconnect, Refused
from connectors.facebook.api import VERSION, App, proof_of
from connectors.http import Http
from connectors.oauth import utc_now
from connectors.types import Account, Tokens

DIALOG = f"https://www.facebook.com/{VERSION}/dialog/oauth"
PERMISSIONS = (
    Permission("pages_show_list", "To let you choose which of your Pages the show runs on."),
    Permission("pages_manage_posts", "To make, announce and end live videos on the Page."),
    Permission("pages_read_engagement", "To read what runs on the Page, how many watch and how they react."),
    Permission("pages_read_user_content", "To read the comments people write under your live video."),
    Permission("pages_manage_engagement", "To answer, hide and delete comments, and to block people."),
    # Apps that passed review for live video may not have passed it for messages.
    Permission(
        "pages_messaging",
        "To answer a comment privately, with the link to what somebody claimed.",
        needed=False,
    ),
    Permission("pages_manage_metadata", "To be told of new comments at once, when you set up webhooks."),
)
NEEDED = frozenset({"pages_show_list", "pages_manage_posts", "pages_read_engagement"})
"""Without these no show can run; what the others allow fails by itself, with a sentence."""
MOST_PAGES = 10
PAGE_SIZE = 100


@dataclass(frozen=True)
class FacebookConsent:
    """Tokens carry the person's long-lived login as `refresh`, with which alone all can be given back."""

    now: Callable[[], datetime] = utc_now
    app: type[BaseModel] = App
    permissions: Sequence[Permission] = PERMISSIONS

    def url(
        self, app: BaseModel, addresses: Addresses, *, redirect_uri: str, state: str, challenge: str
    ) -> str:
        """Facebook's dialog. A configuration for Business brings its own permissions."""
        settings = _app(app)
        wanted = (
            {"config_id": settings.config_id}
            if settings.config_id
            else {"scope": ",".join(permission.scope for permission in PERMISSIONS)}
        )
        query = {
            "client_id": settings.app_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "response_type": "code",
            # Asks again for what was refused before, which Facebook would leave out otherwise.
            "auth_type": "rerequest",
            **wanted,
        }
        return f"{addresses.consent_url or DIALOG}?{urlencode(query)}"

    async def exchange(
        self, http: Http, app: BaseModel, *, code: str, redirect_uri: str, verifier: str
    ) -> Tokens:
        """Code → login of an hour → login of sixty days, with what it allows."""
        settings = _app(app)
        ours = {"client_id": settings.app_id, "client_secret": settings.app_secret.get_secret_value()}
        short = await _asked(http, "oauth/access_token", {**ours, "redirect_uri": redirect_uri, "code": code})
        given = {"grant_type": "fb_exchange_token", "fb_exchange_token": short["access_token"]}
        access = str((await _asked(http, "oauth/access_token", {**ours, **given}))["access_token"])
        about = await self._about(http, settings, access)
        if not about.get("is_valid"):
            raise Refused("Facebook gave a login that it does not accept itself. Link the account again.")
        until = _end(about, "expires_at", "data_access_expires_at")
        return Tokens(access=SecretStr(access), expires_at=until, scopes=tuple(about.get("scopes", ())))

    async def accounts(self, http: Http, app: BaseModel, tokens: Tokens) -> Sequence[Account]:
        """Every Page on which the person may publish, each with its own login."""
        if missing := NEEDED - set(tokens.scopes):
            raise Refused(
                f"Facebook was not allowed enough ({', '.join(sorted(missing))}). "
                "Link the account again and allow all.",
                code="scopes",
            )
        settings, access = _app(app), tokens.access.get_secret_value()
        found: list[dict[str, Any]] = []
        paging: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            asked = {
                "fields": "id,name,access_token,tasks,category,picture{url}",
                "limit": str(PAGE_SIZE),
                **paging,
            }
            page = await _asked(http, "me/accounts", {**asked, **_login(settings, access)})
            found += page["data"]
            if "next" not in page.get("paging", {}):
                break
            paging = {"after": page["paging"]["cursors"]["after"]}
        usable = [one for one in found if "CREATE_CONTENT" in one.get("tasks", ("CREATE_CONTENT",))]
        if found and not usable:
            raise Refused(
                "You may not publish on any of your Pages. Ask someone with full control of the Page."
            )
        about = await self._about(http, settings, access)
        return [page_of(one, tokens, about) for one in usable]

    async def revoke(self, http: Http, app: BaseModel, tokens: Tokens) -> None:
        """Takes everything back that the person allowed the app, for all their Pages."""
        settings = _app(app)
        access = (tokens.refresh or tokens.access).get_secret_value()
        try:
            await http.request(
                "DELETE",
                f"{VERSION}/me/permissions",
                login=False,
                secret_params=_login(settings, access),
            )
        except (Refused, Reconnect):
            # A definite no: the login is dead already, which is what was wanted.
            return

    async def _about(self, http: Http, settings: App, access: str) -> dict[str, Any]:
        app_login = f"{settings.app_id}|{settings.app_secret.get_secret_value()}"
        answer = await _asked(http, "debug_token", {"input_token": access, "access_token": app_login})
        return dict(answer["data"])


def _app(app: BaseModel) -> App:
    return App.model_validate(app, from_attributes=True)


def _login(settings: App, access: str) -> dict[str, str]:
    return {"access_token": access, "appsecret_proof": proof_of(settings.app_secret, access)}


async def _asked(http: Http, path: str, params: dict[str, str]) -> dict[str, Any]:
    """A reading call; secrets are in the query, which nobody logs."""
    try:
        response = await http.request("GET", f"{VERSION}/{path}", login=False, secret_params=params)
        answer = response.json()
    except (Refused, Reconnect):
        # Facebook may quote what it was sent, so its own words are left out.
        raise Refused("Facebook did not accept this. Link the account again.", code="refused") from None
    except ValueError:
        raise Refused("Facebook answered with something unreadable. Link the account again.") from None
    if not isinstance(answer, dict) or "error" in answer:
        raise Refused("Facebook did not accept this. Link the account again.", code="refused")
    return answer


def page_of(page: dict[str, Any], person: Tokens, about: dict[str, Any]) -> Account:
    """A Page of /me/accounts with its login, which has no end but sees data no longer than its person's."""
    return Account(
        id=str(page["id"]),
        title=str(page.get("name") or page["id"]),
        detail=str(page.get("category") or ""),
        picture_url=((page.get("picture") or {}).get("data") or {}).get("url"),
        config={"page_id": str(page["id"])},
        tokens=Tokens(
            access=SecretStr(str(page["access_token"])),
            refresh=person.refresh or person.access,
            expires_at=_end(about, "data_access_expires_at"),
            scopes=tuple(about.get("scopes", person.scopes)),
        ),
    )


def _end(about: dict[str, Any], *names: str) -> datetime | None:
    """The soonest of these ends; 0 is never. Source: samples/debug_token.json."""
    known = [end for name in names if (end := about.get(name) or 0) > 0]
    return datetime.fromtimestamp(min(known), UTC) if known else None
