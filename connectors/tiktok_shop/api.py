"""TikTok Shop's Open API: every request is signed, and the answer's `code` says what its status does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field, SecretStr

from connectors.base import Session
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.http import decoded, excerpt, retry_after
from connectors.oauth import utc_now
from connectors.tiktok_shop.sign import signature

TIKTOK = "https://open-api.tiktokglobalshop.com/"

PAGE_SIZE = "100"
PAGE_PAUSE = 0.5
"""Seconds between two pages: TikTok names no quota, and two requests a second are known to be taken."""

RELINK = "TikTok Shop no longer accepts this login. Link the shop again."
WRONG_APP = "TikTok Shop does not accept this app key or app secret. Enter them again as the app shows them."
WRONG_SHOP = "This login is not for the shop with this shop cipher. Link the shop again."
NOT_ALLOWED = (
    "The TikTok Shop app lacks a permission. Grant it in the Partner Center and link the shop again."
)
CLOSED = "This TikTok Shop is not active."

# https://partner.tiktokshop.com/docv2/page/common-errors
DEAD_LOGIN = frozenset({"105001", "105002", "36004004"})
BAD_SIGN = frozenset({"106001"})
FORBIDDEN = frozenset({"105005", "36009033"})
OTHER_SHOP = frozenset({"101000", "106013"})
LIMITED = frozenset({"36009002", "36009037"})
TROUBLE = frozenset({"36009003", "36009007"})
SHUT = frozenset({"36009043", "36009044"})
BY_MESSAGE = "36009004"
"""One code for whatever is wrong with a request; TikTok says to look for words in its message."""


class Config(BaseModel):
    """What a brand enters once; the login is the pair of tokens its consent gave."""

    app_key: str = Field(
        title="App key",
        description="From the app's page in the TikTok Shop Partner Center.",
        min_length=1,
    )
    app_secret: SecretStr = Field(
        title="App secret",
        description="From the same page. It signs our requests and TikTok's webhooks.",
    )
    shop_cipher: str = Field(
        title="Shop cipher",
        description="Names the shop in requests: `cipher` in the answer of Get Authorized Shops.",
        min_length=1,
    )
    warehouse_id: str | None = Field(
        None,
        title="Warehouse",
        description="The number of the warehouse whose stock is kept; empty when the shop has only one.",
        pattern=r"^[0-9]+$",
    )


class Api:
    """Signed requests for one shop. What comes back is the answer's `data`."""

    def __init__(
        self,
        session: Session[Config],
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = session.http
        self._config = session.config
        self._now = now
        self._sleep = sleep

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """Read one thing; `path` begins with a slash and is signed as it is."""
        return await self._call("GET", path, query, b"")

    async def post(self, path: str, body: dict[str, Any], **query: str) -> dict[str, Any]:
        """Ask or change something."""
        # The bytes that are signed are the bytes that are sent.
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return await self._call("POST", path, query, content)

    async def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Set something to what it may be already."""
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return await self._call("PUT", path, {}, content)

    async def pages(self, path: str, body: dict[str, Any], **query: str) -> AsyncIterator[dict[str, Any]]:
        """All pages of a search."""
        token = ""
        while True:
            data = await self.page(path, body, token, **query)
            yield data
            token = str(data.get("next_page_token") or "")
            if not token:
                return
            await self.rest()

    async def page(self, path: str, body: dict[str, Any], token: str, **query: str) -> dict[str, Any]:
        """One page of a search; an empty token asks for the first."""
        at = {"page_token": token} if token else {}
        return await self.post(path, body, page_size=PAGE_SIZE, **query, **at)

    async def rest(self) -> None:
        """The pause between two pages."""
        await self._sleep(PAGE_PAUSE)

    async def _call(self, method: str, path: str, query: dict[str, str], content: bytes) -> dict[str, Any]:
        params = query | {
            "app_key": self._config.app_key,
            "shop_cipher": self._config.shop_cipher,
            "timestamp": str(int(self._now().timestamp())),
        }
        sign = signature(self._config.app_secret.get_secret_value(), path, params, content)
        response = await self._http.request(
            method,
            path,
            content=content or None,
            headers={"Content-Type": "application/json"},
            # Whoever reads a signed address in a log could repeat the request for five minutes.
            secret_params=params | {"sign": sign},
        )
        answer = decoded(response.content)
        # Without a code it is not TikTok Shop's answer, and a write must not pass for done.
        data = (answer.get("data") or {}) if answer and "code" in answer else None
        if not isinstance(data, dict):
            raise RetryLater("TikTok Shop answered with something unreadable.", 30.0, unknown=method != "GET")
        return data


def authorise(_: Config, token: str) -> dict[str, str]:
    """TikTok Shop's own header."""
    return {"x-tts-access-token": token} if token else {}


def classify(status: int, headers: dict[str, str], body: bytes) -> ConnectorError | None:
    """The error an answer's `code` means, whatever its status; without a code the general rule decides."""
    answer = decoded(body) or {}
    code = str(answer.get("code") or "0")
    if code == "0":
        return None
    message = " ".join(str(answer.get("message") or "no reason given")[:300].split())
    if code == BY_MESSAGE:
        return by_message(message)
    if code in LIMITED:
        return RetryLater("TikTok Shop asks us to slow down.", retry_after(headers, 30.0))
    if code in TROUBLE:
        return RetryLater("TikTok Shop is in trouble.", retry_after(headers, 5.0), unknown=True)
    return login_error(code) or (None if status >= 500 or status == 429 else no(code, message))


def login_error(code: str) -> ConnectorError | None:
    """Codes that a person must answer."""
    if code in DEAD_LOGIN:
        return Reconnect(RELINK)
    if code in BAD_SIGN:
        return Reconnect(WRONG_APP)
    if code in OTHER_SHOP:
        return Reconnect(WRONG_SHOP)
    if code in FORBIDDEN:
        return Reconnect(NOT_ALLOWED)
    return Refused(CLOSED, code=code) if code in SHUT else None


def by_message(message: str) -> ConnectorError:
    """What the one code for bad requests means this time."""
    words = message.lower()
    if "access_token" in words or "access-token" in words:
        return Reconnect(RELINK)
    if "app_key" in words or "signature" in words:
        return Reconnect(WRONG_APP)
    if "page_token" in words:
        # A token lives for a while only, and the list has gone on since: only the beginning is sure.
        return RetryLater("TikTok Shop's list ran out while it was read. It is read again.", 5.0)
    if "timestamp" in words:
        # Nothing is wrong with the request; it is good as soon as the clock is.
        return RetryLater("TikTok Shop finds our clock wrong. Set this machine's time.", 60.0)
    return no(BY_MESSAGE, message)


def no(code: str, message: str) -> Refused:
    """A definite no in TikTok's words."""
    return Refused(f"TikTok Shop refused the request: {message}", code=code)


def agreed(data: dict[str, Any]) -> None:
    """Raise the first of the partial errors that come with `code` 0."""
    for error in data.get("errors") or ():
        finer = (error.get("detail") or {}).get("extra_errors") or ()
        said = next((one for one in finer if one.get("code")), error)
        raise no(str(said.get("code")), str(said.get("message") or "no reason given"))


def numbered(text: str) -> str:
    """An id that goes into a path; Refused when it is none of TikTok's, which are all digits."""
    if not (text.isascii() and text.isdecimal()):
        raise Refused(f"TikTok Shop has nothing with the number {excerpt(text.encode())!r}.")
    return text
