"""A local TikTok Shop: signed requests, tokens that expire, webhooks. Shapes: see samples/.

It refuses what TikTok refuses: a wrong signature, timestamp, app key, token or shop cipher, a warehouse that
is not the SKU's or is left out, a quantity out of range, cancelling what is shipped or for the wrong reason.

Faults (POST /_ctl/fault), with "count" where it makes sense: {"kind": "status", "status": 429, "retry_after":
7} · "token_status" (the same, of the token host) · "code" ("code", "message": a no inside a 200) · "lose"
(done, then the answer breaks off; "at": only for paths that end so) · "slow_cancel" (accepted, done later) ·
"moves" (after a page of orders its first one changes) · "page_token" (the next token is too old) ·
"expire_token" · "revoke" · "unsubscribe" · "country" ("country": "GB") · "duplicate_webhook", "lost_webhook",
"late_webhook".
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.fakes import Faults
from connectors.tiktok_shop.fake_after import give_back, listed, subscribed
from connectors.tiktok_shop.fake_gate import Gate, No
from connectors.tiktok_shop.fake_hooks import Hooks
from connectors.tiktok_shop.fake_shop import (
    WAREHOUSE,
    Shop,
    SoldOut,
    inventory_json,
    order_json,
    product_json,
)
from connectors.types import Tokens

CODES = {400: 36009004, 401: 105002, 404: 36009009, 429: 36009002}
"""What the gateway says in the body of a status; everything else is its own trouble."""
COUNTED = frozenset({"status", "token_status", "code", "lose", "slow_cancel", "moves", "page_token"})

Call = Callable[[dict[str, str], dict[str, Any], dict[str, str]], dict[str, Any]]
"""(query, body, path parameters) → the answer's `data`."""


