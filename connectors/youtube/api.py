"""The YouTube Data API through Google's own client, made safe for an event loop.

Google's client is synchronous, not thread-safe, and built on httplib2, which sends a POST again by
itself when the server closes without answering. Here every thread has a service of its own, nothing
is retried behind our back, every call is paid for beforehand, and every failure leaves as one of the
three errors.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import io
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import httplib2
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaIoBaseUpload

from connectors.base import Session
from connectors.errors import Reconnect, RetryLater
from connectors.http import SAFE
from connectors.oauth import utc_now
from connectors.types import Picture
from connectors.youtube.config import UNITS, Config
from connectors.youtube.refusals import RELINK, UsedUp, error_of

GOOGLE = "https://youtube.googleapis.com/"
MOST_PAGES = 400

Weight = Literal["routine", "urgent", "anyway"]
"""routine: leaves the reserve alone. urgent: may use it. anyway: is sent even when our count is used up."""


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
    """Calls of one connection, by their names in the reference ("liveBroadcasts.list").

    Any number may run at once; each runs in a thread of its own.
    """

    def __init__(self, session: Session[Config], now: Callable[[], datetime] = utc_now) -> None:
        self._login = session.http.login
        self._seconds = session.http.answer_seconds
        self._budget = session.budget
        self._base_url = session.addresses.base_url.rstrip("/") + "/"
        self._now = now
        self._local = threading.local()

    async def call(
        self, method: str, *, weight: Weight = "routine", picture: Picture | None = None, **params: Any
    ) -> dict[str, Any]:
        """One call; a 401 is answered by one refresh and one repeat. `picture` is what is uploaded."""
        await self.pay(method, weight)
        token = await self._login.access() if self._login else ""
        for _ in range(2):
            try:
                return await asyncio.to_thread(self._execute, method, params, picture, token)
            except UsedUp:
                await self.dry()
                raise
            except _Stale:
                if self._login is None:
                    break
                token = await self._login.renew(token)
        raise Reconnect(RELINK)

    async def every(self, method: str, *, weight: Weight = "routine", **params: Any) -> list[dict[str, Any]]:
        """All items of a paged list. One that does not end is RetryLater: a part of it proves nothing."""
        items: list[dict[str, Any]] = []
        token: str | None = None
        for _ in range(MOST_PAGES):
            page = await self.call(method, weight=weight, pageToken=token, **params)
            items += page.get("items", [])
            token = page.get("nextPageToken")
            if not token:
                return items
        raise RetryLater("YouTube's list does not end.", 60.0)

    async def pay(self, method: str, weight: Weight = "routine") -> None:
        """Spend what a call costs. Raises RetryLater when the day's units are used up."""
        try:
            await self._budget.spend(UNITS[method], urgent=weight != "routine")
        except RetryLater:
            # Our own count may be stricter than YouTube's, and the end of a show is worth asking for.
            if weight != "anyway":
                raise

    async def dry(self) -> None:
        """YouTube says that nothing is left: tell everybody who shares the quota."""
        left = await self._budget.left()
        if left:
            with contextlib.suppress(RetryLater):
                await self._budget.spend(left)

    def _execute(
        self, method: str, params: dict[str, Any], picture: Picture | None, token: str
    ) -> dict[str, Any]:
        request = self._request(method, params, picture)
        # The token travels in a header we set, so that refreshing stays in one place (Login).
        request.headers["authorization"] = f"Bearer {token}"
        write = request.method not in SAFE
        try:
            # A delete is answered with nothing at all, which the client gives as an empty string.
            return cast("dict[str, Any]", request.execute(num_retries=0) or {})
        except HttpError as error:
            status = int(error.status_code)
            if status == 401:
                raise _Stale from None
            raise error_of(status, error.content, error.resp, now=self._now(), write=write) from None
        except (OSError, ValueError, httplib2.HttpLib2Error, http.client.HTTPException) as error:
            # ConnectionRefusedError and an unknown host are the only proofs that nothing was sent.
            sent = not isinstance(error, ConnectionRefusedError | httplib2.ServerNotFoundError)
            raise RetryLater(
                f"YouTube could not be reached ({type(error).__name__}).", unknown=write and sent
            ) from None

    def _request(self, method: str, params: dict[str, Any], picture: Picture | None) -> Any:
        resource, _, verb = method.partition(".")
        if picture is not None:
            body = MediaIoBaseUpload(io.BytesIO(picture.data), mimetype=picture.media_type)
            params = {**params, "media_body": body}
        request = getattr(getattr(self._service(), resource)(), verb)(**params)
        if picture is not None:
            # The client takes the host of `api_endpoint` for uploads, but neither its scheme nor its path.
            request.uri = f"{self._base_url}upload/{request.uri.partition('/upload/')[2]}"
        return request

    def _service(self) -> Any:
        if not hasattr(self._local, "service"):
            transport = OnceHttp(timeout=self._seconds)
            transport.follow_redirects = False
            self._local.service = build(
                "youtube",
                "v3",
                http=transport,
                client_options={"api_endpoint": self._base_url},
                cache_discovery=False,
            )
        return self._local.service
