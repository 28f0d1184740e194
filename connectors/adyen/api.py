"""Adyen's own client, made safe for an event loop: threads, timeouts, one attempt, the three errors."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
import urllib3.exceptions as urllib3_errors
from Adyen import AdyenClient, AdyenError  # type: ignore[import-untyped]  # it ships no types
from Adyen.services.checkout import (  # type: ignore[import-untyped]  # it ships no types
    ModificationsApi,
    PaymentsApi,
    RecurringApi,
)
from pydantic import BaseModel, Field, SecretStr

from connectors.base import Session
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.http import retry_after

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 20.0
REAL = "https://checkout-test.adyen.com/"
"""Where test accounts answer. Each live account has an address of its own, made from `live_prefix`."""
VERSION = "v72"
LONGEST_KEY = 64
IN_PROGRESS = "704"
"""Adyen's code for a key whose first request is still being worked on."""
REUSED = "idempotency_error"
"""The word that all gateways share for a key that came with another request before."""
RELINK = "Adyen no longer accepts this API key. Enter a new one."
NOT_ALLOWED = "This Adyen API key may not do that. Give it the Checkout and Merchant Recurring roles."
UNREADABLE = "Adyen answered with something unreadable."


class Config(BaseModel):
    """What a brand enters once."""

    api_key: SecretStr = Field(
        title="API key",
        description="From Adyen's Customer Area: Developers → API credentials → your credential → API key.",
    )
    merchant_account: str = Field(
        title="Merchant account", description="The account that takes the money, as it is spelled at Adyen."
    )
    client_key: str = Field(
        title="Client key",
        description="On the same page as the API key; starts with test_ or live_. Buyers' pages use it.",
    )
    hmac_secret: SecretStr = Field(
        title="HMAC key",
        description="From Developers → Webhooks → Standard webhook → HMAC key: 64 digits and letters A–F.",
    )
    country: str = Field(
        title="Country",
        description="Where your shop is, in two capital letters, for example DE. The card form follows it.",
        pattern=r"^[A-Z]{2}$",
    )
    live_prefix: str = Field(
        default="",
        title="Live URL prefix",
        description="From Developers → API URLs, without dots. Leave it empty for a test account.",
        pattern=r"^[A-Za-z0-9-]*$",
    )

    @property
    def test_mode(self) -> bool:
        """Whether the account moves play money."""
        return not self.live_prefix


Make = Callable[["Services"], Any]


class Services:
    """The three parts of Adyen's Checkout API that are used, for one call."""

    def __init__(self, client: Any, base_url: str | None) -> None:
        self.payments = PaymentsApi(client=client)
        self.modifications = ModificationsApi(client=client)
        self.recurring = RecurringApi(client=client)
        for part in (self.payments, self.modifications, self.recurring):
            if base_url:
                part.baseUrl = f"{base_url}{VERSION}"


class Api:
    """Calls of one connection. Any number may run at once; each runs in a thread of its own."""

    def __init__(self, session: Session[Config], answer_seconds: float = ANSWER_SECONDS) -> None:
        self._config = session.config
        self._base_url = session.addresses.base_url
        self._timeout = (CONNECT_SECONDS, answer_seconds)

    async def read(self, make: Make) -> dict[str, Any]:
        """Run `make(services)`, a call that changes nothing."""
        return await self._in_a_thread(make, False)

    async def write(self, make: Make) -> dict[str, Any]:
        """Run `make(services)`, a call that moves money."""
        return await self._in_a_thread(make, True)

    async def _in_a_thread(self, make: Make, write: bool) -> dict[str, Any]:
        # Not the loop's pool: it has a handful of threads for everything, and one drop has a thousand
        # buyers whose banks take their second each.
        thread = ThreadPoolExecutor(1, "adyen")
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, self._run, make, write)
        finally:
            thread.shutdown(wait=False)

    def _run(self, make: Make, write: bool) -> dict[str, Any]:
        live = self._base_url == REAL and not self._config.test_mode
        client = AdyenClient(
            xapikey=self._config.api_key.get_secret_value(),
            platform="live" if live else "test",
            live_endpoint_prefix=self._config.live_prefix or None,
            # Handed on to requests, which takes the two apart; it repeats nothing by itself.
            http_timeout=self._timeout,
            http_force="requests",
        )
        try:
            answer = make(Services(client, None if live else self._base_url)).message
        except AdyenError as error:
            # `from None`: the original carries the request, the buyer's encrypted card included.
            raise translated(error, write) from None
        except requests.RequestException as error:
            raise unreached(error, write) from None
        except (AttributeError, TypeError) as error:
            # The client expects every JSON text to be an object; a list or a number breaks it.
            raise RetryLater(f"{UNREADABLE[:-1]} ({type(error).__name__}).", 30.0, unknown=write) from None
        if not isinstance(answer, dict):
            raise RetryLater(UNREADABLE, 30.0, unknown=write)
        return answer


def translated(error: Any, write: bool) -> ConnectorError:
    """One of the three errors. https://docs.adyen.com/development-resources/error-codes"""
    status = int(error.status_code or 0)
    said: Mapping[str, Any] = error.message if isinstance(error.message, dict) else {}
    code = str(said.get("errorCode") or status)
    headers = {name.lower(): value for name, value in dict(error.headers or {}).items()}
    if status == 401:
        return Reconnect(RELINK)
    if status == 403:
        return Reconnect(NOT_ALLOWED)
    if status == 429:
        return RetryLater("Adyen asks us to slow down.", retry_after(headers, 5.0))
    if code == IN_PROGRESS:
        return RetryLater("Adyen is still working on this request.", 2.0, unknown=write)
    if status in (408, 409) or status >= 500:
        return RetryLater(f"Adyen answered {status}.", retry_after(headers, 5.0), unknown=write)
    if not said:
        # Not Adyen's JSON: something between us and Adyen spoke, and nobody knows what was done.
        return RetryLater(f"Adyen answered {status} with something unreadable.", 30.0, unknown=write)
    message = str(said.get("message") or f"status {status}")
    # Adyen's pages name no code for a key that came with another request before, only its words.
    reused = "idempoten" in message.lower()
    return Refused(f"Adyen refused the request: {message}", code=REUSED if reused else code)


def unreached(error: requests.RequestException, write: bool) -> RetryLater:
    """A transport failure; a write may have arrived unless not even a connection was made."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    never_sent = isinstance(error, requests.ConnectTimeout) or isinstance(
        reason, urllib3_errors.NewConnectionError | urllib3_errors.ConnectTimeoutError
    )
    return RetryLater("Adyen could not be reached.", 5.0, unknown=write and not never_sent)


def short(key: str) -> str:
    """An idempotency key as Adyen takes it: up to 64 characters."""
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()
