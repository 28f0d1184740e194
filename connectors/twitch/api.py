"""Helix, Twitch's API: twitchio's typed calls, carried by our own HTTP client.

twitchio builds each request and reads the answers. Its own transport stays unused: it has no timeout we
set, does not know 429, repeats by itself, and can be sent to another address only for the whole process.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, SecretStr
from twitchio.authentication.scopes import Scopes
from twitchio.http import HTTPClient, Route

from connectors.base import Session
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.oauth import utc_now

if TYPE_CHECKING:
    from twitchio.types_.responses import RawResponse

TWITCH = "https://api.twitch.tv/"
EVENTSUB = "wss://eventsub.wss.twitch.tv/ws"
INGEST = "rtmps://ingest.global-contribute.live-video.net:443/app"
"""Twitch's own choice of the nearest server."""

RELINK = "Twitch no longer accepts this login. Link the account again."
SCOPES = tuple(
    scope.value
    for scope in (
        Scopes.channel_read_stream_key,
        Scopes.channel_manage_broadcast,
        Scopes.user_read_chat,
        Scopes.user_write_chat,
    )
)
"""What a person allows when linking the account."""

LACKING = re.compile(r"missing (required )?scope|missing proper authorization", re.IGNORECASE)
DEFAULT_WAIT = 30.0


class Config(BaseModel):
    """What a brand enters once."""

    client_id: str = Field(title="Client ID", description="From your application at dev.twitch.tv/console.")
    client_secret: SecretStr = Field(
        title="Client secret", description="Made on the same page with 'New Secret'."
    )


def authorise(config: Config, token: str) -> dict[str, str]:
    """The two headers of every Helix call."""
    login = {"Authorization": f"Bearer {token}"} if token else {}
    return {"Client-Id": config.client_id, **login}


class Helix(HTTPClient):
    """twitchio's Helix calls over our connection: our timeouts, login, base address and three errors.

    `token_for`, which many of its calls ask for, chooses between logins; here there is only one.
    """

    def __init__(self, session: Session[Config]) -> None:
        super().__init__(client_id=session.config.client_id)
        self._carrier = session.http

    async def request(self, route: Route) -> RawResponse | str | None:
        """What every call of twitchio's client ends in. None when Twitch answers with nothing."""
        response = await self._carrier.request(
            route.method, f"helix/{route.path}", params=route.params or None, json=route.json or None
        )
        if not response.content:
            return None
        with understood(unknown=route.method != "GET"):
            answer: Any = response.json()
            if not isinstance(answer, dict):
                raise TypeError("not an object")
            return answer


@contextmanager
def understood(*, unknown: bool = False) -> Iterator[None]:
    """An answer that lacks what we read from it is RetryLater; a missing field is named."""
    try:
        yield
    except KeyError as error:
        raise RetryLater(f"Twitch's answer lacks {error}.", unknown=unknown) from None
    except (IndexError, TypeError, ValueError, AttributeError) as error:
        raise RetryLater(
            f"Twitch's answer can't be read ({type(error).__name__}).", unknown=unknown
        ) from None


@dataclass(frozen=True)
class TwitchErrors:
    """Which of the three errors an answer means; None leaves it to the general rule."""

    now: Callable[[], datetime] = utc_now

    def __call__(self, status: int, headers: dict[str, str], body: bytes) -> ConnectorError | None:
        """A `Classify`: 429 with its reset time, permissions that were never given, any other no."""
        said = said_in(body)
        if status == 429:
            return RetryLater("Twitch asks us to slow down.", self._wait(headers))
        if status in (401, 403) and LACKING.search(said):
            return Reconnect("This Twitch login lacks a permission. Link the account again and allow all.")
        if status == 401:
            return Reconnect(RELINK)
        if 400 <= status < 500 and status != 408:
            return Refused(f"Twitch refused the request: {said or status}", code=str(status))
        return None

    def _wait(self, headers: dict[str, str]) -> float:
        # The bucket is full again at this second of the clock; one call is possible a little sooner.
        try:
            reset = float(headers["ratelimit-reset"])
        except (KeyError, ValueError):
            return DEFAULT_WAIT
        return max(1.0, reset - self.now().timestamp())


def said_in(body: bytes) -> str:
    """Twitch's own sentence in an error, on one line; empty when there is none."""
    try:
        answer = json.loads(body)
    except ValueError:
        return ""
    message = answer.get("message") if isinstance(answer, dict) else None
    return " ".join(message.split())[:200] if isinstance(message, str) else ""
