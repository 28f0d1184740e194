"""What the capabilities of this connector share: its config, its calls, and its way of saying no."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, Field, SecretStr

from connectors.base import Quota, Session
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater


class App(BaseModel):
    """What a brand enters about its own app before anybody can press Allow.

    SecretStr keeps a value out of logs, errors and reprs.
    """

    client_id: str = Field(title="Client ID", description="From the platform's developer page.")
    client_secret: SecretStr = Field(title="Client secret", description="From the same page.")


class Config(App):
    """The app, and what linking fills in: `Account.config` is joined to what was entered."""

    channel_id: str = Field(
        default="", title="Channel", description="Filled in when an account is linked. Empty: the main one."
    )


def allowance(config: Config) -> Quota:
    """The day's units. Whoever shares the app shares the pot; it is no secret, it appears in tables."""
    return Quota(pot=config.client_id, units=10_000, zone="America/Los_Angeles", reserve=500)


class Calls:
    """Every call of this connector: paid for from the day's allowance first, then made."""

    def __init__(self, session: Session[Config]) -> None:
        # `http` adds the login, renews it on a 401, has timeouts, and raises the three errors only.
        self._http = session.http
        self._budget = session.budget
        # A login may reach several channels; every call names the one that was chosen.
        self._channel = {"X-Channel": session.config.channel_id} if session.config.channel_id else {}

    async def __call__(
        self,
        method: str,
        path: str,
        *,
        units: int = 1,
        urgent: bool = False,
        headers: dict[str, str] | None = None,
        **how: Any,
    ) -> dict[str, Any]:
        """The answer as a dict. `urgent` may touch the reserve: going live must work on a used-up day."""
        await self._budget.spend(units, urgent=urgent)
        carried = self._channel | (headers or {})
        answer: dict[str, Any] = (await self._http.request(method, path, headers=carried, **how)).json()
        return answer


def classify(status: int, headers: dict[str, str], body: bytes) -> ConnectorError | None:
    """The error of an answer, or None to leave it to the general rule.

    This platform answers 200 with `{"error": {"code", "message"}}`: exactly what the general rule
    cannot know. Everything it does in the usual way (401, 429, 5xx) is left to that rule.
    """
    if status != 200 or b'"error"' not in body:
        return None
    try:
        error = json.loads(body).get("error")
    except ValueError:
        return RetryLater("The platform answered with something unreadable.")
    match error:
        case {"code": "token_expired"}:
            return Reconnect("The platform no longer accepts this login. Link the account again.")
        case {"code": "slow_down", "seconds": int(seconds)}:
            return RetryLater("The platform asks us to slow down.", float(seconds))
        case {"code": str(code), "message": str(message)}:
            # The platform's sentence, never the request's: requests hold secrets.
            return Refused(f"The platform refused the request: {message}", code=code)
        case _:
            return None
