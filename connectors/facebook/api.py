"""The Graph API through facebook-sdk, made safe for several addresses, threads and today's versions.

facebook-sdk 3.1.0 keeps its address in a module global, refuses two-digit versions, waits for ever by
default, puts the token into addresses and throws HTTP status and headers away. All five are settled here,
in the session it is given.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import facebook
import requests
from pydantic import BaseModel, Field, SecretStr
from urllib3.exceptions import NewConnectionError

from connectors.base import Session
from connectors.errors import ConnectorError, RetryLater
from connectors.facebook.errors import counters, graph_error

GRAPH = "https://graph.facebook.com/"
STREAMING = "https://streaming-graph.facebook.com/"
VERSION = "v26.0"

SLOW, STOP = 75.0, 95.0
"""Percent of a rate limit from which we read a quarter as often, and from which what can wait is left."""
REST = 300.0
"""Seconds for which what can wait is left, and a counter believed."""


class App(BaseModel):
    """What a brand enters about its Meta app beforehand."""

    app_id: str = Field(title="App ID", description="From the Meta app's basic settings.", min_length=1)
    app_secret: SecretStr = Field(
        title="App secret", description="From the Meta app's basic settings; signs every call."
    )
    config_id: str = Field(
        "",
        title="Login configuration ID",
        description="Only if the Meta app uses Facebook Login for Business: the number of its configuration.",
        pattern=r"^[0-9]*$",
    )
    verify_token: SecretStr = Field(
        SecretStr(""),
        title="Webhook verify token",
        description="A word you make up. Enter the same one under Webhooks in the Meta app. Leave it empty "
        "to do without webhooks.",
    )


class Config(App):
    """What a connection needs. A pasted Page token does without the app's ID."""

    app_id: str = Field("", title="App ID", description="From the Meta app's basic settings.")
    page_id: str = Field(title="Page ID", description="Number of the Facebook Page the show runs on.")
    chat_poll_seconds: float = Field(
        3.0,
        gt=0,
        title="Seconds between comment reads",
        description="How often comments are read while Facebook's push stream is not available.",
    )


class GraphSession(requests.Session):
    """requests bound to one Graph address; it remembers the last answer's status and headers."""

    def __init__(self, base_url: str, proof: str) -> None:
        super().__init__()
        self._base_url = base_url
        self.params = {"appsecret_proof": proof}
        self.hooks["response"].append(self._note)
        self.status = 0
        self.seen: dict[str, str] = {}

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """The library's global address is replaced by ours, call by call; nothing global is changed."""
        self.status, self.seen = 0, {}
        path = str(url).removeprefix(facebook.FACEBOOK_GRAPH_URL)
        for place in ("params", "data"):
            given = dict(kwargs.get(place) or {})
            token = given.pop("access_token", None)
            if token:
                # Addresses are logged (by urllib3, by proxies); a header is not.
                kwargs["headers"] = {**(kwargs.get("headers") or {}), "Authorization": f"Bearer {token}"}
            kwargs[place] = given or None
        # A redirect would carry the token to another host.
        kwargs["allow_redirects"] = False
        return super().request(method, self._base_url + path, *args, **kwargs)

    def _note(self, response: requests.Response, *_: Any, **__: Any) -> None:
        # The library dies with KeyError on an answer without a content type.
        response.headers.setdefault("content-type", "text/html")
        self.status = response.status_code
        self.seen = {name.lower(): value for name, value in response.headers.items()}


