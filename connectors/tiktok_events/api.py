"""TikTok's business API: HTTP 200 nearly always, and a number in the body that says what it means.

Sources: TikTok API for Business, "Events API 2.0" and "Return codes", as far as public copies and notes of
integrators show them (read 2026-11).
"""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, Field

from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.http import decoded, retry_after

OK: Final = 0
LOGIN: Final = frozenset({40001, 40101, 40102, 40104, 40105, 40110})
"""No permission, and the kinds of a missing, dead or wrong token."""
LIMITED: Final = frozenset({40100, 40016, 40133})
RELINK: Final = (
    "TikTok no longer accepts this access token for this pixel. Generate a new one in the Events Manager."
)


class Config(BaseModel):
    """What a brand enters once; the pixel's token is the login."""

    pixel_code: str = Field(
        title="Pixel ID",
        description="From TikTok Ads Manager → Tools → Events → your pixel, for example C4A1B2C3D4E5F6G7.",
        pattern=r"^[A-Z0-9]{8,40}$",
    )
    test_event_code: str = Field(
        default="",
        title="Test event code",
        description="For the test button: from the pixel's page under Test events, for example TEST12345.",
        pattern=r"^[A-Za-z0-9]{0,40}$",
    )


def authorise(config: Config, token: str) -> dict[str, str]:
    """TikTok's own header."""
    return {"Access-Token": token}


def classify(status: int, headers: dict[str, str], body: bytes) -> ConnectorError | None:
    """The error the number in a body means; without one the general rule decides."""
    said = decoded(body)
    code = said.get("code") if said else None
    if said is None or not isinstance(code, int) or code == OK:
        return None
    if code in LIMITED:
        return RetryLater("TikTok asks us to slow down.", retry_after(headers, 60.0))
    if code in LOGIN:
        return Reconnect(RELINK)
    if code >= 50000 or status >= 500:
        return RetryLater("TikTok is in trouble.", retry_after(headers, 5.0), unknown=True)
    message = " ".join(str(said.get("message") or "no reason given")[:300].split())
    return Refused(f"TikTok refused the event: {message}", code=str(code))
