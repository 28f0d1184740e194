"""From a room's number to an open door: the signed address of its socket.

Not documented by TikTok. Source: the public behaviour of the signing services that open-source readers use;
see the README.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import httpx

from connectors.base import Session
from connectors.errors import Refused, RetryLater
from connectors.tiktok.config import Config, moved
from connectors.tiktok.frames import WEB_PLAYER, Batch
from connectors.tiktok.protobuf import Malformed
from connectors.tiktok.rooms import AGENT, TROUBLE_AGAIN, WEB_APP, ask

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
    """Asks the signing service for the address of a room's socket."""

    def __init__(self, session: Session[Config]) -> None:
        self._http = session.http
        self._config = session.config
        self._socket = session.addresses.ws_url if moved(session.addresses) else None

    async def door(self, room_id: int) -> Door:
        """RetryLater while the service is down or busy; Refused when it says no."""
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

    async def _signed(self, room_id: int) -> httpx.Response:
        key = self._config.signer_key.get_secret_value()
        query = {
            "client": "simulcast-hub",
            "room_id": str(room_id),
            "user_agent": AGENT,
            "client_enter": "true",
            "platform": "web",
        }
        url = f"{self._config.signer_url.rstrip('/')}/webcast/fetch"
        return await ask(self._http, "The signing service", url, query, {"X-Api-Key": key} if key else {})
