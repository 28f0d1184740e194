"""A local Google Analytics: it takes everything with 204, counts what is right and drops the rest unsaid.

It drops what Google drops: another secret or stream, no client id, more than 25 events, values that are too
long, what is older than 72 hours. `/debug/mp/collect` says what is wrong, but does not look at the secret.

Faults (POST /_ctl/fault): "status", "lose" (done, then the answer breaks off), "clear". `/_ctl/clock`.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.fakes import Heard, broken_off, simulated
from connectors.types import Tokens

OLDEST = 72 * 3600
RESERVED = frozenset({"session_start", "first_visit", "user_engagement", "ad_click", "error"})
LONG = {"page_location": 1000, "page_referrer": 420, "page_title": 300}
SCRIPT = """
(function () {
  var id = new URL(document.currentScript.src).searchParams.get("id");
  var year = "; path=/; max-age=31536000";
  var agreed = false;
  function take(what) {
    if (what[0] === "consent") {
      agreed = what[2].analytics_storage === "granted";
      if (agreed && document.cookie.indexOf("_ga=") < 0) {
        document.cookie = "_ga=GA1.1." + Math.ceil(Math.random() * 1e9) + ".1790000000" + year;
        document.cookie = "_ga_" + id.slice(2) + "=GS2.1.s1790000123$o1$g1$t1790000200$j60$l0$h0" + year;
      }
    }
    if (what[0] === "event" && agreed) navigator.sendBeacon("HERE", JSON.stringify(
      { name: what[1], id: what[2].transaction_id, about: { value: what[2].value } }));
  }
  var queue = window.dataLayer = window.dataLayer || [];
  queue.forEach(take);
  queue.push = function (what) { take(what); return Array.prototype.push.call(queue, what); };
})();
"""


class Fake:
    """One property with one web stream."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        chance = random.Random(seed)
        self._stream = "G-" + "".join(chance.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(10))
        self._secret = f"{chance.getrandbits(88):022x}"
        self._heard = Heard()
        self.app = Starlette(
            routes=[
                Route("/mp/collect", self._collect, methods=["POST"]),
                Route("/debug/mp/collect", self._debug, methods=["POST"]),
                *self._heard.routes(),
                *self._heard.page(SCRIPT),
            ]
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """What a person would enter; there is no login beside it."""
        return {"measurement_id": self._stream, "api_secret": self._secret}, None

    def set_base_url(self, url: str) -> None:
        """Nothing here depends on the address."""

    async def _collect(self, request: Request) -> Response:
        if fault := self._heard.fault("status"):
            return simulated(fault)
        raw = await request.body()
        self._heard.bodies.append(raw.decode())
        lost = self._heard.fault("lose")
        body = json.loads(raw)
        query = request.query_params
        wrong = [why for _, why in problems(body)]
        if len(raw) >= 130_000:
            wrong = ["too many bytes"]
        if (query.get("api_secret"), query.get("measurement_id")) != (self._secret, self._stream):
            wrong = ["another secret or stream"]
        for event in body.get("events", []):
            params = event.get("params", {})
            name, event_id = event.get("name", ""), str(params.get("transaction_id", ""))
            at = event.get("timestamp_micros", self._heard.now() * 1e6) / 1e6
            old = ["too old"] if self._heard.now() - at > OLDEST else []
            if wrong or old:
                self._heard.dropped.append({"name": name, "id": event_id, "why": (wrong or old)[0]})
            else:
                about = {key: params.get(key) for key in ("value", "currency", "session_id")}
                if name == "refund":
                    # Each part of a purchase that goes back is another refund; only the very same is known.
                    event_id = f"{event_id}@{at}"
                self._heard.count(name, event_id, client=body["client_id"], **about)
        return broken_off() if lost else Response(status_code=204)

    async def _debug(self, request: Request) -> Response:
        if fault := self._heard.fault("status"):
            return simulated(fault)
        body = await request.json()
        strict = body.pop("validation_behavior", "") == "ENFORCE_RECOMMENDATIONS"
        found = list(problems(body))
        for event in body.get("events", []):
            self._heard.tests.append({"name": event.get("name"), "id": event["params"].get("transaction_id")})
            old = self._heard.now() - event.get("timestamp_micros", self._heard.now() * 1e6) / 1e6 > OLDEST
            if strict and old:
                found.append(("VALUE_OUT_OF_BOUNDS", "timestamp_micros is more than 72 hours ago."))
        said = [{"fieldPath": "events", "description": why, "validationCode": code} for code, why in found]
        return JSONResponse({"validationMessages": said})


def problems(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with a request, by Google's codes."""
    events = body.get("events", [])
    if not body.get("client_id"):
        yield "VALUE_REQUIRED", "Measurement requires a client_id."
    if not 0 < len(events) <= 25:
        yield "EXCEEDED_MAX_ENTITIES", "Between 1 and 25 events are allowed."
    for event in events:
        name, params = event.get("name", ""), event.get("params", {})
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", name):
            yield "NAME_INVALID", f"Event name {name!r} is invalid."
        elif name in RESERVED:
            yield "NAME_RESERVED", f"Event name {name!r} is reserved."
        if len(params) > 25:
            yield "EXCEEDED_MAX_ENTITIES", "At most 25 parameters are allowed."
        texts = {key: value for key, value in params.items() if isinstance(value, str)}
        if any(len(value) > LONG.get(key, 100) for key, value in texts.items()):
            yield "VALUE_INVALID", "A parameter value is too long."
        if name in ("purchase", "refund") and not params.get("transaction_id"):
            yield "VALUE_REQUIRED", f"{name} requires a transaction_id."
        if "value" in params and "currency" not in params:
            yield "VALUE_REQUIRED", "A value requires a currency."
