"""A local Braintree: XML, Basic login, test nonces, a vault, signed notifications. Shapes: samples/.

It refuses what Braintree refuses: unknown keys, nonces, tokens and merchant accounts, a nonce twice, wrong
states, amounts out of bounds, the same payment within seconds. `/script.js` draws a frame for each field.

Control: tests/connectors/contract_payments.md; and POST /_ctl/fault {"kind": "maintenance", "count": 1}: a
200 with a page of HTML in it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from braintree.util.xml_util import XmlUtil  # type: ignore[import-untyped]  # it ships no types
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.braintree.fake_books import ASKING, Books, Missing, Problem
from connectors.braintree.fake_hooks import Hooks
from connectors.braintree.fake_page import routes
from connectors.braintree.fake_xml import Rows, document, errors
from connectors.fakes import Faults
from connectors.types import Money, Tokens

Do = Callable[[dict[str, Any], str], tuple[str, Any]]
"""(body, id) → the answer's root element and what is in it."""
CALL_FAULTS = frozenset({"status", "timeout", "lose", "delay", "maintenance"})
CURRENCIES = ("EUR", "USD", "JPY", "KWD")
SOURCES: dict[str, dict[str, Any]] = {
    "ok": {},
    "save": {},
    "declined_soft": {"code": "2001"},
    "declined_hard": {"code": "2013"},
    "off_session_action": {"number": ASKING, "verified": True},
}


