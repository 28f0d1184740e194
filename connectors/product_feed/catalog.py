"""Reads the feed: one GET, however long, and what it says item by item."""

from __future__ import annotations

import asyncio
import base64
import zlib
from collections.abc import AsyncIterator
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, Field, SecretStr

from connectors.base import Session
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.product_feed.items import SkuField, product_of
from connectors.product_feed.parse import items_of
from connectors.types import Product

ANY_FEED = "https://feed.example.com/"
"""Stands for wherever the shop's feed is; another base address (a fake's) takes the place of its host."""
MOST_BYTES = 100_000_000
LONGEST_S = 600.0
GZIP = b"\x1f\x8b"


class Config(BaseModel):
    """Where the feed is, and how it opens."""

    url: str = Field(
        title="Feed address",
        description="The https address of the XML, CSV or TSV file your shop makes for Google or Meta.",
        # Encrypted, and answered by whoever owns the name: no machine of our own network is.
        pattern=r"^https://[^\s/@]+/\S*$",
        max_length=2000,
    )
    username: str = Field(
        "",
        title="User name",
        description="Only if the address asks for one (HTTP Basic).",
        max_length=200,
        pattern=r"^[^:]*$",
    )
    password: SecretStr = Field(
        SecretStr(""), title="Password", description="Only if the address asks for one (HTTP Basic)."
    )
    sku_field: Literal["id", "mpn", "gtin"] = Field(
        "id",
        title="What is the SKU",
        description="The field of the feed that has your SKU: id in most shops, else mpn or gtin.",
    )


class FeedCatalog:
    """Every item of the feed that has a SKU, a title and a price."""

    def __init__(self, session: Session[Config]) -> None:
        self._http = session.http
        self._field: SkuField = session.config.sku_field
        given, base = urlsplit(session.config.url), session.addresses.base_url
        host = f"https://{given.netloc}" if base == ANY_FEED else base.rstrip("/")
        self._url = f"{host}{given.path or '/'}"
        # Many shops put a key into the query: it appears in no log line.
        self._query = dict(parse_qsl(given.query, keep_blank_values=True))

    async def products(self) -> AsyncIterator[Product]:
        """Every sellable variant, in the feed's order. Refused when the file is no product feed."""
        body = await self._body()
        # Seconds of computing for a long feed: not on the loop.
        items = await asyncio.to_thread(items_of, body)
        found = 0
        for item in items:
            if product := product_of(item, self._field):
                found += 1
                yield product
        if items and not found:
            raise Refused(
                f"No item of this feed has all of {self._field}, title and price. Check the feed, "
                "or choose another field as the SKU."
            )

    async def _body(self) -> bytes:
        try:
            async with (
                asyncio.timeout(LONGEST_S),
                self._http.stream("GET", self._url, secret_params=self._query) as answer,
            ):
                if answer.status_code != 200:
                    raise Refused("The feed has moved. Enter the address where it is now.")
                data = bytearray()
                async for chunk in answer.aiter_bytes():
                    data += chunk
                    if len(data) > MOST_BYTES:
                        raise too_long()
        except TimeoutError:
            raise RetryLater("The feed takes too long to answer.", 300.0) from None
        return unpacked(bytes(data))


def unpacked(body: bytes) -> bytes:
    """The file inside a .gz, as far as it is of a sane length."""
    if not body.startswith(GZIP):
        return body
    unzip = zlib.decompressobj(wbits=31)
    try:
        found = unzip.decompress(body, MOST_BYTES)
    except zlib.error:
        raise Refused("The compressed feed is damaged. Make it anew, then read it again.") from None
    if unzip.unconsumed_tail:
        raise too_long()
    if not unzip.eof:
        raise RetryLater("The compressed feed came only in part.", 30.0)
    return found


def too_long() -> Refused:
    """Nobody lists that much, and we have only so much memory."""
    return Refused(f"The feed is longer than {MOST_BYTES // 10**6} MB. Split it, and link each part.")


def authorise(config: Config, _: str) -> dict[str, str]:
    """HTTP Basic, where a user name or a password was entered."""
    secret = config.password.get_secret_value()
    if not (config.username or secret):
        return {}
    return {"Authorization": "Basic " + base64.b64encode(f"{config.username}:{secret}".encode()).decode()}


def classify(status: int, _: dict[str, str], body: bytes) -> ConnectorError | None:
    """What a web server's no means for a feed; the rest is left to the general rule."""
    if status == 401:
        return Reconnect("The feed asks for a user name and a password. Enter them, or correct them.")
    if status in (403, 404, 410):
        return Refused("There is no feed for us at this address. Check it in your shop.", code=str(status))
    return None