class Usage:
    """Percent of the fullest rate limit: Facebook counts a Page's calls, whichever of us makes them.

    Each kind of call has a counter of its own, and an answer tells but those it was counted by.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[str, tuple[float, float]] = {}

    @property
    def percent(self) -> float:
        """Of all counters that were told lately; 0 without any."""
        since = self._clock() - REST
        return max((percent for percent, at in [*self._told.values()] if at >= since), default=0.0)

    def note(self, headers: Mapping[str, str]) -> None:
        """Header names are lower case."""
        self._told |= {name: (percent, self._clock()) for name, percent in counters(headers).items()}


class Api:
    """Calls of one connection. Any number may run at once; each thread has a client of its own."""

    def __init__(self, session: Session[Config]) -> None:
        self._login = session.http.login
        self._seconds = session.http.answer_seconds
        self._base_url = session.addresses.base_url.rstrip("/") + "/"
        self._secret = session.config.app_secret
        self._local = threading.local()
        self._usage = session.common.one(Usage)

    @property
    def used(self) -> float:
        """Percent of the fullest rate limit, as far as this account's calls were told lately."""
        return self._usage.percent

    @property
    def slower(self) -> float:
        """What to stretch the time between reads by, so that Facebook need not stop us."""
        return 1.0 if self.used < SLOW else 4.0 if self.used < STOP else 20.0

    async def token(self) -> str:
        """The Page token."""
        return await self._login.access() if self._login else ""

    def proof(self, token: str) -> str:
        """appsecret_proof: a stolen token is worthless without it."""
        return proof_of(self._secret, token)

    async def get(self, path: str, *, spare: bool = False, **args: Any) -> dict[str, Any]:
        """An object, or a page of a list.

        What is `spare` ends in RetryLater once a limit is nearly used up, so that whoever asks asks less.
        """
        answer = await self._call(lambda graph: graph.request(f"{VERSION}/{path}", args=args), write=False)
        if not isinstance(answer, dict):
            raise RetryLater("Facebook answered with something unreadable.")
        if spare and self.used >= STOP:
            raise RetryLater("Facebook's rate limit is nearly used up; this can wait.", REST)
        return answer

    async def post(self, path: str, **args: Any) -> Any:
        """Change something: a lost answer is RetryLater(unknown=True)."""
        return await self._call(
            lambda graph: graph.request(f"{VERSION}/{path}", post_args=dict(args)), write=True
        )

    async def delete(self, path: str, **args: Any) -> Any:
        """Take something away."""
        return await self._call(
            lambda graph: graph.request(f"{VERSION}/{path}", args=dict(args), method="DELETE"), write=True
        )

    async def _call(self, call: Callable[[facebook.GraphAPI], Any], *, write: bool) -> Any:
        return await asyncio.to_thread(self._run, call, await self.token(), write=write)

    def _run(self, call: Callable[[facebook.GraphAPI], Any], token: str, *, write: bool) -> Any:
        graph = self._graph(token)
        session: GraphSession = graph.session
        try:
            answer = call(graph)
        except facebook.GraphAPIError as error:
            raise _error_of(error, session, write=write) from None
        except requests.RequestException as error:
            # `from None`: its text may quote what was sent.
            raise RetryLater(
                f"Facebook could not be reached ({type(error).__name__}).",
                unknown=write and not _never_sent(error),
            ) from None
        finally:
            self._usage.note(session.seen)
        if answer is False or (isinstance(answer, dict) and answer.get("success") is False):
            raise RetryLater("Facebook did not do it and gave no reason.")
        return answer

    def _graph(self, token: str) -> facebook.GraphAPI:
        if getattr(self._local, "token", None) != token:
            session = GraphSession(self._base_url, self.proof(token))
            # No version: the constructor's check allows one-digit ones only, so every path names it.
            self._local.graph = facebook.GraphAPI(token, timeout=self._seconds, session=session)
            self._local.token = token
        return self._local.graph


def proof_of(secret: SecretStr, token: str) -> str:
    """HMAC-SHA256 of a token under the app's secret, in hexadecimal digits."""
    return hmac.new(secret.get_secret_value().encode(), token.encode(), hashlib.sha256).hexdigest()


def _error_of(error: facebook.GraphAPIError, session: GraphSession, *, write: bool) -> ConnectorError:
    result = error.result
    body = result.get("error") if isinstance(result, dict) else None
    if isinstance(body, dict):
        return graph_error(body, session.status, session.seen, write=write)
    # No JSON at all: an error page, or a redirect we do not follow.
    status = session.status if session.status >= 400 else 502
    return graph_error({"message": "not JSON"}, status, session.seen, write=write)


def _never_sent(error: requests.RequestException) -> bool:
    cause = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.ConnectTimeout) or isinstance(cause, NewConnectionError)
