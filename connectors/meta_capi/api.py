"""The Graph API as far as conversions need it: every no has a number, and some of them mean "later".

Sources: developers.facebook.com, Conversions API "Using the API" and Graph API error handling (read 2026-11).
"""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, Field

from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.http import decoded, retry_after

VERSION: Final = "v26.0"
DEAD: Final = frozenset({102, 190})
LACKING: Final = frozenset({3, 10, 200, 294, 299})
LIMITED: Final = frozenset({4, 17, 32, 341, 368, 613, 80004})
TROUBLE: Final = frozenset({1, 2})
TOO_OLD: Final = 2804003
"""The subcode of "Event Timestamp Too Old", said of a whole batch for the sake of one event."""
RELINK: Final = (
    "Meta no longer accepts this access token. Generate a new one in the Events Manager and enter it."
)


class Config(BaseModel):
    """What a brand enters once; the dataset's token is the login."""

    pixel_id: str = Field(
        title="Dataset (pixel) ID",
        description="The dataset's number, at the top of its page in Meta's Events Manager.",
        pattern=r"^[0-9]{5,20}$",
    )
    test_event_code: str = Field(
        default="",
        title="Test event code",
        description="For the test button: from Events Manager → Test events, for example TEST12345.",
        pattern=r"^[A-Za-z0-9]{0,40}$",
    )
    limited_data_use: bool = Field(
        default=False,
        title="Limited Data Use for everybody",
        description="Meta then handles every event as US state privacy laws ask, by where the person is.",
    )


def classify(status: int, headers: dict[str, str], body: bytes) -> ConnectorError | None:
    """The error an answer's number means; without one the general rule decides."""
    said = decoded(body) if b'"error"' in body else None
    error = said.get("error") if said else None
    if not isinstance(error, dict):
        return None
    code, subcode = error.get("code"), error.get("error_subcode")
    if code in DEAD:
        return Reconnect(RELINK)
    if code in LACKING:
        return Reconnect("The access token may not send events to this dataset. Generate one for it.")
    if code in LIMITED:
        return RetryLater("Meta asks us to slow down.", retry_after(headers, 60.0))
    if code in TROUBLE or error.get("is_transient") or status >= 500:
        return RetryLater("Meta is in trouble.", retry_after(headers, 5.0), unknown=True)
    if status == 429:
        return None
    words = error.get("error_user_msg") or error.get("message") or "no reason given"
    message = " ".join(str(words)[:300].split())
    return Refused(f"Meta refused the event: {message}", code=str(subcode or code))
