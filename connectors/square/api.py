"""Square's own client over our HTTP: pooled connections, timeouts, one attempt, the three errors."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import httpx
from pydantic import BaseModel, Field, SecretStr
from square.client import AsyncSquare
from square.core.api_error import ApiError

from connectors.base import Session
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.http import Http, retry_after

ANSWER_SECONDS = 20.0
REAL, SANDBOX = "https://connect.squareup.com/", "https://connect.squareupsandbox.com/"
VERSION = "2026-09-16"
LONGEST_KEY = 45
RELINK = "Square no longer accepts this access token. Enter a new one."
NOT_ALLOWED = "This Square access token may not do that. Give it the rights to read and write payments."
UNREADABLE = "Square answered with something unreadable."
KEY_REUSED, REUSED = "IDEMPOTENCY_KEY_REUSED", "idempotency_error"
"""Square's code for a key that came with another request before, and the word that all gateways share."""
NO_RETRY: Any = {"max_retries": 0}
"""Repeating is the caller's business: it has the key, the patience and the deadline."""


class Config(BaseModel):
    """What a brand enters once."""

    access_token: SecretStr = Field(
        title="Access token",
        description="From Square's Developer Console: your application → Credentials.",
    )
    application_id: str = Field(
        title="Application ID",
        description="On the same page; starts with sq0idp- or, for play money, sandbox-sq0idb-.",
    )
    location_id: str = Field(
        title="Location ID", description="Developer Console → your application → Locations."
    )
    signature_key_secret: SecretStr = Field(
        title="Webhook signature key",
        description="Shown when the webhook subscription is made: Developer Console → Webhooks.",
    )
    notification_url: str = Field(
        default="",
        title="Webhook address",
        description="Shown once the account is linked: copy it here and to Square, letter for letter.",
    )

    @property
    def test_mode(self) -> bool:
        """Whether the application moves play money; Square writes it into every application's id."""
        return self.application_id.startswith("sandbox-")


class Declined(Refused):
    """The card was refused. Stays inside this connector; `payment` is Square's record of the attempt."""

    def __init__(self, errors: list[dict[str, Any]], payment: dict[str, Any]) -> None:
        super().__init__("The card was declined.", code=str(errors[0].get("code")))
        self.errors = errors
        self.payment = payment


Make = Callable[[AsyncSquare], Awaitable[Any]]


class Carrier:
    """Stands where Square's client expects an httpx client, and sends through the session's own."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def request(
        self,
        *,
        method: str,
        url: str,
        headers: Mapping[str, Any],
        params: Any,
        json: Any,
        timeout: float | None,
        **_: Any,
    ) -> httpx.Response:
        """One call; the three errors, and Declined, come out of it before Square's client sees a status."""
        return await self._http.request(
            method, url, params=params, json=json, headers=headers, timeout=timeout, login=False
        )


class Api:
    """Calls of one connection."""

    def __init__(self, session: Session[Config], answer_seconds: float = ANSWER_SECONDS) -> None:
        config, base_url = session.config, session.addresses.base_url
        if base_url == REAL and config.test_mode:
            base_url = SANDBOX
        self._client = AsyncSquare(
            base_url=base_url.rstrip("/"),
            token=config.access_token.get_secret_value(),
            timeout=answer_seconds,
            httpx_client=cast("Any", Carrier(session.http)),
            version=VERSION,
        )

    async def ask(self, make: Make) -> Any:
        """The client's answer, whole."""
        try:
            return await make(self._client)
        except (ApiError, AttributeError, TypeError):
            # A success with no JSON in it, or with JSON that is no object, which the client's pages break on.
            # `from None`: the original's text is the whole answer.
            raise RetryLater(UNREADABLE, 30.0, unknown=True) from None

    async def call(self, make: Make, name: str) -> dict[str, Any]:
        """What stands under `name` in the answer. RetryLater (unknown) when there is nothing like it."""
        found = getattr(await self.ask(make), name, None)
        if not isinstance(found, BaseModel):
            raise RetryLater(UNREADABLE, 30.0, unknown=True)
        answer: dict[str, Any] = plain(found)
        return answer


def plain(model: Any) -> Any:
    """Objects as they came. The vendor's own way warns, with the values, of all it did not expect."""
    if isinstance(model, BaseModel):
        return {name: plain(value) for name, value in model if value is not None}
    return [plain(value) for value in model] if isinstance(model, list) else model


def classify(status: int, headers: dict[str, str], body: bytes) -> ConnectorError | None:
    """One of the three errors, or Declined: https://developer.squareup.com/docs/build-basics/handling-errors"""
    if status < 400 or status == 429:
        return None
    if status == 401:
        return Reconnect(RELINK)
    if status == 403:
        return Reconnect(NOT_ALLOWED)
    if status in (408, 409) or status >= 500:
        return RetryLater(f"Square answered {status}.", retry_after(headers, 5.0), unknown=True)
    errors, payment = errors_of(body)
    if not errors:
        # Not Square's JSON: something between us and Square spoke, and nobody knows what was done.
        return RetryLater(f"Square answered {status} with something unreadable.", 30.0, unknown=True)
    if errors[0].get("category") == "PAYMENT_METHOD_ERROR":
        return Declined(errors, payment)
    code = str(errors[0].get("code") or status)
    said = errors[0].get("detail") or code
    return Refused(f"Square refused the request: {said}", code=REUSED if code == KEY_REUSED else code)


def errors_of(body: bytes) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The errors, and the payment that Square may keep of a failed attempt; empty when there are none."""
    try:
        answer = json.loads(body)
    except ValueError:
        return [], {}
    if not isinstance(answer, dict) or not isinstance(answer.get("errors"), list):
        return [], {}
    payment = answer.get("payment")
    errors = [error for error in answer["errors"] if isinstance(error, dict)]
    return errors, payment if isinstance(payment, dict) else {}


def short(key: str) -> str:
    """An idempotency key as Square takes it: up to 45 characters."""
    if len(key) <= LONGEST_KEY:
        return key
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()).decode().rstrip("=")
