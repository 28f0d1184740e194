"""A local TikTok with one pixel: HTTP 200, and a number in the body that may mean anything.

It refuses what TikTok refuses: wrong tokens, other pixels, more than 1,000 events, contact data that is not
hashed, money that is no number, an event without a time or of long ago. A batch is refused whole, its place
in it named.

Faults (POST /_ctl/fault): "status" · "code" ("code", "message") · "reject" ("event_id") · "lose" (done, then
the answer breaks off) · "revoke" · "clear". `/_ctl/clock` sets its time.
"""

from __future__ import annotations

import json
import random
import re
from typing import Any

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.fakes import Heard, broken_off, simulated
from connectors.types import Tokens

WEEK = 7 * 86400
SCRIPT = """
(function () {
  var ttq = window.ttq, granted = true;
  function take(what) {
    if (what[0] === "holdConsent" || what[0] === "revokeConsent") granted = false;
    if (what[0] === "grantConsent") granted = true;
    if (granted && document.cookie.indexOf("_ttp=") < 0)
      document.cookie = "_ttp=2F" + Math.random().toString(36).slice(2) + "; path=/";
    if (what[0] === "track" && granted) navigator.sendBeacon("HERE", JSON.stringify(
      { name: what[1], id: what[3] && what[3].event_id, about: { value: what[2].value } }));
  }
  ttq.slice().forEach(take);
  ttq.push = function (what) { take(what); return Array.prototype.push.call(ttq, what); };
})();
"""


class Fake:
    """One ad account with one pixel."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        chance = random.Random(seed)
        self._pixel = "C" + "".join(chance.choice("ABCDEFGHIJKLMNOPQRSTUV0123456789") for _ in range(19))
        self._token = f"{chance.getrandbits(160):040x}"
        self._heard = Heard()
        self.app = Starlette(
            routes=[
                Route("/open_api/v1.3/event/track/", self._track, methods=["POST"]),
                *self._heard.routes("code", "reject", "revoke"),
                *self._heard.page(SCRIPT),
            ]
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """What a brand enters, and its pixel's token."""
        config = {"pixel_code": self._pixel, "test_event_code": "TEST67890"}
        return config, Tokens(access=SecretStr(self._token))

    def set_base_url(self, url: str) -> None:
        """Nothing here depends on the address."""

    async def _track(self, request: Request) -> Response:
        if fault := self._heard.fault("status"):
            return simulated(fault)
        if self._heard.revoked or request.headers.get("access-token") != self._token:
            return said(40105, "Access token is incorrect or has been revoked.")
        if fault := self._heard.fault("code"):
            return said(fault["code"], fault.get("message", "Simulated."))
        raw = await request.body()
        self._heard.bodies.append(raw.decode())
        body = json.loads(raw)
        if body.get("event_source") != "web" or body.get("event_source_id") != self._pixel:
            return said(40001, "No permission to operate this event source.")
        events = body.get("data") or []
        if not 0 < len(events) <= 1000:
            return said(40002, "data: Length must be between 1 and 1000.")
        for place, event in enumerate(events):
            if why := self._wrong(event):
                return said(40002, f"data.{place}.{why}")
        lost = self._heard.fault("lose")
        for event in events:
            about = {"user": sorted(event["user"]), "value": event.get("properties", {}).get("value")}
            if body.get("test_event_code"):
                self._heard.tests.append({"name": event["event"], "id": event["event_id"]})
            else:
                self._heard.count(event["event"], event["event_id"], **about)
        return broken_off() if lost else said(0, "OK")

    def _wrong(self, event: dict[str, Any]) -> str | None:
        who = event.get("user") or {}
        if self._heard.rejected([str(event.get("event_id"))]):
            return f"event_id: {event['event_id']} is invalid."
        at = event.get("event_time")
        if not isinstance(at, int) or len(str(at)) != 10:
            return "event_time: Not a Unix timestamp in seconds."
        if self._heard.now() - at > WEEK:
            return "event_time: Too far in the past."
        for name in ("email", "phone", "external_id"):
            if not re.fullmatch("([0-9a-f]{64})?", who.get(name, "")):
                return f"user.{name}: Must be hashed with SHA-256."
        about = event.get("properties") or {}
        for money in (about.get("value", 0), *(one.get("price", 0) for one in about.get("contents") or ())):
            if type(money) not in (int, float):
                return "properties.value: Not a valid number."
        if event.get("event") == "Purchase" and "currency" not in event.get("properties", {}):
            return "properties.currency: Missing data for required field."
        return None


def said(code: int, message: str) -> Response:
    """TikTok's answer to anything."""
    return JSONResponse({"code": code, "message": message, "request_id": "20261126000000AB", "data": {}})
