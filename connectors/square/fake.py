"""A local Square: JSON of 2026-09-16, keys in bodies, sandbox tokens, signed events. Shapes: samples/.

It refuses what Square refuses: unknown tokens, fields, keys and locations, wrong states, amounts out of
bounds, an idempotency key with another request, a token twice. `/script.js` draws a card field in a frame of
this origin.

Control: tests/connectors/contract_payments.md; and POST /_ctl/fault {"kind": "maintenance", "count": 1}: a
200 with a page of HTML in it.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.fakes import Faults
from connectors.square.fake_books import ASKING, Books, Problem
from connectors.square.fake_hooks import Hooks
from connectors.square.fake_page import routes
from connectors.types import Tokens

Do = Callable[[dict[str, Any], str], dict[str, Any]]
CALL_FAULTS = frozenset({"status", "timeout", "lose", "delay", "maintenance"})
SUBSCRIBED = "https://hub.example/webhooks/square/1"
"""The address a person would have entered here and in the settings."""


class Fake:
    """One Square account with one location. `seed` makes it another one."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        self._random = random.Random(seed)
        self._key = f"EAAA{self._random.getrandbits(128):032x}"
        self._hooks = Hooks(f"{self._random.getrandbits(96):024x}", SUBSCRIBED)
        self._books = Books(self._random, self._tell, f"L{seed}{self._random.getrandbits(48):012X}")
        self._kept: dict[str, tuple[str, int, bytes]] = {}
        self._faults = Faults()
        self._calls = 0
        books = self._books
        api: dict[tuple[str, str], Do] = {
            ("POST", "payments"): lambda body, _: books.create(body),
            ("GET", "payments/{ref}"): lambda _, ref: books.get(ref),
            ("PUT", "payments/{ref}"): lambda body, ref: books.update(ref, body),
            ("POST", "payments/cancel"): lambda body, _: self._cancel_by_key(body),
            ("POST", "payments/{ref}/complete"): lambda _, ref: books.complete(ref),
            ("POST", "payments/{ref}/cancel"): lambda _, ref: books.cancel(ref),
            ("POST", "refunds"): lambda body, _: books.refund(body),
            ("POST", "customers"): lambda body, _: books.customer(body),
            ("POST", "cards"): lambda body, _: books.keep(body),
            ("POST", "cards/{ref}/disable"): lambda _, ref: books.disable(ref),
            ("GET", "payments"): lambda asked, _: books.page(asked.get("cursor"), int(asked["limit"])),
        }
        control = ("source", "settle", "webhooks", "webhook_url", "fault")
        self.app = Starlette(
            routes=[
                *(
                    Route(f"/v2/{path}", self._endpoint(do), methods=[verb])
                    for (verb, path), do in api.items()
                ),
                *routes(books),
                *(Route(f"/_ctl/{it}", getattr(self, f"_ctl_{it}"), methods=["POST"]) for it in control),
                Route("/_ctl/state", self._ctl_state),
            ],
            lifespan=self._lifespan,
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """What a person would copy from Square's Developer Console; there is no login beside it."""
        entered = {"access_token": self._key, "application_id": "sandbox-sq0idb-fake"}
        entered |= {"location_id": self._books.location, "signature_key_secret": self._hooks.secret}
        return entered | {"notification_url": SUBSCRIBED}, None

    def set_base_url(self, url: str) -> None:
        """Nothing here depends on the address."""

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        await self._hooks.close()

    def _endpoint(self, do: Do) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            trouble = await self._trouble(request)
            if trouble:
                return trouble
            answer = self._once(request, await request.body(), do)
            lost, slow = self._faults.next("lose"), self._faults.next("timeout")
            if slow:
                await asyncio.sleep(slow.get("seconds", 60))
            return broken_off() if lost or slow else answer

        return endpoint

    async def _trouble(self, request: Request) -> Response | None:
        """What comes before any work: planned faults, and keys that are not ours."""
        self._calls += 1
        if slow := self._faults.next("delay"):
            await asyncio.sleep(slow["seconds"])
        if fault := self._faults.next("status"):
            wait = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
            problem = Problem(fault["status"], "TEMPORARY_ERROR", "Simulated trouble.", "API_ERROR")
            return JSONResponse(problem.body, problem.status, wait)
        if self._faults.next("maintenance"):
            return HTMLResponse("<html><body>We will be back soon.</body></html>")
        if request.headers.get("authorization") != f"Bearer {self._key}":
            why = "This request could not be authorized."
            return said(Problem(401, "UNAUTHORIZED", why, "AUTHENTICATION_ERROR"))
        return None

    def _once(self, request: Request, body: bytes, do: Do) -> Response:
        given = json.loads(body) if body else dict(request.query_params)
        key = "" if request.url.path.endswith("/cancel") else str(given.get("idempotency_key", ""))
        if len(key) > 45:
            return said(Problem(400, "VALUE_TOO_LONG", "Field must not be greater than 45 in length"))
        asked, slot = f"{request.method} {request.url.path}?{body.decode()}", f"{request.url.path} {key}"
        if key and slot in self._kept:
            before, status, content = self._kept[slot]
            if before != asked:
                why = "Different request parameters used for the same idempotency_key"
                return said(Problem(400, "IDEMPOTENCY_KEY_REUSED", why))
            return Response(content, status, media_type="application/json")
        try:
            answer = JSONResponse(do(given, request.path_params.get("ref", "")))
        except Problem as problem:
            answer = said(problem)
            if "payment" not in problem.body:
                return answer
        if key:
            self._kept[slot] = (asked, answer.status_code, bytes(answer.body))
        return answer

    def _cancel_by_key(self, body: dict[str, Any]) -> dict[str, Any]:
        """Cancels what a key created; nothing to cancel is a success as well."""
        kept = self._kept.get(f"/v2/payments {body['idempotency_key']}")
        if kept and kept[1] == 200:
            self._books.cancel(json.loads(kept[2])["payment"]["id"])
        return {}

    def _tell(self, kind: str, thing: dict[str, Any]) -> None:
        name = kind.partition(".")[0]
        event = {"merchant_id": "ML1", "location_id": self._books.location, "type": kind}
        event |= {"event_id": self._books.id(), "created_at": datetime.now(UTC).isoformat()}
        self._hooks.tell({**event, "data": {"type": name, "id": thing["id"], "object": {name: thing}}})

    async def _ctl_source(self, request: Request) -> Response:
        kind = (await request.json())["kind"]
        match kind:
            case "ok" | "save":
                token = self._books.token()
            case "declined_soft":
                token = self._books.token(code="INSUFFICIENT_FUNDS")
            case "declined_hard":
                token = self._books.token(code="INVALID_ACCOUNT")
            case "off_session_action":
                token = self._books.token(ASKING, verified=True)
            case _:
                # The buyer is asked while the page makes the token: no payment ever waits for them.
                return JSONResponse({"error": f"Square has no {kind}"}, 404)
        return JSONResponse({"source": token})

    async def _ctl_settle(self, request: Request) -> Response:
        wanted = await request.json()
        try:
            self._books.settle(wanted["ref"], wanted["what"])
        except Problem as problem:
            return said(problem)
        return JSONResponse({"ok": True})

    async def _ctl_webhooks(self, _: Request) -> Response:
        return JSONResponse({"deliveries": self._hooks.deliveries()})

    async def _ctl_webhook_url(self, request: Request) -> Response:
        self._hooks.url = (await request.json())["url"]
        return JSONResponse({"ok": True})

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        kind = fault["kind"]
        hook = kind.removesuffix("s").removesuffix("_webhook")
        if kind in CALL_FAULTS:
            self._faults.ask(fault)
        elif hook in self._hooks.trouble:
            self._hooks.trouble[hook] += fault.get("count", 1)
        elif kind == "revoke":
            self._key = f"EAAA{self._random.getrandbits(128):032x}"
        elif kind == "clear":
            self._faults.clear()
            self._hooks.trouble = dict.fromkeys(self._hooks.trouble, 0)
        else:
            return JSONResponse({"error": f"unknown fault {kind}"}, 422)
        return JSONResponse({"ok": True})

    async def _ctl_state(self, _: Request) -> Response:
        books = {"payments": self._books.state(), "cards": list(self._books.cards)}
        return JSONResponse(books | {"webhooks": self._hooks.state(), "calls": self._calls})


def said(problem: Problem) -> JSONResponse:
    """An error as Square words it."""
    return JSONResponse(problem.body, problem.status)


def broken_off() -> Response:
    """An answer that ends in the middle, as when a connection is lost after the work was done."""

    async def half() -> AsyncIterator[bytes]:
        yield b'{"payment": '

    return StreamingResponse(half(), headers={"content-length": "400"}, media_type="application/json")
