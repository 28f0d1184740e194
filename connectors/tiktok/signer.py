"""From a TikTok name to an open door: the room's number, then the signed address of its socket.

Neither step is documented by TikTok. Sources: the public behaviour of TikTok's website and of the
signing services that open-source readers use; see the README.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from connectors.base import Session
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.http import Http
from connectors.tiktok.config import Config, moved, site_of
from connectors.tiktok.frames import WEB_PLAYER, Batch
from connectors.tiktok.protobuf import Malformed

AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
"""What a signature is made for: the service is told, and the socket must say the same."""
WEB_APP = "1988"
ON_AIR = 2
NOT_LIVE_AGAIN = 15.0
TROUBLE_AGAIN = 30.0
"""Seconds; signing services count every call, and the free ones allow few."""

PLAYER = {
    "aid": WEB_APP,
    "app_name": "tiktok_web",
    "browser_name": "Mozilla",
    "browser_online": "true",
    "browser_platform": "Win32",
    "compress": "gzip",
    "cookie_enabled": "true",
    "debug": "false",
    "device_platform": "web",
    "did_rule": "3",
    "fetch_rule": "1",
    "host": "https://webcast.tiktok.com",
    "identity": "audience",
    "live_id": str(WEB_PLAYER),
    "resp_content_type": "protobuf",
    "sup_ws_ds_opt": "1",
    "update_version_code": "2.0.0",
    "version_code": "270000",
    "webcast_sdk_version": "2.0.0",
}
"""What the web player says about itself on the socket's address."""


@dataclass(frozen=True)
class Door:
    """Everything needed to connect once, within half a minute. Address and cookie are secrets."""

    room_id: int
    batch: Batch
    address: str = field(repr=False)
    cookie: str = field(repr=False)

    def headers(self) -> dict[str, str]:
        """For the WebSocket's handshake."""
        return {"Cookie": self.cookie, "User-Agent": AGENT}


class Signer:
    """Asks TikTok's website for the room and the signing service for the address."""

    def __init__(self, session: Session[Config]) -> None:
        self._http = session.http
        self._config = session.config
        self._site = site_of(session.addresses)
        self._socket = session.addresses.ws_url if moved(session.addresses) else None

    async def door(self, unique_id: str) -> Door:
        """RetryLater while there is no LIVE; Refused when there can't be one or the service says no."""
        room_id = await self._room(unique_id)
        response = await self._signed(room_id)
        # TikTok's own cookie for an anonymous visitor. A person's login is never used here.
        cookie = response.headers.get("x-set-tt-cookie", "")
        try:
            batch = Batch.decode(response.content)
        except Malformed:
            batch = Batch()
        server = self._socket or batch.push_server
        if not (cookie and batch.cursor and server):
            raise RetryLater("The signing service gave an incomplete answer.", TROUBLE_AGAIN)
        if not self._socket and not server.startswith("wss://"):
            raise Refused("The signing service names an address that is not encrypted.")
        params = {**PLAYER, "room_id": str(room_id), "cursor": batch.cursor, **dict(batch.route)}
        params["internal_ext"] = batch.internal_ext.decode("utf-8", "replace")
        address = f"{server}{'&' if '?' in server else '?'}{urlencode(params, quote_via=quote)}"
        return Door(room_id, batch, address, cookie)

    async def _room(self, unique_id: str) -> int:
        response = await self._ask(
            "TikTok",
            f"{self._site}api-live/user/room/",
            {"aid": WEB_APP, "uniqueId": unique_id, "sourceType": "54"},
            {},
        )
        try:
            answer = response.json()
        except ValueError:
            # A page instead of data: TikTok wants to see a person.
            raise RetryLater("TikTok does not answer programs from here now.", 2 * TROUBLE_AGAIN) from None
        room_id, status = room_of(answer)
        if room_id is None:
            raise Refused(f"TikTok knows no LIVE of @{unique_id}. Check the name.")
        if status != ON_AIR:
            raise RetryLater(f"@{unique_id} is not LIVE on TikTok yet.", NOT_LIVE_AGAIN)
        return room_id

    async def _signed(self, room_id: int) -> httpx.Response:
        key = self._config.signer_key.get_secret_value()
        return await self._ask(
            "The signing service",
            f"{self._config.signer_url.rstrip('/')}/webcast/fetch",
            {
                "client": "simulcast-hub",
                "room_id": str(room_id),
                "user_agent": AGENT,
                "client_enter": "true",
                "platform": "web",
            },
            {"X-Api-Key": key} if key else {},
        )

    async def _ask(
        self, who: str, url: str, params: dict[str, str], headers: dict[str, str]
    ) -> httpx.Response:
        try:
            return await ask(self._http, url, params, headers)
        except ConnectorError as error:
            raise said_by(who, error) from None


async def ask(http: Http, url: str, params: dict[str, str], headers: dict[str, str]) -> httpx.Response:
    """One reading call without any login of the connection."""
    return await http.request(
        "GET", url, params=params, headers={"User-Agent": AGENT, **headers}, login=False
    )


def said_by(who: str, error: ConnectorError) -> ConnectorError:
    """The same error about the one who said it, without a word of the answer itself.

    The service's address is whatever somebody entered, so its answers are not shown. A bad key is never
    Reconnect: that would stop the stream, which needs neither the service nor the chat.
    """
    if isinstance(error, RetryLater):
        return RetryLater(f"{who} can't be used now. {error.reason}", max(error.after, TROUBLE_AGAIN))
    if isinstance(error, Reconnect):
        return Refused(f"{who} does not accept the key that was entered.", code="401")
    code = error.code if isinstance(error, Refused) else None
    return Refused(f"{who} refused the request ({code}).", code=code)


def room_of(answer: Any) -> tuple[int | None, int]:
    """(room number or None, status) from TikTok's answer. Source: samples/room.json."""
    match answer:
        case {"data": {"user": {"roomId": str(room), "status": int(status)}}} if room.isdecimal() and int(
            room
        ):
            return int(room), status
        case _:
            return None, 0
