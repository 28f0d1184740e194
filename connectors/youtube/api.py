"""The YouTube Data API through Google's own client, made safe for an event loop.

Google's client is synchronous, not thread-safe, and built on httplib2, which sends a POST again by
itself when the server closes without answering. Here every thread has a service of its own, nothing
is retried behind our back, and every failure leaves as one of the three errors.
"""

from __future__ import annotations

import asyncio
import http.client
import re
import threading
from collections.abc import Callable
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any, Literal, Protocol, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httplib2
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from pydantic import BaseModel, Field, SecretStr

from connectors.base import Session
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.http import SAFE, retry_after
from connectors.oauth import utc_now

GOOGLE = "https://youtube.googleapis.com/"
TIMEOUT = 10.0
QUOTA_ZONE = "America/Los_Angeles"
RELINK = "YouTube no longer accepts this login. Link the account again."

QUOTA = frozenset({"quotaExceeded", "dailyLimitExceeded"})
THROTTLED = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "userRequestsExceedRateLimit"})
SCOPES = frozenset({"insufficientPermissions", "insufficientLivePermissions"})

SENTENCES = {
    "liveStreamingNotEnabled": "Live streaming is not enabled on this YouTube channel. "
    "Enable it in YouTube Studio; it can take 24 hours.",
    "livePermissionBlocked": "YouTube has blocked live streaming on this channel. See YouTube Studio.",
    "liveChatDisabled": "Live chat is switched off for this YouTube broadcast.",
    "liveChatEnded": "This YouTube live chat has ended.",
    "liveChatNotFound": "YouTube no longer knows this live chat.",
    "liveBroadcastNotFound": "YouTube no longer knows this broadcast.",
    "messageTextInvalid": "YouTube does not accept this text; it takes at most 200 characters.",
    "accessNotConfigured": "The YouTube Data API is not enabled in the Google Cloud project.",
    "userBroadcastsExceedLimit": "This YouTube channel has too many broadcasts. End or delete one.",
    "concurrentBroadcastsExceedLimit": "Too many broadcasts run on this YouTube channel at once.",
    "invalidTitle": "YouTube does not accept this title: at most 100 characters, without < and >.",
}


class Config(BaseModel):
    """What a brand enters once."""

    client_id: str = Field(title="Client ID", description="OAuth client ID from the Google Cloud console.")
    client_secret: SecretStr = Field(
        title="Client secret", description="OAuth client secret from the same page."
    )
    latency: Literal["normal", "low", "ultraLow"] = Field(
        "low", title="Latency", description="How far viewers on YouTube are behind; ultraLow excludes 4K."
    )
    made_for_kids: bool = Field(
        False, title="Made for kids", description="Declares the show as made for children; ends its chat."
    )
    chat_poll_seconds: float = Field(
        4.0,
        ge=0,
        title="Seconds between chat reads",
        description="Lower is faster and costs more of the daily quota; 4 lasts for a show of two hours.",
    )


class PagedCall(Protocol):
    """Makes the request for one page of a list."""

    def __call__(self, youtube: Any, /, *, page: str | None) -> Any: ...


class Unanswered(OSError):
    """The server took the request and closed without a word."""


class _OncePlain(httplib2.HTTPConnectionWithTimeout):  # type: ignore[misc]  # httplib2 ships no types
    def getresponse(self) -> http.client.HTTPResponse:
        return _first_answer(super().getresponse)


class _OnceTls(httplib2.HTTPSConnectionWithTimeout):  # type: ignore[misc]  # httplib2 ships no types
    def getresponse(self) -> http.client.HTTPResponse:
        return _first_answer(super().getresponse)


def _first_answer(read: Callable[[], http.client.HTTPResponse]) -> http.client.HTTPResponse:
    # httplib2 sends any request again, POST included, on BadStatusLine and ResponseNotReady,
    # whatever its RETRIES say. Another exception is the only per-connection way to stop it.
    try:
        return read()
    except (http.client.BadStatusLine, http.client.ResponseNotReady):
        raise Unanswered("closed without an answer") from None


class OnceHttp(httplib2.Http):  # type: ignore[misc]  # httplib2 ships no types
    """httplib2 that sends a write exactly once; reads keep its harmless resend."""

    def request(self, uri: str, method: str = "GET", **how: Any) -> Any:
        """As httplib2. A write travels on a fresh connection, so a stale one cannot eat it."""
        if method in SAFE:
            return super().request(uri, method, **how)
        self._forget(uri)
        how["connection_type"] = _OnceTls if uri.startswith("https:") else _OncePlain
        try:
            return super().request(uri, method, **how)
        finally:
            self._forget(uri)

    def _forget(self, uri: str) -> None:
        parts = urlsplit(uri)
        connection = self.connections.pop(f"{parts.scheme}:{parts.netloc}".lower(), None)
        if connection is not None:
            connection.close()


