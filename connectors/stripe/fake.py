"""A local Stripe: form-encoded API, idempotency, test cards, signed webhooks. Shapes: see samples/.

It refuses what Stripe refuses: unknown keys, cards and parameters, wrong states, too large amounts, an
idempotency key with another request, another's payment method. /script.js is its Stripe.js.

Faults (POST /_ctl/fault): {"kind": "status", "status": 429, "retry_after": 7, "count": 1} · "timeout" (done,
then silence for "seconds"; "count") · "lose" (done, then the answer breaks off; "count") · "delay" (by
"seconds"; "count") · "limit" ("per_second" calls of each kind, then 429) · "revoke" (the key is dead) ·
"forget_keys" (a day is over) · "duplicate_webhook", "lost_webhook", "reorder_webhooks",
"stale_webhook" (the next "count" events; stale ones wait for /_ctl/release) · "clear".
The rest is in tests/connectors/contract_payments.md.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.fakes import Faults
from connectors.stripe.fake_account import Account
from connectors.stripe.fake_hooks import Hooks
from connectors.stripe.fake_page import page_routes
from connectors.stripe.fake_vault import Form, Problem, public
from connectors.types import Tokens

Verb = Callable[[Form, str], dict[str, Any]]

SOURCES = {
    "ok": "4242424242424242",
    "save": "4242424242424242",
    "declined_soft": "4000000000009995",
    "declined_hard": "4000000000009979",
    "action": "4000000000003220",
    "off_session_action": "4000002760003184",
}


class Fake:
    """One Stripe account in test mode."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        self._random = random.Random(seed)
        self._key = f"sk_test_{self._secret()}"
        self._page_key = f"pk_test_{self._secret()}"
        self._hooks = Hooks(f"whsec_{self._secret()}", self._random)
        self._account = Account(self._random, self._hooks.tell)
        self._kept: dict[str, tuple[str, int, bytes]] = {}
        self._running: set[str] = set()
        self._recent: dict[str, list[float]] = {}
        self._faults = Faults()
        self._calls = 0
        self._limit: float | None = None
        controls = {
            "webhook_url": self._ctl_webhook_url,
            "webhooks": self._ctl_webhooks,
            "release": self._ctl_release,
            "source": self._ctl_source,
            "act": self._ctl_act,
            "settle": self._ctl_settle,
            "authenticate": self._ctl_authenticate,
            "fault": self._ctl_fault,
        }
        self.app = Starlette(
            routes=[
                *(Route(path, self._endpoint(path, do), methods=[verb]) for verb, path, do in self._api()),
                *page_routes(self._page_key, self._account),
                *(Route(f"/_ctl/{name}", do, methods=["POST"]) for name, do in controls.items()),
                Route("/_ctl/state", self._ctl_state),
            ],
            lifespan=self._lifespan,
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """The keys a person would copy from Stripe's pages; Stripe has no login beside them."""
        keys = {"secret_key": self._key, "webhook_secret": self._hooks.secret}
        return {**keys, "publishable_key": self._page_key}, None

    def set_base_url(self, url: str) -> None:
        """Nothing here depends on the address."""

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        await self._hooks.close()

    def _api(self) -> list[tuple[str, str, Verb]]:
        account, intents = self._account, "/v1/payment_intents"
        return [
            ("POST", intents, lambda form, _: account.create(form)),
            ("GET", f"{intents}/search", lambda form, _: account.search(form)),
            ("GET", f"{intents}/{{ref}}", lambda form, ref: account.get(ref, form)),
            ("POST", f"{intents}/{{ref}}/confirm", lambda form, ref: account.confirm(ref, form)),
            ("POST", f"{intents}/{{ref}}/capture", lambda form, ref: account.capture(ref, form)),
            ("POST", f"{intents}/{{ref}}/cancel", lambda form, ref: account.cancel(ref, form)),
            ("POST", "/v1/refunds", lambda form, _: account.refund(form)),
            ("POST", "/v1/customers", lambda form, _: account.wallet.create_customer(form)),
            ("POST", "/v1/payment_methods", lambda form, _: public(account.wallet.create_method(form))),
            ("POST", "/v1/payment_methods/{ref}/detach", lambda _, ref: account.wallet.detach(ref)),
        ]

    def _endpoint(self, path: str, do: Verb) -> Callable[[Request], Awaitable[Response]]:
        # What a page may ask for with the key that everybody sees.
        page = path == "/v1/payment_methods"

        async def endpoint(request: Request) -> Response:
            self._calls += 1
            if slow := self._faults.next("delay"):
                await asyncio.sleep(slow["seconds"])
            fault = self._faults.next("status")
            if fault:
                wait = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
                body = {"error": {"type": "api_error", "message": "Simulated trouble."}}
                return JSONResponse(body, fault["status"], wait)
            if self._too_fast(f"{request.method} {path}"):
                return said(Problem("Request rate limit exceeded.", status=429).but(code="rate_limit"))
            given = request.headers.get("authorization", "")
            if given not in {f"Bearer {self._key}", f"Bearer {self._page_key}" if page else ""}:
                return said(Problem(f"Invalid API Key provided: sk_test_****{given[-4:]}", status=401))
            answer = await self._once(request, (await request.body()).decode(), do)
            lost = self._faults.next("lose")
            slow = self._faults.next("timeout")
            if slow:
                await asyncio.sleep(slow.get("seconds", 60))
            return broken_off() if lost or slow else answer

        return endpoint

    async def _once(self, request: Request, body: str, do: Verb) -> Response:
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        if key is None:
            return self._done(request, body, do)[0]
        asked = f"{request.url.path}?{body}"
        if key in self._running:
            return said(Problem("Another request uses this key now.", status=409).but(code="lock_timeout"))
        if key in self._kept:
            before, status, content = self._kept[key]
            if before != asked:
                why = "Keys for idempotent requests can only be used with the same parameters."
                return said(Problem(why, kind="idempotency_error"))
            replayed = {"Idempotent-Replayed": "true", "Original-Request": "req_1"}
            return Response(content, status, replayed, "application/json")
        self._running.add(key)
        try:
            # Others are heard meanwhile: the same key at the same moment is a conflict, not a second charge.
            await asyncio.sleep(0)
            answer, executed = self._done(request, body, do)
        finally:
            self._running.discard(key)
        if executed:
            self._kept[key] = (asked, answer.status_code, bytes(answer.body))
        return answer

    def _done(self, request: Request, body: str, do: Verb) -> tuple[Response, bool]:
        try:
            form = nested(body or request.url.query)
            return JSONResponse(do(form, request.path_params.get("ref", ""))), True
        except Problem as problem:
            return said(problem), not problem.before_execution

    def _too_fast(self, operation: str) -> bool:
        if self._limit is None:
            return False
        now = time.monotonic()
        recent = [at for at in self._recent.get(operation, []) if at > now - 1]
        self._recent[operation] = recent
        if len(recent) >= self._limit:
            return True
        recent.append(now)
        return False

    async def _ctl_webhook_url(self, request: Request) -> Response:
        body = await request.json()
        self._hooks.url, self._hooks.everything = body["url"], body.get("events") == "all"
        return JSONResponse({"ok": True})

    async def _ctl_webhooks(self, _: Request) -> Response:
        return JSONResponse({"deliveries": self._hooks.written()})

    async def _ctl_release(self, _: Request) -> Response:
        return JSONResponse({"released": self._hooks.release()})

    async def _ctl_source(self, request: Request) -> Response:
        kind = (await request.json())["kind"]
        if kind not in SOURCES:
            return JSONResponse({"error": f"no card is like {kind}"}, 404)
        method = self._account.wallet.create_method({"card": {"number": SOURCES[kind]}})
        return JSONResponse({"source": method["id"]})

    async def _ctl_act(self, request: Request) -> Response:
        body = await request.json()
        try:
            self._account.act(body["ref"], bool(body.get("ok", True)))
        except Problem as problem:
            return said(problem)
        return JSONResponse({"payment_intent": body["ref"]})

    async def _ctl_settle(self, request: Request) -> Response:
        body = await request.json()
        account, what = self._account, body["what"]
        try:
            match what:
                case "expire":
                    account.expire(body["ref"])
                case "refund" | "refund_failed":
                    account.money.settle(account.intent(body["ref"]), failed=what == "refund_failed")
                case "dispute":
                    account.money.dispute(account.intent(body["ref"]), "fraudulent")
                case _:
                    return JSONResponse({"error": f"Stripe decides nothing like {what} later"}, 404)
        except Problem as problem:
            return said(problem)
        return JSONResponse({"ok": True})

    async def _ctl_authenticate(self, request: Request) -> Response:
        body = await request.json()
        try:
            return JSONResponse(self._account.act(body["id"], body.get("success", True)))
        except Problem as problem:
            return said(problem)

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        count = fault.get("count", 1)
        match fault["kind"]:
            case "status" | "timeout" | "lose" | "delay":
                self._faults.ask(fault)
            case "limit":
                self._limit = fault["per_second"]
            case "forget_keys":
                self._kept.clear()
            case "revoke":
                self._key = f"sk_test_{self._secret()}"
            case "duplicate_webhook":
                self._hooks.twice += count
            case "lost_webhook":
                self._hooks.lose += count
            case "reorder_webhooks":
                self._hooks.swap += count
            case "stale_webhook":
                self._hooks.hold += count
            case "clear":
                self._faults.clear()
                self._limit = None
                self._hooks.lose = 0
            case unknown:
                return JSONResponse({"error": f"unknown fault {unknown}"}, 422)
        return JSONResponse({"ok": True})

    async def _ctl_state(self, _: Request) -> Response:
        intents = self._account.state()
        return JSONResponse(
            {
                "intents": intents,
                "payments": intents,
                "webhooks": self._hooks.state(),
                "calls": self._calls,
            }
        )

    def _secret(self) -> str:
        return f"{self._random.getrandbits(96):024x}"


def said(problem: Problem) -> JSONResponse:
    """An error as Stripe words it."""
    return JSONResponse({"error": problem.error}, problem.status, {"Request-Id": "req_1"})


def broken_off() -> Response:
    """An answer that ends in the middle, as when a connection is lost after the work was done."""

    async def half() -> AsyncIterator[bytes]:
        yield b'{"id": '

    return StreamingResponse(half(), headers={"content-length": "400"}, media_type="application/json")


def nested(form: str) -> Form:
    """`metadata[order_id]=1&expand[0]=x` as {"metadata": {"order_id": "1"}, "expand": {"0": "x"}}."""
    found: Form = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        place, path = found, re.findall(r"[^\[\]]+", name)
        for step in path[:-1]:
            place = place.setdefault(step, {})
        place[path[-1]] = value
    return found
