"""A local WordPress site with WooCommerce: REST API version 3 and signed webhooks. Shapes: see samples/.

It refuses what WooCommerce refuses: wrong keys, unknown ids and paths, refunding more than was paid, pages of
more than a hundred. One thing it allows that the real one does not: a key over plain http.

Faults (POST /_ctl/fault), each with "count": {"kind": "status", "status": 429, "retry_after": 7} · "page" (a
maintenance page with status 200; "after": the work was done) · "firewall" (a page with 403) · "lose" (done,
then the answer breaks off; "method") · "no_refunds" (the gateway cannot) · "odd_order" ("order_id" loses its
shape) ·
"revoke" · "disable_webhooks" · "duplicate_webhook" · "lost_webhook" · "clear".
"""

from __future__ import annotations

import base64
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.fakes import Faults
from connectors.types import Tokens
from connectors.woocommerce.fake_hooks import Hooks
from connectors.woocommerce.fake_shop import No, Placed, Shop, item_json, order_json, refund_json

API = "/wp-json/wc/v3/"
COUNTED = frozenset({"status", "page", "firewall", "lose", "no_refunds"})
TOPICS = ("order.created", "order.updated", "order.deleted")

Call = Callable[[Request, dict[str, Any]], Any]


class Fake:
    """One site."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        rng = random.Random(seed)
        self._key, self._secret = f"ck_{rng.getrandbits(160):040x}", f"cs_{rng.getrandbits(160):040x}"
        self._hook_secret = f"{rng.getrandbits(128):032x}"
        self._hooks = Hooks(self._said)
        self._shop = Shop(self._hooks.tell)
        self._faults = Faults()
        self._odd: set[int] = set()
        self._asked: list[str] = []
        calls: dict[str, dict[str, Call]] = {
            "orders": {"GET": self._orders},
            "orders/{id:int}": {"GET": self._order, "PUT": self._change_order},
            "orders/{id:int}/refunds": {"GET": self._refunds, "POST": self._refund},
            "products": {"GET": self._products},
            "products/{id:int}": {"GET": self._product, "PUT": self._change_product},
            "products/{parent:int}/variations": {"GET": self._products},
            "products/{parent:int}/variations/{id:int}": {"GET": self._product, "PUT": self._change_product},
            "data/currencies/current": {"GET": lambda _, __: {"code": self._shop.currency}},
            "webhooks": {"GET": self._list_hooks, "POST": self._add_hook},
            "webhooks/{id:int}": {"PUT": self._change_hook},
        }
        control = {
            "webhook_url": self._ctl_webhook_url,
            "catalog": self._ctl_catalog,
            "order": self._ctl_order,
            "change": self._ctl_change,
            "count": self._ctl_count,
            "fault": self._ctl_fault,
        }
        self.app = Starlette(
            routes=[
                *(Route(API + path, self._guarded(verbs), methods=[*verbs]) for path, verbs in calls.items()),
                *(Route(f"/_ctl/{name}", verb, methods=["POST"]) for name, verb in control.items()),
                Route("/_ctl/state", self._ctl_state),
            ],
            exception_handlers={404: no_route},
            lifespan=self._lifespan,
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """What a brand enters; there is no other login."""
        return {
            "site": "https://shop.example.com",
            "consumer_key": self._key,
            "consumer_secret": self._secret,
            "webhook_secret": self._hook_secret,
        }, None

    def set_base_url(self, url: str) -> None:
        """Nothing here depends on the address."""

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        await self._hooks.close()

    def _guarded(self, verbs: dict[str, Call]) -> Any:
        async def endpoint(request: Request) -> Response:
            if fault := self._fault("status"):
                wait = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
                said = {"code": "simulated", "message": "Simulated trouble.", "data": None}
                return JSONResponse(said, fault["status"], wait)
            if self._fault("firewall"):
                return HTMLResponse("<html>Access denied</html>", 403)
            page = self._fault("page")
            if page and not page.get("after"):
                return MAINTENANCE
            if request.headers.get("authorization") != self._basic():
                return wrong(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
            self._asked.append(f"{request.method} {request.url.path.removeprefix(API)}")
            lost = self._fault("lose", request.method)
            try:
                body = await request.json() if await request.body() else {}
                answer = verbs[request.method](request, body)
            except No as no:
                return wrong(no.status, no.code, no.message)
            if page:
                return MAINTENANCE
            return broken_off() if lost else JSONResponse(answer)

        return endpoint

    def _basic(self) -> str:
        return f"Basic {base64.b64encode(f'{self._key}:{self._secret}'.encode()).decode()}"

    def _said(self, topic: str, number: int) -> dict[str, Any] | None:
        """What a webhook says now of what happened then."""
        if topic.startswith("order."):
            order = self._shop.orders.get(number)
            return self._shown(order) if order else None
        return item_json(self._shop.by_id(number))

    def _shown(self, order: Placed) -> dict[str, Any]:
        found = order_json(order, self._shop.currency)
        return found | {"total": {"amount": found["total"]}} if order.id in self._odd else found

    def _orders(self, request: Request, _: dict[str, Any]) -> Any:
        query = request.query_params
        since = query.get("modified_after", "")
        found = [self._shown(order) for order in self._shop.orders.values()]
        found = [one for one in found if one["date_modified_gmt"] > since]
        return paged(sorted(found, key=lambda one: (one["date_modified_gmt"], one["id"])), request)

    def _order(self, request: Request, _: dict[str, Any]) -> Any:
        return self._shown(self._shop.order(request.path_params["id"]))

    def _change_order(self, request: Request, body: dict[str, Any]) -> Any:
        order = self._shop.order(request.path_params["id"])
        self._shop.move(order, body["status"])
        return self._shown(order)

    def _refunds(self, request: Request, _: dict[str, Any]) -> Any:
        order = self._shop.order(request.path_params["id"])
        return [refund_json(one) for one in order.refunds]

    def _refund(self, request: Request, body: dict[str, Any]) -> Any:
        order = self._shop.order(request.path_params["id"])
        if body.get("api_refund", True) and self._fault("no_refunds"):
            why = "The payment gateway for this order does not support automatic refunds."
            raise No(500, "woocommerce_rest_cannot_create_order_refund", why)
        wish = {"amount": body["amount"], "reason": body.get("reason", "")}
        return refund_json(self._shop.refund(order, wish | {"restock": body.get("api_restock", True)}))

    def _products(self, request: Request, _: dict[str, Any]) -> Any:
        parent = int(request.path_params.get("parent", 0))
        include = {int(one) for one in request.query_params.get("include", "").split(",") if one}
        listed = [one for one in self._shop.items.values() if not one.trashed]
        if parent:
            found = [item_json(one) for one in listed if one.parent == parent]
        else:
            found = [item_json(one) for one in listed if not one.parent]
            found += [variable_json(one) for one in {i.parent for i in listed} if one]
        return paged([one for one in found if not include or one["id"] in include], request)

    def _product(self, request: Request, _: dict[str, Any]) -> Any:
        return item_json(self._shop.by_id(request.path_params["id"]))

    def _change_product(self, request: Request, body: dict[str, Any]) -> Any:
        item = self._shop.by_id(request.path_params["id"])
        if "stock_quantity" in body and item.manage is True:
            self._shop.count(item, int(body["stock_quantity"]))
        return item_json(item)

    def _list_hooks(self, request: Request, _: dict[str, Any]) -> Any:
        return paged([hook.json() for hook in self._hooks.hooks], request)

    def _add_hook(self, _: Request, body: dict[str, Any]) -> Any:
        return self._hooks.add(body["topic"], body["delivery_url"], body["secret"]).json()

    def _change_hook(self, request: Request, body: dict[str, Any]) -> Any:
        for hook in self._hooks.hooks:
            if hook.id == request.path_params["id"]:
                hook.status, hook.failures = body["status"], 0
                hook.secret = body.get("secret", hook.secret)
                return hook.json()
        raise No(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")

    def _fault(self, kind: str, method: str = "") -> dict[str, Any] | None:
        """The next fault of a kind, counted down; one with "method" waits for that."""
        return self._faults.next(kind, lambda fault: fault.get("method", method) == method)

    async def _ctl_webhook_url(self, request: Request) -> Response:
        said = await request.json()
        self._hooks.hooks.clear()
        for topic in (*TOPICS, *(["product.updated"] if said.get("levels") else [])):
            self._hooks.add(topic, said["url"], self._hook_secret)
        return JSONResponse({"ok": True})

    async def _ctl_catalog(self, request: Request) -> Response:
        self._shop.stock((await request.json())["items"])
        return JSONResponse({"items": len(self._shop.items)})

    async def _ctl_order(self, request: Request) -> Response:
        try:
            order = self._shop.place(await request.json())
        except No:
            return JSONResponse({"sold_out": True}, 409)
        except KeyError as unknown:
            return JSONResponse({"error": f"no such SKU: {unknown}"}, 404)
        return JSONResponse({"order_id": str(order.id)})

    async def _ctl_change(self, request: Request) -> Response:
        # {"order_id"} and one of {"refund": …}, {"edit": …}, {"status": "cancelled"}.
        said = await request.json()
        try:
            order = self._shop.order(int(said["order_id"]))
            if "refund" in said:
                self._shop.refund(order, said["refund"])
            elif "edit" in said:
                self._shop.edit(order, said["edit"])
            else:
                self._shop.move(order, said["status"])
        except No as no:
            return wrong(no.status, no.code, no.message)
        return JSONResponse({"ok": True})

    async def _ctl_count(self, request: Request) -> Response:
        said = await request.json()
        self._shop.count(self._shop.items[said["sku"]], int(said["quantity"]))
        return JSONResponse({"ok": True})

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        match fault["kind"]:
            case kind if kind in COUNTED:
                self._faults.ask(fault)
            case "odd_order":
                self._odd.add(int(fault["order_id"]))
            case "revoke":
                self._secret = self._secret[::-1]
            case "disable_webhooks":
                for hook in self._hooks.hooks:
                    hook.status = "disabled"
            case "duplicate_webhook":
                self._hooks.twice += fault.get("count", 1)
            case "lost_webhook":
                self._hooks.lose += fault.get("count", 1)
            case "clear":
                self._faults.clear()
                self._odd.clear()
            case unknown:
                return JSONResponse({"error": f"unknown fault {unknown}"}, 422)
        return JSONResponse({"ok": True})

    async def _ctl_state(self, _: Request) -> Response:
        orders = [
            {
                "id": str(order.id),
                "status": order.status,
                "cancelled": order.status in ("cancelled", "refunded"),
                "returned": sum(one["minor"] for one in order.refunds),
                "lines": {line.item.sku: line.quantity for line in order.lines},
            }
            for order in self._shop.orders.values()
        ]
        stock = {item.sku: item.quantity for item in self._shop.items.values()}
        state = {"stock": stock, "orders": orders, "asked": self._asked, "webhooks": self._hooks.state()}
        return JSONResponse(state)


MAINTENANCE = HTMLResponse("<!doctype html><html>Briefly unavailable for scheduled maintenance.</html>")


def variable_json(number: int) -> dict[str, Any]:
    """A product that is sold in variations only."""
    return {
        "id": number,
        "name": "In colours",
        "type": "variable",
        "status": "publish",
        "sku": "",
        "images": [],
    }


def paged(found: list[Any], request: Request) -> list[Any]:
    """One page; WordPress counts them from one."""
    size, page = int(request.query_params.get("per_page", 10)), int(request.query_params.get("page", 1))
    if not 1 <= size <= 100:
        raise No(400, "rest_invalid_param", "Invalid parameter(s): per_page")
    return found[(page - 1) * size : page * size]


def wrong(status: int, code: str, message: str) -> Response:
    """WordPress's way to say no."""
    return JSONResponse({"code": code, "message": message, "data": {"status": status}}, status)


async def no_route(_: Request, __: Exception) -> Response:
    """For paths there are none of."""
    return wrong(404, "rest_no_route", "No route was found matching the URL and request method.")


def broken_off() -> Response:
    """An answer that ends in the middle, as when a connection is lost after the work was done."""

    async def half() -> AsyncIterator[bytes]:
        yield b'{"id": '

    return StreamingResponse(half(), headers={"content-length": "400"}, media_type="application/json")
