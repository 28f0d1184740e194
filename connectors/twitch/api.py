"""Helix, Twitch's API: twitchio's typed calls, carried by our own HTTP client.

twitchio builds each request and reads the answers. Its own transport stays unused: it has no timeout we
set, does not know 429, repeats by itself, and can be sent to another address only for the whole process.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, SecretStr
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

INGESTS = "https://ingest.twitch.tv/ingests"
"""Twitch's list of servers, nearest first."""
CONSENT = "https://id.twitch.tv/oauth2/authorize"

RELINK = "Twitch no longer accepts this login. Link the account again."
LACKS = "This Twitch login lacks a permission. Link the account again and allow all."
LACKING = re.compile(r"missing (required )?scope|missing proper authorization", re.IGNORECASE)
DEFAULT_WAIT = 30.0
MINUTE = 60.0
KEPT = 0.1
"""Part of Twitch's allowance that only urgent calls may use: moderation, while everything else is busy."""


class App(BaseModel):
    """A brand's own application at Twitch."""

    client_id: str = Field(title="Client ID", description="From your application at dev.twitch.tv/console.")
    client_secret: SecretStr = Field(
        title="Client secret", description="Made on the same page with 'New Secret'."
    )


class Config(App):
    """What a brand enters once."""

    server: str = Field(
        default="",
        title="Server",
        description=(
            "Where to send the stream, by its name in Twitch's list, for example 'EU: Frankfurt'. "
            "Left empty, the one that answers first."
        ),
    )


def authorise(config: App, token: str) -> dict[str, str]:
    """The two headers of every Helix call."""
    login = {"Authorization": f"Bearer {token}"} if token else {}
    return {"Client-Id": config.client_id, **login}


class Bucket:
    """Twitch's allowance of calls as its last answer told it: points that come back evenly over a minute.

    Every answer says anew what is left for the whole login, so that other users of it are counted too.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._limit = math.inf
        self._left = math.inf
        self._at = 0.0

    def take(self, *, urgent: bool) -> None:
        """Before a call. RetryLater when too few points are left for one of this kind."""
        now = self._clock()
        if math.isinf(self._limit):
            return
        back = (now - self._at) * self._limit / MINUTE
        self._left, self._at = min(self._limit, self._left + back), now
        needed = 1.0 if urgent else 1.0 + KEPT * self._limit
        if self._left < needed:
            wait = (needed - self._left) * MINUTE / self._limit
            raise RetryLater("Twitch's calls for this minute are used up.", max(1.0, wait))
        self._left -= 1.0

    def note(self, headers: Mapping[str, str]) -> None:
        """After a call: what Twitch says is left. Anything else than two numbers is passed over."""
        try:
            limit, left = float(headers["ratelimit-limit"]), float(headers["ratelimit-remaining"])
        except (KeyError, ValueError):
            return
        if limit > 0:
            self._limit, self._left, self._at = limit, left, self._clock()


class Helix(HTTPClient):
    """twitchio's Helix calls over our connection: our timeouts, login, base address and three errors.

    `token_for`, which many of its calls ask for, chooses between logins; here there is only one.
    """

    def __init__(self, session: Session[Config], *, urgent: bool = False) -> None:
        super().__init__(client_id=session.config.client_id)
        self._carrier = session.http
        self._urgent = urgent
        self._bucket = session.common.one(Bucket)

    async def request(self, route: Route) -> RawResponse | str | None:
        """What every call of twitchio's client ends in. None when Twitch answers with nothing."""
        self._bucket.take(urgent=self._urgent)
        response = await self._carrier.request(
            route.method, f"helix/{route.path}", params=route.params or None, json=route.json or None
        )
        self._bucket.note(response.headers)
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


@contextmanager
def optional() -> Iterator[None]:
    """For what a login may do without: a permission that was never given is a no, not the login's end."""
    try:
        yield
    except Reconnect as error:
        if error.reason != LACKS:
            raise
        raise Refused(LACKS, code="scope") from None


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
            return Reconnect(LACKS)
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
