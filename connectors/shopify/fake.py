"""A local Shopify store: GraphQL Admin API with its points, and signed webhooks. Shapes: see samples/.

It refuses what Shopify refuses: wrong tokens, versions, fields, a stock write without an idempotency key or
without saying what it compares with, cancelling twice, selling what is not there.

Faults (POST /_ctl/fault): {"kind": "status", "status": 429, "retry_after": 7, "count": 1} · "throttle" (the
points are gone for "seconds"; "count") · "lose" (done, then the answer breaks off; "count") · "user_error"
("code", "message": the next mutation's) · "revoke" · "duplicate_webhook", "lost_webhook" ("count") ·
"unsubscribe" (every subscription is gone) · "clear".
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.fakes import Faults
from connectors.shopify.fake_graphql import Args, Malformed, answer
from connectors.shopify.fake_hooks import Hooks
from connectors.shopify.fake_shop import LOCATION, Shop, SoldOut, paged, utc
from connectors.types import Tokens

VERSIONS = frozenset({"2026-01", "2026-04", "2026-07", "2026-10"})
BUCKET, RESTORED = 2000.0, 100.0


class Fake:
    """One store with one app installed."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        self._random = random.Random(seed)
        self._token = self._secret()
        self._domain = "demo-shop.myshopify.com"
        self._hooks = Hooks(self._random, self._domain)
        self._shop = Shop(self._domain, self._hooks.tell)
        self._keys: dict[str, str] = {}
        self._faults = Faults()
        self._asked: list[str] = []
        self._roots = {
            "location": lambda args, _: {"id": LOCATION, "name": "Main"},
            "shop": lambda args, _: {"currencyCode": self._currency()},
            "productVariants": lambda args, _: self._variants(args),
            "orders": lambda args, _: self._orders(args),
            "order": lambda args, _: self._order(args["id"]),
            "orderCancel": lambda args, _: self._cancel(args),
            "inventorySetQuantities": self._set_quantities,
            "nodes": lambda args, _: [self._item(one) for one in args["ids"]],
            "webhookSubscriptions": lambda args, _: paged(self._hooks.listed(), args),
            "webhookSubscriptionCreate": lambda args, _: self._subscribe(args),
        }
        self.app = Starlette(
            routes=[
                Route("/admin/api/{version}/graphql.json", self._graphql, methods=["POST"]),
                Route("/_ctl/webhook_url", self._ctl_webhook_url, methods=["POST"]),
                Route("/_ctl/catalog", self._ctl_catalog, methods=["POST"]),
                Route("/_ctl/order", self._ctl_order, methods=["POST"]),
                Route("/_ctl/change", self._ctl_change, methods=["POST"]),
                Route("/_ctl/count", self._ctl_count, methods=["POST"]),
                Route("/_ctl/fault", self._ctl_fault, methods=["POST"]),
                Route("/_ctl/state", self._ctl_state),
            ],
            lifespan=self._lifespan,
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """What a brand enters, and the token the app's installation showed."""
        config = {"shop": self._domain, "webhook_secret": self._hooks.secret}
        return config, Tokens(access=SecretStr(self._token))

    def set_base_url(self, url: str) -> None:
        """Nothing here depends on the address."""

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        await self._hooks.close()

    async def _graphql(self, request: Request) -> Response:
        fault = self._faults.next("status")
        if fault:
            wait = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
            return JSONResponse({"errors": "simulated"}, fault["status"], wait)
        if request.headers.get("x-shopify-access-token") != self._token:
            why = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return JSONResponse({"errors": why}, 401)
        version = request.path_params["version"]
        if version not in VERSIONS:
            return JSONResponse({"errors": "Not Found"}, 404)
        body = await request.json()
        text, variables = body["query"], body.get("variables") or {}
        self._asked += re.findall(r"(?:query|mutation)\s+(\w+)", text)
        cost = 10 + 3 * sum(int(first) for first in re.findall(r"first: (\d+)", text))
        slow = self._faults.next("throttle")
        if slow:
            points = cost_of(slow.get("seconds", 2) * RESTORED, 0.0, None)
            error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
            return JSONResponse({"errors": [error], "extensions": points})
        lost = self._faults.next("lose")
        try:
            data = answer(self._roots, text, variables)
            said: dict[str, Any] = {"data": data, "extensions": cost_of(cost, BUCKET, cost)}
        except Malformed as error:
            said = {"errors": [{"message": str(error), "extensions": {"code": "undefinedField"}}]}
        return broken_off() if lost else JSONResponse(said, headers={"X-Shopify-API-Version": version})

    def _currency(self) -> str:
        return next((item.price.currency for item in self._shop.items.values()), "EUR")

    def _variants(self, args: Args) -> dict[str, Any]:
        return paged([self._shop.variant(item) for item in self._shop.items.values()], args)

    def _orders(self, args: Args) -> dict[str, Any]:
        since = re.search(r"updated_at:>='([^']+)'", args.get("query") or "")
        found = [order for order in self._shop.orders if not since or utc(order.updated_at) >= since[1]]
        found.sort(key=lambda order: (order.updated_at, order.number))
        return paged([self._shop.graph(order) for order in found], args)

    def _order(self, gid: str) -> dict[str, Any] | None:
        if not str(gid).startswith("gid://shopify/Order/"):
            raise Malformed(f"Invalid global id '{gid}'")
        order = self._shop.find(gid)
        return self._shop.graph(order) if order else None

    def _cancel(self, args: Args) -> dict[str, Any]:
        for name in ("orderId", "reason", "restock", "refundMethod"):
            if args.get(name) is None:
                raise Malformed(f"Field 'orderCancel' is missing required arguments: {name}")
        order, error = self._shop.find(args["orderId"]), self._user_error()
        if error is None and order is None:
            error = user_error("NOT_FOUND", "Order does not exist", "orderId")
        if error is None and order and order.cancelled_at:
            error = user_error("INVALID", "Cannot cancel an order that has already been canceled", "orderId")
        if error or order is None:
            return {"job": None, "orderCancelUserErrors": [error], "userErrors": []}
        refund = bool(args["refundMethod"].get("originalPaymentMethodsRefund"))
        self._shop.cancel(order, refund=refund, restock=args["restock"])
        job = {"id": f"gid://shopify/Job/{self._secret()[-12:]}", "done": False}
        return {"job": job, "orderCancelUserErrors": [], "userErrors": []}

    def _set_quantities(self, args: Args, directives: dict[str, Args]) -> dict[str, Any]:
        key = directives.get("idempotent", {}).get("key")
        if not key:
            raise Malformed("The @idempotent directive is required for this mutation")
        setting = args["input"]
        error, asked = self._user_error(), json.dumps(setting, sort_keys=True)
        if error is None and self._keys.get(key, asked) != asked:
            error = user_error("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", "The key was used before.", "input")
        if error is None and key not in self._keys:
            error = self._apply(setting["quantities"])
        if error:
            return {"inventoryAdjustmentGroup": None, "userErrors": [error]}
        self._keys[key] = asked
        return {"inventoryAdjustmentGroup": {"createdAt": "2026-11-24T19:00:00Z"}, "userErrors": []}

    def _apply(self, quantities: list[dict[str, Any]]) -> dict[str, Any] | None:
        by_item = {f"gid://shopify/InventoryItem/{i.ids['item']}": i for i in self._shop.items.values()}
        for wanted in quantities:
            if "changeFromQuantity" not in wanted:
                raise Malformed("InventoryQuantityInput: changeFromQuantity is required")
            item = by_item.get(wanted["inventoryItemId"])
            if item is None:
                return user_error(
                    "INVALID_INVENTORY_ITEM", "The specified inventory item could not be found."
                )
            if wanted["locationId"] != LOCATION:
                return user_error("ITEM_NOT_STOCKED_AT_LOCATION", "The item is not stocked at the location.")
            if wanted["changeFromQuantity"] not in (None, item.quantity):
                return user_error("CHANGE_FROM_QUANTITY_STALE", "The quantity has changed meanwhile.")
            self._shop.set_level(item, wanted["quantity"])
        return None

    def _item(self, gid: str) -> dict[str, Any] | None:
        """One inventory item by its gid."""
        items = (self._shop.variant(item)["inventoryItem"] for item in self._shop.items.values())
        return next((one for one in items if one["id"] == gid), None)

    def _subscribe(self, args: Args) -> dict[str, Any]:
        error = self._hooks.subscribe(args["topic"], args["webhookSubscription"]["uri"])
        if error:
            wrong = {"field": ["webhookSubscription", "uri"], "message": error}
            return {"webhookSubscription": None, "userErrors": [wrong]}
        return {"webhookSubscription": {"id": "gid://shopify/WebhookSubscription/1"}, "userErrors": []}

    def _user_error(self) -> dict[str, Any] | None:
        fault = self._faults.next("user_error")
        return user_error(fault["code"], fault.get("message", "Simulated trouble.")) if fault else None

    async def _ctl_webhook_url(self, request: Request) -> Response:
        said = await request.json()
        self._hooks.subscribe_all(said["url"], levels=bool(said.get("levels")))
        return JSONResponse({"ok": True})

    async def _ctl_catalog(self, request: Request) -> Response:
        self._shop.stock((await request.json())["items"])
        return JSONResponse({"items": len(self._shop.items)})

    async def _ctl_order(self, request: Request) -> Response:
        try:
            order = self._shop.place(await request.json())
        except SoldOut:
            return JSONResponse({"sold_out": True}, 409)
        except KeyError as unknown:
            return JSONResponse({"error": f"no such SKU: {unknown}"}, 404)
        return JSONResponse({"order_id": f"gid://shopify/Order/{order.id}"})

    async def _ctl_change(self, request: Request) -> Response:
        # {"order_id"} and one of {"refund": …}, {"edit": …}, {"cancel": {"refund", "restock"}}.
        said = await request.json()
        order = self._shop.find(said["order_id"])
        if order is None:
            return JSONResponse({"error": "no such order"}, 404)
        if "refund" in said:
            self._shop.refund(order, said["refund"])
        elif "edit" in said:
            self._shop.edit(order, said["edit"])
        else:
            self._shop.cancel(order, **said["cancel"])
        return JSONResponse({"ok": True})

    async def _ctl_count(self, request: Request) -> Response:
        said = await request.json()
        self._shop.count(said["sku"], int(said["quantity"]))
        return JSONResponse({"ok": True})

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        match fault["kind"]:
            case "status" | "throttle" | "lose" | "user_error":
                self._faults.ask(fault)
            case "revoke":
                self._token = self._secret()
            case "duplicate_webhook":
                self._hooks.twice += fault.get("count", 1)
            case "lost_webhook":
                self._hooks.lose += fault.get("count", 1)
            case "unsubscribe":
                self._hooks.topics.clear()
            case "clear":
                self._faults.clear()
            case unknown:
                return JSONResponse({"error": f"unknown fault {unknown}"}, 422)
        return JSONResponse({"ok": True})

    async def _ctl_state(self, _: Request) -> Response:
        orders = [
            {
                "id": f"gid://shopify/Order/{order.id}",
                "lines": {item.sku: quantity for _, item, quantity in order.lines},
                "email": order.email,
                "cancelled": order.cancelled_at is not None,
                "refunded": order.status == "refunded",
                "returned": order.returned,
            }
            for order in self._shop.orders
        ]
        stock = {item.sku: item.quantity for item in self._shop.items.values()}
        state = {"stock": stock, "orders": orders, "asked": self._asked, "webhooks": self._hooks.state()}
        return JSONResponse(state)

    def _secret(self) -> str:
        return f"shpat_{self._random.getrandbits(128):032x}"


def user_error(code: str, message: str, field: str | None = None) -> dict[str, Any]:
    """A mutation's polite no, inside a 200."""
    return {"code": code, "message": message, "field": [field] if field else None}


def cost_of(requested: float, available: float, actual: float | None) -> dict[str, Any]:
    """The `extensions` every answer carries."""
    status = {"maximumAvailable": BUCKET, "currentlyAvailable": available, "restoreRate": RESTORED}
    return {"cost": {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}}


def broken_off() -> Response:
    """An answer that ends in the middle, as when a connection is lost after the work was done."""

    async def half() -> AsyncIterator[bytes]:
        yield b'{"data": '

    return StreamingResponse(half(), headers={"content-length": "400"}, media_type="application/json")
