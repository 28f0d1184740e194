"""The Graph API through facebook-sdk, made safe for several addresses, threads and today's versions.

facebook-sdk 3.1.0 keeps its address in a module global, refuses two-digit versions, waits for ever by
default and throws HTTP status and headers away. All four are settled here, in the session it is given.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import threading
from collections.abc import Callable
from typing import Any

import facebook
import requests
from pydantic import BaseModel, Field, SecretStr
from urllib3.exceptions import NewConnectionError

from connectors.base import Session
from connectors.errors import ConnectorError, RetryLater
from connectors.facebook.errors import graph_error, percent_used

GRAPH = "https://graph.facebook.com/"
STREAMING = "https://streaming-graph.facebook.com/"
VERSION = "v26.0"
TIMEOUT = 10.0


class Config(BaseModel):
    """What a brand enters once."""

    page_id: str = Field(title="Page ID", description="Number of the Facebook Page the show runs on.")
    app_secret: SecretStr = Field(
        title="App secret", description="From the Meta app's basic settings; signs every call."
    )
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
        # A redirect would carry the token, which is in the query, to another host.
        kwargs["allow_redirects"] = False
        return super().request(method, self._base_url + path, *args, **kwargs)

    def _note(self, response: requests.Response, *_: Any, **__: Any) -> None:
        # The library dies with KeyError on an answer without a content type.
        response.headers.setdefault("content-type", "text/html")
        self.status = response.status_code
        self.seen = {name.lower(): value for name, value in response.headers.items()}


class Api:
    """Calls of one connection. Any number may run at once; each thread has a client of its own."""

    def __init__(self, session: Session[Config]) -> None:
        self._login = session.http.login
        self._base_url = session.addresses.base_url.rstrip("/") + "/"
        self._secret = session.config.app_secret
        self._local = threading.local()
        self.used = 0.0
        """Percent of the fullest rate limit, as of the last answer."""

    async def token(self) -> str:
        """The Page token."""
        return await self._login.access() if self._login else ""

    def proof(self, token: str) -> str:
        """appsecret_proof: a stolen token is worthless without it."""
        return hmac.new(self._secret.get_secret_value().encode(), token.encode(), hashlib.sha256).hexdigest()

    async def read(self, call: Callable[[facebook.GraphAPI], Any]) -> Any:
        """Run a call that changes nothing."""
        return await asyncio.to_thread(self._run, call, await self.token(), write=False)

    async def write(self, call: Callable[[facebook.GraphAPI], Any]) -> Any:
        """Run a call that changes something: a lost answer is RetryLater(unknown=True)."""
        return await asyncio.to_thread(self._run, call, await self.token(), write=True)

    def _run(self, call: Callable[[facebook.GraphAPI], Any], token: str, *, write: bool) -> Any:
        graph = self._graph(token)
        session: GraphSession = graph.session
        try:
            answer = call(graph)
        except facebook.GraphAPIError as error:
            raise _error_of(error, session, write=write) from None
        except requests.RequestException as error:
            # `from None`: its text has the whole address, token included.
            raise RetryLater(
                f"Facebook could not be reached ({type(error).__name__}).",
                unknown=write and not _never_sent(error),
            ) from None
        self.used = percent_used(session.seen)
        if answer is False or (isinstance(answer, dict) and answer.get("success") is False):
            raise RetryLater("Facebook did not do it and gave no reason.")
        return answer

    def _graph(self, token: str) -> facebook.GraphAPI:
        if getattr(self._local, "token", None) != token:
            graph = facebook.GraphAPI(
                token, timeout=TIMEOUT, session=GraphSession(self._base_url, self.proof(token))
            )
            # The constructor's check allows one-digit versions only.
            graph.version = VERSION
            self._local.graph, self._local.token = graph, token
        return self._local.graph


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
