"""How a person lets us into a Twitch channel: OAuth's authorization code, with the app's secret.

Twitch has no PKCE; the code is bound to the application's secret and the page it was sent to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from pydantic import BaseModel
from twitchio.authentication.payloads import UserTokenPayload
from twitchio.authentication.scopes import Scopes

from connectors.base import Addresses, Permission
from connectors.errors import Reconnect, Refused
from connectors.http import Http
from connectors.oauth import utc_now
from connectors.twitch.api import CONSENT, App, authorise, understood
from connectors.twitch.oauth import TwitchOAuth, client_of, identity_url, owner_by, tokens_of
from connectors.types import Account, Tokens

PERMISSIONS = tuple(
    Permission(scope.value, why)
    for scope, why in (
        (Scopes.channel_read_stream_key, "To send your show to your channel without you copying the key."),
        (Scopes.channel_manage_broadcast, "To set your stream's title, category, language and tags."),
        (Scopes.user_read_chat, "To show your chat in the studio."),
        (Scopes.user_write_chat, "To answer in your chat in your name."),
        (Scopes.moderator_manage_announcements, "To make announcements in your chat."),
        (Scopes.moderator_manage_chat_messages, "To delete messages from your chat."),
        (Scopes.moderator_manage_banned_users, "To time out, ban and unban people in your chat."),
        (Scopes.channel_read_polls, "To show your polls and their results beside the chat."),
    )
)
SCOPES = tuple(permission.scope for permission in PERMISSIONS)
"""What a person is asked to allow."""


@dataclass(frozen=True)
class TwitchConsent:
    """One login is one channel: the person's own."""

    now: Callable[[], datetime] = utc_now

    @property
    def app(self) -> type[BaseModel]:
        """The brand's application at Twitch."""
        return App

    @property
    def permissions(self) -> Sequence[Permission]:
        """What we ask for, and why."""
        return PERMISSIONS

    def url(
        self, app: BaseModel, addresses: Addresses, *, redirect_uri: str, state: str, challenge: str
    ) -> str:
        """Twitch's page. It asks every time, so that a brand can choose another account than last time."""
        query = {
            "response_type": "code",
            "client_id": client_of(app)["client_id"],
            "redirect_uri": redirect_uri,
            "scope": " ".join(SCOPES),
            "state": state,
            "force_verify": "true",
        }
        return f"{addresses.consent_url or CONSENT}?{urlencode(query)}"

    async def exchange(
        self, http: Http, app: BaseModel, *, code: str, redirect_uri: str, verifier: str
    ) -> Tokens:
        """The login for a code. Not repeatable: when the answer is lost, the person has to allow it again."""
        form = {**client_of(app), "grant_type": "authorization_code"}
        form |= {"code": code, "redirect_uri": redirect_uri}
        address = identity_url(http.base_url, "oauth2/token")
        try:
            response = await http.request("POST", address, data=form, login=False)
        except (Refused, Reconnect) as error:
            raise Refused(
                "Twitch did not accept this permission. Check the application's client ID and secret, "
                "then link the account again.",
                code=getattr(error, "code", None),
            ) from None
        with understood(unknown=True):
            given = UserTokenPayload(response.json())
            return tokens_of(dict(given), self.now())

    async def accounts(self, http: Http, app: BaseModel, tokens: Tokens) -> Sequence[Account]:
        """The channel of whoever allowed it."""
        token = tokens.access.get_secret_value()
        owner = await owner_by(http, token)
        headers = authorise(App.model_validate(app, from_attributes=True), token)
        response = await http.request(
            "GET", "helix/users", params={"id": owner.user_id}, headers=headers, login=False
        )
        with understood():
            (user,) = response.json()["data"]
            channel = Account(
                id=owner.user_id,
                title=user.get("display_name") or owner.login,
                detail=f"twitch.tv/{owner.login}",
                picture_url=user.get("profile_image_url") or None,
            )
        return [channel]

    async def revoke(self, http: Http, app: BaseModel, tokens: Tokens) -> None:
        """Give the login back, even one whose access has run out meanwhile."""
        try:
            await self._give_back(http, app, tokens)
        except (Refused, Reconnect):
            # An access token that has expired can't be revoked, and its refresh token would live on.
            try:
                await self._give_back(http, app, await TwitchOAuth(self.now).refresh(http, app, tokens))
            except (Refused, Reconnect):
                return

    async def _give_back(self, http: Http, app: BaseModel, tokens: Tokens) -> None:
        form = {"client_id": client_of(app)["client_id"], "token": tokens.access.get_secret_value()}
        address = identity_url(http.base_url, "oauth2/revoke")
        await http.request("POST", address, data=form, login=False)
