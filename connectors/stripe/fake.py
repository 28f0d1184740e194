"""A local Stripe: form-encoded API, idempotency, test cards, signed webhooks. Shapes: see samples/.

It refuses what Stripe refuses: unknown keys, cards and parameters, wrong states, too large amounts, an
idempotency key with another request. POST /_ctl/authenticate {"id", "success"} plays the buyer at the bank.

Faults (POST /_ctl/fault): {"kind": "status", "status": 429, "retry_after": 7, "count": 1} · "timeout" (done,
then silence for "seconds"; "count") · "lose" (done, then the answer breaks off; "count") · "revoke" (the
key is dead) · "duplicate_webhook", "lost_webhook" (the next "count" events) · "clear".
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.stripe.fake_account import Account, Problem
from connectors.stripe.fake_hooks import Hooks
from connectors.types import Tokens

Form = dict[str, Any]


class Fake:
    """One Stripe account in test mode."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        self._random = random.Random(seed)
        self._key = f"sk_test_{self._secret()}"
        self._hooks = Hooks(f"whsec_{self._secret()}")
        self._account = Account(self._random, self._hooks.tell)
        self._kept: dict[str, tuple[str, int, bytes]] = {}
        self._faults: list[dict[str, Any]] = []
        self._calls = 0
        api: dict[str, tuple[str, Callable[..., dict[str, Any]]]] = {
            "/v1/payment_intents": ("POST", lambda form, _: self._account.create(form)),
            "/v1/payment_intents/{ref}": ("GET", lambda form, ref: self._account.get(ref, form)),
            "/v1/payment_intents/{ref}/capture": ("POST", lambda form, ref: self._account.capture(ref, form)),
            "/v1/payment_intents/{ref}/cancel": ("POST", lambda form, ref: self._account.cancel(ref, form)),
            "/v1/refunds": ("POST", lambda form, _: self._account.refund(form)),
        }
        self.app = Starlette(
            routes=[
                *(Route(path, self._endpoint(do), methods=[verb]) for path, (verb, do) in api.items()),
                Route("/_ctl/webhook_url", self._ctl_webhook_url, methods=["POST"]),
                Route("/_ctl/authenticate", self._ctl_authenticate, methods=["POST"]),
                Route("/_ctl/fault", self._ctl_fault, methods=["POST"]),
                Route("/_ctl/state", self._ctl_state),
            ],
            lifespan=self._lifespan,
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """The keys a person would copy from Stripe's pages; Stripe has no login beside them."""
        return {"secret_key": self._key, "webhook_secret": self._hooks.secret}, None

    def set_base_url(self, url: str) -> None:
        """Nothing here depends on the address."""

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        await self._hooks.close()

    def _endpoint(
        self, do: Callable[[Form, str], dict[str, Any]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            self._calls += 1
            fault = self._fault("status")
            if fault:
                wait = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
                body = {"error": {"type": "api_error", "message": "Simulated trouble."}}
                return JSONResponse(body, fault["status"], wait)
            if request.headers.get("authorization") != f"Bearer {self._key}":
                given = request.headers.get("authorization", "")[-4:]
                return said(Problem(f"Invalid API Key provided: sk_test_****{given}", status=401))
            answer = self._once(request, (await request.body()).decode(), do)
            lost = self._fault("lose")
            slow = self._fault("timeout")
            if slow:
                await asyncio.sleep(slow.get("seconds", 60))
            return broken_off() if lost or slow else answer

        return endpoint

    def _once(self, request: Request, body: str, do: Callable[[Form, str], dict[str, Any]]) -> Response:
        key = request.headers.get("idempotency-key")
        asked = f"{request.url.path}?{body}"
        if request.method == "POST" and key in self._kept:
            before, status, content = self._kept[key]
            if before != asked:
                why = "Keys for idempotent requests can only be used with the same parameters."
                return said(Problem(why, kind="idempotency_error"))
            replayed = {"Idempotent-Replayed": "true", "Original-Request": "req_1"}
            return Response(content, status, replayed, "application/json")
        try:
            form = nested(body or request.url.query)
            answer = JSONResponse(do(form, request.path_params.get("ref", "")))
        except Problem as problem:
            answer = said(problem)
            if problem.before_execution:
                return answer
        if request.method == "POST" and key:
            self._kept[key] = (asked, answer.status_code, bytes(answer.body))
        return answer

    def _fault(self, kind: str) -> dict[str, Any] | None:
        """The next fault of a kind, counted down."""
        for fault in self._faults:
            if fault["kind"] == kind:
                fault["count"] = fault.get("count", 1) - 1
                self._faults = [left for left in self._faults if left.get("count", 1) > 0]
                return fault
        return None

    async def _ctl_webhook_url(self, request: Request) -> Response:
        self._hooks.url = (await request.json())["url"]
        return JSONResponse({"ok": True})

    async def _ctl_authenticate(self, request: Request) -> Response:
        body = await request.json()
        try:
            return JSONResponse(self._account.authenticate(body["id"], body.get("success", True)))
        except Problem as problem:
            return said(problem)

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        match fault["kind"]:
            case "status" | "timeout" | "lose":
                self._faults.append(fault)
            case "revoke":
                self._key = f"sk_test_{self._secret()}"
            case "duplicate_webhook":
                self._hooks.twice += fault.get("count", 1)
            case "lost_webhook":
                self._hooks.lose += fault.get("count", 1)
            case "clear":
                self._faults = []
            case unknown:
                return JSONResponse({"error": f"unknown fault {unknown}"}, 422)
        return JSONResponse({"ok": True})

    async def _ctl_state(self, _: Request) -> Response:
        return JSONResponse(
            {"intents": self._account.state(), "webhooks": self._hooks.state(), "calls": self._calls}
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
