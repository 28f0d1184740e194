"""Fastly's purge API, and the token its edge checks.

Sources: Fastly's API reference, "Purging"; Fastly's guide "Enabling URL token validation".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, Field, SecretStr

from connectors.base import Session
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater

MOST_KEYS: Final = 256
"""Surrogate keys in one request."""
SHOW: Final = re.compile(r"/live/([A-Za-z0-9_-]{1,100})/")
PATH: Final = re.compile(r"/[^\s?#*\\]*")
PARAMETER: Final = "edge_token"
"""Not Fastly's usual `token`, which is our own pass."""
NOT_ALLOWED: Final = (
    "This Fastly token may not purge that service. Make one with the scope purge_select for it."
)


class Config(BaseModel):
    """What a brand enters once."""

    service_id: str = Field(
        title="Service ID",
        description="Of the service in front of playback, from the top of its page in Fastly.",
        pattern=r"^[A-Za-z0-9]{5,40}$",
    )
    api_token: SecretStr = Field(
        title="API token",
        description="From Fastly's Account → API tokens, for this service, with the scope purge_select.",
    )
    domain: str = Field(
        title="Domain",
        description="The host name viewers play from, for example cdn.example.com.",
        pattern=r"^[A-Za-z0-9.-]+$",
    )
    signing_secret: SecretStr = Field(
        default=SecretStr(""),
        title="Signing secret",
        description="Base64, the same as in the service's VCL, where that asks for a token. "
        "Only our own player can play from there.",
    )


def authorise(config: Config, token: str) -> dict[str, str]:
    """Fastly's own header."""
    return {"Fastly-Key": config.api_token.get_secret_value()}


def classify(status: int, headers: dict[str, str], body: bytes) -> ConnectorError | None:
    """A token without the right is for a person to replace; everything else is as usual."""
    return Reconnect(NOT_ALLOWED) if status == 403 else None


class FastlyDelivery:
    """One service."""

    def __init__(self, session: Session[Config]) -> None:
        self._http = session.http
        self._config = session.config

    @property
    def signs(self) -> bool:
        """Whether there is a secret to sign with."""
        return bool(self._config.signing_secret.get_secret_value())

    def base_url(self, show: str) -> str:
        """The same for every show."""
        return f"https://{self._config.domain}"

    async def purge(self, paths: Sequence[str], *, key: str) -> str:
        """Whole shows by their surrogate key, other addresses one by one. Repeating is harmless by nature."""
        for path in paths:
            if not PATH.fullmatch(path) or (path.endswith("/") and not SHOW.fullmatch(path)):
                raise Refused(
                    f"Fastly cannot purge {path!r}: name a whole show (/live/SHOW/) or one address."
                )
        shows = sorted({f"show-{found[1]}" for path in paths if (found := SHOW.fullmatch(path))})
        references: list[str] = []
        for first in range(0, len(shows), MOST_KEYS):
            batch = shows[first : first + MOST_KEYS]
            url = f"service/{self._config.service_id}/purge"
            answer = await self._http.request("POST", url, json={"surrogate_keys": batch})
            references += ids_in(answer.content, batch)
        for path in sorted({path for path in paths if not path.endswith("/")}):
            url = f"purge/{self._config.domain}{quote(path, safe='/%')}"
            answer = await self._http.request("POST", url)
            references += ids_in(answer.content, ["id"])
        return ",".join(references)

    def sign(self, url: str, until: datetime) -> str:
        """EXPIRY_SIGNATURE over the path, or over all that stands before the star."""
        secret = secret_of(self._config.signing_secret)
        expires = int(until.timestamp())
        scope = urlsplit(url).path.removesuffix("*")
        signature = hmac.new(secret, f"{scope}{expires}".encode(), hashlib.sha256).hexdigest()
        joint = "&" if "?" in url else "?"
        return f"{url}{joint}{PARAMETER}={expires}_{signature}"


def ids_in(body: bytes, names: Sequence[str]) -> list[str]:
    """The purge ids of an answer, by these names. Raises RetryLater for one that is not Fastly's."""
    try:
        said = json.loads(body)
        return [str(said[name]) for name in names]
    except (ValueError, KeyError, TypeError):
        raise RetryLater("Fastly answered with something unreadable.", 30.0, unknown=True) from None


def secret_of(given: SecretStr) -> bytes:
    """The bytes of the signing secret. Raises Refused when there is none."""
    text = given.get_secret_value()
    try:
        secret = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) < 16:
        raise Refused(
            "Addresses cannot be signed: the signing secret of Fastly is missing, or not 16 bytes of base64."
        )
    return secret
