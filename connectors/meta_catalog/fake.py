"""A local Graph API with one catalogue: items, batches that take their time, errors inside a success.

It refuses what Meta refuses: wrong tokens, other catalogues, a batch without an item type, filters and fields
it does not know; and what is gone: orders.

Faults (POST /_ctl/fault), each with "count": {"kind": "status", "status": 429, "retry_after": 7} · "code"
("code", "message") · "lose" (done, then the answer breaks off) · "slow" (a batch is never finished, but done)
· "stuck" (accepted, and nothing happens) · "late" (done only after the next batch) · "invalid" (accepted,
then found wrong) · "heavy" ("most": more items than this at once are too much data) · "revoke" · "clear".
What Meta thinks of an item is set with /_ctl/judge: {"sku", "said": {"review_status": "rejected"}}; nothing
tells a writer of it.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.types import Money, Tokens

REVIEW = (
    "review_status",
    "review_rejection_reasons",
    "capability_to_review_status",
    "image_fetch_status",
    "errors",
)
CODES = {400: 100, 401: 190, 403: 200, 429: 80014}
ROOT = "/v26.0/{catalog}/"


@dataclass
class Item:
    """One item of the catalogue."""

    number: int
    sku: str
    title: str
    price: Money
    quantity: int
    availability: str = "in stock"
    judged: dict[str, Any] = field(default_factory=dict)


@dataclass
class Batch:
    """What became of one."""

    status: str
    errors: list[dict[str, Any]]
    invalid: list[str]


class Fake:
    """One business with one catalogue."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        self._random = random.Random(seed)
        self._catalog = str(self._random.randrange(10**15, 10**16))
        self._token = self._secret()
        self._items: dict[str, Item] = {}
        self._batches: dict[str, Batch] = {}
        self._sent: list[list[str]] = []
        self._most = 1000
        self._late: list[dict[str, Any]] = []
        self._faults: list[dict[str, Any]] = []
        self._asked: list[str] = []
        self.app = Starlette(
            routes=[
                Route(ROOT + "products", self._guarded(self._products)),
                Route(ROOT + "items_batch", self._guarded(self._items_batch), methods=["POST"]),
                Route(ROOT + "check_batch_request_status", self._guarded(self._status)),
                Route("/v26.0/{cms}/commerce_orders", self._gone),
                Route("/_ctl/catalog", self._ctl_catalog, methods=["POST"]),
                Route("/_ctl/count", self._ctl_count, methods=["POST"]),
                Route("/_ctl/judge", self._ctl_judge, methods=["POST"]),
                Route("/_ctl/fault", self._ctl_fault, methods=["POST"]),
                Route("/_ctl/state", self._ctl_state),
            ],
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """What a brand enters, and its system user's token."""
        return {"catalog_id": self._catalog}, Tokens(access=SecretStr(self._token))

    def set_base_url(self, url: str) -> None:
        """Nothing here depends on the address."""

    def _guarded(self, call: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            if fault := self._fault("status"):
                return trouble(fault)
            if request.headers.get("authorization") != f"Bearer {self._token}":
                return no(401, 190, "Invalid OAuth access token.")
            if request.path_params["catalog"] != self._catalog:
                return no(400, 100, "Unsupported get request. Object does not exist.")
            if fault := self._fault("code"):
                return no(400, fault["code"], fault.get("message", "Simulated."))
            self._asked.append(request.url.path.rpartition("/")[2])
            lost = self._fault("lose")
            answer = await call(request)
            return broken_off() if lost else answer

        return endpoint

    async def _products(self, request: Request) -> Response:
        query = request.query_params
        asked = [one for one in re.split(r",(?![^{]*})", query.get("fields", "id,retailer_id,name")) if one]
        for one in asked:
            if one.partition("{")[0] not in KNOWN:
                return no(400, 100, f"Tried accessing nonexisting field ({one}) on node type (ProductItem)")
        found = list(self._items.values())
        if "filter" in query:
            rule = json.loads(query["filter"])
            if set(rule) != {"retailer_id"} or set(rule["retailer_id"]) != {"is_any"}:
                return no(400, 100, "Invalid filter.")
            found = [item for item in found if item.sku in rule["retailer_id"]["is_any"]]
        start, size = int(query.get("after") or 0), int(query.get("limit", 25))
        if size > self._most:
            return no(500, 1, "Please reduce the amount of data you're asking for, then retry your request")
        paging: dict[str, Any] = {"cursors": {"after": str(start + size)}}
        if start + size < len(found):
            paging["next"] = "https://graph.facebook.com/next"
        wanted = {one.partition("{")[0] for one in asked} | {"id"}
        data = [
            {name: value for name, value in item_json(item).items() if name in wanted}
            for item in found[start : start + size]
        ]
        return JSONResponse({"data": data, "paging": paging} if data else {"data": []})

    async def _items_batch(self, request: Request) -> Response:
        body = await request.json()
        if body.get("item_type") != "PRODUCT_ITEM":
            return no(400, 100, "The parameter item_type is required.")
        self._sent.append([one["data"]["id"] for one in body["requests"]])
        handle, batch = f"h{len(self._batches)}", Batch("finished", [], [])
        wrong = []
        for one in body["requests"]:
            data = one["data"]
            item = self._items.get(data["id"])
            if item is None:
                if body.get("allow_upsert", True):
                    price = Money(amount=0, currency="EUR")
                    self._items[data["id"]] = Item(len(self._items) + 1, data["id"], "", price, 0)
                else:
                    wrong.append({"retailer_id": data["id"], "errors": [{"message": "Item not found."}]})
                continue
            if self._fault("invalid"):
                batch.errors.append({"line": 1, "id": data["id"], "message": "Invalid inventory."})
                batch.invalid.append(data["id"])
            elif self._fault("stuck"):
                batch.status = "in progress"
            elif self._fault("late"):
                batch.status = "in progress"
                self._late.append(data)
            else:
                self._done(data)
                while self._late:
                    self._done(self._late.pop())
        if self._fault("slow"):
            batch.status = "in progress"
        self._batches[handle] = batch
        taken = len(wrong) < len(body["requests"])
        return JSONResponse({"handles": [handle] if taken else [], "validation_status": wrong})

    def _done(self, data: dict[str, Any]) -> None:
        item = self._items[data["id"]]
        item.quantity, item.availability = int(data["inventory"]), data["availability"]

    async def _status(self, request: Request) -> Response:
        handle = request.query_params.get("handle", "")
        batch = self._batches.get(handle)
        if batch is None:
            return no(400, 100, "Invalid handle.")
        shown = request.query_params.get("load_ids_of_invalid_requests") == "true"
        said = {"handle": handle, "status": batch.status, "errors": batch.errors, "warnings": []}
        counts = {"errors_total_count": len(batch.errors), "warnings_total_count": 0}
        ids = batch.invalid if shown else []
        return JSONResponse({"data": [said | counts | {"ids_of_invalid_requests": ids}]})

    async def _gone(self, _: Request) -> Response:
        return no(400, 3, "Commerce order management is no longer available.")

    def _fault(self, kind: str) -> dict[str, Any] | None:
        """The next fault of a kind, counted down."""
        for fault in self._faults:
            if fault["kind"] == kind:
                fault["count"] = fault.get("count", 1) - 1
                self._faults = [left for left in self._faults if left.get("count", 1) > 0]
                return fault
        return None

    async def _ctl_catalog(self, request: Request) -> Response:
        for given in (await request.json())["items"]:
            known = self._items.get(given["sku"])
            number = known.number if known else len(self._items) + 1
            price = Money(amount=given["price_minor"], currency=given["currency"])
            self._items[given["sku"]] = Item(number, given["sku"], given["title"], price, given["quantity"])
        return JSONResponse({"items": len(self._items)})

    async def _ctl_count(self, request: Request) -> Response:
        said = await request.json()
        self._items[said["sku"]].quantity = int(said["quantity"])
        return JSONResponse({"ok": True})

    async def _ctl_judge(self, request: Request) -> Response:
        told = await request.json()
        unknown = set(told["said"]) - {*REVIEW, "visibility"}
        if unknown:
            return JSONResponse({"error": f"unknown fields {sorted(unknown)}"}, 422)
        self._items[told["sku"]].judged = told["said"]
        return JSONResponse({"ok": True})

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        match fault["kind"]:
            case "status" | "code" | "lose" | "slow" | "stuck" | "late" | "invalid":
                self._faults.append(fault)
            case "heavy":
                self._most = fault["most"]
            case "revoke":
                self._token = self._secret()
            case "clear":
                self._faults = []
            case unknown:
                return JSONResponse({"error": f"unknown fault {unknown}"}, 422)
        return JSONResponse({"ok": True})

    async def _ctl_state(self, _: Request) -> Response:
        items = self._items.values()
        return JSONResponse(
            {
                "stock": {item.sku: item.quantity for item in items},
                "availability": {item.sku: item.availability for item in items},
                "asked": self._asked,
                "batches": self._sent,
                "webhooks": {"waiting": 0},
            }
        )

    def _secret(self) -> str:
        return f"EAAB{self._random.getrandbits(200):050x}"


def item_json(item: Item) -> dict[str, Any]:
    """As the products edge spells it, with a price for people."""
    return {
        "id": str(5_000_000_000_000_000 + item.number),
        "retailer_id": item.sku,
        "name": item.title,
        "price": f"€{item.price.amount / 100:,.2f}",
        "currency": item.price.currency,
        "availability": item.availability,
        "inventory": item.quantity,
        "image_url": f"https://shop.example.com/{item.sku.lower()}.jpg",
        "visibility": "published",
        "review_status": "approved",
    } | item.judged


KNOWN = {*item_json(Item(0, "", "", Money(amount=0, currency="EUR"), 0)), *REVIEW}
"""Fields of an item that may be asked for."""


def no(status: int, code: int, message: str) -> Response:
    """Meta's way to say it."""
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
    return JSONResponse({"error": error}, status)


def trouble(fault: dict[str, Any]) -> Response:
    """An answer of the platform's edge."""
    made = no(fault["status"], CODES.get(fault["status"], 2), "Simulated trouble.")
    if "retry_after" in fault:
        made.headers["Retry-After"] = str(fault["retry_after"])
    return made


def broken_off() -> Response:
    """An answer that ends in the middle, as when a connection is lost after the work was done."""

    async def half() -> AsyncIterator[bytes]:
        yield b'{"handles": '

    return StreamingResponse(half(), headers={"content-length": "400"}, media_type="application/json")