class _Stale(Exception):
    """A 401: nothing was done, a fresh token may help."""


class Api:
    """Calls of one connection. Any number may run at once; each runs in a thread of its own."""

    def __init__(self, session: Session[Config], now: Callable[[], datetime] = utc_now) -> None:
        self._login = session.http.login
        self._base_url = session.addresses.base_url.rstrip("/") + "/"
        self._now = now
        self._local = threading.local()

    async def call(self, make: Callable[[Any], Any]) -> dict[str, Any]:
        """Run `make(service)`'s request; a 401 is answered by one refresh and one repeat."""
        token = await self._login.access() if self._login else ""
        for _ in range(2):
            try:
                return await asyncio.to_thread(self._execute, make, token)
            except _Stale:
                if self._login is None:
                    break
                token = await self._login.renew(token)
        raise Reconnect(RELINK)

    async def every(self, make: PagedCall) -> list[dict[str, Any]]:
        """All items of a paged list; `make` is given the service and the page token."""
        items: list[dict[str, Any]] = []
        token: str | None = None
        while True:
            page = await self.call(partial(make, page=token))
            items += page.get("items", [])
            token = page.get("nextPageToken")
            if not token:
                return items

    def _execute(self, make: Callable[[Any], Any], token: str) -> dict[str, Any]:
        request = make(self._service())
        # The token travels in a header we set, so that refreshing stays in one place (Login).
        request.headers["authorization"] = f"Bearer {token}"
        write = request.method not in SAFE
        try:
            return cast("dict[str, Any]", request.execute(num_retries=0) or {})
        except HttpError as error:
            raise error_of(error, self._now(), write=write) from None
        except (OSError, ValueError, httplib2.HttpLib2Error, http.client.HTTPException) as error:
            # ConnectionRefusedError and an unknown host are the only proofs that nothing was sent.
            sent = not isinstance(error, ConnectionRefusedError | httplib2.ServerNotFoundError)
            raise RetryLater(
                f"YouTube could not be reached ({type(error).__name__}).", unknown=write and sent
            ) from None

    def _service(self) -> Any:
        if not hasattr(self._local, "service"):
            transport = OnceHttp(timeout=TIMEOUT)
            transport.follow_redirects = False
            self._local.service = build(
                "youtube",
                "v3",
                http=transport,
                client_options={"api_endpoint": self._base_url},
                cache_discovery=False,
            )
        return self._local.service


def error_of(error: HttpError, now: datetime, *, write: bool) -> ConnectorError | _Stale:
    """Which of the three errors an answer means; a 401 is a private fourth until it was refreshed."""
    status = int(error.status_code)
    details = error.error_details
    reason = str(details[0].get("reason", "")) if isinstance(details, list) and details else ""
    if status == 401:
        return _Stale()
    if reason in QUOTA:
        return RetryLater("Today's YouTube quota is used up.", until_pacific_midnight(now))
    if reason in THROTTLED or status == 429:
        return RetryLater("YouTube asks us to slow down.", retry_after(dict(error.resp), 60.0))
    if status >= 500:
        # `errorExecutingTransition` and `backendError` may come after the change was made.
        return RetryLater(f"YouTube answered {status}.", retry_after(dict(error.resp), 5.0), unknown=write)
    if reason == "errorStreamInactive":
        return RetryLater("YouTube does not see our stream yet.", 3.0)
    if reason in SCOPES:
        return Reconnect("This YouTube login lacks a permission. Link the account again and allow all.")
    said = " ".join(re.sub(r"<[^>]*>", "", str(error.reason)).split())[:200]
    sentence = SENTENCES.get(reason, f"YouTube refused the request: {said}")
    return Refused(sentence, code=reason or str(status))


def until_pacific_midnight(now: datetime) -> float:
    """Seconds until quotas are reset, plus a minute against clocks that differ."""
    pacific = now.astimezone(ZoneInfo(QUOTA_ZONE))
    midnight = datetime.combine(pacific.date() + timedelta(days=1), time(), pacific.tzinfo)
    # Subtracting in UTC counts the 23 or 25 hours of a day on which the clocks change.
    return (midnight.astimezone(now.tzinfo) - now).total_seconds() + 60
