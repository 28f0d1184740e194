"""A local Adyen: Checkout v72 in JSON, idempotency, test cards, signed webhooks. Shapes: samples/.

It refuses what Adyen refuses: unknown keys, accounts and cards, amounts that are none, another account's
tokens; captures and refunds are *received* and decided by webhook, also when they were too much.
`/script.js` draws card fields in a frame of this origin; `/bank/…` plays the bank.

Control: tests/connectors/contract_payments.md; and POST /_ctl/fault {"kind": "maintenance", "count": 1}: a
200 with a page of HTML in it.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.adyen.fake_books import CHALLENGED, Books, Problem
from connectors.adyen.fake_hooks import Hooks
from connectors.adyen.fake_page import routes
from connectors.fakes import Faults
from connectors.types import Tokens

Do = Callable[[dict[str, Any], str], dict[str, Any]]
CALL_FAULTS = frozenset({"status", "timeout", "lose", "delay", "maintenance"})
TEST_CARD = {
    "encryptedExpiryMonth": "test_03",
    "encryptedExpiryYear": "test_2030",
    "encryptedSecurityCode": "test_737",
}
SOURCES = {
    "ok": ("4111111111111111", "Ann"),
    "save": ("4111111111111111", "Ann"),
    "declined_soft": ("4111111111111111", "NOT_ENOUGH_BALANCE"),
    "declined_hard": ("4111111111111111", "BLOCK_CARD"),
    "action": (CHALLENGED, "Ann"),
    "off_session_action": (CHALLENGED, "Ann"),
}


class Fake:
    """One Adyen test account. `seed` makes it another one."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        self._random = random.Random(seed)
        self._key = f"AQE{self._random.getrandbits(256):064x}"
        self._hooks = Hooks(f"{self._random.getrandbits(256):064X}")
        self._books = Books(self._random, self._hooks.tell, f"Shop{seed}ECOM")
        self._kept: dict[str, tuple[str, int, bytes]] = {}
        self._faults = Faults()
        self._calls = 0
        books, v = self._books, "/v72"
        api: dict[str, Do] = {
            f"{v}/payments": lambda body, _: books.pay(body),
            f"{v}/payments/details": lambda body, _: books.details(body),
            f"{v}/payments/{{ref}}/captures": lambda body, ref: books.modify(ref, "captures", body),
            f"{v}/payments/{{ref}}/cancels": lambda body, ref: books.modify(ref, "cancels", body),
            f"{v}/payments/{{ref}}/refunds": lambda body, ref: books.modify(ref, "refunds", body),
            f"{v}/cancels": lambda body, _: books.cancel_by_reference(body),
            f"{v}/paymentMethods": lambda _, __: {"paymentMethods": [{"type": "scheme", "name": "Cards"}]},
        }
        control = ("source", "act", "settle", "webhooks", "webhook_url", "fault")
        self.app = Starlette(
            routes=[
                *(Route(path, self._endpoint(do), methods=["POST"]) for path, do in api.items()),
                Route(f"{v}/storedPaymentMethods/{{ref}}", self._forget, methods=["DELETE"]),
                *routes(books),
                *(
                    Route(f"/_ctl/{name}", getattr(self, f"_ctl_{name}"), methods=["POST"])
                    for name in control
                ),
                Route("/_ctl/state", self._ctl_state),
            ],
            lifespan=self._lifespan,
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """What a person would copy from Adyen's Customer Area; there is no login beside it."""
        entered = {"api_key": self._key, "merchant_account": self._books.account, "country": "NL"}
        return entered | {"client_key": "test_CLIENTKEY", "hmac_secret": self._hooks.secret}, None

    def set_base_url(self, url: str) -> None:
        """The bank's page is here as well."""
        self._books.base_url = url

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
            body = {"status": fault["status"], "errorCode": "905", "message": "Simulated trouble."}
            return JSONResponse(body | {"errorType": "internal"}, fault["status"], wait)
        if self._faults.next("maintenance"):
            return HTMLResponse("<html><body>We will be back soon.</body></html>")
        if request.headers.get("x-api-key") != self._key:
            return said(Problem(401, "000", "HTTP Status Response - Unauthorized", "security"))
        return None

    def _once(self, request: Request, body: bytes, do: Do) -> Response:
        key = request.headers.get("idempotency-key", "")
        if len(key) > 64:
            return said(Problem(422, "709", "The idempotency key is too long."))
        asked = f"{request.url.path}?{body.decode()}"
        if key in self._kept:
            before, status, content = self._kept[key]
            if before != asked:
                return said(Problem(422, "703", "The idempotency key was used with another request."))
            return Response(content, status, {"idempotency-key": key}, "application/json")
        try:
            answer = JSONResponse(do(json.loads(body), request.path_params.get("ref", "")), success(request))
        except Problem as problem:
            # Not kept: what was refused before any work may be asked again with the same key.
            return said(problem)
        if key:
            self._kept[key] = (asked, answer.status_code, bytes(answer.body))
        return answer

    async def _forget(self, request: Request) -> Response:
        trouble = await self._trouble(request)
        if trouble:
            return trouble
        shopper = request.query_params.get("shopperReference", "")
        try:
            self._books.delete_stored(request.path_params["ref"], shopper)
        except Problem as problem:
            return said(problem)
        return Response(status_code=204)

    async def _ctl_source(self, request: Request) -> Response:
        number, holder = SOURCES[(await request.json())["kind"]]
        method = {
            "type": "scheme",
            "encryptedCardNumber": f"test_{number}",
            "holderName": holder,
            **TEST_CARD,
        }
        browser = {"userAgent": "test", "language": "en", "colorDepth": 24, "javaEnabled": False}
        source = {"paymentMethod": method, "browserInfo": browser, "origin": "https://shop.example"}
        return JSONResponse({"source": json.dumps(source)})

    async def _ctl_act(self, request: Request) -> Response:
        wanted = await request.json()
        try:
            asked = self._books.asked(wanted["ref"].removeprefix("order:"))
            redirected = self._books.waiting[asked]["card"]["number"] != CHALLENGED
            result = self._books.answered(asked, wanted["ok"])
        except Problem as problem:
            return said(problem)
        if redirected:
            return JSONResponse({"redirectResult": result})
        return JSONResponse({"details": json.dumps({"threeDSResult": result})})

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
            self._key = f"AQE{self._random.getrandbits(256):064x}"
        elif kind == "clear":
            self._faults.clear()
            self._hooks.trouble = dict.fromkeys(self._hooks.trouble, 0)
        else:
            return JSONResponse({"error": f"unknown fault {kind}"}, 422)
        return JSONResponse({"ok": True})

    async def _ctl_state(self, _: Request) -> Response:
        books = {"payments": self._books.state(), "stored": list(self._books.stored)}
        return JSONResponse(books | {"webhooks": self._hooks.state(), "calls": self._calls})


def said(problem: Problem) -> JSONResponse:
    """An error as Adyen words it."""
    return JSONResponse(problem.body, problem.status)


def success(request: Request) -> int:
    """Modifications are created, the rest is answered."""
    return 201 if request.url.path.endswith(("captures", "cancels", "refunds")) else 200


def broken_off() -> Response:
    """An answer that ends in the middle, as when a connection is lost after the work was done."""

    async def half() -> AsyncIterator[bytes]:
        yield b'{"pspReference": '

    return StreamingResponse(half(), headers={"content-length": "400"}, media_type="application/json")
