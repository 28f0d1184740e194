"""A local Meta with one dataset: a batch is taken whole, or refused whole for the sake of one event.

It refuses what Meta refuses: wrong tokens, other datasets, more than 1,000 events, one that is older than
seven days or of the future, contact data that is not hashed, a website's event without browser or address,
one by which nobody could be recognised, a purchase without an amount.

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
HASHED = ("em", "ph", "fn", "ln", "ct", "st", "zp", "country")
WEAK = {"ct", "country", "st", "zp", "ge", "client_user_agent"}
SOURCES = {"website", "app", "email", "phone_call", "chat", "physical_store", "system_generated", "other"}
SCRIPT = """
(function () {
  var stub = window.fbq, granted = true, init = false;
  function take(what) {
    if (what[0] === "consent") granted = what[1] === "grant";
    if (what[0] === "init") init = true;
    if (init && granted && document.cookie.indexOf("_fbp=") < 0)
      document.cookie = "_fbp=fb.1." + Date.now() + "." + Math.ceil(Math.random() * 1e9) + "; path=/";
    if (what[0] === "track" && what[3] && granted) navigator.sendBeacon("HERE", JSON.stringify(
      { name: what[1], id: what[3].eventID, about: { value: what[2].value } }));
  }
  stub.callMethod = function () { take(arguments); };
  while (stub.queue.length) take(stub.queue.shift());
})();
"""


class Fake:
    """One business with one dataset."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        chance = random.Random(seed)
        self._pixel = str(chance.randrange(10**14, 10**15))
        self._token = "EAA" + f"{chance.getrandbits(160):040x}"
        self._heard = Heard()
        self.app = Starlette(
            routes=[
                Route("/v26.0/{pixel}/events", self._events, methods=["POST"]),
                *self._heard.routes("code", "reject", "revoke"),
                *self._heard.page(SCRIPT),
            ]
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """What a brand enters, and its dataset's token."""
        config = {"pixel_id": self._pixel, "test_event_code": "TEST12345"}
        return config, Tokens(access=SecretStr(self._token))

    def set_base_url(self, url: str) -> None:
        """Nothing here depends on the address."""

    async def _events(self, request: Request) -> Response:
        if fault := self._heard.fault("status"):
            return simulated(fault)
        if self._heard.revoked or request.headers.get("authorization") != f"Bearer {self._token}":
            return no(190, "Error validating access token.", status=401)
        if request.path_params["pixel"] != self._pixel:
            return no(100, "Unsupported post request. Object with this ID does not exist.")
        if fault := self._heard.fault("code"):
            return no(fault["code"], fault.get("message", "Simulated."))
        raw = await request.body()
        self._heard.bodies.append(raw.decode())
        body = json.loads(raw)
        events = body.get("data") or []
        refusal = self._refusal(events)
        if refusal:
            return refusal
        lost = self._heard.fault("lose")
        for event in events:
            about = {"user": sorted(event["user_data"]), "value": event.get("custom_data", {}).get("value")}
            limited = event.get("data_processing_options") == ["LDU"]
            if body.get("test_event_code"):
                self._heard.tests.append({"name": event["event_name"], "id": event["event_id"]})
            else:
                self._heard.count(event["event_name"], event["event_id"], limited=limited, **about)
        answer = {"events_received": len(events), "messages": [], "fbtrace_id": "AbCdEf0123"}
        return broken_off() if lost else JSONResponse(answer)

    def _refusal(self, events: list[dict[str, Any]]) -> Response | None:
        if not 0 < len(events) <= 1000:
            return no(100, "Between 1 and 1000 events are allowed.")
        if unwanted := self._heard.rejected(str(event.get("event_id")) for event in events):
            return no(100, f"Invalid parameter in the event {unwanted}.")
        for place, event in enumerate(events):
            age = self._heard.now() - event.get("event_time", 0)
            if age > WEEK:
                return no(100, "Invalid parameter", 2804003, "The timestamp is too far in the past.")
            if age < -60 or len(str(event.get("event_time"))) != 10:
                return no(100, "Invalid parameter", 2804004, "The timestamp is in the future.")
            if why := wrong(event):
                return no(100, "Invalid parameter", 2804019, f"The parameter $['data'][{place}] {why}")
        return None


def wrong(event: dict[str, Any]) -> str | None:
    """What Meta has against one event."""
    who = event.get("user_data") or {}
    hashes = [value for name in HASHED for value in who.get(name, [])]
    if any(not re.fullmatch("[0-9a-f]{64}", value) for value in hashes):
        return "['user_data'] must be hashed with SHA-256."
    if any(re.fullmatch("[0-9a-f]{64}", who.get(name, "")) for name in ("client_ip_address", "fbc", "fbp")):
        return "['user_data'] must not be hashed here."
    if not set(who) - WEAK:
        return "['user_data'] has too little to recognise anybody by."
    if event.get("action_source") not in SOURCES:
        return "['action_source'] is required."
    if event["action_source"] == "website" and not (
        event.get("event_source_url") and who.get("client_user_agent")
    ):
        return "needs event_source_url and client_user_agent."
    bought = event.get("custom_data") or {}
    if event.get("event_name") == "Purchase" and not ("value" in bought and "currency" in bought):
        return "['custom_data'] needs value and currency."
    return None


def no(code: int, message: str, subcode: int | None = None, words: str = "", status: int = 400) -> Response:
    """Meta's kind of refusal."""
    error = {
        "message": message,
        "type": "OAuthException",
        "code": code,
        "error_subcode": subcode,
        "error_user_msg": words,
        "is_transient": False,
        "fbtrace_id": "AbCdEf0123",
    }
    return JSONResponse({"error": {name: value for name, value in error.items() if value}}, status)
