"""Stripe's own client, made safe for an event loop: threads, timeouts, one attempt, the three errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
import stripe
import urllib3.exceptions as urllib3_errors
from pydantic import BaseModel, Field, SecretStr

from connectors.base import Session
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.http import retry_after

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 20.0
RELINK = "Stripe no longer accepts this secret key. Enter a new one."
NOT_ALLOWED = "This Stripe key may not do that. Enter one with write access to PaymentIntents and Refunds."
MONEY = frozenset({"id", "status"})
"""What every PaymentIntent and every refund has."""
THING = frozenset({"id", "object"})
FOUND = frozenset({"data"})
REUSED = "Stripe has seen this idempotency key with another request."


class Config(BaseModel):
    """What a brand enters once."""

    secret_key: SecretStr = Field(
        title="Secret key",
        description="A secret (sk_…) or restricted (rk_…) key from Stripe's Developers → API keys page.",
    )
    webhook_secret: SecretStr = Field(
        title="Webhook signing secret",
        description="Starts with whsec_; shown when the webhook endpoint is made in Stripe.",
    )
    publishable_key: str | None = Field(
        default=None,
        title="Publishable key",
        description="Starts with pk_; on the same page. Buyers' pages draw Stripe's card fields with it.",
        pattern=r"^pk_(test|live)_[A-Za-z0-9]+$",
    )

    @property
    def test_mode(self) -> bool:
        """Whether the key moves play money; Stripe writes it into every key."""
        return "_test_" in self.secret_key.get_secret_value()


class Declined(Exception):
    """A 402: the card was refused. Stays inside this connector; `error` is Stripe's error object."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__("declined")
        self.error = error


class Api:
    """Calls of one connection. Any number may run at once; each runs in a thread of its own."""

    def __init__(self, session: Session[Config], answer_seconds: float = ANSWER_SECONDS) -> None:
        self._key = session.config.secret_key
        self._base_url = session.addresses.base_url.rstrip("/")
        self._timeout = (CONNECT_SECONDS, answer_seconds)

    async def read(self, make: Callable[[Any], Any], *, shape: frozenset[str] = MONEY) -> dict[str, Any]:
        """Run `make(client.v1)`, a call that changes nothing; the answer has the fields of `shape`."""
        return await self._in_a_thread(make, False, shape)

    async def write(self, make: Callable[[Any], Any], *, shape: frozenset[str] = MONEY) -> dict[str, Any]:
        """Run `make(client.v1)`, a call that changes something. Declined for a refused card."""
        return await self._in_a_thread(make, True, shape)

    async def _in_a_thread(
        self, make: Callable[[Any], Any], write: bool, shape: frozenset[str]
    ) -> dict[str, Any]:
        # Not the loop's pool: it has a handful of threads for everything, and one drop has a thousand
        # buyers whose banks take their second each.
        thread = ThreadPoolExecutor(1, "stripe")
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, self._run, make, write, shape)
        finally:
            thread.shutdown(wait=False)

    def _run(self, make: Callable[[Any], Any], write: bool, shape: frozenset[str]) -> dict[str, Any]:
        # The vendor's only switch against sending how long our calls took; it is always off.
        stripe.enable_telemetry = False
        http: Any = stripe.RequestsClient(timeout=self._timeout)
        client = stripe.StripeClient(
            self._key.get_secret_value(),
            base_addresses={"api": self._base_url},
            http_client=http,
            # Repeating is the caller's business: it has the key, the patience and the deadline.
            max_network_retries=0,
        )
        try:
            answer: dict[str, Any] = make(client.v1).to_dict()
        except stripe.CardError as error:
            raise Declined(details(error)) from None
        except stripe.StripeError as error:
            # `from None`: the original carries the request's answer, client secrets included.
            raise translated(error, write) from None
        finally:
            http.close()
        if not shape <= answer.keys():
            # A success that is not Stripe's: what was done, if anything, is not known.
            raise RetryLater("Stripe answered with something unreadable.", 30.0, unknown=write)
        return answer


def details(error: stripe.StripeError) -> dict[str, Any]:
    """Stripe's error object as it was sent; empty when the answer was not Stripe's."""
    body = error.json_body
    found = body.get("error") if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def translated(error: stripe.StripeError, write: bool) -> ConnectorError:
    """One of the three errors. https://docs.stripe.com/error-handling"""
    status, code = error.http_status or 0, details(error).get("code")
    headers = lower(error.headers)
    if isinstance(error, stripe.APIConnectionError):
        unknown = write and not never_sent(error)
        return RetryLater("Stripe could not be reached.", 5.0, unknown=unknown)
    if status == 401:
        return Reconnect(RELINK)
    if status == 403:
        return Reconnect(NOT_ALLOWED)
    if status == 429 or code == "lock_timeout":
        return RetryLater("Stripe asks us to slow down.", retry_after(headers, 5.0))
    if status in (408, 409) or status >= 500:
        return RetryLater(f"Stripe answered {status}.", retry_after(headers, 5.0), unknown=write)
    if isinstance(error, stripe.IdempotencyError):
        return Refused(REUSED, code="idempotency_error")
    if not details(error):
        # Not Stripe's JSON: something between us and Stripe spoke, and nobody knows what was done.
        return RetryLater(f"Stripe answered {status} with something unreadable.", 30.0, unknown=write)
    message = details(error).get("message") or f"status {status}"
    return Refused(f"Stripe refused the request: {message}", code=code or str(status))


def lower(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Header names in lower case."""
    return {name.lower(): value for name, value in (headers or {}).items()}


def never_sent(error: stripe.APIConnectionError) -> bool:
    """True when not even a connection was made, so nothing can have happened."""
    cause = error.__cause__
    if isinstance(cause, requests.exceptions.ConnectTimeout):
        return True
    reason = getattr(cause.args[0], "reason", None) if cause and cause.args else None
    return isinstance(reason, urllib3_errors.NewConnectionError | urllib3_errors.ConnectTimeoutError)
