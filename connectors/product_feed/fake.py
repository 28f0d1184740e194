"""A web server with a shop's feed on it, in every form shops have."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import random
from typing import Any
from xml.sax.saxutils import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.types import Money, Tokens

SPACE = "http://base.google.com/ns/1.0"
COLUMNS = ("id", "title", "price", "availability", "quantity", "image link", "item group id", "color", "size")
HTML = b"<!DOCTYPE html><html><body>Sign in</body></html>"
FIRST = (
    {"sku": "BAG-RED", "title": "Bag", "price_minor": 4900, "quantity": 12, "group": "BAG", "color": "Red"},
    {"sku": "BAG-BLUE", "title": "Bag", "price_minor": 4900, "quantity": 0, "group": "BAG", "color": "Blue"},
    {"sku": "CAP", "title": "Cap & scarf", "price_minor": 1950},
)


class Fake:
    """The items of `/_ctl/catalog` as `/feed.xml`, `.atom`, `.csv`, `.tsv`, `.xml.gz`, behind a password."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        self._password = f"pw-{random.Random(seed).getrandbits(64):016x}"
        self._key = f"key-{random.Random(seed + 1).getrandbits(64):016x}"
        self._items: list[dict[str, Any]] = [dict(one) for one in FIRST]
        self._faults: list[dict[str, Any]] = []
        self._raw: bytes | None = None
        self._served = 0
        self.app = Starlette(
            routes=[
                Route("/feed.{form}", self._feed),
                Route("/_ctl/catalog", self._ctl_catalog, methods=["POST"]),
                Route("/_ctl/raw", self._ctl_raw, methods=["POST"]),
                Route("/_ctl/fault", self._ctl_fault, methods=["POST"]),
                Route("/_ctl/state", self._ctl_state),
            ]
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """What a person would enter."""
        url = f"https://shop.example.com/feed.xml?key={self._key}"
        return {"url": url, "username": "feed", "password": self._password}, None

    def set_base_url(self, url: str) -> None:
        """Nothing here builds absolute addresses."""

    async def _feed(self, request: Request) -> Response:
        if self._faults:
            fault = self._faults[0]
            fault["count"] = fault.get("count", 1) - 1
            self._faults = [one for one in self._faults if one["count"] > 0]
            return spoilt(fault, self._body("xml"))
        basic = base64.b64encode(f"feed:{self._password}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return Response("Unauthorized", 401, {"WWW-Authenticate": 'Basic realm="feed"'})
        if request.query_params.get("key") != self._key:
            return Response("No such key", 403)
        body = self._body(request.path_params["form"]) if self._raw is None else self._raw
        self._served += 1
        return Response(body, media_type="application/octet-stream")

    def _body(self, form: str) -> bytes:
        if form == "xml.gz":
            return gzip.compress(self._body("xml"))
        rows = [attributes(item) for item in self._items]
        if form in ("csv", "tsv"):
            text = io.StringIO(newline="")
            writer = csv.DictWriter(text, COLUMNS, delimiter="," if form == "csv" else "\t", restval="")
            writer.writeheader()
            writer.writerows(rows)
            return text.getvalue().encode("utf-8-sig" if form == "csv" else "utf-8")
        items = "".join(element("entry" if form == "atom" else "item", row) for row in rows)
        if form == "atom":
            head = f'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="{SPACE}"><title>Shop</title>'
            return f'<?xml version="1.0"?>{head}{items}</feed>'.encode()
        head = f'<rss version="2.0" xmlns:g="{SPACE}"><channel><title>Shop</title>'
        return f'<?xml version="1.0" encoding="utf-8"?>{head}{items}</channel></rss>'.encode()

    async def _ctl_catalog(self, request: Request) -> Response:
        self._items, self._raw = (await request.json())["items"], None
        return JSONResponse({"ok": True})

    async def _ctl_raw(self, request: Request) -> Response:
        # Whatever a web server may send instead of a feed.
        self._raw = base64.b64decode((await request.json())["base64"])
        return JSONResponse({"ok": True})

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        if fault["kind"] not in ("status", "cut", "moved", "page"):
            return JSONResponse({"error": "unknown fault"}, 422)
        self._faults.append(fault)
        return JSONResponse({"ok": True})

    async def _ctl_state(self, request: Request) -> Response:
        return JSONResponse({"served": self._served, "items": len(self._items)})


def attributes(item: dict[str, Any]) -> dict[str, str]:
    """An item by the names a text file has them under."""
    price = Money(amount=item["price_minor"], currency=item.get("currency", "EUR"))
    quantity = item.get("quantity")
    row = {
        "id": item["sku"],
        "title": item["title"],
        "price": f"{price.decimal()} {price.currency}",
        "availability": "out_of_stock" if quantity == 0 else "in_stock",
        "quantity": "" if quantity is None else str(quantity),
        "image link": item.get("image_url", f"https://img.example.com/{item['sku']}.jpg"),
        "item group id": item.get("group", ""),
        "color": item.get("color", ""),
        "size": item.get("size", ""),
    }
    return {name: value for name, value in row.items() if value}


def element(name: str, row: dict[str, str]) -> str:
    """The same as XML. The title is RSS's own, and shipping has a price that is not the item's."""
    cells = "".join(
        f"<title>{escape(value)}</title>"
        if key == "title"
        else f"<g:{key.replace(' ', '_')}>{escape(value)}</g:{key.replace(' ', '_')}>"
        for key, value in row.items()
    )
    return f"<{name}><g:shipping><g:price>4.90 EUR</g:price></g:shipping>{cells}</{name}>"


def spoilt(fault: dict[str, Any], body: bytes) -> Response:
    """What web servers do instead."""
    if fault["kind"] == "moved":
        return Response("", 301, {"Location": "https://elsewhere.example.com/feed.xml"})
    if fault["kind"] == "page":
        return Response(HTML, media_type="text/html")
    if fault["kind"] == "cut":

        async def half() -> Any:
            yield body[: len(body) // 2]

        return StreamingResponse(half(), headers={"Content-Length": str(len(body))})
    wait = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
    return Response("Simulated on purpose", fault["status"], wait)
