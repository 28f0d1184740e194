"""Braintree's own client, made safe for an event loop: threads, timeouts, one attempt, the three errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit
from xml.parsers.expat import ExpatError

import requests
import urllib3.exceptions as urllib3_errors
from braintree import (  # type: ignore[import-untyped]  # it ships no types
    BraintreeGateway,
    Configuration,
    Environment,
)
from braintree.exceptions.braintree_error import (  # type: ignore[import-untyped]  # it ships no types
    BraintreeError,
)
from braintree.util.http import Http as Wire  # type: ignore[import-untyped]  # it ships no types
from pydantic import BaseModel, Field, SecretStr

from connectors.base import Session
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.http import retry_after

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 20.0
REAL = "https://api.braintreegateway.com/"
UNREADABLE = "Braintree answered with something unreadable."
RELINK = "Braintree no longer accepts these keys. Enter new ones."
NOT_ALLOWED = "This Braintree API key may not do that. Give its user the right to transactions and the vault."


class Config(BaseModel):
    """What a brand enters once."""

    merchant_id: str = Field(
        title="Merchant ID", description="From Braintree's Control Panel: Settings → API.", min_length=1
    )
    public_key: str = Field(title="Public key", description="On the same page.", min_length=1)
    private_key_secret: SecretStr = Field(
        title="Private key", description="On the same page: View beside the public key.", min_length=1
    )
    merchant_accounts: str = Field(
        title="Merchant accounts",
        description="One for each currency, as CURRENCY=ID separated by commas, for example EUR=shop_eur. "
        "From Settings → Business → Merchant accounts.",
        pattern=r"^\s*[A-Z]{3}=[\w.-]+(\s*,\s*[A-Z]{3}=[\w.-]+)*\s*$",
    )
    three_d_secure: bool = Field(
        default=True,
        title="Ask the buyer's bank (3-D Secure)",
        description="Needed for European cards. Switch it off only if Braintree has not set it up for you.",
    )
    sandbox: bool = Field(
        default=False,
        title="Sandbox",
        description="On for a Braintree sandbox account, where no money moves.",
    )

    @property
    def test_mode(self) -> bool:
        """Whether the account moves play money."""
        return self.sandbox

    def account_for(self, currency: str) -> str:
        """The merchant account that takes a currency; Braintree's amounts have none. Refused without one."""
        pairs = (pair.strip().partition("=") for pair in self.merchant_accounts.split(","))
        for name, _, account in pairs:
            if name == currency:
                return account
        raise Refused(f"No Braintree merchant account is entered for {currency}.", code="no_account")


class Ear(requests.Session):
    """Keeps the last answer."""

    heard: requests.Response | None = None

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        """One request."""
        self.heard = super().send(request, **how)
        return self.heard


class Listening(Wire):  # type: ignore[misc]  # it ships no types
    """The client's transport, over a session that is asked afterwards what the client's errors leave out."""

    def __init__(self, config: Any, environment: Any = None) -> None:
        super().__init__(config, environment)
        self.ear = Ear()

    def close(self) -> None:
        """Close the connection."""
        self.ear.close()

    def _get_session(self) -> Ear:
        return self.ear


class Api:
    """Calls of one connection. Any number may run at once; each runs in a thread of its own."""

    def __init__(self, session: Session[Config], answer_seconds: float = ANSWER_SECONDS) -> None:
        self._config = session.config
        self._environment = environment_of(session.addresses.base_url, session.config.sandbox)
        self._timeout = (CONNECT_SECONDS, answer_seconds)

    async def read(self, make: Callable[[Any], Any]) -> Any:
        """Run `make(gateway)`, calls that change nothing."""
        return await self._in_a_thread(make, False)

    async def write(self, make: Callable[[Any], Any]) -> Any:
        """Run `make(gateway)`, one call that moves money."""
        return await self._in_a_thread(make, True)

    async def _in_a_thread(self, make: Callable[[Any], Any], write: bool) -> Any:
        # Not the loop's pool: it has a handful of threads for everything, and one drop has a thousand
        # buyers whose banks take their second each.
        thread = ThreadPoolExecutor(1, "braintree")
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, self._run, make, write)
        finally:
            thread.shutdown(wait=False)

    def _run(self, make: Callable[[Any], Any], write: bool) -> Any:
        configuration = Configuration(
            self._environment,
            self._config.merchant_id,
            self._config.public_key,
            self._config.private_key_secret.get_secret_value(),
            # Handed on to requests, which takes the two apart; it repeats nothing by itself.
            timeout=self._timeout,
            http_strategy=Listening,
        )
        ear = configuration.http_strategy().ear
        try:
            answer = make(BraintreeGateway(configuration))
        except BraintreeError as error:
            # `from None`: nothing of the request goes along.
            raise translated(ear.heard, type(error).__name__, write) from None
        except requests.RequestException as error:
            raise unreached(error, write) from None
        except (ExpatError, KeyError, TypeError, AttributeError, ValueError) as error:
            # The client takes every success for XML of Braintree's; a page of HTML breaks it somewhere.
            reason = f"{UNREADABLE[:-1]} ({type(error).__name__})."
            raise RetryLater(reason, 30.0, unknown=write) from None
        finally:
            configuration.close()
        if answer is None:
            raise RetryLater(UNREADABLE, 30.0, unknown=write)
        return answer


def environment_of(base_url: str, sandbox: bool) -> Any:
    """Braintree's two, or a local one."""
    if base_url == REAL:
        return Environment.Sandbox if sandbox else Environment.Production
    parts = urlsplit(base_url)
    host, port = parts.hostname or "", str(parts.port or 80)
    return Environment("local", host, port, base_url, False, None, host, port)


def translated(heard: requests.Response | None, kind: str, write: bool) -> ConnectorError:
    """One of the three errors. https://developer.paypal.com/braintree/docs/reference/general/exceptions"""
    status = heard.status_code if heard is not None else 0
    headers = {name.lower(): value for name, value in heard.headers.items()} if heard is not None else {}
    if status == 401:
        return Reconnect(RELINK)
    if status == 403:
        return Reconnect(NOT_ALLOWED)
    if status == 429:
        return RetryLater("Braintree asks us to slow down.", retry_after(headers, 5.0))
    if status in (408, 409) or status >= 500:
        return RetryLater(f"Braintree answered {status}.", retry_after(headers, 5.0), unknown=write)
    if status >= 400 and status != 404 and "xml" not in headers.get("content-type", ""):
        # Not Braintree's: something between us spoke, and nobody knows what was done.
        return RetryLater(f"Braintree answered {status} with something unreadable.", 30.0, unknown=write)
    return Refused(f"Braintree refused the request ({kind}).", code=str(status or kind))


def unreached(error: requests.RequestException, write: bool) -> RetryLater:
    """A transport failure; a write may have arrived unless not even a connection was made."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    never_sent = isinstance(error, requests.ConnectTimeout) or isinstance(
        reason, urllib3_errors.NewConnectionError | urllib3_errors.ConnectTimeoutError
    )
    return RetryLater("Braintree could not be reached.", 5.0, unknown=write and not never_sent)