class Fake:
    """One Braintree sandbox merchant with an account for each currency. `seed` makes it another one."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        self._random = random.Random(seed)
        self._merchant = f"merchant{seed}x{self._random.getrandbits(32):08x}"
        self._public = f"{self._random.getrandbits(64):016x}"
        self._private = f"{self._random.getrandbits(128):032x}"
        self._hooks = Hooks(self._public, self._private)
        self._accounts = {f"shop{seed}_{currency.lower()}": currency for currency in CURRENCIES}
        self._books = Books(self._random, self._hooks.tell, self._accounts)
        self._faults = Faults()
        self._calls = 0
        books, under = self._books, f"/merchants/{self._merchant}"
        api: dict[tuple[str, str], Do] = {
            ("POST", "transactions"): lambda body, _: told(books.sale(body["transaction"])),
            ("GET", "transactions/{ref}"): lambda _, ref: told(books.find(ref)),
            ("PUT", "transactions/{ref}/submit_for_settlement"): lambda body, ref: told(
                books.submit(ref, body["transaction"])
            ),
            ("PUT", "transactions/{ref}/void"): lambda _, ref: told(books.void(ref)),
            ("POST", "transactions/{ref}/refund"): lambda body, ref: told(
                books.refund(ref, body["transaction"])
            ),
            ("POST", "transactions/advanced_search_ids"): lambda body, _: self._ids(body["search"]),
            ("POST", "transactions/advanced_search"): lambda body, _: self._page(body["search"]),
            ("POST", "client_token"): lambda body, _: self._token(body["client_token"]),
            ("DELETE", "payment_methods/any/{ref}"): lambda _, ref: self._forgotten(ref),
        }
        control = ("source", "settle", "webhooks", "webhook_url", "fault")
        self.app = Starlette(
            routes=[
                *(
                    Route(f"{under}/{path}", self._endpoint(do), methods=[verb])
                    for (verb, path), do in api.items()
                ),
                *routes(books),
                *(Route(f"/_ctl/{it}", getattr(self, f"_ctl_{it}"), methods=["POST"]) for it in control),
                Route("/_ctl/state", self._ctl_state),
                # Somebody else's merchant id, with whatever keys.
                Route("/merchants/{rest:path}", refused, methods=["GET", "POST", "PUT", "DELETE"]),
            ],
            lifespan=self._lifespan,
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """What a person would copy from Braintree's Control Panel; there is no login beside it."""
        accounts = ", ".join(f"{currency}={account}" for account, currency in self._accounts.items())
        entered: dict[str, Any] = {"merchant_id": self._merchant, "public_key": self._public}
        return entered | {
            "private_key_secret": self._private,
            "merchant_accounts": accounts,
            "sandbox": True,
        }, None

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
            answer = self._answer(request, await request.body(), do)
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
            return Response("<error/>", fault["status"], wait, "application/xml")
        if self._faults.next("maintenance"):
            return HTMLResponse("<html><body>We will be back soon.<br></body></html>")
        login = base64.b64encode(f"{self._public}:{self._private}".encode()).decode()
        return None if request.headers.get("authorization") == f"Basic {login}" else await refused(request)

    def _answer(self, request: Request, body: bytes, do: Do) -> Response:
        given = XmlUtil.dict_from_xml(body) if body else {}
        try:
            name, value = do(given, request.path_params.get("ref", ""))
        except Missing:
            return Response(status_code=404, media_type="application/xml")
        except Problem as problem:
            return answered("api_error_response", errors(problem.code, str(problem)), 422)
        if value is None:
            return Response(status_code=200, media_type="application/xml")
        sale = request.method == "POST" and request.url.path.endswith("/transactions")
        if sale and value["status"] in ("processor_declined", "gateway_rejected"):
            # A refused card is an error answer with the transaction in it.
            return answered("api_error_response", declined_answer(value), 422)
        return answered(name, value, 201 if request.method == "POST" else 200)

    def _forgotten(self, token: str) -> tuple[str, Any]:
        self._books.forget(token)
        return "payment_method", None

    def _ids(self, criteria: dict[str, Any]) -> tuple[str, Any]:
        ids = [("item", ref) for ref in self._books.search(criteria)]
        return "search_results", {"page_size": 50, "ids": ids}

    def _page(self, criteria: dict[str, Any]) -> tuple[str, Any]:
        wanted = criteria["ids"]
        rows = [
            ("transaction", self._books.find(ref)) for ref in self._books.search(criteria) if ref in wanted
        ]
        # Not an array, as Braintree sends them: one after the other under the same name.
        return "credit_card_transactions", Rows(rows)

    def _token(self, asked: dict[str, Any]) -> tuple[str, Any]:
        if asked.get("merchant_account_id") not in self._accounts:
            raise Problem("92806", "Merchant account does not exist.")
        made = {"version": 2, "authorizationFingerprint": self._books.id(), "merchantId": self._merchant}
        return "client_token", {"value": base64.b64encode(json.dumps(made).encode()).decode()}

    async def _ctl_source(self, request: Request) -> Response:
        kind = (await request.json())["kind"]
        if kind not in SOURCES:
            # The buyer is asked before there is a payment: none ever waits for them.
            return JSONResponse({"error": f"Braintree has no {kind}"}, 404)
        return JSONResponse({"source": self._books.nonce(**SOURCES[kind])})

    async def _ctl_settle(self, request: Request) -> Response:
        wanted = await request.json()
        try:
            self._books.settle(wanted["ref"], wanted["what"])
        except Missing:
            return JSONResponse({"error": "there is no such payment"}, 404)
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
            self._private = f"{self._random.getrandbits(128):032x}"
        elif kind == "clear":
            self._faults.clear()
            self._hooks.trouble = dict.fromkeys(self._hooks.trouble, 0)
        else:
            return JSONResponse({"error": f"unknown fault {kind}"}, 422)
        return JSONResponse({"ok": True})

    async def _ctl_state(self, _: Request) -> Response:
        rows = []
        for sale, captures, back in self._books.sales():
            currency = sale["currency_iso_code"]
            amount = Money.of(sale["amount"], currency).amount
            row = {"ref": sale["id"], "order_id": sale["order_id"], "amount": amount, "currency": currency}
            row |= {"state": sale["status"], "captures": captures, "captured": amount if took(sale) else 0}
            rows.append(row | {"refunded": Money.of(str(back), currency).amount})
        books = {"payments": rows, "vault": list(self._books.vault)}
        return JSONResponse(books | {"webhooks": self._hooks.state(), "calls": self._calls})


def told(transaction: dict[str, Any]) -> tuple[str, Any]:
    """A transaction as an answer."""
    return "transaction", transaction


def took(sale: dict[str, Any]) -> bool:
    """Whether the money is, or will be, the shop's."""
    return sale["status"] in ("submitted_for_settlement", "settling", "settled")


def declined_answer(transaction: dict[str, Any]) -> dict[str, Any]:
    """An error without a validation that failed, and with the transaction."""
    message = transaction.get("gateway_rejection_reason") or transaction.get("processor_response_code")
    return {"errors": {"errors": []}, "message": str(message), "params": {}, "transaction": transaction}


def answered(name: str, value: Any, status: int) -> Response:
    """An answer in XML."""
    return Response(document(name, value), status, media_type="application/xml")


async def refused(_: Request) -> Response:
    """Keys that are not this merchant's."""
    return Response("<error/>", 401, media_type="application/xml")


def broken_off() -> Response:
    """An answer that ends in the middle, as when a connection is lost after the work was done."""

    async def half() -> AsyncIterator[bytes]:
        yield b"<?xml"

    return StreamingResponse(half(), headers={"content-length": "400"}, media_type="application/xml")