class Fake:
    """One shop with one app installed."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        self._random = random.Random(seed)
        self._gate = Gate(self._random)
        self._hooks = Hooks(self._random, self._gate.app_key, self._gate.app_secret)
        self._shop = Shop(self._hooks.tell)
        self._faults = Faults()
        self._asked: list[str] = []
        calls: dict[tuple[str, str], Call] = {
            ("POST", "/order/202309/orders/search"): self._search_orders,
            ("GET", "/order/202507/orders"): self._orders,
            ("POST", "/product/202502/products/search"): self._search_products,
            ("POST", "/product/202309/inventory/search"): self._search_inventory,
            ("POST", "/product/202309/products/{product_id}/inventory/update"): self._update_inventory,
            ("GET", "/return_refund/202602/orders/{order_id}/aftersale_eligibility"): self._eligibility,
            ("POST", "/return_refund/202602/cancellations"): self._cancel,
            ("POST", "/return_refund/202602/cancellations/search"): self._search_cancellations,
            ("POST", "/return_refund/202602/returns/search"): self._search_returns,
            ("GET", "/event/202309/webhooks"): lambda _, __, ___: listed(self._hooks.topics),
            ("PUT", "/event/202309/webhooks"): lambda _, body, ___: subscribed(self._hooks.topics, body),
        }
        self.app = Starlette(
            routes=[
                *(Route(path, self._guarded(call), methods=[verb]) for (verb, path), call in calls.items()),
                Route("/api/v2/token/refresh", self._refresh),
                Route("/_ctl/webhook_url", self._ctl_webhook_url, methods=["POST"]),
                Route("/_ctl/catalog", self._ctl_catalog, methods=["POST"]),
                Route("/_ctl/order", self._ctl_order, methods=["POST"]),
                Route("/_ctl/move", self._ctl_move, methods=["POST"]),
                Route("/_ctl/count", self._ctl_count, methods=["POST"]),
                Route("/_ctl/fault", self._ctl_fault, methods=["POST"]),
                Route("/_ctl/state", self._ctl_state),
            ],
            exception_handlers={404: unknown_path},
            lifespan=self._lifespan,
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """What a brand enters, and the login its consent gave."""
        gate = self._gate
        config = {"app_key": gate.app_key, "app_secret": gate.app_secret, "shop_cipher": gate.cipher}
        return config, Tokens(access=SecretStr(gate.access), refresh=SecretStr(gate.refresh))

    def set_base_url(self, url: str) -> None:
        """Nothing here depends on the address."""

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        await self._hooks.close()

    def _guarded(self, call: Call) -> Any:
        async def endpoint(request: Request) -> Response:
            fault = self._fault("status")
            if fault:
                return trouble(fault)
            body, headers = await request.body(), dict(request.headers)
            try:
                params = self._gate.admit(request.url.path, request.url.query, headers, body)
                self._asked.append(f"{request.method} {request.url.path}")
                said = self._fault("code")
                if said:
                    raise No(said["code"], said.get("message", "Simulated."))
                if "page_token" in params and self._fault("page_token"):
                    raise No(36009004, "Invalid parameter. The `page_token` has expired.", 400)
                lost = self._fault("lose", request.url.path)
                data = call(params, parsed(body), dict(request.path_params))
            except No as no:
                return answer(no.code, no.message, None, no.status)
            return broken_off() if lost else answer(0, "Success", data)

        return endpoint

    async def _refresh(self, request: Request) -> Response:
        fault = self._fault("token_status")
        if fault:
            return trouble(fault)
        try:
            return answer(0, "success", self._gate.renew(dict(request.query_params)))
        except No as no:
            return answer(no.code, no.message, None, no.status)

    def _search_orders(
        self, query: dict[str, str], body: dict[str, Any], _: dict[str, str]
    ) -> dict[str, Any]:
        if query.get("sort_field") not in ("create_time", "update_time"):
            raise No(36009004, "Invalid parameter. `sort_field` is invalid.", 400)
        since = int(body.get("update_time_ge", 0))
        found = [order for order in self._shop.orders if order.updated >= since]
        found.sort(key=lambda order: (order.updated, order.number), reverse=query.get("sort_order") != "ASC")
        page = paged("orders", [order_json(order) for order in found], query)
        if page["orders"] and self._fault("moves"):
            self._shop.move(found[0], found[0].status)
        return page

    def _orders(self, query: dict[str, str], _: dict[str, Any], __: dict[str, str]) -> dict[str, Any]:
        ids = query.get("ids", "").split(",")
        if not 0 < len(ids) <= 50 or not all(one.isdecimal() for one in ids):
            raise No(36009004, "Invalid parameter. `ids` is invalid.", 400)
        found = (self._shop.find(one) for one in ids)
        return {"orders": [order_json(order) for order in found if order]}

    def _search_products(
        self, query: dict[str, str], _: dict[str, Any], __: dict[str, str]
    ) -> dict[str, Any]:
        return paged("products", [product_json(item) for item in self._shop.items.values()], query)

    def _search_inventory(
        self, _: dict[str, str], body: dict[str, Any], __: dict[str, str]
    ) -> dict[str, Any]:
        wanted = body["sku_ids"]
        found = [item for item in self._shop.items.values() if item.sku_id in wanted]
        return {"inventory": [inventory_json(item) for item in found]}

    def _update_inventory(
        self, _: dict[str, str], body: dict[str, Any], path: dict[str, str]
    ) -> dict[str, Any]:
        return self._shop.set_levels(path["product_id"], body["skus"])

    def _eligibility(self, query: dict[str, str], _: dict[str, Any], path: dict[str, str]) -> dict[str, Any]:
        order = self._shop.find(path["order_id"])
        if order is None or query.get("initiate_aftersale_user") != "SELLER":
            raise No(36009004, "Invalid identifier. The `order_id` is invalid.", 400)
        return self._shop.eligibility(order)

    def _cancel(self, _: dict[str, str], body: dict[str, Any], __: dict[str, str]) -> dict[str, Any]:
        order = self._shop.find(body["order_id"])
        if order is None:
            raise No(36009004, "Invalid identifier. The `order_id` is invalid.", 400)
        return self._shop.cancel(order, body["cancel_reason"], slow=bool(self._fault("slow_cancel")))

    def _search_cancellations(
        self, query: dict[str, str], body: dict[str, Any], _: dict[str, str]
    ) -> dict[str, Any]:
        orders = [order for order in self._shop.orders if order.id in body["order_ids"]]
        return paged("cancellations", [one for order in orders for one in order.cancellations], query)

    def _search_returns(
        self, query: dict[str, str], body: dict[str, Any], _: dict[str, str]
    ) -> dict[str, Any]:
        wanted, since = body.get("order_ids"), int(body.get("update_time_ge", 0))
        found = [one for order in self._shop.orders for one in order.returns if one["update_time"] >= since]
        if wanted is not None:
            found = [one for one in found if one["order_id"] in wanted]
        return paged("return_orders", found, query)

    def _fault(self, kind: str, path: str = "") -> dict[str, Any] | None:
        """The next fault of a kind, counted down; one with "at" waits for a path that ends so."""
        return self._faults.next(kind, lambda fault: path.endswith(fault.get("at", "")))

    async def _ctl_webhook_url(self, request: Request) -> Response:
        self._hooks.topics["ORDER_STATUS_CHANGE"] = (await request.json())["url"]
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
        return JSONResponse({"order_id": order.id})

    async def _ctl_move(self, request: Request) -> Response:
        # {"order_id", "status"} walks an order on; "taken_out": [0] takes pieces out; "return" gives back.
        said = await request.json()
        order = self._shop.find(said["order_id"])
        if order is None:
            return JSONResponse({"error": "no such order"}, 404)
        order.taken_out |= set(said.get("taken_out", ()))
        if "return" in said:
            give_back(self._shop, order, said["return"])
        else:
            self._shop.move(order, said.get("status", order.status))
        return JSONResponse({"ok": True})

    async def _ctl_count(self, request: Request) -> Response:
        said = await request.json()
        self._shop.items[said["sku"]].levels[WAREHOUSE] = int(said["quantity"])
        return JSONResponse({"ok": True})

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        count = fault.get("count", 1)
        match fault["kind"]:
            case kind if kind in COUNTED:
                self._faults.ask(fault)
            case "expire_token":
                self._gate.expire()
            case "revoke":
                self._gate.revoke()
            case "unsubscribe":
                self._hooks.topics.clear()
            case "country":
                self._shop.country = fault["country"]
            case "duplicate_webhook":
                self._hooks.twice += count
            case "lost_webhook":
                self._hooks.lose += count
            case "late_webhook":
                self._hooks.hold += count
            case unknown:
                return JSONResponse({"error": f"unknown fault {unknown}"}, 422)
        return JSONResponse({"ok": True})

    async def _ctl_state(self, _: Request) -> Response:
        orders = [
            {
                "id": order.id,
                "status": order.status,
                "email": order.email,
                "pieces": [item.sku for item in order.pieces],
                "cancellations": len(order.cancellations),
            }
            for order in self._shop.orders
        ]
        items = self._shop.items.values()
        state = {
            "stock": {item.sku: item.quantity for item in items},
            "levels": {item.sku: item.levels for item in items},
            "orders": orders,
            "asked": self._asked,
            "refreshed": self._gate.refreshed,
            "webhooks": self._hooks.state(),
        }
        return JSONResponse(state)


def answer(code: int, message: str, data: dict[str, Any] | None, status: int = 200) -> Response:
    """TikTok's envelope."""
    said = {"code": code, "message": message, "request_id": "20261125183200CAFE", "data": data}
    return JSONResponse(said, status)


