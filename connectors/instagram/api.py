"""The Instagram Platform: what a brand enters, and calls that mind the rate limits.

Two hosts speak for an account, each with logins and ids of its own: graph.instagram.com (Instagram Login)
and graph.facebook.com (through the Page the account is linked to). So the host is kept with the id.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr

from connectors.base import Session
from connectors.errors import Refused, RetryLater
from connectors.instagram.errors import counters

GRAPH = "https://graph.instagram.com/"
THROUGH_PAGE = "https://graph.facebook.com/"
VERSION = "v26.0"
PRODUCER = "rtmps://live-upload.instagram.com:443/rtmp/"

SLOW, STOP = 75.0, 95.0
"""Percent of a rate limit from which we read a quarter as often, and from which what can wait is left."""
REST = 300.0
"""Seconds for which what can wait is left, and a counter believed."""

# From what can be told in few calls to the least: an app may lack the right to a field, and then Graph
# refuses the whole call.
LIVE_FIELDS = (
    "id,timestamp,permalink,comments_count,current_live_viewer_count,live_reactions",
    "id,timestamp,permalink,comments_count,current_live_viewer_count",
    "id,timestamp",
)
UNTOLD = "Instagram does not tell this login whether a live is on."


class App(BaseModel):
    """What a brand enters about its Meta app beforehand."""

    app_id: str = Field(
        title="Instagram app ID",
        description="In the Meta app under Instagram, API setup with Instagram login.",
        min_length=1,
    )
    app_secret: SecretStr = Field(
        title="Instagram app secret", description="From the same page, not the Meta app's own secret."
    )
    verify_token: SecretStr = Field(
        SecretStr(""),
        title="Webhook verify token",
        description="A word you make up. Enter the same one under Webhooks in the Meta app. Leave it empty "
        "to do without webhooks.",
    )


class Config(App):
    """Server and key of the next live; the rest for comments, and for knowing whether it is on."""

    app_id: str = Field("", title="Instagram app ID", description="Needed to link by pressing Allow.")
    app_secret: SecretStr = Field(
        SecretStr(""), title="Instagram app secret", description="Needed to link, and for webhooks."
    )
    url: str = Field(
        PRODUCER,
        title="Server URL",
        description="From Instagram Live Producer, without the key.",
        pattern=r"^rtmps?://[^/\s]+/\S+$",
    )
    key: SecretStr = Field(
        SecretStr(""),
        title="Stream key",
        description="From the same page. Each live has a new one: enter it before the show.",
    )
    account_id: str = Field(
        "",
        title="Account ID",
        description="Number of the professional account. Needed for comments; linking fills it in.",
        pattern=r"^[0-9]*$",
    )
    username: str = Field(
        "",
        title="Instagram name",
        description="For example shop. For the link to the live.",
        pattern=r"^[A-Za-z0-9._]*$",
    )
    host: Literal["graph.instagram.com", "graph.facebook.com"] = Field(
        "graph.instagram.com",
        title="Where the login is from",
        description="graph.facebook.com only for a pasted token of the Page the account is linked to.",
    )
    page_id: str = Field(
        "",
        title="Page ID",
        description="Only with graph.facebook.com: number of the Page the account is linked to.",
        pattern=r"^[0-9]*$",
    )
    chat_poll_seconds: float = Field(
        5.0, gt=0, title="Seconds between comment reads", description="How often comments are read."
    )


class Usage:
    """Percent of the fullest rate limit: Instagram counts an account's calls, whichever of us makes them.

    Each kind of call has a counter of its own, and an answer tells but those it was counted by.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[str, tuple[float, float]] = {}

    @property
    def percent(self) -> float:
        """Of all counters that were told lately; 0 without any."""
        since = self._clock() - REST
        return max((percent for percent, at in [*self._told.values()] if at >= since), default=0.0)

    def note(self, headers: Mapping[str, str]) -> None:
        """Header names are lower case."""
        self._told |= {name: (percent, self._clock()) for name, percent in counters(headers).items()}


class Api:
    """Calls of one connection."""

    def __init__(self, session: Session[Config]) -> None:
        self._http = session.http
        self._config = session.config
        self._root = root_of(session.addresses.base_url, session.config.host)
        self._tier = 0
        self._usage = session.common.one(Usage)

    @property
    def linked(self) -> bool:
        """False for a brand that brought nothing but a stream key."""
        return self._http.login is not None and bool(self._config.account_id)

    @property
    def used(self) -> float:
        """Percent of the fullest rate limit, as far as this account's calls were told lately."""
        return self._usage.percent

    @property
    def slower(self) -> float:
        """What to stretch the time between reads by, so that Instagram need not stop us."""
        return 1.0 if self.used < SLOW else 4.0 if self.used < STOP else 20.0

    @property
    def speaker(self) -> str:
        """Whose name messages are sent and news are subscribed under: the account, or its Page."""
        through_page = self._config.host == "graph.facebook.com"
        return self._config.page_id if through_page and self._config.page_id else self._config.account_id

    async def call(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        """One call. A write whose answer is lost is RetryLater(unknown=True)."""
        params = {**how.pop("params", {}), **await self._proof()}
        response = await self._http.request(method, f"{self._root}{VERSION}/{path}", params=params, **how)
        self._usage.note({name.lower(): value for name, value in response.headers.items()})
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if isinstance(answer, dict) and answer.get("success") is not False:
            return answer
        if answer is True:
            return {}
        raise RetryLater("Instagram answered with something unreadable.", unknown=method != "GET")

    async def live(self) -> dict[str, Any] | None:
        """The live that is on right now, as Instagram shows it; None when it shows none."""
        while True:
            try:
                page = await self.call(
                    "GET",
                    f"{self._config.account_id}/live_media",
                    params={"fields": LIVE_FIELDS[self._tier]},
                )
            except Refused as refused:
                if refused.code == "100" and self._tier + 1 < len(LIVE_FIELDS):
                    self._tier += 1
                    continue
                raise Refused(UNTOLD, code="untold") from None
            return page["data"][0] if page.get("data") else None

    async def _proof(self) -> dict[str, str]:
        """appsecret_proof, which Facebook's host knows; a login of Instagram's own is renewed meanwhile."""
        secret = self._config.app_secret.get_secret_value()
        if self._config.host != "graph.facebook.com" or not secret or not self._http.login:
            return {}
        token = await self._http.login.access()
        proof = hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        return {"appsecret_proof": proof}


def root_of(base_url: str, host: str) -> str:
    """The host's address, or whatever stands in for both; ends with a slash."""
    at_instagram = (urlsplit(base_url).hostname or "") == urlsplit(GRAPH).hostname
    if at_instagram and host == "graph.facebook.com":
        return THROUGH_PAGE
    return base_url.rstrip("/") + "/"
