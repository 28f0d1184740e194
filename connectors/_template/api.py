"""What the capabilities of this connector share: its config and its way of saying no."""

from __future__ import annotations

import json

from pydantic import BaseModel, Field, SecretStr

from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater


class Config(BaseModel):
    """What a brand enters once. SecretStr keeps a value out of logs, errors and reprs."""

    client_id: str = Field(title="Client ID", description="From the platform's developer page.")
    client_secret: SecretStr = Field(title="Client secret", description="From the same page.")


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