def trouble(fault: dict[str, Any]) -> Response:
    """An answer of the gateway itself."""
    made = answer(CODES.get(fault["status"], 36009003), "Simulated trouble.", None, fault["status"])
    if "retry_after" in fault:
        made.headers["Retry-After"] = str(fault["retry_after"])
    return made


async def unknown_path(_: Request, __: Exception) -> Response:
    """For paths and versions there are none of."""
    return answer(36009009, "Invalid path.", None, 404)


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of a POST; an empty one for a GET."""
    try:
        said = json.loads(body or b"{}")
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise No(36009004, "Invalid request. The body is not a JSON object.", 400)
    return said


def paged(name: str, found: list[Any], query: dict[str, str]) -> dict[str, Any]:
    """One page of a search; an empty token is the end."""
    size, token = query.get("page_size", ""), query.get("page_token", "p0")
    if not size.isdecimal() or not 1 <= int(size) <= 100 or not token[1:].isdecimal():
        raise No(36009004, "Invalid parameter. `page_size` or `page_token` is invalid.", 400)
    end = int(token[1:]) + int(size)
    following = f"p{end}" if end < len(found) else ""
    return {name: found[end - int(size) : end], "next_page_token": following, "total_count": len(found)}


def broken_off() -> Response:
    """An answer that ends in the middle, as when a connection is lost after the work was done."""

    async def half() -> AsyncIterator[bytes]:
        yield b'{"code": 0, '

    return StreamingResponse(half(), headers={"content-length": "400"}, media_type="application/json")
