"""WooCommerce's REST API, version 3, as a WordPress site on anybody's hosting answers it."""

from __future__ import annotations

import base64
import json
from typing import Any

from pydantic import BaseModel, Field, SecretStr

from connectors.base import Session
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.http import retry_after

ANY_SITE = "https://woocommerce.com/"
"""Stands for the brand's own site; another base address (a fake's) is used as it is."""
PER_PAGE = 100
SLOW_SITE = 20.0
"""Seconds: a shared host may take its time for a hundred orders."""

RELINK = "WooCommerce does not accept this key. Make a new one with read and write access and enter it."
NO_API = "There is no WooCommerce at this address. Enter the site's address as its pages show it."
MOVED = "This site sends us on to another address. Enter that one instead."
GUARDED = "Something in front of the shop, a firewall or a maintenance page, does not let us in."


class Config(BaseModel):
    """What a brand enters once; the key is the login."""

    site: str = Field(
        title="Site address",
        description="The site's own address, like https://shop.example.com, with its folder if it is in one.",
        # Nothing but https: the key goes along with every request.
        pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~-]+)*/?$",
    )
    consumer_key: SecretStr = Field(
        title="Consumer key", description="Begins with ck_. WooCommerce → Settings → Advanced → REST API."
    )
    consumer_secret: SecretStr = Field(
        title="Consumer secret", description="Begins with cs_; shown once, together with the key."
    )
    webhook_secret: SecretStr = Field(
        title="Webhook secret",
        description="A long word you make up. It is entered with the webhooks and signs what they send.",
    )


class Api:
    """Requests to one site."""

    def __init__(self, session: Session[Config]) -> None:
        self._http = session.http
        base = session.addresses.base_url
        site = session.config.site if base == ANY_SITE else base
        self._url = f"{site.rstrip('/')}/wp-json/wc/v3/"

    async def get(self, path: str, **query: str | int) -> Any:
        """Read one thing, or one page of many."""
        return await self._call("GET", path, params=query)

    async def find(self, path: str) -> dict[str, Any] | None:
        """Read one thing; None when it is not there."""
        try:
            found = await self.get(path)
        except Refused as refused:
            if refused.code and refused.code.endswith("_invalid_id"):
                return None
            raise
        return found if isinstance(found, dict) else None

    async def send(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Change one thing; it, as it is now."""
        answer = await self._call(method, path, json=body)
        if not isinstance(answer, dict):
            raise unreadable(method)
        return answer

    async def _call(self, method: str, path: str, **how: Any) -> Any:
        response = await self._http.request(method, self._url + path, timeout=SLOW_SITE, **how)
        answer = decoded(response.content)
        if answer is None:
            raise unreadable(method)
        return answer


def authorise(config: Config, _: str) -> dict[str, str]:
    """HTTP's basic way, which WooCommerce takes over https only."""
    pair = f"{config.consumer_key.get_secret_value()}:{config.consumer_secret.get_secret_value()}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def classify(status: int, headers: dict[str, str], body: bytes) -> ConnectorError | None:
    """WooCommerce names its errors; hosting and firewalls answer with pages, some of them with status 200."""
    if 300 <= status < 400:
        return Refused(MOVED, code=str(status))
    said = decoded(body)
    code = str(said.get("code") or "") if isinstance(said, dict) and status >= 400 else ""
    if status == 401 or code == "woocommerce_rest_authentication_error":
        return Reconnect(RELINK)
    if status == 403:
        # Ours to put right when WooCommerce says it, somebody else's when a page does.
        return Reconnect(RELINK) if code else RetryLater(GUARDED, retry_after(headers, 60.0))
    if code == "rest_no_route" or (status == 404 and not code):
        return Refused(NO_API, code=code or "404")
    if code and status < 500 and status != 429:
        words = " ".join(str(said.get("message") or "no reason given")[:300].split())
        return Refused(f"WooCommerce refused the request: {words}", code=code)
    return None


def unreadable(method: str) -> RetryLater:
    """A page where data was expected. A write behind it may have been done."""
    return RetryLater(GUARDED, 30.0, unknown=method != "GET")


def decoded(body: bytes) -> Any:
    """JSON, an object or a list; None for anything else."""
    try:
        # Some plugins print a byte order mark in front of every answer.
        answer = json.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        return None
    return answer if isinstance(answer, dict | list) else None
